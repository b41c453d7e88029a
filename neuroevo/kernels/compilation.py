"""How kernels are compiled: helpers become LLVM code for their caller only, and the entry point is kept on disk.

Numba optimises every jitted function and turns it into machine code of its own, although the functions here live on
inlined in one entry point; that took four fifths of the compile time. The decorators below leave the helpers as
unoptimised LLVM code that the entry point links in and optimises once. They build on numba's compiler classes, which
are open to extension but not frozen: a new version of numba needs a run of the kernel tests.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm
import numba
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import FunctionPass, register_pass
from numba.extending import overload

from neuroevo.kernels.cache import KernelCache


class _NoEnvironment:
    """Stands in for the code generator where numba wants to fill in a global of code that has no address."""

    def set_env(self, *_: Any) -> None:
        """Nothing: helpers have no need of the interpreter."""


class _HelperLibrary(JITCodeLibrary):
    """LLVM code that is only ever linked into other code."""

    @property
    def codegen(self) -> Any:
        return self._codegen if not self._finalized else _NoEnvironment()

    def finalize(self) -> None:
        self._raise_if_finalized()
        for library in dict.fromkeys(self._linking_libraries):
            self._reload_init.update(library._reload_init)
            self._final_module.link_in(library._get_module_for_linking(), preserve=True)
        self._finalize_dynamic_globals()
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:  # noqa: ARG002 - numba's signature
        self._ensure_finalized()
        return 0


class _CalledLibrary(_HelperLibrary):
    """As above; its functions stay functions."""

    def add_ir_module(self, ir_module: Any) -> None:
        for function in ir_module.functions:
            if not function.is_declaration and "alwaysinline" not in function.attributes:
                function.attributes.add("noinline")
        super().add_ir_module(ir_module)


class _EntryLibrary(JITCodeLibrary):
    """An entry point: one run of LLVM's passes, which neither unroll nor vectorise what is written on vectors."""

    def _optimize_final_module(self) -> None:
        tuning = llvm.create_pipeline_tuning_options(speed_level=2)
        tuning.loop_unrolling = tuning.loop_vectorization = tuning.slp_vectorization = False
        builder = llvm.create_pass_builder(self._codegen._tm, tuning)
        builder.getModulePassManager().run(self._final_module, builder)


def _library_pass(library: type[JITCodeLibrary]) -> Any:
    """A compiler pass that gives the function's code this kind of library."""

    @register_pass(mutates_CFG=False, analysis_only=True)
    class UseLibrary(FunctionPass):  # type: ignore[misc]
        _name = f"neuroevo_use{library.__name__}"

        def __init__(self) -> None:
            FunctionPass.__init__(self)

        def run_pass(self, state: Any) -> bool:
            state.library = library(state.targetctx.codegen(), state.func_id.func_qualname)
            state.library.enable_object_caching()
            return True

    return UseLibrary


def _options(library: type[JITCodeLibrary]) -> dict[str, Any]:
    """Options of `numba.jit` for code of this kind of library."""
    use_library = _library_pass(library)

    class Compiler(CompilerBase):  # type: ignore[misc]
        def define_pipelines(self) -> list[Any]:
            passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
            passes.passes.insert(1, (use_library, "helpers are linked, not run"))
            passes.finalize()
            return [passes]

    return {"pipeline_class": Compiler, "nopython": True}


_UNWRAPPED: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
_INLINED: Any = {**_options(_HelperLibrary), **_UNWRAPPED, "forceinline": True}

_jit: Any = numba.jit

called: Any = _jit(**_options(_CalledLibrary), **_UNWRAPPED)
"""Compile a function that stays one: loops with many live values need the registers for themselves."""

inlined: Any = _jit(**_INLINED)
"""Compile a function that becomes part of every caller."""


def implements(function: Callable[..., Any]) -> Any:
    """`numba.extending.overload` for a helper: choose code by the types of the arguments, inlined into the caller."""
    return overload(function, jit_options=_INLINED)


def kernel(function: Callable[..., Any]) -> Any:
    """Compile an entry point: without the interpreter's lock, without fastmath, kept on disk."""
    dispatcher = _jit(**_options(_EntryLibrary), nogil=True)(function)
    dispatcher._cache = KernelCache(function)
    return dispatcher

"""How kernels are compiled: helpers become LLVM code for their caller only, and the entry point is kept on disk.

Numba optimises every jitted function and turns it into machine code of its own, although the functions here live on
inlined in one entry point; that took four fifths of the compile time. The decorators below leave the helpers as
unoptimised LLVM code that the entry point links in and optimises once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import FunctionPass, register_pass
from numba.extending import overload

from neuroevo.kernels.cache import KernelCache


class _NoEnvironment:
    """Stands in for the code generator where numba wants to fill in a global of code that has no address."""

    def set_env(self, name: str, environment: Any) -> None:
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

    def get_pointer_to_function(self, name: str) -> int:
        self._ensure_finalized()
        return 0


@register_pass(mutates_CFG=False, analysis_only=True)
class _UseHelperLibrary(FunctionPass):  # type: ignore[misc]
    _name = "neuroevo_use_helper_library"

    def __init__(self) -> None:
        FunctionPass.__init__(self)

    def run_pass(self, state: Any) -> bool:
        state.library = _HelperLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        return True


class _HelperCompiler(CompilerBase):  # type: ignore[misc]
    def define_pipelines(self) -> list[Any]:
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.passes.insert(1, (_UseHelperLibrary, "helpers are linked, not run"))
        passes.finalize()
        return [passes]


_HELPER = {"pipeline_class": _HelperCompiler, "no_cpython_wrapper": True, "no_cfunc_wrapper": True, "nopython": True}

helper = numba.jit(**_HELPER)
"""Compile a function that kernels call; LLVM decides about inlining."""

inlined = numba.jit(**_HELPER, forceinline=True)
"""Compile a function that becomes part of every caller."""


def implements(function: Callable[..., Any]) -> Callable[..., Any]:
    """`numba.extending.overload` for a helper: choose code by the types of the arguments, inlined into the caller."""
    return overload(function, jit_options={**_HELPER, "forceinline": True})  # type: ignore[no-any-return]


def kernel(function: Callable[..., Any]) -> Any:
    """Compile an entry point: without the interpreter's lock, without fastmath, kept on disk."""
    dispatcher = numba.njit(nogil=True)(function)
    dispatcher._cache = KernelCache(function)
    return dispatcher

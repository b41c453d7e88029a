"""Numba's compiler, told to leave helpers as LLVM code that entry points link in: options of `numba.jit`.

Numba optimises every jitted function and turns it into machine code of its own, although the functions here live on
inlined in one entry point; that took four fifths of the compile time. Here the helpers stay unoptimised LLVM code that
the entry point links in and optimises once.

All this builds on classes of numba that are open to extension but not frozen. Where one of them is not as known,
importing this module fails with an ImportError, and `compilation` does without it.
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding as llvm
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import FunctionPass, register_pass
from numba.core.registry import cpu_target

_NEEDED = (
    "_codegen", "_ensure_finalized", "_final_module", "_finalize_dynamic_globals", "_finalized",
    "_get_module_for_linking", "_linking_libraries", "_optimize_final_module", "_raise_if_finalized", "_reload_init",
    "add_ir_module", "enable_object_caching", "finalize", "get_pointer_to_function",
)  # fmt: skip


def _refuse_unknown_numba() -> None:
    """Raise ImportError if a code library of this numba lacks what the classes below override or use."""
    try:
        library = cpu_target.target_context.codegen().create_library("probe")
        _ = library._codegen._tm, llvm.create_pipeline_tuning_options, llvm.create_pass_builder
        _ = DefaultPassBuilder.define_nopython_pipeline
    except AttributeError as error:
        raise ImportError(f"this numba compiles in a way of its own: {error}") from error
    missing = [name for name in _NEEDED if not hasattr(library, name)]
    if missing or not isinstance(library, JITCodeLibrary):
        raise ImportError(f"this numba's code library lacks {', '.join(missing) or 'its known class'}")


_refuse_unknown_numba()


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


def _options(library: type[JITCodeLibrary], **more: Any) -> dict[str, Any]:
    """Options of `numba.jit` for code of this kind of library."""
    use_library = _library_pass(library)

    class Compiler(CompilerBase):  # type: ignore[misc]
        def define_pipelines(self) -> list[Any]:
            passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
            passes.passes.insert(1, (use_library, "helpers are linked, not run"))
            passes.finalize()
            return [passes]

    return {"pipeline_class": Compiler, **more}


_UNWRAPPED = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}

# Without the last option numba would hand down the caller's `forceinline`.
CALLED = _options(_CalledLibrary, **_UNWRAPPED, forceinline=False)
INLINED = _options(_HelperLibrary, **_UNWRAPPED, forceinline=True)
ENTRY = _options(_EntryLibrary)

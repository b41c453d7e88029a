"""How kernels are compiled: helpers become LLVM code for their caller only, and the entry point is kept on disk.

Both ways reach into numba: `pipeline` into its compiler, `cache` into its cache. Where a numba is not as they
know it, plain `numba.njit` compiles the same code to the same bits, in about twice the time and in every process anew:
numba's own cache would answer an edit in another file from the old code.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
from numba.extending import overload

from neuroevo.kernels import sources

try:
    from neuroevo.kernels.pipeline import CALLED, ENTRY, INLINED
except ImportError:
    CALLED = ENTRY = INLINED = {}

KernelCache: Any
try:
    from neuroevo.kernels.cache import KernelCache
except ImportError:
    KernelCache = None

_njit: Any = numba.njit
_IMPLEMENTED: Any = {"nopython": True, **INLINED}

from_outside: Any = _njit(**INLINED, error_model="numpy")
"""Compile somebody else's function as `inlined`; a division by 0 gives inf or NaN and raises nothing."""

called: Any = _njit(**CALLED)
"""Compile a function that stays one: loops with many live values need the registers for themselves."""

inlined: Any = _njit(**INLINED)
"""Compile a function that becomes part of every caller."""


def implements(function: Callable[..., Any]) -> Any:
    """`numba.extending.overload` for a helper: choose code by the types of the arguments, inlined into the caller."""
    register = overload(function, jit_options=_IMPLEMENTED)

    def registered(implementation: Callable[..., Any]) -> Callable[..., Any]:
        sources.note(implementation.__code__.co_filename)
        return register(implementation)

    return registered


def is_kind(bundle: Any, cls: type) -> bool:
    """Whether a numba type is that of the NamedTuple class `cls`: for overloads, which choose code by it."""
    return getattr(bundle, "instance_class", None) is cls


def kernel(function: Callable[..., Any]) -> Any:
    """Compile an entry point: without the interpreter's lock, without fastmath, kept on disk."""
    dispatcher = _njit(**ENTRY, nogil=True)(function)
    if KernelCache is not None:
        dispatcher._cache = KernelCache(function)
    return dispatcher


def is_compiled(function: Any, *arguments: Any) -> bool:
    """Whether a kernel has code for arguments of these types, in this process or on disk."""
    signature = tuple(numba.typeof(argument) for argument in arguments)
    if signature in function.overloads or KernelCache is None:
        return signature in function.overloads
    path = function._cache.path(signature)
    return path is not None and path.exists()

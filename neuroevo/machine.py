"""What the operating system says of the machine; where it lacks a call, as Windows and macOS do, something safe."""

from __future__ import annotations

import functools
import os
from contextlib import AbstractContextManager
from typing import Any


def available_processors() -> int:
    """Processors that this process may use, at least 1."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def physical_memory() -> int | None:
    """Bytes of memory in the machine; None where the system does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def one_blas_thread() -> AbstractContextManager[Any]:
    """A context in which BLAS and LAPACK use one thread; the setting from before comes back at its end.

    The last bits of linear algebra depend on the number of threads.
    """
    return _controller().limit(limits=1, user_api="blas")  # type: ignore[no-any-return]


@functools.cache
def _controller() -> Any:
    # Looking for the loaded libraries takes milliseconds, entering the limit takes microseconds.
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()

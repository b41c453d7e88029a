"""Linear algebra with one BLAS thread, since its last bits depend on the number of threads."""

from __future__ import annotations

import functools
from contextlib import AbstractContextManager
from typing import Any


def one_blas_thread() -> AbstractContextManager[Any]:
    """A context in which BLAS and LAPACK use one thread; the setting from before comes back at its end."""
    return _controller().limit(limits=1, user_api="blas")  # type: ignore[no-any-return]


@functools.cache
def _controller() -> Any:
    # Looking for the loaded libraries takes milliseconds, entering the limit takes microseconds.
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()

"""Linear algebra with one BLAS thread, since its last bits depend on the number of threads."""

from __future__ import annotations

from neuroevo.machine import one_blas_thread

__all__ = ["one_blas_thread"]

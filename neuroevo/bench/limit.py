"""The machine limit: how fast the processor could be if it did nothing but the arithmetic that a workload needs.

Limit = multiply-adds / multiply-add peak + activations / activation peak. Both peaks are measured here and now, over as
many threads as the workload uses, with small loops of independent vector operations. The activation peak is that of one
fixed reference, a clamped rational tanh of degree 13 over 6 with one division, and never changes with what the kernels
use: so a better activation shows as a higher share of the limit, even above 100 %, and a slower one cannot hide.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Precision = Literal["single", "double"]

_OPERATIONS_PER_RUN = 4_000_000
_SECONDS = 0.25


@dataclass(frozen=True)
class Peaks:
    """What the processor reached at best.

    Attributes:
        multiply_adds: A second, over all threads.
        activations: Of the reference tanh a second, over all threads.
        n_threads: How many were at work.
        precision: "single" or "double".
    """

    multiply_adds: float
    activations: float
    n_threads: int
    precision: Precision

    def seconds(self, multiply_adds: float, activations: float) -> float:
        """The least time for so much arithmetic."""
        return multiply_adds / self.multiply_adds + activations / self.activations

    def describe(self) -> str:
        """Both peaks in a line, a multiply-add counted as two operations as is usual."""
        return (
            f"{2e-9 * self.multiply_adds:.1f} GFLOP/s, {1e-9 * self.activations:.2f} G tanh/s "
            f"({self.precision}, {self.n_threads} threads)"
        )


def measure_peaks(n_threads: int, precision: Precision = "single", seconds: float = _SECONDS) -> Peaks:
    """Measure both peaks, each the best of repeats over some `seconds`.

    Args:
        n_threads: Threads that run the loops at the same time.
        precision: Of the numbers.
        seconds: How long to look for the best of each.
    """
    from neuroevo.bench import loops

    dtype = np.float32 if precision == "single" else np.float64
    arrays = [loops.row(dtype) for _ in range(n_threads)]
    n_lanes = loops.n_lanes(arrays[0])
    with ThreadPoolExecutor(n_threads) as pool:
        multiply_rate = _best_rate(pool, loops.multiply_loop, arrays, loops.CHAINS * n_lanes, seconds)
        tanh_rate = _best_rate(pool, loops.tanh_loop, arrays, loops.ROW_VECTORS * n_lanes, seconds)
    return Peaks(multiply_rate, tanh_rate, n_threads, precision)


def _best_rate(
    pool: ThreadPoolExecutor, loop: Callable[..., Any], arrays: list[Any], per_round: int, seconds: float
) -> float:
    """Operations a second: the threads run side by side, each keeps its best of many short runs, and they are added.

    Short runs, because on a machine that does other work too some of them go undisturbed.
    """
    rounds = _OPERATIONS_PER_RUN // per_round
    loop(arrays[0], 10)  # compiled by one thread alone
    started = threading.Barrier(len(arrays))

    def best_of_thread(array: Any) -> float:
        started.wait()
        best, stop = np.inf, time.perf_counter() + seconds
        while time.perf_counter() < stop:
            start = time.perf_counter()
            loop(array, rounds)
            best = min(best, time.perf_counter() - start)
        return rounds * per_round / best

    return sum(pool.map(best_of_thread, arrays))

"""Timing: the best of several evaluations after a warm-up, with the peaks measured in the same process."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from neuroevo.bench.limit import Peaks, Precision, measure_peaks
from neuroevo.bench.report import BenchReport, BenchRow
from neuroevo.bench.workloads import WORKLOADS, Workload, arithmetic, as_workload
from neuroevo.checks import whole_number
from neuroevo.errors import BadInput

_LEAST_SECONDS = 0.2
_PACKAGES = ("neuroevo-rnn", "numba", "llvmlite", "numpy")


def run_bench(
    workloads: Sequence[str | Workload] | None = None,
    *,
    n_threads: int = 2,
    precision: Precision = "single",
    repeats: int = 5,
    announce: Callable[[str], object] | None = None,
    around: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> BenchReport:
    """Time the evaluator on workloads.

    Args:
        workloads: Names, numbers as ``"elman,256,1,1000,1,16,1"`` (cell, P, S, T, I, H, O), or workloads; None for all
            named ones.
        n_threads: Of the evaluator and of the peaks.
        precision: "single" or "double".
        repeats: Timed evaluations of each, of which the best counts; quick ones are repeated more often.
        announce: Called with a line before each wait.
        around: Gives a context for the timed evaluations of each workload, after what is done once only.

    Raises:
        ValueError: A workload is unknown, or an argument is out of range.
    """
    if precision not in ("single", "double"):
        raise BadInput(f"precision must be 'single' or 'double', got {precision!r}")
    for name, value in (("n_threads", n_threads), ("repeats", repeats)):
        whole_number(name, value)
    chosen = WORKLOADS if workloads is None else tuple(as_workload(workload) for workload in workloads)
    say = announce or _silent
    say("measuring what this machine can do at best")
    peaks = measure_peaks(n_threads, precision)
    rows = []
    for workload in chosen:
        say(workload.name)
        seconds = time_workload(workload, n_threads=n_threads, precision=precision, repeats=repeats, around=around)
        rows.append(BenchRow(workload, seconds, limit_seconds(workload, peaks)))
    again = measure_peaks(n_threads, precision)
    best = Peaks(
        max(peaks.multiply_adds, again.multiply_adds), max(peaks.activations, again.activations), n_threads, precision
    )
    rows = [BenchRow(row.workload, row.seconds, limit_seconds(row.workload, best)) for row in rows]
    return BenchReport(tuple(rows), best, repeats, environment())


def time_workload(
    workload: Workload,
    *,
    n_threads: int,
    precision: Precision,
    repeats: int,
    around: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> float:
    """Seconds of one evaluation: the best of `repeats`, or of more if they are quick, after one that compiles."""
    from neuroevo.evaluation import LocalEvaluator

    network, problem, population = workload.network(), workload.problem(), workload.population()
    with LocalEvaluator(network, problem, n_threads=n_threads, precision=precision) as evaluator:
        evaluator.evaluate(population)
        with around():
            return best_seconds(lambda: evaluator.evaluate(population), repeats)


def best_seconds(call: Callable[[], object], repeats: int, least_seconds: float = _LEAST_SECONDS) -> float:
    """The least time of a call, repeated at least so often and at least so long."""
    best, stop, n_calls = float("inf"), time.perf_counter() + least_seconds, 0
    while n_calls < repeats or time.perf_counter() < stop:
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
        n_calls += 1
    return best


def limit_seconds(workload: Workload, peaks: Peaks) -> float:
    """The machine limit of a workload."""
    step = arithmetic(workload.network())
    return peaks.seconds(step.multiply_adds * workload.total_steps, step.activations * workload.total_steps)


def environment() -> dict[str, str]:
    """Processor, system and versions: what a figure depends on."""
    found = {"processor": _processor(), "system": platform.platform(), "python": platform.python_version()}
    found["logical_cores"] = str(os.cpu_count())
    if "NUMBA_CPU_NAME" in os.environ:
        found["NUMBA_CPU_NAME"] = os.environ["NUMBA_CPU_NAME"]
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _silent(_: str) -> None:
    return


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()

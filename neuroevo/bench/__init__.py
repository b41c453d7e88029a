"""Benchmarks time the evaluator on named workloads and compare it with what this machine could do at best."""

from __future__ import annotations

from neuroevo.bench.limit import Peaks, Precision, measure_peaks
from neuroevo.bench.report import COLUMNS, BenchReport, BenchRow
from neuroevo.bench.timing import run_bench, time_workload
from neuroevo.bench.workloads import WORKLOADS, Arithmetic, Workload, arithmetic, as_workload

__all__ = [
    "COLUMNS",
    "WORKLOADS",
    "Arithmetic",
    "BenchReport",
    "BenchRow",
    "Peaks",
    "Precision",
    "Workload",
    "arithmetic",
    "as_workload",
    "measure_peaks",
    "run_bench",
    "time_workload",
]

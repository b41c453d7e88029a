from __future__ import annotations

import json

import numpy as np
import pytest

from neuroevo.bench import COLUMNS, BenchReport, BenchRow, Peaks, as_workload, measure_peaks, run_bench
from neuroevo.bench.timing import best_seconds, limit_seconds

TINY = ("elman,3,2,4,1,3,1", "graph,2,1,3,1,6,1")


@pytest.fixture(scope="module")
def report():
    return run_bench(TINY, n_threads=1, repeats=1)


def test_every_workload_gets_a_row_with_figures(report):
    table = report.table()
    assert [row[0] for row in table] == list(TINY)
    assert all(len(row) == len(COLUMNS) for row in table)
    for row, workload in zip(report.rows, TINY, strict=True):
        assert row.seconds > 0
        assert row.limit_seconds == limit_seconds(as_workload(workload), report.peaks)


def test_json_holds_what_the_table_shows(report):
    content = json.loads(report.to_json())
    assert [row["name"] for row in content["rows"]] == list(TINY)
    assert content["peaks"]["n_threads"] == 1
    row = content["rows"][0]
    assert row["million_steps_per_second"] == pytest.approx(3 * 2 * 4 / row["milliseconds"] / 1e3)
    assert row["share_of_limit"] == pytest.approx(row["limit_milliseconds"] / row["milliseconds"])
    assert {"processor", "python", "numpy", "numba"} <= content["environment"].keys()


def test_the_limit_adds_both_kinds_of_work():
    peaks = Peaks(multiply_adds=1e9, activations=1e8, n_threads=2, precision="single")
    assert peaks.seconds(2e9, 3e8) == pytest.approx(5.0)
    assert limit_seconds(as_workload("elman,256,1,1000,1,16,1"), peaks) == pytest.approx(256e3 * (288e-9 + 16e-8))
    assert peaks.describe() == "2.0 GFLOP/s, 0.10 G tanh/s (single, 2 threads)"


def test_text_lines_up_its_columns():
    row = BenchRow(as_workload("series-elman-16"), 2e-3, 1e-3)
    text = BenchReport((row,), Peaks(1e9, 1e8, 2, "single"), 5, {}).to_text().splitlines()
    assert text[1].split() == [
        "series-elman-16",
        "elman",
        "256",
        "1",
        "1000",
        "1",
        "16",
        "1",
        "2.00",
        "128.0",
        "1.00",
        "50",
        "%",
    ]
    assert text[0].index(" ms") + 3 == text[1].index("2.00") + 4
    assert "best of 5" in text[-1]


@pytest.mark.parametrize("precision", ["single", "double"])
def test_peaks_are_measured_over_threads(precision):
    peaks = measure_peaks(2, precision, seconds=0.01)
    assert (peaks.n_threads, peaks.precision) == (2, precision)
    assert peaks.multiply_adds > peaks.activations > 1e6


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_reference_activation_is_a_tanh(dtype):
    from neuroevo.bench import loops

    row = loops.row(dtype)
    expected = np.tanh(row.astype(np.float64))
    loops.tanh_loop(row, 1)
    n_computed = loops.ROW_VECTORS * loops.n_lanes(row)
    np.testing.assert_allclose(row[:n_computed], expected[:n_computed], atol=5e-7)


def test_best_seconds_repeats_quick_calls():
    calls = []
    assert best_seconds(lambda: calls.append(0), repeats=3, least_seconds=0.01) < 0.01
    assert len(calls) > 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"precision": "half"}, "precision must be 'single' or 'double', got 'half'"),
        ({"n_threads": 0}, "n_threads must be at least 1, got 0"),
        ({"repeats": 0}, "repeats must be"),
        ({"workloads": ["nothing"]}, "there is no workload 'nothing'"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        run_bench(**arguments)

"""Data frames of records hold what the files of the records hold."""

from __future__ import annotations

import csv
import importlib.util
import math

import numpy as np
import pytest

import neuroevo as ne
from neuroevo.analysis import frames
from neuroevo.problems import Results

SHORT = {"stop.generations": 3, "strategy.population_size": 6}


def cells(frame, name):
    return frame[name].to_list()


def same(frame, path):
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(frame.columns) == list(rows[0])
    for name in rows[0]:
        for cell, written in zip(cells(frame, name), [row[name] for row in rows], strict=True):
            if isinstance(cell, str):
                assert cell == written
            else:
                np.testing.assert_equal(float(cell), float(written))


@pytest.mark.parametrize("package", ["pandas", "polars"])
def test_frames_of_records_hold_what_their_files_hold(small_scenario, tmp_path, package):
    pytest.importorskip(package)
    over = {"network.n_hidden": [2, 3], "strategy": [{"kind": "snes"}, {"kind": "random_search"}]}
    sweep = ne.run_sweep(small_scenario, over=over, trials=2, overrides=SHORT, results=tmp_path)
    same(ne.to_frame(sweep, package=package), sweep.path / "runs.csv")
    same(ne.to_frame(sweep, "points", package=package), sweep.path / "summary.csv")
    trials = sweep.points()[0]
    same(ne.to_frame(trials, package=package), trials.path / "summary.csv")
    record = trials.trials()[0]
    same(ne.to_frame(record, package=package), record.path / "history.csv")
    results = ne.to_frame(record, "results", package=package)
    contestants = record.run["results"]["contestants"]
    expected = [(name, part, its[part]["mse"]) for name, its in contestants.items() for part in its]
    found = zip(cells(results, "contestant"), cells(results, "part"), cells(results, "mse"), strict=True)
    assert list(found) == expected


def test_what_a_row_lacks_is_nan_and_mixed_values_are_text():
    polars = pytest.importorskip("polars")
    frame = ne.to_frame([{"a": 1, "b": "x"}, {"a": 2.5, "b": 3}, {"b": None, "c": True}], package="polars")
    assert cells(frame, "a")[:2] == [1.0, 2.5]
    assert math.isnan(cells(frame, "a")[2])
    assert cells(frame, "b") == ["x", "3", None]
    assert frame.schema["c"] == polars.Boolean
    results = Results({}, {"champion": {"train": {"mse": None}}})
    assert math.isnan(cells(ne.to_frame(results), "mse")[0])


@pytest.mark.skipif(importlib.util.find_spec("pandas") is not None, reason="pandas is here")
def test_without_a_package_it_says_which_to_install():
    with pytest.raises(ne.BadInput, match="pip install pandas"):
        ne.to_frame({"a": [1]}, package="pandas")


@pytest.mark.parametrize(
    ("source", "options", "complaint"),
    [
        ({"a": [1]}, {"package": "spark"}, "polars, pandas; got 'spark'"),
        ({"a": [1]}, {"table": "runs"}, "one of a record's"),
        (3, {}, "got int"),
    ],
)
def test_wrong_arguments_are_refused(monkeypatch, source, options, complaint):
    if "package" not in options:
        monkeypatch.setattr(frames, "_package", lambda name: None)
    with pytest.raises(ne.BadInput, match=complaint):
        ne.to_frame(source, **options)


def test_a_table_that_a_record_has_not_is_refused(small_scenario, tmp_path, monkeypatch):
    monkeypatch.setattr(frames, "_package", lambda name: None)
    record = ne.run(small_scenario, overrides=SHORT, results=tmp_path)
    with pytest.raises(ne.BadInput, match="must be one of history, results; got 'points'"):
        ne.to_frame(record, "points")
    assert record.results is not None
    assert record.results.to_dict() == record.run["results"]

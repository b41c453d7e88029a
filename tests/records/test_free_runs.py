"""Forecasts and errors of champions that were trained on free runs, by loops written out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuroevo.analysis import evaluate
from neuroevo.errors import BadInput
from neuroevo.prediction import run_freely, step_misses
from neuroevo.records.selection import check_selectable
from tests.records.test_models import N_ALL, N_RUN, model, values, write

RUNS = {"steps": 5, "every": 4, "washout": 12}
WAYS: list[dict[str, Any]] = [
    {},
    {"lags": 3, "transform": "difference"},
    {"residual": "linear", "residual_lags": 4},
    {"transform": ("log", "seasonal_difference"), "season": 7},
]


def fed_back(its: Any, rows: np.ndarray[Any, Any], n_steps: int) -> np.ndarray[Any, Any]:
    """``(n_members, n_steps)``: the next rows of a series of which these are known, by whole predictions."""
    problem, found = its.problem, []
    lags = its.settings.lags
    for member in its.predictor.champions:
        known = rows.tolist()
        begin = len(rows) - lags + 1 - RUNS["washout"]
        for _ in range(n_steps):
            inputs = np.column_stack([known[lags - 1 - lag : len(known) - lag] for lag in range(lags)])
            seen = type(problem)(inputs[None], np.ones((1, len(inputs), 1)), tied=[0])
            if problem.preparation is not None:
                seen = seen.with_preparation(problem.preparation)
            seen = seen.with_scaling(problem.scaling)
            outputs = np.zeros((1, len(inputs), 1))
            outputs[:, begin:] = member.network.predict(member.genome, seen.inputs[:, begin:])
            known.append(float(seen.predictions(outputs)[0, -1, 0]))
        found.append(known[len(rows) :])
    return np.array(found)


@pytest.mark.parametrize("keys", WAYS)
def test_a_forecast_begins_as_free_runs_were_trained(keys: dict[str, Any], tmp_path: Path) -> None:
    its = model(tmp_path, 2, free_run=RUNS, **keys)
    table = its.forecast(6)
    known = values(N_RUN)[:, 0]
    assert table.prediction[:, 0] == pytest.approx(np.median(fed_back(its, known, 6), axis=0), rel=1e-9)
    assert table.notes[0].startswith("trained on free runs of 5 steps")
    later = its.forecast(6, write(tmp_path / "more.csv", slice(60, N_ALL)))
    assert later.prediction[:, 0] == pytest.approx(np.median(fed_back(its, values(N_ALL)[:, 0], 6), axis=0), rel=1e-9)


def test_a_forecast_says_that_nothing_came_back_in_training(tmp_path: Path) -> None:
    assert model(tmp_path).forecast(3).notes[0].startswith("trained on true values")


@pytest.mark.parametrize("keys", WAYS[1:2])
def test_intervals_of_a_step_are_the_misses_of_such_runs(keys: dict[str, Any], tmp_path: Path) -> None:
    its = model(tmp_path, 1, free_run=RUNS, **keys)
    misses = step_misses(its.predictor, its.problem, its.loop, 4)
    assert misses is not None
    series = values(N_RUN)[:, 0]
    expected = [abs(fed_back(its, series[: row + 1], 3)[0, 2] - series[row + 3]) for row in range(49, 72)]
    assert misses.misses[2][0] == pytest.approx(np.sort(expected), rel=1e-8)


@pytest.mark.parametrize("n_members", [1, 3])
def test_errors_on_new_data_are_those_of_free_runs(n_members: int, tmp_path: Path) -> None:
    keys: dict[str, Any] = {"residual": "last_value"}
    its = model(tmp_path, n_members, free_run=RUNS, **keys)
    found = evaluate(its, write(tmp_path / "more.csv", slice(70, N_ALL)), name="new").results
    series, squares = values(N_ALL)[:, 0], []
    for origin in range(N_RUN - 1, N_ALL - 5, RUNS["every"]):
        said = np.median(fed_back(its, series[: origin + 1], 5), axis=0)
        squares += ((said - series[origin + 1 : origin + 6]) ** 2).tolist()
    first = next(iter(found.contestants.values()))
    assert first["new"]["mse"] == pytest.approx(np.mean(squares), rel=1e-9)
    assert first["train"]["n_targets"] == 5 * len(its.problem.free_runs.origins["train"])
    assert next(iter(found.measures.values())).startswith("mean squared error of free runs of 5 steps")


def test_new_data_without_room_for_a_run_are_refused(tmp_path: Path) -> None:
    its = model(tmp_path, 1, free_run=RUNS)
    with pytest.raises(BadInput, match="part 'new' has no place for a free run"):
        evaluate(its, write(tmp_path / "more.csv", slice(70, N_RUN + 4)), name="new")


def test_members_run_in_units_of_their_own(tmp_path: Path) -> None:
    one, other = (
        model(tmp_path, 1, free_run=RUNS),
        model(tmp_path, 1, free_run=RUNS, residual="last_value", scaling="range"),
    )
    members = (*one.predictor.champions, *other.predictor.champions)
    together = type(one.predictor)(members, "mean")
    said = run_freely(together, one.problem, "test").members
    for each, alone in zip(said, (one, other), strict=True):
        assert each == pytest.approx(run_freely(alone.predictor, alone.problem, "test").members[0], rel=1e-12)


def test_a_selection_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="asks for free runs"):
        check_selectable(model(tmp_path, 1, free_run=RUNS).problem)

"""Free runs: what their error is, beside the slow oracle; where they begin; and what cannot run freely."""

from __future__ import annotations

import numpy as np
import pytest

import neuroevo as ne
from neuroevo.problems.free_running.runs import FreeRun
from neuroevo.problems.generators.chaos import mackey_glass
from tests.oracle.free_running import free_runs

N = 120
SERIES = np.column_stack([mackey_glass(N), np.sin(np.arange(N) / 3) + 2]) + 0.1
PARTS = {"train": 70, "validation": 20, "test": "rest"}
RUNS = {"steps": 6, "every": 4, "washout": 15}
TABLE = {"a": SERIES[:, 0], "b": SERIES[:, 1]}
WAYS = {
    "plain": {},
    "range": {"scaling": "range"},
    "logarithm": {"transform": "log", "scaling": {"inputs": "robust", "targets": "standard"}},
    "difference": {"transform": "difference"},
    "seasonal difference": {"transform": ["log", "seasonal_difference"], "season": 5},
    "last value": {"residual": "last_value"},
    "season": {"residual": "seasonal", "season": 7, "transform": "log"},
    "both differences": {"transform": ["difference", "seasonal_difference"], "season": 4},
    "linear": {"residual": "linear", "residual_lags": 4},
    "linear of differences": {"residual": "linear", "residual_lags": 3, "transform": "difference"},
}


def problem_of(lags=1, **more) -> ne.SequenceProblem:
    return ne.make_series(TABLE, **{"input": ["a", "b"], "parts": PARTS, "free_run": RUNS, "lags": lags, **more})


LAGGED = ("plain", "logarithm", "both differences", "linear of differences")


@pytest.mark.parametrize(("way", "lags"), [(way, [1, 1]) for way in WAYS] + [(way, [3, 2]) for way in LAGGED])
def test_error_is_that_of_the_slow_oracle(way, lags):
    few = {"steps": 5, "every": 11, "washout": 15}
    problem = problem_of({"a": lags[0], "b": lags[1]}, **WAYS[way], free_run=few)
    network = ne.Gru(problem.n_inputs, 2, 2)
    genome = 0.4 * np.random.default_rng(3).normal(size=network.n_genes)
    measured = problem.measure(network, genome)
    for part in problem.parts:
        predicted, true = free_runs(network, genome, problem, SERIES, lags, part)
        assert measured[part]["n_targets"] == np.size(true)
        assert measured[part]["mse"] == pytest.approx(np.mean(np.square(np.subtract(predicted, true))), rel=1e-10)
    if way == "plain":
        scaled = np.mean(np.square(np.subtract(predicted, true) / problem.scaling.target_factor))
        assert problem.score(network, genome, part)[0] == pytest.approx(scaled, rel=1e-10)


@pytest.mark.parametrize("horizons", [(3,), (1, 4)])
def test_outputs_further_ahead_come_back_when_their_row_is_there(horizons):
    """By hand: the forecasts of 7 rows, each from the least horizon that needs no predicted input, or the furthest."""
    problem = problem_of(1, input="a", horizon=list(horizons), free_run={"steps": 7, "every": 5, "washout": 12})
    network, runs = ne.Elman(1, 3, len(horizons)), problem.free_runs
    genome = 0.5 * np.random.default_rng(1).normal(size=network.n_genes)
    squares = []
    for origin in runs.origins["train"].tolist():
        begin, said = origin - 11, {}
        values = SERIES[: origin + 1, 0].tolist()
        for step in range(1, 8):
            place = next((i for i, horizon in enumerate(horizons) if horizon >= step), len(horizons) - 1)
            needed = origin + step - horizons[place]
            while len(values) <= needed:
                values.append(said[len(values)])
            scaled = problem.scaling.scale_inputs(np.array(values[begin : needed + 1])[None, :, None])
            outputs = problem.scaling.unscale_targets(network.predict(genome, scaled)[0, -1])
            said[origin + step] = outputs[place]
            squares.append((outputs[place] - SERIES[origin + step, 0]) ** 2)
    assert problem.measure(network, genome)["train"]["mse"] == pytest.approx(np.mean(squares), rel=1e-11)


def test_columns_known_ahead_and_a_calendar_stay_true():
    days = np.datetime_as_string(np.datetime64("2020-01-01") + np.arange(N))
    table = {"day": days, "a": SERIES[:, 0], "plan": np.cos(np.arange(N))}
    more = {"time": "day", "input": "a", "known": "plan", "calendar": "weekday"}
    problem = ne.make_series(table, parts=PARTS, free_run=RUNS, **more)
    network = ne.Elman(problem.n_inputs, 3, 1)
    genome = 0.5 * np.random.default_rng(1).normal(size=network.n_genes)
    assert problem.n_inputs == 4
    squares = []
    for origin in problem.free_runs.origins["test"].tolist():
        rows = problem.original.input_rows.copy()
        for step in range(6):
            seen = problem.scaling.scale_inputs(rows[None, origin - 14 : origin + step + 1])
            made = problem.scaling.unscale_targets(network.predict(genome, seen)[0, -1])
            squares.append((made[0] - SERIES[origin + step + 1, 0]) ** 2)
            if origin + step + 1 < len(rows):
                rows[origin + step + 1, 0] = made[0]
    assert problem.measure(network, genome)["test"]["mse"] == pytest.approx(np.mean(squares), rel=1e-11)


def test_runs_lie_within_their_parts_every_so_many_rows():
    problem = problem_of()
    for part, origins in problem.free_runs.origins.items():
        for origin in origins:
            assert problem.part_rows[part][origin : origin + 6].all()
            assert origin >= 14
        assert (np.diff(origins) == 4).all()
    # 69 training steps: origins from 14 on, the last at which 6 of them remain is 63.
    assert problem.free_runs.origins["train"].tolist() == list(range(14, 64, 4))


def test_runs_pass_over_what_does_not_count_and_begin_anew_in_each_sequence():
    ignored = (np.arange(N) >= 30) & (np.arange(N) < 50)
    files = [TABLE | {"ignore": ignored.astype(float)}, TABLE | {"ignore": np.zeros(N)}]
    problem = ne.make_series(files, input=["a", "b"], ignore="ignore", parts=PARTS, free_run=RUNS)
    counted = problem.free_runs.problem_of("train").mask_rows.reshape(-1, 6, 2)
    origins = problem.free_runs.origins["train"]
    assert counted.any(axis=(1, 2)).all()
    length = problem.lengths[0]
    assert ((origins >= length + 14) | (origins < length)).all()
    assert 28 <= origins[origins < length].max() < 64
    assert not np.isin(origins, np.arange(29, 44)).any()


def test_free_runs_are_part_of_what_is_stored():
    problem = problem_of(2, residual="last_value")
    again = ne.SequenceProblem.from_arrays(problem.to_arrays())
    assert again.free_run == problem.free_run == FreeRun(6, 4, 15, (1,), 0)
    assert again.fingerprint() == problem.fingerprint()
    plain = ne.make_series(TABLE, input=["a", "b"], parts=PARTS, lags=2, residual="last_value")
    assert "free_run" not in plain.to_arrays()
    assert plain.fingerprint() != problem.fingerprint()


def test_competitors_run_freely_too():
    problem = problem_of(1, input="a")
    origins = problem.free_runs.origins["test"]
    rows = origins[:, None] + np.arange(1, 7)
    last = np.mean((SERIES[rows, 0] - SERIES[origins, 0][:, None]) ** 2)
    train = SERIES[1:70, 0]
    found = problem.competitors()
    assert found["last value repeated"]["test"]["mse"] == pytest.approx(last, rel=1e-12)
    mean = np.mean((SERIES[rows, 0] - train.mean()) ** 2)
    assert found["mean of the training targets"]["test"]["mse"] == pytest.approx(mean, rel=1e-12)
    assert any(name.startswith("ridge regression") and name.endswith("fed back") for name in found)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"input": ["a", "b"], "target": "a"}, "of these 'b' is no target"),
        ({"free_run": {"steps": 30, "washout": 9}}, "part 'validation' has no place for a free run"),
        ({"free_run": {"every": 3}}, "free_run.steps: this key is needed"),
        ({"free_run": {"steps": 0}}, "at least 1"),
        ({"free_run": {"step": 3}}, "free_run"),
        ({"input": "a", "target": "b", "horizon": 0}, "not what comes later"),
    ],
)
def test_what_cannot_run_freely_is_refused(more, message):
    with pytest.raises(ne.BadInput, match=message):
        problem_of(**more)


def test_classes_are_refused():
    table = TABLE | {"kind": np.where(SERIES[:, 0] > 1, "up", "down")}
    with pytest.raises(ne.BadInput, match="classes do not come back"):
        ne.make_series(table, input="a", labels="kind", parts=PARTS, free_run=RUNS)


def test_sequences_of_one_table_run_freely_each_by_itself():
    table = {"machine": np.repeat(["x", "y", "z"], N // 3), "a": SERIES[:, 0], "b": SERIES[:, 1]}
    asked = {"sequence": "machine", "inputs": ["a", "b"], "targets": ["a", "b"], "free_run": RUNS}
    problem = ne.make_sequences(table, **asked, horizon=1, parts={"train": 2, "test": "rest"})
    origins = problem.free_runs.origins
    length = N // 3 - 1
    assert origins["train"].tolist() == [*range(14, length - 5, 4), *range(length + 14, 2 * length - 5, 4)]
    assert origins["test"].tolist() == list(range(2 * length + 14, 3 * length - 5, 4))
    with pytest.raises(ne.BadInput, match="free_run: goes with a horizon only"):
        ne.make_sequences(table, **asked)

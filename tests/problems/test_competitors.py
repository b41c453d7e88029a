"""The competitors beside the linear ones, what a run says where it loses to one, and what is warned of before it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax

import neuroevo as ne
from neuroevo.problems import PROBLEMS, RightClass, SequenceProblem, Within
from neuroevo.problems import classifiers as logistic
from neuroevo.problems.baselines import Baseline, baselines
from neuroevo.problems.metrics import measure
from neuroevo.problems.seasons import found_season, horizon_of
from neuroevo.problems.trees import has_scikit_learn
from neuroevo.problems.verdict import verdict
from neuroevo.problems.warnings import saturation_warnings
from neuroevo.settings import parse_settings

SHIPPED = Path(__file__).parents[2] / "scenarios"


def series(values, horizon=1, n_train=None, **arguments):
    values = np.asarray(values, dtype=np.float64)
    n_steps = len(values) - horizon
    train = np.arange(n_steps)[None] < (n_train or n_steps)
    parts = {"train": train} if n_train is None else {"train": train, "test": ~train}
    return SequenceProblem(
        values[None, :-horizon, None], values[None, horizon:, None], tied=[0], parts=parts, **arguments
    )


def shipped(file, **values):
    settings = {"file": f"data/{file}", **values}
    return parse_settings(PROBLEMS["series"], settings, "problem").build(SHIPPED)


def named(problem):
    return {baseline.name: baseline for baseline in baselines(problem)}


def wave(period, n_steps=200, noise=0.1, trend=0.0):
    steps = np.arange(n_steps)
    rng = np.random.default_rng(0)
    return np.sin(2 * np.pi * steps / period) + trend * steps + rng.normal(0.0, noise, n_steps)


@pytest.mark.parametrize("horizon", [1, 5, 12, 13, 30])
def test_the_last_season_is_the_last_known_value_of_its_place(horizon):
    values = np.random.default_rng(0).normal(size=100)
    outputs = named(series(values, horizon, season=12))["seasonal"].outputs[0, :, 0]
    for t in range(100 - horizon):
        known = [k for k in range(t + horizon - 12, -1, -12) if k <= t]
        assert outputs[t] == (values[known[0]] if known else values[t])


def test_drift_adds_the_mean_change_over_the_horizon_in_training():
    values = np.cumsum(np.random.default_rng(0).normal(0.5, 1.0, 80))
    outputs = named(series(values, 3, n_train=50))["drift"].outputs[0, :, 0]
    change = np.mean([values[t + 3] - values[t] for t in range(50)])
    assert outputs == pytest.approx(values[:-3] + change)


@pytest.mark.parametrize("horizon", [1, 3, 24])
def test_the_horizon_is_read_off_the_data(horizon):
    assert horizon_of(series(wave(7), horizon)) == horizon
    several = np.stack([wave(7), wave(11)], axis=1)
    problem = SequenceProblem(several[None, :-horizon], several[None, horizon:, ::-1], tied=[1, 0])
    assert horizon_of(problem.scaled("standard")) == horizon


def test_there_is_no_horizon_where_targets_are_other_quantities():
    values = wave(7)[None, :, None]
    assert horizon_of(SequenceProblem(values[:, :-1], values[:, 1:])) is None
    assert horizon_of(SequenceProblem(values[:, :-1], values[:, 1:] + 1e-12, tied=[0])) is None
    assert [b.name for b in baselines(SequenceProblem(values[:, :-1], values[:, 1:] + 1, tied=[0]))][:2] == [
        "mean",
        "persistence",
    ]


@pytest.mark.parametrize("period", [4, 7, 12, 24, 52])
@pytest.mark.parametrize("trend", [0.0, 0.02])
def test_a_season_is_found_in_noise_and_trend(period, trend):
    assert found_season(series(wave(period, 8 * period, trend=trend))) == period


def test_known_seasons_of_the_shipped_series():
    assert found_season(shipped("airline_passengers.csv", time="month", input="passengers")) == 12
    assert found_season(shipped("elnino_sst_monthly.csv", time=["year", "month"], input="sst_c")) == 12
    assert found_season(shipped("co2_weekly.csv", input="co2_ppm", span=[1, 1500])) in (51, 52, 53)
    assert found_season(shipped("sunspots_yearly.csv", time="year", input="sunspots")) == 11
    assert found_season(shipped("nile.csv", time="year", input="volume")) is None


def test_no_season_where_there_is_none():
    rng = np.random.default_rng(0)
    for values in (rng.normal(size=300), np.cumsum(rng.normal(size=300)), np.arange(300.0), np.ones(300), wave(7, 6)):
        assert found_season(series(values)) is None


def test_the_season_is_that_of_the_training_part():
    values = np.concatenate([wave(6, 120), wave(15, 200)])
    assert found_season(series(values, n_train=119)) == 6
    assert "seasonal" in named(series(values, n_train=119, season=9))
    assert named(series(values, n_train=119, season=9))["seasonal"].label == "last season repeated (9 steps)"


@pytest.mark.parametrize("penalty", [1.0, 0.01])
def test_logistic_regression_is_the_minimum_of_the_penalised_cross_entropy(penalty):
    rng = np.random.default_rng(0)
    rows, classes = rng.normal(size=(80, 4)), rng.integers(3, size=80)
    rows[:, 0] += classes
    targets = np.eye(3)[classes]

    def objective(x):
        weights = x.reshape(5, 3)
        outputs = weights[0] + rows @ weights[1:]
        return -log_softmax(outputs, axis=1)[targets == 1].mean() + 0.5 * penalty * (weights[1:] ** 2).sum()

    found = minimize(objective, np.zeros(15), method="BFGS", options={"gtol": 1e-9}).x.reshape(5, 3)
    weights = logistic.fit(rows, targets, penalty)
    assert weights[1:] == pytest.approx(found[1:], abs=2e-3)
    # Intercepts are not penalised, so only their differences are fixed.
    assert weights[0] - weights[0].mean() == pytest.approx(found[0] - found[0].mean(), abs=2e-3)


def logistic_outputs(problem):
    return logistic.logistic_outputs(problem, logistic.class_features(problem, 4))


def classes_of(inputs, classes, **arguments):
    n_steps = inputs.shape[1]
    counted = np.repeat((np.arange(n_steps) == n_steps - 1)[None, :, None], 2, axis=2)
    targets = np.repeat(np.eye(2)[classes][:, None], n_steps, axis=1)
    mask = np.repeat(counted, len(inputs), axis=0)
    return SequenceProblem(inputs, targets, target_mask=mask, learned=RightClass(), **arguments)


def test_logistic_regression_sees_when_in_a_sequence_something_happened():
    rng = np.random.default_rng(0)
    inputs, classes = rng.normal(0.0, 0.1, (60, 24, 1)), np.arange(60) % 2
    inputs[classes == 0, 3:6] += 1.0
    inputs[classes == 1, 15:18] += 1.0
    parts = {"train": np.arange(60) < 40, "test": np.arange(60) >= 40}
    found = named(classes_of(inputs, classes, parts=parts))
    assert found["logistic"].parts["test"].learned == 1.0
    assert found["linear"].parts["test"].learned < 0.8  # means and deviations are alike


def test_logistic_regression_of_steps_sees_the_past_alone():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(1, 200, 1))
    classes = (values[0, :, 0] > 0).astype(int)
    targets = np.eye(2)[np.roll(classes, 2)][None]  # the sign two steps before
    outputs = logistic_outputs(SequenceProblem(values, targets, learned=RightClass()))
    assert (outputs.argmax(axis=1) == targets[0].argmax(axis=1))[4:].mean() > 0.95
    assert outputs.sum(axis=1) == pytest.approx(np.ones(200))
    later = values.copy()
    later[0, 150:] = 0.0
    parts = {"train": np.arange(200)[None] < 100}
    ours, theirs = (
        logistic_outputs(SequenceProblem(v, targets, learned=RightClass(), parts=parts)) for v in (values, later)
    )
    assert np.array_equal(ours[:150], theirs[:150])


@pytest.mark.skipif(not has_scikit_learn(), reason="scikit-learn is not installed")
def test_trees_find_what_no_linear_model_can():
    rng = np.random.default_rng(0)
    inputs = rng.uniform(-1, 1, (1, 800, 1))
    targets = np.abs(inputs)
    train = np.arange(800)[None] < 500
    problem = SequenceProblem(inputs, targets, parts={"train": train, "test": ~train}, gradient_boosting=True)
    found = named(problem.scaled("standard"))
    assert found["gradient_boosting"].parts["test"].nmse < 0.05
    assert found["ridge"].parts["test"].nmse > 0.9
    assert found["gradient_boosting"].by_heart
    assert (
        found["gradient_boosting"].outputs.tobytes()
        == named(problem.scaled("standard"))["gradient_boosting"].outputs.tobytes()
    )


@pytest.mark.skipif(not has_scikit_learn(), reason="scikit-learn is not installed")
def test_trees_of_classes_choose_the_largest_output():
    rng = np.random.default_rng(0)
    inputs = rng.uniform(-1, 1, (400, 8, 1))
    classes = (np.abs(inputs[:, 3, 0]) > 0.5).astype(int)
    parts = {"train": np.arange(400) < 300, "test": np.arange(400) >= 300}
    found = named(classes_of(inputs, classes, parts=parts, gradient_boosting=True))
    assert found["gradient_boosting"].parts["test"].learned > 0.95
    assert found["logistic"].parts["test"].learned < 0.7


def test_linear_models_with_as_many_inputs_as_targets_learn_by_heart():
    rng = np.random.default_rng(0)
    few, many = (classes_of(rng.normal(size=(n, 8, 1)), np.arange(n) % 2) for n in (9, 10))
    assert named(few)["logistic"].by_heart  # eight means and a deviation
    assert not named(many)["logistic"].by_heart
    assert [named(series(wave(7, n)))["ridge"].by_heart for n in (10, 11)] == [True, False]


def test_trees_are_left_out_and_said_so_where_scikit_learn_is_missing(monkeypatch):
    monkeypatch.setattr("neuroevo.problems.trees.importlib.util.find_spec", lambda name: None)
    problem = series(wave(7), gradient_boosting=True)
    assert "gradient_boosting" not in named(problem)
    assert any("needs scikit-learn, which is not installed" in line for line in problem.warnings())
    assert not any("scikit" in line for line in series(wave(7)).warnings())


def judged(problem, rmse, *competitors, part="validation"):
    """The verdict on a champion beside competitors of given names, errors and numbers of targets."""

    def figures(value, n_targets=20):
        outputs = problem.targets + value
        return measure(problem, outputs, part)

    champion = {part: {"mse": rmse**2, "rmse": rmse, "learned": 0.5, "n_targets": figures(0).n_targets}}
    found = [
        Baseline(name, f"the {name}", problem.rows, problem.target_rows, {part: figures(value)}, by_heart)
        for name, value, by_heart in competitors
    ]
    return verdict(problem, champion, found)


def validated(**arguments):
    values = wave(7, 101)
    steps = np.arange(100)[None]
    parts = {"train": steps < 50, "validation": (steps >= 50) & (steps < 70), "test": steps >= 70}
    return SequenceProblem(values[None, :-1, None], values[None, 1:, None], tied=[0], parts=parts, **arguments)


def test_a_champion_that_loses_is_told_by_whom_and_what_to_try():
    problem = validated()
    assert judged(problem, 1.0, ("mean", 1.0, False), ("ridge", 2.0, False)) == ""
    found = judged(problem, 1.0, ("persistence", 0.9, False), ("seasonal", 0.5, False), ("ridge", 0.7, False))
    assert found == (
        "the champion loses to the seasonal on the validation part (root mean squared error 0.5 against 1); try residual "
        '= "seasonal", by which the network begins there and learns what is left'
    )
    assert 'try residual = "last_value"' in judged(problem, 1.0, ("drift", 0.5, False))
    for name in ("ridge", "linear", "gradient_boosting"):
        assert 'try residual = "linear", by' in judged(problem, 1.0, (name, 0.5, False))
    assert "try a longer run" in judged(problem, 1.0, ("mean", 0.5, False))
    prepared = problem.prepared("linear")
    assert "a simple model already" in judged(prepared, 1.0, ("ridge", 0.5, False))
    untied = SequenceProblem(problem.inputs, problem.targets, parts=dict(problem.parts))
    assert '"linear" (of the kinds series and sequences)' in judged(untied, 1.0, ("ridge", 0.5, False))
    assert "against no number" in verdict(
        problem, {"validation": {"mse": None, "rmse": None, "n_targets": 20}}, baselines(problem)
    )


def test_what_learns_by_heart_or_answers_fewer_targets_is_not_compared_on_the_training_part():
    problem = series(wave(7, 101))
    assert judged(problem, 1.0, ("gradient_boosting", 0.5, True), part="train") == ""
    assert judged(problem, 1.0, ("ridge", 0.5, False), part="train")
    champion = {"train": {"mse": 1.0, "rmse": 1.0, "learned": 0.0, "n_targets": 100}}
    linear = next(b for b in baselines(problem) if b.name == "linear")
    assert linear.parts["train"].n_targets == 92
    assert verdict(problem, champion, [linear]) == ""


def test_classes_are_judged_by_the_share_that_is_right():
    rng = np.random.default_rng(0)
    problem = classes_of(rng.normal(size=(20, 3, 1)), np.arange(20) % 2)
    its = measure(problem, problem.targets)
    better = Baseline("logistic", "logistic regression", problem.rows, problem.target_rows, {"train": its})
    champion = {"train": {"mse": 0.0, "learned": 0.75, "n_targets": its.n_targets}}
    found = verdict(problem, champion, [better])
    assert "loses to logistic regression on the training part (100 % right against 75 %)" in found
    assert verdict(problem, {"train": {"mse": 9.0, "learned": 1.0, "n_targets": its.n_targets}}, [better]) == ""


def test_the_test_part_has_no_say_in_the_verdict():
    problem = validated()
    network = ne.Elman(1, 2, 1)
    genome = np.zeros(network.n_genes)
    other = SequenceProblem(
        problem.inputs,
        np.where(problem.counted("test"), 99.0, problem.targets),
        tied=[0],
        parts=dict(problem.parts),
        season=7,
    )
    same = SequenceProblem(problem.inputs, problem.targets, tied=[0], parts=dict(problem.parts), season=7)
    assert other.results(network, genome).verdict == same.results(network, genome).verdict != ""


def test_the_verdict_stands_in_the_record_in_the_log_and_in_the_table(tmp_path, capsys):
    overrides = {
        "stop": {"generations": 1},
        "record.plots": False,
        "network.n_hidden": 1,
        "strategy.population_size": 4,
    }
    path = SHIPPED / "sunspots.toml"
    record = ne.run(path, results=tmp_path, overrides=overrides)
    sentence = record.run["results"]["verdict"]
    assert sentence.startswith("the champion loses to ridge regression on 12 values on the training part")
    assert sentence in (record.path / "run.log").read_text()
    from neuroevo.cli.texts import record_text, results_text

    assert results_text(record.run["results"]).endswith(sentence)
    assert sentence in record_text(record)
    assert "\x1b" not in results_text({**record.run["results"], "verdict": "\x1b[31m"})


def test_a_verdict_that_is_no_text_is_a_damaged_record():
    from neuroevo.records import RecordError
    from neuroevo.records.schema import check_results

    good = {"measures": {}, "contestants": {"champion": {}}}
    check_results("here", {**good, "verdict": "a"})
    with pytest.raises(RecordError, match="verdict should be a text"):
        check_results("here", {**good, "verdict": 3})


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (np.arange(40), []),
        (np.r_[0:20, 19:39], ["1 time comes twice, the first is 19"]),
        (np.r_[0:20, 25:45], ["1 step in time is longer than most, the first ends at 25"]),
        (np.arange("1990-11", "1994-03", dtype="datetime64[M]").astype(str), []),
        (np.arange("1990-11-01", "1990-12-11", dtype="datetime64[D]").astype(str), []),
        (np.arange("1990", "2030", dtype="datetime64[Y]").astype(str), []),
        ([f"1990-01-{day:02}" for day in range(1, 21)] + [f"1990-03-{day:02}" for day in range(1, 21)], ["ends at 1990-03-01"]),
        ([f"1990-01-01 {hour:02}:00" for hour in (*range(20), *range(20))], None),
        (["spring", "summer"] * 20, []),
        (["spring", "spring", "summer", "summer"] * 10, ["20 times come twice, the first is spring"]),
    ],
)  # fmt: skip
def test_gaps_and_doubles_in_time_are_told(times, expected):
    values = wave(7, 40)
    problem = SequenceProblem(values[None, :, None], values[None, :, None], times=times)
    found = [line for line in problem.warnings() if "time" in line]
    if expected is not None:
        assert len(found) == len(expected)
        assert all(part in line for part, line in zip(expected, found, strict=True))


def test_inputs_that_leave_what_training_has_seen_by_far_are_told():
    values = np.concatenate([np.linspace(0, 1, 50), np.linspace(1, 1.9, 25), [2.2, 60.0, -1.5]])
    problem = SequenceProblem(
        values[None, :, None],
        values[None, :, None],
        parts={"train": np.arange(78)[None] < 50, "test": np.arange(78)[None] >= 50},
    )
    (line,) = [line for line in problem.scaled("standard").warnings() if "leaves" in line]
    assert line.startswith(
        "input 'input 1' leaves what training has seen, 0 to 1, by far in part 'test': 3 of 28 values, one is 60"
    )
    inside = np.where(np.abs(values - 0.5) > 1.5, 0.5, values)
    other = SequenceProblem(inside[None, :, None], inside[None, :, None], parts=dict(problem.parts))
    assert not any("leaves" in line for line in other.warnings())


TARGETS = np.linspace(-0.9, 0.9, 50)


@pytest.mark.parametrize(
    ("activation", "targets", "expected"),
    [
        ("linear", 9 * TARGETS, None),
        ("tanh", TARGETS, None),
        (
            "tanh",
            2 * TARGETS,
            "22 of 50 training targets 'target 1' can't be reached: outputs of tanh lie between -1 and 1",
        ),
        ("logistic", np.abs(TARGETS), None),
        ("logistic", TARGETS, "25 of 50 training targets"),
        ("softmax", np.abs(TARGETS), "a softmax over one output is 1 at every step"),
    ],
)
def test_targets_that_no_output_reaches_are_told(activation, targets, expected):
    problem = SequenceProblem(TARGETS[None, :, None], targets[None, :, None])
    found = problem.network_warnings(ne.Elman(1, 2, 1, output_activation=activation))
    assert len(found) == (expected is not None)
    assert all(line.startswith(expected) for line in found)


def test_softmax_wants_shares():
    one_hot = np.eye(3)[np.arange(30) % 3][None]
    network = ne.Elman(1, 2, 3, output_activation="softmax")
    inputs = np.linspace(-1, 1, 30)[None, :, None]
    problem = SequenceProblem(inputs, one_hot, learned=Within(0.2))
    assert problem.network_warnings(network) == []
    assert SequenceProblem(inputs, one_hot, learned=RightClass()).scaled("standard").network_warnings(network) == []
    assert all("can't be reached" in line for line in problem.scaled("standard").network_warnings(network))
    (line,) = SequenceProblem(inputs, 0.9 * one_hot).network_warnings(network)
    assert "outputs of softmax sum to 1 at every step, and the training targets to 0.9 to 0.9" in line


def test_check_tells_what_the_network_cannot_reach(small_scenario):
    found = ne.load_scenario(small_scenario, overrides={"network.output_activation": "logistic"}).warnings()
    assert any("can't be reached" in line for line in found)


def test_a_prediction_is_drawn_in_original_units(monkeypatch):
    from neuroevo.analysis import target_errors
    from neuroevo.plots import prediction
    from neuroevo.plots.series import Look

    problem = validated().prepared("last_value").scaled("standard")
    outputs, drawn = np.zeros(problem.targets.shape), []
    monkeypatch.setattr(prediction, "draw_series", lambda *given: drawn.append(given))
    prediction.draw_prediction(outputs, problem, Look("a title"))
    (((shown,), original, _),) = drawn
    assert np.array_equal(shown.predicted, problem.original.input_rows)
    assert original is problem.original
    error = measure(problem, outputs, "validation").mse ** 0.5
    assert target_errors(shown.predicted, original)["validation"] == pytest.approx([error], rel=1e-12)


def test_units_that_stand_at_the_end_of_their_range_are_told():
    rng = np.random.default_rng(0)
    inputs, targets = rng.normal(100, 30, (1, 60, 1)), rng.normal(size=(1, 60, 1))
    network = ne.Elman(1, 5, 1)
    genomes = rng.normal(size=(8, network.n_genes))
    raw = SequenceProblem(inputs, targets)
    shares = []
    for genome in genomes:  # unit by unit, step by step
        w = network.layout.decode(genome)
        h, ends = np.zeros(5), np.zeros(5)
        for (x,) in inputs[0]:
            h = np.tanh(w["weight_ih_l0"][:, 0] * x + w["weight_hh_l0"] @ h + w["bias_l0"])
            ends += np.abs(h) > 0.99
        shares.append((ends > 30).mean())
    assert np.mean(shares) > 0.5
    (text,) = saturation_warnings(raw, network, genomes)
    assert text.startswith(f"{100 * np.mean(shares):.0f} % of the hidden units")
    assert 'scaling = "standard"' in text
    assert saturation_warnings(raw.scaled("standard"), network, genomes) == []
    assert "start_width" in saturation_warnings(raw.scaled("standard"), network, 100 * genomes)[0]
    assert saturation_warnings(raw, ne.Elman(1, 5, 1, activation="relu"), genomes) == []
    assert saturation_warnings(raw, ne.Jordan(1, 5, 1), rng.normal(size=(8, ne.Jordan(1, 5, 1).n_genes))) == []

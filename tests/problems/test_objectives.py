"""Objectives at the border: what they minimise, which problems suit them, their keys in scenarios, their names."""

from __future__ import annotations

import numpy as np
import pytest

from neuroevo.errors import BadInput, WrongType
from neuroevo.problems import RightClass, SequenceProblem, Within
from neuroevo.problems.objective_settings import Name
from neuroevo.problems.objectives import OBJECTIVES, Absolute, Huber, Pinball, Squared, as_objective
from neuroevo.problems.sequences import Sequences
from neuroevo.problems.series import Series
from neuroevo.settings import SettingsError, parse_settings
from neuroevo.stopping import History, Progress
from neuroevo.stopping.criteria import ErrorReached
from neuroevo.stopping.progress import COLUMNS


def error_of(constant, values, objective, weights=None):
    """The error of a constant answer to values."""
    targets = np.asarray(values, float)[None, :, None]
    own = None if weights is None else np.asarray(weights, float)[None, :, None]
    problem = SequenceProblem(np.zeros(targets.shape), targets, objective=objective, target_weights=own)
    return problem.objective.error(problem, np.full((targets.size, 1), constant), problem.counted_rows())


@pytest.mark.parametrize(
    ("objective", "best"),
    [
        (Squared(), np.mean),
        (Absolute(), np.median),
        (Pinball(0.9), lambda values: np.quantile(values, 0.9, method="inverted_cdf")),
        (Pinball(0.1), lambda values: np.quantile(values, 0.1, method="inverted_cdf")),
    ],
)
def test_best_constant_answer_is_the_known_one(objective, best):
    values = np.random.default_rng(1).exponential(size=101)
    least = error_of(best(values), values, objective)
    for step in (-1e-3, 1e-3):
        assert error_of(best(values) + step, values, objective) > least


def test_weighted_mean_is_the_best_answer_to_weighted_squares():
    rng = np.random.default_rng(2)
    values, weights = rng.normal(size=30), rng.uniform(0.1, 4, 30)
    best = np.average(values, weights=weights)
    least = error_of(best, values, "squared", weights)
    assert least == pytest.approx(np.average((values - best) ** 2, weights=weights), rel=1e-13)
    assert min(error_of(best + step, values, "squared", weights) for step in (-1e-3, 1e-3)) > least


def test_huber_is_half_the_square_and_then_a_line_that_continues_it():
    for size, wanted in ((0.3, 0.045), (0.5, 0.125), (2.0, 0.5 * (2.0 - 0.25))):
        assert (
            error_of(size, [0.0], Huber(0.5)) == error_of(-size, [0.0], Huber(0.5)) == pytest.approx(wanted, rel=1e-14)
        )


def classes(chosen, right, objective, **settings):
    targets, outputs = np.eye(3)[[right]], np.eye(3)[chosen]
    problem = SequenceProblem(
        np.zeros((1, len(right), 1)), targets, learned=RightClass(), objective=objective, **settings
    )
    return problem.objective.error(problem, outputs, problem.counted_rows())


def test_balanced_error_is_the_mean_over_classes_that_occur():
    right, chosen = [0, 0, 0, 0, 1, 1], [0, 0, 0, 1, 1, 2]
    assert classes(chosen, right, "classification_error") == pytest.approx(2 / 6)
    assert classes(chosen, right, "balanced_error") == pytest.approx((1 / 4 + 1 / 2) / 2)
    assert classes(chosen, right, "classification_error", class_weights="balanced") == pytest.approx(
        (1 / 4 + 1 / 2) / 2
    )
    assert classes(chosen, right, "classification_error", class_weights=[1, 3, 9]) == pytest.approx((1 + 3) / (4 + 6))


def test_balanced_class_weights_give_every_class_the_same_sum_and_leave_their_mean_at_1():
    right = [0] * 7 + [1] * 2
    problem = SequenceProblem(
        np.zeros((1, 9, 1)),
        np.eye(3)[[right]],
        learned=RightClass(),
        class_weights="balanced",
        objective="cross_entropy",
    )
    np.testing.assert_allclose(problem.class_weights, [9 / 14, 9 / 4, 1.0])
    assert problem.class_weights[right].mean() == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("settings", "kind", "message"),
    [
        ({"objective": "hubber"}, BadInput, "no objective 'hubber'; did you mean 'huber'"),
        ({"objective": 3}, WrongType, "a name, an Objective or a function, got 3"),
        ({"objective": "my module:f"}, BadInput, '"module:function", got'),
        ({"objective": "classification_error"}, BadInput, 'needs classes; "not_learned"'),
        ({"objective": "balanced_error"}, BadInput, "needs classes"),
        ({"objective": "cross_entropy"}, BadInput, "probabilities, in 0 ... 1, and got 5"),
        ({"class_weights": [1.0, 2.0]}, BadInput, "need classes"),
        ({"target_weights": [1.0, 2.0, 3.0]}, BadInput, r"broadcast to the shape of the targets, \(1, 4, 2\)"),
        ({"target_weights": [1.0, -2.0]}, BadInput, "above 0, got -2 to 1; target_mask"),
        ({"target_weights": [1.0, np.nan]}, BadInput, "finite and above 0"),
        ({"target_weights": ["a", "b"]}, WrongType, "must be real numbers"),
        ({"target_weights": [1.0, 2.0], "objective": max}, BadInput, "go with a named objective"),
    ],
)
def test_what_does_not_suit_a_problem_is_refused(settings, kind, message):
    with pytest.raises(kind, match=message):
        SequenceProblem(np.zeros((1, 4, 1)), np.full((1, 4, 2), 5.0), learned=Within(0.1), **settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"class_weights": "equal"}, "3 numbers or \"balanced\", got 'equal'"),
        ({"class_weights": [1.0, 2.0]}, r"shape \(3,\), one a class"),
        ({"class_weights": [1.0, 2.0, 0.0]}, "above 0"),
        ({"class_weights": "balanced", "objective": "balanced_error"}, "leave out class_weights"),
    ],
)
def test_class_weights_that_do_not_suit_are_refused(settings, message):
    with pytest.raises(BadInput, match=message):
        classes([0], [0], **{"objective": "squared", **settings})


def test_scaled_targets_are_no_probabilities():
    problem = SequenceProblem(np.zeros((1, 4, 1)), np.array([0.0, 1, 1, 0])[None, :, None], objective="cross_entropy")
    with pytest.raises(BadInput, match='scaling = "none"'):
        problem.scaled("standard")


def series_of(tmp_path, table, **settings):
    (tmp_path / "data.csv").write_text("day,flow,load\n" + table)
    return parse_settings(Series, {"file": "data.csv", "time": "day", "input": "flow", **settings}).build(tmp_path)


def test_keys_of_a_series_reach_the_problem(tmp_path):
    table = "".join(f"{k},{np.sin(k)},{k + 0.5}\n" for k in range(1, 21))
    problem = series_of(
        tmp_path,
        table,
        target=["flow", "load"],
        objective="huber",
        threshold=0.25,
        target_weights=[1, 3],
        weight="load",
    )
    assert problem.objective == Huber(0.25)
    load = np.arange(2, 21) + 0.5
    np.testing.assert_allclose(problem.weights[0], load[:, None] * [1, 3])
    assert problem.error_name == "weighted mean Huber loss with threshold 0.25 (scaled units)"
    assert series_of(tmp_path, table, objective="pinball").objective == Pinball(0.5)


def test_weight_of_an_ignored_row_may_be_missing_and_others_must_be_above_0(tmp_path):
    (tmp_path / "data.csv").write_text(
        "flow,load,bad\n" + "".join(f"{k},{k if k != 4 else ''},{int(k == 4)}\n" for k in range(1, 9))
    )
    settings = {"file": "data.csv", "input": "flow", "weight": "load"}
    problem = parse_settings(Series, {**settings, "ignore": "bad"}).build(tmp_path)
    assert not problem.target_mask[0, 2, 0]
    np.testing.assert_allclose(problem.weights[0, :, 0], [2, 3, 1, 5, 6, 7, 8])
    with pytest.raises(BadInput, match="must be above 0, got 0; ignore says"):
        parse_settings(Series, {**settings, "weight": "bad"}).build(tmp_path)


def test_class_weights_of_a_scenario_reach_the_problem(tmp_path):
    np.savez(tmp_path / "data.npz", X=np.random.default_rng(0).normal(size=(8, 3, 1)), y=np.array(list("aabaaaba")))
    settings = {"file": "data.npz", "labels": "y", "parts": {"train": 8}, "class_weights": "balanced"}
    problem = parse_settings(Sequences, {**settings, "objective": "cross_entropy"}).build(tmp_path)
    np.testing.assert_allclose(problem.class_weights, [8 / 12, 8 / 4])
    assert problem.error_name == "weighted mean cross-entropy (nats)"
    with pytest.raises(SettingsError, match="class_weights"):
        parse_settings(Sequences, {**settings, "class_weights": "equal"})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"threshold": 1.0}, 'threshold: goes with objective = "huber" only'),
        ({"objective": "huber", "quantile": 0.5}, 'quantile: goes with objective = "pinball" only'),
        ({"objective": "pinball", "quantile": 1.0}, "quantile: must be less than 1"),
        ({"objective": "hubr"}, "objective: must be .* did you mean 'huber'"),
        ({"objective": "my module:f"}, 'objective: must be .* or "module:function", got'),
        ({"per_step": True}, "per_step: goes with a function of one.s own only"),
        ({"target_weights": [0.0]}, "greater than 0"),
    ],
)
def test_wrong_keys_are_refused(settings, message):
    with pytest.raises(SettingsError, match=message):
        parse_settings(Series, {"file": "data.csv", **settings})


def test_scenarios_know_every_objective():
    assert set(Name.__args__) == set(OBJECTIVES)


def test_error_names_itself_in_table_summary_and_stop_message():
    values = np.random.default_rng(0).normal(size=(1, 20, 1))
    plain = SequenceProblem(values, values)
    problem = SequenceProblem(values, values, objective="absolute")
    assert plain.error_name == "mean squared error (scaled units)"
    assert "error" not in plain.measures
    assert problem.measures["error"] == problem.error_name == "mean absolute error (scaled units)"
    assert "error    mean absolute error (scaled units)" in str(problem.describe()).splitlines()
    row = dict.fromkeys(COLUMNS, 0.05)
    history = History()
    history.append(row)
    progress = Progress.of_row(row, population_size=1, history=history, error_name=problem.error_name)
    reason = ErrorReached(0.1).check(progress)
    assert reason.message == "training error 0.05 reached the target of 0.1, mean absolute error (scaled units)"


def test_every_title_is_of_its_own():
    titles = [as_objective(name).title for name in OBJECTIVES]
    assert len(set(titles)) == len(titles)

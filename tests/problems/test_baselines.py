"""The simple competitors against published figures; a figure is met when it rounds to the printed digits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from neuroevo.problems import PROBLEMS, RightClass, SequenceProblem, Within
from neuroevo.problems.baselines import baselines, linear_filter
from neuroevo.problems.metrics import measure
from neuroevo.settings import parse_settings

SHIPPED = Path(__file__).parents[2] / "scenarios"
WEIGEND = {"train": [1700, 1920], "test_1921_1955": [1921, 1955], "test_1956_1979": [1956, 1979]}


def build(kind, **values):
    return parse_settings(PROBLEMS[kind], values, "problem").build(SHIPPED)


def figures(problem, name, order, measure_name):
    found = {baseline.name: baseline for baseline in baselines(problem, order)}[name]
    return {part: getattr(measures, measure_name) for part, measures in found.parts.items()}


def sunspots(**values):
    return build("series", file="data/sunspots_yearly.csv", time="year", **{"parts": WEIGEND, **values})


def test_autoregression_of_order_9_on_the_yearly_sunspots_divided_by_1535():
    # A washout of 9 steps makes 1710 the first training target, as where the figures come from.
    arv = figures(sunspots(reference_variance=1535.0, washout=9), "linear", 9, "arv")
    assert {part: round(value, 3) for part, value in arv.items()} == {
        "train": 0.130, "test_1921_1955": 0.123, "test_1956_1979": 0.342,
    }  # fmt: skip
    # With every training target that nine values precede, the test figures stay.
    arv = figures(sunspots(reference_variance=1535.0), "linear", 9, "arv")
    assert {part: round(value, 3) for part, value in arv.items()} == {
        "train": 0.129, "test_1921_1955": 0.123, "test_1956_1979": 0.342,
    }  # fmt: skip


def test_autoregression_of_order_12_on_the_yearly_sunspots_divided_by_1495_6():
    arv = figures(sunspots(reference_variance=1495.6), "linear", 12, "arv")
    assert {part: round(value, 3) for part, value in arv.items()} == {
        "train": 0.132, "test_1921_1955": 0.130, "test_1956_1979": 0.368,
    }  # fmt: skip


def test_yearly_sunspots_by_the_variance_of_the_test_part():
    assert round(figures(sunspots(), "persistence", 12, "nmse")["test_1921_1955"], 3) == 0.381
    assert round(figures(sunspots(), "linear", 12, "nmse")["test_1921_1955"], 3) == 0.116
    later = sunspots(parts={"train": [1700, 1979], "test": [1980, 2008]})
    assert round(figures(later, "persistence", 12, "nmse")["test"], 3) == 0.336
    assert round(figures(later, "linear", 12, "nmse")["test"], 3) == 0.097


SERIES = [
    ("sunspots_monthly.csv", "sunspots", 2400, 24, "rmse", 19.3, 17.4, 1),
    ("sunspots_monthly.csv", "sunspots", 2400, 24, "nmse", 0.122, 0.099, 3),
    ("santafe_laser.csv", 1, 1000, 20, "nmse", 0.939, 0.182, 3),
    ("co2_weekly.csv", "co2_ppm", 1800, 52, "rmse", 0.509, 0.401, 3),
    ("elnino_sst_monthly.csv", "sst_c", 600, 12, "rmse", 1.171, 0.513, 3),
    ("airline_passengers.csv", "passengers", 108, 13, "rmse", 50.3, 16.1, 1),
]


@pytest.mark.parametrize(("file", "column", "n_train", "order", "name", "repeated", "linear", "digits"), SERIES)
def test_the_shipped_series_give_the_known_figures(file, column, n_train, order, name, repeated, linear, digits):
    problem = build("series", file=f"data/{file}", input=column, parts={"train": n_train, "test": "rest"})
    assert round(figures(problem, "persistence", order, name)["test"], digits) == repeated
    assert round(figures(problem, "linear", order, name)["test"], digits) == linear


def test_smoothed_sunspots_on_the_split_of_chandra():
    problem = build(
        "series", file="data/sunspots_monthly.csv", input="smoothed13", span=[1014, 3013], scaling="range",
        scaling_range=[0.0, 1.0], parts={"train": 1000, "test": "rest"},
    )  # fmt: skip
    # The scale of the papers covers both halves.
    values = np.concatenate([problem.original.inputs[0, :, 0], problem.original.targets[0, -1:, 0]])
    scale = values.max() - values.min()
    assert round(figures(problem, "persistence", 5, "rmse")["test"] / scale, 4) == 0.0151
    assert round(figures(problem, "linear", 5, "rmse")["test"] / scale, 4) == 0.0056


def test_autoregression_equals_the_normal_equations_of_the_raw_series():
    problem = sunspots()
    raw = np.loadtxt(SHIPPED / "data/sunspots_yearly.csv", delimiter=",", skiprows=1)
    years, values = raw[:, 0], raw[:, 1]
    rows = np.array([[1.0, *values[i - 9 : i]] for i in range(9, 280)])
    wanted = values[9:280]
    train = years[9:280] <= 1920
    weights = np.linalg.solve(rows[train].T @ rows[train], rows[train].T @ wanted[train])
    outputs = problem.scaling.unscale_targets(linear_filter(problem, 9))[:, 0]
    assert np.isnan(outputs[:8]).all()
    assert outputs[8:] == pytest.approx(rows @ weights, rel=1e-8)


def test_persistence_respects_the_horizon():
    problem = sunspots(horizon=3, lags=2)
    repeated = {baseline.name: baseline for baseline in baselines(problem)}["persistence"]
    outputs = problem.scaling.unscale_targets(repeated.outputs)[0, :, 0]
    assert outputs[3:] == pytest.approx(problem.original.targets[0, :-3, 0])


def test_several_columns_are_a_vector_autoregression():
    rng = np.random.default_rng(0)
    values = np.zeros((300, 2))
    for t in range(1, 300):
        values[t] = values[t - 1] @ [[0.5, 0.4], [-0.4, 0.5]] + rng.normal(size=2)
    problem = SequenceProblem(values[None, :-1], values[None, 1:], tied=[0, 1])
    outputs = linear_filter(problem, 1)
    residual = problem.target_rows - outputs
    assert abs((residual * problem.input_rows).mean()) < 1e-12
    assert measure(problem, outputs).nmse < 0.7


def test_no_linear_model_where_the_training_part_has_no_more_targets_than_coefficients():
    problem = SequenceProblem(np.arange(12.0)[None, :, None], np.arange(12.0)[None, :, None], tied=[0])
    assert linear_filter(problem, 6) is not None
    assert linear_filter(problem, 7) is None
    assert linear_filter(problem, 13) is None
    assert "linear" not in [baseline.name for baseline in baselines(problem, 9)]
    with pytest.raises(ValueError, match="at least 1"):
        baselines(problem, 0)


def test_classes_have_the_largest_class_and_a_linear_classifier_as_competitors():
    problem = build("sequences", file="data/japanese_vowels.npz", labels="y", lengths="len", parts=["train", "test"])
    majority, linear, logistic = baselines(problem)
    assert majority.parts["train"].learned == pytest.approx(30 / 270)
    # Logistic regression on the same features is right on 96.2 % of the test part.
    assert linear.parts["test"].learned == pytest.approx(0.976, abs=0.0005)
    # Of the means over eighths of each sequence too.
    assert logistic.parts["train"].learned == 1.0
    assert logistic.parts["test"].learned > 0.95


def test_baselines_are_fitted_on_the_training_part_only():
    problem = sunspots()
    later = problem.times[0] > 1920
    inputs, targets = problem.original.inputs.copy(), problem.original.targets.copy()
    inputs[0, later], targets[0, later] = 5.0, 7.0
    other = SequenceProblem(inputs, targets, parts=dict(problem.parts), tied=[0]).with_scaling(problem.scaling)
    for ours, theirs in zip(baselines(problem), baselines(other), strict=True):
        assert ours.parts["train"] == theirs.parts["train"]


def test_measures_are_those_of_the_formulas():
    inputs = np.zeros((1, 4, 1))
    targets = np.array([[[10.0], [20.0], [30.0], [60.0]]])
    mask = np.array([[[True], [True], [True], [False]]])
    problem = SequenceProblem(inputs, targets, target_mask=mask, learned=Within(0.2), reference_variance=50.0).scaled(
        "range"
    )
    outputs = np.array([[[-1.0], [0.2], [0.7], [99.0]]])
    found = measure(problem, outputs)
    assert found.n_targets == 3
    assert found.error == pytest.approx((0.0 + 0.04 + 0.09) / 3)
    assert found.mse == pytest.approx((0.0 + 4.0 + 9.0) / 3)
    assert found.rmse == pytest.approx(np.sqrt(13.0 / 3))
    assert found.nmse == pytest.approx(13.0 / 200.0)
    assert found.arv == pytest.approx(13.0 / 3 / 50.0)
    assert found.learned == pytest.approx(2 / 3)


def test_measures_refuse_what_cannot_be_compared():
    problem = SequenceProblem(np.zeros((1, 4, 1)), np.zeros((1, 4, 1)))
    assert np.isnan(measure(problem, np.ones((1, 4, 1))).nmse)
    with pytest.raises(ValueError, match="shape of the targets"):
        measure(problem, np.ones((3, 1)))
    with pytest.raises(ValueError, match="no part 'test'"):
        measure(problem, np.ones((1, 4, 1)), "test")
    with pytest.raises(ValueError, match="nothing to compare"):
        measure(problem, np.ones((1, 4, 1)), where=np.zeros((1, 4, 1), dtype=bool))


def test_the_largest_class_is_that_of_the_training_part():
    targets = np.eye(3)[[[2], [2], [0], [1], [1], [1]]]
    parts = {"train": np.arange(6) < 4, "test": np.arange(6) >= 4}
    problem = SequenceProblem(
        np.random.default_rng(0).normal(size=(6, 1, 1)), targets, learned=RightClass(), parts=parts
    )
    majority = baselines(problem)[0]
    assert majority.parts["train"].learned == 0.5
    assert majority.parts["test"].learned == 0.0

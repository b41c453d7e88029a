"""Residuals and transforms against loops over single values, and their undoing in every figure."""

from __future__ import annotations

import math
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neuroevo as ne
from neuroevo.problems import PROBLEMS, RightClass, Scaling, SequenceProblem
from neuroevo.problems.baselines import baselines
from neuroevo.problems.metrics import measure
from neuroevo.problems.preparation import RESIDUALS, Preparation
from neuroevo.problems.preparing import choosing
from neuroevo.settings import SettingsError, parse_settings

SHIPPED = Path(__file__).parents[2] / "scenarios"
DIFFERENCES = ("difference", "seasonal_difference")


def positive(n_steps=60, seed=0):
    rng = np.random.default_rng(seed)
    steps = np.arange(n_steps)
    return 20.0 + 0.3 * steps + 5.0 * np.sin(steps * 2 * np.pi / 6) + rng.normal(size=n_steps)


def forecast(values, horizon=1, season=6, **arguments):
    values = np.asarray(values, dtype=np.float64).reshape(len(values), -1)
    n_steps = len(values) - horizon
    train = np.arange(n_steps)[None] < 0.6 * n_steps
    middle = np.arange(n_steps)[None] < 0.8 * n_steps
    parts = {"train": train, "validation": ~train & middle, "test": ~middle}
    tied = range(values.shape[1])
    fields = {"parts": parts, "tied": list(tied), "season": season, **arguments}
    return SequenceProblem(values[None, :-horizon], values[None, horizon:], **fields)


def senseless(residual, transform):
    names = {residual, *transform}
    return (
        {"difference", "last_value"} <= names
        or {"seasonal_difference", "seasonal"} <= names
        or ({*DIFFERENCES} <= names and residual in ("last_value", "seasonal"))
    )


TRANSFORM_SETS = [
    (),
    ("log",),
    ("difference",),
    ("seasonal_difference",),
    ("log", "difference"),
    ("log", "seasonal_difference"),
    DIFFERENCES,
]
SENSIBLE = [
    (residual, transform)
    for residual in (None, *RESIDUALS)
    for transform in TRANSFORM_SETS
    if (residual or transform) and not senseless(residual, transform)
]


def by_hand(x, t, horizon, season, residual, transform):
    """What is taken off the target at step t, but for a linear model, from the series x up to t."""
    u = [math.log(value) if "log" in transform else value for value in x[: t + 1]]
    last = residual == "last_value" or "difference" in transform
    seasonal = residual == "seasonal" or "seasonal_difference" in transform
    back = season * math.ceil(horizon / season)
    ahead = u[t + horizon - back] if t + horizon - back >= 0 else u[t]
    if last and seasonal:
        return u[t] + ahead - u[t - back] if t >= back else u[t]
    return u[t] if last else ahead if seasonal else 0.0


@pytest.mark.parametrize("horizon", [1, 2, 7])
@pytest.mark.parametrize(("residual", "transform"), SENSIBLE)
def test_what_is_taken_off_is_the_sum_of_single_values(residual, transform, horizon):
    values = positive()
    problem = forecast(values, horizon).prepared(residual, transform)
    preparation = problem.preparation
    for t in range(problem.n_steps):
        expected = by_hand(values, t, horizon, 6, residual, transform)
        if preparation.linear is not None:
            expected += preparation.linear(problem.input_rows, problem.rows)[t, 0]
        target = math.log(values[t + horizon]) if "log" in transform else values[t + horizon]
        assert problem.references[0, t, 0] == pytest.approx(expected, abs=1e-12)
        assert problem.targets[0, t, 0] == pytest.approx(target - expected, abs=1e-11)


@pytest.mark.parametrize("transform", TRANSFORM_SETS[1:])
def test_inputs_of_the_same_quantity_are_transformed_and_others_are_not(transform):
    values = np.column_stack([positive(), np.arange(60.0)])
    problem = SequenceProblem(values[None, :-1], values[None, 1:, :1], tied=[0], season=6).prepared(None, transform)
    assert np.array_equal(problem.inputs[:, :, 1], values[None, :-1, 1])
    u = np.log(values[:, 0]) if "log" in transform else values[:, 0]
    for lag in [{"difference": 1, "seasonal_difference": 6}.get(name, 0) for name in transform]:
        if lag:
            u = np.array([u[t] - u[t - lag] if t >= lag else 0.0 for t in range(len(u))])
    assert problem.inputs[0, :, 0] == pytest.approx(u[:-1], abs=1e-12)


def test_earlier_values_of_the_same_quantity_among_the_inputs_are_transformed_too():
    problem = build("sine", lags=3, transform="difference", n_values=80)
    original = problem.original.inputs[0]
    assert problem.preparation.columns == (0, 1, 2)
    assert problem.unscaled.inputs[0, 1:] == pytest.approx(np.diff(original, axis=0))


def build(kind, **values):
    return parse_settings(PROBLEMS[kind], values, "problem").build(SHIPPED)


@pytest.mark.parametrize(("residual", "transform"), SENSIBLE)
@pytest.mark.parametrize("method", ["none", "robust", {"inputs": "range", "targets": "standard"}])
def test_it_is_undone_and_survives_its_arrays_bit_for_bit(residual, transform, method):
    problem = forecast(positive(), 2).prepared(residual, transform).scaled(method)
    size = np.abs(problem.original.targets).max()
    assert problem.predictions(problem.targets) == pytest.approx(problem.original.targets, abs=1e-13 * size)
    assert problem.outputs_for(problem.original.targets) == pytest.approx(problem.targets, abs=1e-12 * size)
    for copy in (SequenceProblem.from_arrays(problem.to_arrays()), pickle.loads(pickle.dumps(problem))):  # noqa: S301 - our own
        for name in ("inputs", "targets", "references"):
            assert getattr(copy, name).tobytes() == getattr(problem, name).tobytes()
        assert copy.original.targets.tobytes() == problem.original.targets.tobytes()
        assert copy.fingerprint() == problem.fingerprint()
        assert str(copy.scaling) == str(problem.scaling)
        assert (copy.error_name, str(copy.preparation)) == (problem.error_name, str(problem.preparation))


@given(
    st.lists(st.floats(1e-3, 1e6), min_size=24, max_size=60),
    st.sampled_from(SENSIBLE),
    st.integers(1, 4),
    st.sampled_from(["none", "standard", "range", "robust"]),
)
@settings(max_examples=80, deadline=None)
def test_undoing_gives_back_the_targets_to_rounding(values, chosen, horizon, method):
    problem = forecast(values, horizon, season=3).prepared(*chosen).scaled(method)
    back = problem.predictions(problem.targets)
    # Logarithms of values from 1e-3 to 1e6, their differences and a clipped model stay below a few hundred.
    tolerance = 1e-11 * problem.original.targets if "log" in chosen[1] else 1e-11 * max(values)
    assert (np.abs(back - problem.original.targets) <= tolerance).all()


@pytest.mark.parametrize("name", ["last_value", "seasonal", "linear"])
def test_a_network_that_answers_0_is_the_simple_model(name):
    problem = forecast(positive()).prepared(name).scaled("standard")
    table = {baseline.name: baseline for baseline in baselines(problem)}
    model = table[{"last_value": "persistence", "seasonal": "seasonal", "linear": "ridge"}[name]]
    zero = measure(problem, np.zeros(problem.targets.shape), "test")
    assert zero.rmse == pytest.approx(model.parts["test"].rmse, rel=1e-12)
    assert zero.error == pytest.approx(model.parts["test"].error, rel=1e-9)
    assert problem.scaling.target_offset.tolist() == [0.0]


@pytest.mark.parametrize(("residual", "transform"), SENSIBLE)
def test_competitors_are_those_of_the_full_target_in_original_units(residual, transform):
    plain = forecast(positive()).scaled("standard")
    prepared = plain.prepared(residual, transform).scaled("standard")
    for one, other in zip(baselines(plain), baselines(prepared), strict=True):
        assert one.label == other.label
        for part, figures in one.parts.items():
            assert other.parts[part].rmse == pytest.approx(figures.rmse, rel=1e-7)
            assert other.parts[part].n_targets == figures.n_targets


def test_measures_are_of_the_full_target_and_the_error_of_the_residual():
    problem = forecast(positive()).prepared("last_value", "log").scaled("standard")
    outputs = np.random.default_rng(0).normal(size=problem.targets.shape)
    found = measure(problem, outputs, "test")
    squares, residuals = [], []
    for t in np.flatnonzero(problem.counted("test")[0, :, 0]):
        x, y = problem.original.inputs[0, t, 0], problem.original.targets[0, t, 0]
        squares.append((x * math.exp(outputs[0, t, 0] * problem.scaling.target_factor[0]) - y) ** 2)
        residuals.append((outputs[0, t, 0] - math.log(y / x) / problem.scaling.target_factor[0]) ** 2)
    assert found.mse == pytest.approx(np.mean(squares))
    assert found.error == pytest.approx(np.mean(residuals))
    network = ne.Elman(1, 2, 1)
    genome = np.random.default_rng(1).normal(size=network.n_genes)
    assert problem.score(network, genome, "test")[0] == pytest.approx(
        measure(problem, network.predict(genome, problem.inputs), "test").error
    )


def test_the_evaluator_scores_the_residual():
    problem = forecast(positive()).prepared("linear").scaled("standard")
    network = ne.Elman(1, 2, 1)
    genome = np.random.default_rng(1).normal(size=network.n_genes)
    with ne.LocalEvaluator(network, problem, n_threads=1, precision="double") as evaluator:
        for part in problem.parts:
            assert evaluator.evaluate(genome[None], part).error[0] == pytest.approx(
                problem.score(network, genome, part)[0], rel=1e-12
            )


@pytest.mark.parametrize(("residual", "transform"), SENSIBLE)
def test_nothing_is_learnt_from_the_test_part(residual, transform):
    values = positive()
    other = values.copy()
    other[50:] *= 7.0  # the test part of 59 steps begins at step 48
    ours, theirs = (forecast(v).prepared(residual, transform).scaled("robust") for v in (values, other))
    arrays = ours.scaling_arrays()
    for name, array in theirs.scaling_arrays().items():
        assert array.tobytes() == arrays[name].tobytes(), name


def test_settings_are_chosen_on_the_validation_part_or_the_end_of_training_or_every_fourth_sequence():
    problem = forecast(positive())
    assert np.array_equal(choosing(problem), problem.counted_rows("validation"))
    alone = SequenceProblem(problem.inputs, problem.targets, parts={"train": problem.parts["train"]}, washout=4)
    steps = np.flatnonzero(alone.counted("train")[0, :, 0])
    assert np.flatnonzero(choosing(alone)[:, 0]).tolist() == steps[-(len(steps) // 4) :].tolist()
    many = SequenceProblem(np.zeros((9, 2, 1)), np.ones((9, 2, 1)))
    assert np.flatnonzero(many.rows.padded(choosing(many))[:, 0, 0]).tolist() == [3, 7]
    targets = np.eye(2)[[0] * 8 + [1] * 4][:, None]
    classes = SequenceProblem(np.zeros((12, 1, 1)), targets, learned=RightClass())
    assert np.flatnonzero(choosing(classes)[:, 0]).tolist() == [3, 7, 11]


REFUSED = [
    ({"residual": "last_value", "transform": "difference"}, 'transform = "difference" takes off what residual = "last'),
    ({"residual": "seasonal", "transform": ("log", "seasonal_difference")}, 'takes off what residual = "seasonal"'),
    ({"residual": "last_value", "transform": DIFFERENCES}, "leave one out"),
    ({"residual": "lasst"}, "residual must be one of last_value, seasonal, linear; got 'lasst'"),
    ({"transform": "sqrt"}, "transform must be of log, difference, seasonal_difference, each once"),
    ({"transform": ("log", "log")}, "each once at most; got log, log"),
    ({"residual": "linear", "residual_lags": 0}, "residual_lags must be at least 1"),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSED)
def test_senseless_combinations_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        forecast(positive()).prepared(**arguments)


def test_what_the_data_do_not_allow_is_refused_with_advice():
    with pytest.raises(ValueError, match=r"log.* needs values above 0, and 'input 1' has -1.*leave it out, or add"):
        forecast(np.append(positive(), -1.0)[::-1]).prepared(transform="log")
    with pytest.raises(ValueError, match="'target 1' has 0: leave it out"):
        forecast(np.append(positive(), 0.0)).prepared(transform="log")
    values = np.random.default_rng(0).normal(size=(1, 40, 1))
    with pytest.raises(ValueError, match="last_value needs the past of each target among the inputs, where 'target 1'"):
        SequenceProblem(values, values).prepared("last_value")
    with pytest.raises(ValueError, match="later values of the inputs they are tied to"):
        SequenceProblem(values, values[:, ::-1], tied=[0]).prepared("seasonal")
    with pytest.raises(ValueError, match="no season was found"):
        forecast(np.arange(40.0), season=None).prepared("seasonal")
    with pytest.raises(ValueError, match="season = 50 must be less than the"):
        forecast(positive(), season=50).prepared("seasonal")
    classes = SequenceProblem(np.zeros((1, 4, 1)), np.eye(2)[[[0, 1, 0, 1]]], learned=RightClass())
    for asked in ({"residual": "linear"}, {"transform": "log"}):
        with pytest.raises(ValueError, match="classes have neither residual nor transform"):
            classes.prepared(**asked)


def test_stored_arrays_are_checked():
    problem = forecast(positive()).prepared("linear", ("log", "difference")).scaled("standard")
    arrays = problem.to_arrays()
    assert Preparation.from_arrays({}) is None
    for name, value, message in (
        ("scaling_residual", "best", "residual must be one of"),
        ("scaling_transform", "log,log", "each once"),
        ("scaling_tied", np.array([0.5]), "whole numbers"),
        ("scaling_tied", np.array([4]), "for other columns"),
        ("scaling_tied", np.array([0, 0]), "for other columns than 1 inputs and 1 targets"),
        ("scaling_columns", np.array([-1]), "for other columns than 1 inputs and 1 targets"),
        ("scaling_linear_columns", np.array([9] * len(problem.preparation.linear.columns)), "for other columns"),
        ("scaling_tied", np.array([-1]), "needs the input that it is tied to"),
        ("scaling_residual", "seasonal", "season must be at least 2"),
    ):
        with pytest.raises(ValueError, match=message):
            SequenceProblem.from_arrays({**arrays, name: np.asarray(value)})
    with pytest.raises(ValueError, match="lack scaling_horizon"):
        SequenceProblem.from_arrays({name: array for name, array in arrays.items() if name != "scaling_horizon"})
    with pytest.raises(ValueError, match="goes with residual"):
        Preparation("linear", (), 0, 0, (0,), ())


def test_preparing_starts_from_the_original_and_scaling_keeps_the_preparation():
    problem = forecast(positive())
    prepared = problem.scaled("range").prepared("last_value")
    assert prepared.original is problem
    assert prepared.scaled("range").scaled("standard").preparation is prepared.preparation
    assert prepared.scaled("range").scaled("none") is prepared
    assert prepared.scaled("range").prepared() is problem
    assert prepared.prepared("seasonal").original is problem


def test_new_data_take_the_preparation_and_scaling_of_a_champion():
    problem = forecast(positive()).prepared("linear", "log").scaled("standard")
    arrays = problem.scaling_arrays()
    new = SequenceProblem(problem.original.inputs[:, :30], problem.original.targets[:, :30], tied=[0])
    new = new.with_preparation(Preparation.from_arrays(arrays)).with_scaling(Scaling.from_arrays(arrays))
    assert np.array_equal(new.inputs, problem.inputs[:, :30])
    assert np.array_equal(new.targets, problem.targets[:, :30])


def test_padding_and_masked_targets_may_hold_anything():
    values = np.stack([positive(), positive(seed=1)])[:, :, None]
    mask = np.ones((2, 59, 1), dtype=bool)
    mask[1, 7] = False
    targets = values[:, 1:].copy()
    inputs = values[:, :-1].copy()
    targets[1, 7], targets[0, 50:], inputs[0, 50:] = -3.0, np.nan, -5.0
    problem = SequenceProblem(inputs, targets, lengths=[50, 59], target_mask=mask, tied=[0], season=6)
    for residual, transform in SENSIBLE:
        prepared = problem.prepared(residual, transform).scaled("standard")
        assert np.isfinite(prepared.inputs[prepared.present]).all()
        assert np.isfinite(prepared.targets[prepared.counted("train")]).all()


@pytest.mark.parametrize(
    "values",
    [
        {"residual": "linear"},
        {"residual": "seasonal", "season": 12},
        {"transform": ["log", "difference"]},
        {"scaling": {"inputs": "robust"}},
    ],
)
def test_scenarios_take_the_keys(values):
    airline = {"file": "data/airline_passengers.csv", "time": "month", "input": "passengers", "lags": 13}
    problem = build("series", **airline, **values)
    assert (problem.preparation is None) == ("scaling" in values)
    assert ("prepared " in str(problem.describe())) == (problem.preparation is not None)
    if "linear" in values.values():
        assert problem.preparation.linear.lags.tolist() == [0] * 13
    if "scaling" in values:
        assert str(problem.scaling) == "robust of the inputs, standard of the targets"
    else:
        assert problem.error_name == "mean squared error of the residual (scaled units)"


def test_sequences_take_a_linear_residual_and_the_logarithm(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20, 8, 2))
    np.savez(tmp_path / "a.npz", X=x, y=np.exp(x[:, :, :1]))
    settings_ = {"file": "a.npz", "targets": "y", "counts": "all", "residual": "linear", "transform": "log"}
    problem = parse_settings(PROBLEMS["sequences"], settings_, "problem").build(tmp_path)
    # The logarithm of the target is one of the inputs, which a linear model finds.
    assert measure(problem, np.zeros(problem.targets.shape), "test").nmse < 1e-6
    with pytest.raises(ValueError, match="where 'target 1' is not: add it"):
        parse_settings(PROBLEMS["sequences"], {**settings_, "residual": "last_value"}, "problem").build(tmp_path)


def test_lags_without_their_model_are_a_mistake():
    for kind, values in (("sine", {}), ("sequences", {"file": "a.npz", "labels": "y"})):
        with pytest.raises(SettingsError, match='residual_lags: goes with residual = "linear" only, got 3'):
            parse_settings(PROBLEMS[kind], {**values, "residual_lags": 3}, "problem")


def test_a_run_on_a_residual_goes_on_to_the_same_bits_and_keeps_it_with_its_champion(small_scenario, tmp_path):
    keys = {"problem.residual": "linear", "problem.transform": "difference", "problem.scaling": {"targets": "robust"}}
    whole = ne.run(small_scenario, results=tmp_path / "whole", overrides={**keys, "stop.generations": 8})
    first = ne.run(small_scenario, results=tmp_path / "parts", overrides={**keys, "stop.generations": 3})
    parts = ne.extend(first.path, overrides={"stop.generations": 8})
    assert parts.champion.genome.tobytes() == whole.champion.genome.tobytes()
    assert parts.history["incumbent_error"].tobytes() == whole.history["incumbent_error"].tobytes()
    assert whole.error_name == "mean squared error of the residual (scaled units)"
    problem, champion = whole.problem, whole.champion
    new = problem.original.with_preparation(champion.preparation).with_scaling(champion.scaling)
    assert new.targets.tobytes() == problem.targets.tobytes()
    assert ne.load_scenario(whole.path / "scenario.toml", problem=problem).table["problem"]["transform"] == "difference"

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from neuroevo.problems import RightClass, Scaling, SequenceProblem
from neuroevo.problems.scaling import learn_column
from tests.problems.drawn import problems


def two_parts(**arguments):
    rng = np.random.default_rng(1)
    inputs, targets = rng.normal(3.0, 5.0, (1, 40, 2)), rng.normal(-7.0, 0.1, (1, 40, 1))
    train = np.arange(40)[None] < 25
    return SequenceProblem(inputs, targets, parts={"train": train, "test": ~train}, **arguments)


def test_standard_gives_the_training_part_mean_0_and_variance_1():
    problem = two_parts().scaled("standard")
    for values in (problem.inputs[0, :25, 0], problem.inputs[0, :25, 1], problem.targets[0, :25, 0]):
        assert values.mean() == pytest.approx(0.0, abs=1e-12)
        assert values.std() == pytest.approx(1.0)


@pytest.mark.parametrize("limits", [(-1.0, 1.0), (0.0, 1.0), (2.0, 7.0)])
def test_range_puts_the_training_extremes_on_the_limits(limits):
    problem = two_parts().scaled("range", limits)
    for values in (problem.inputs[0, :25, 0], problem.inputs[0, :25, 1], problem.targets[0, :25, 0]):
        assert (values.min(), values.max()) == pytest.approx(limits)


def test_robust_gives_the_training_part_median_0_and_interquartile_range_1():
    problem = two_parts().scaled("robust")
    for values in (problem.inputs[0, :25, 0], problem.inputs[0, :25, 1], problem.targets[0, :25, 0]):
        ordered = sorted(values)  # of 25 values the quartiles are the 7th, 13th and 19th
        assert ordered[12] == pytest.approx(0.0, abs=1e-12)
        assert ordered[18] - ordered[6] == pytest.approx(1.0)


@pytest.mark.parametrize(("values", "expected"), [([5.0] * 9 + [15.0], (5.0, 3.0)), ([5.0] * 3, (5.0, 1.0))])
def test_robust_takes_the_deviation_where_most_values_are_equal(values, expected):
    assert learn_column(np.array(values), "robust") == pytest.approx(expected)


@pytest.mark.parametrize(
    ("method", "factor"),
    [("none", 1.0), ("standard", np.sqrt((1 + 4 + 81 + 4) / 4)), ("range", 9.0 / 2.0), ("robust", 1.25 - -3.75)],
)
def test_without_an_offset_0_stays_0(method, factor):
    values = np.array([1.0, 2.0, -9.0, -2.0])
    assert learn_column(values, method, (-1.0, 2.0), centred=False) == pytest.approx((0.0, factor))
    assert learn_column(0.0 * values, method, (-1.0, 2.0), centred=False) == (0.0, 1.0)


def test_inputs_and_targets_are_scaled_apart_where_two_methods_are_given():
    inputs, targets = np.array([[[0.0, 5.0], [1.0, 6.0]]]), np.array([[[1.0], [4.0]]])
    problem = SequenceProblem(inputs, targets, tied=[0])
    scaling = problem.scaled({"inputs": "none", "targets": "range"}, (0.0, 1.0)).scaling
    assert (scaling.input_factor.tolist(), scaling.target_factor.tolist()) == ([1.0, 1.0], [3.0])
    assert scaling.target_offset.tolist() == [1.0]
    assert str(scaling) == "none of the inputs, range of the targets"
    assert Scaling.from_arrays(scaling.to_arrays()).target_method == "range"
    # The same method twice is another wish than once: the columns are learnt by themselves.
    apart = problem.scaled({"inputs": "range", "targets": "range"}, (0.0, 1.0)).scaling
    assert (apart.input_factor.tolist(), apart.target_factor.tolist()) == ([1.0, 1.0], [3.0])
    # What is left out is "standard".
    half = problem.scaled({"targets": "none"}).scaling
    assert (half.method, half.target_method, half.input_factor.tolist()) == ("standard", "none", [0.5, 0.5])


def test_scaling_learns_nothing_from_other_parts():
    problem = two_parts()
    inputs, targets = problem.inputs.copy(), problem.targets.copy()
    inputs[0, 25:] *= 1000.0
    targets[0, 25:] += 1e6
    other = SequenceProblem(inputs, targets, parts=dict(problem.parts))
    for method in ("standard", "range", "robust"):
        ours, theirs = problem.scaled(method).scaling, other.scaled(method).scaling
        assert np.array_equal(ours.input_factor, theirs.input_factor)
        assert np.array_equal(ours.target_offset, theirs.target_offset)


def test_scaling_learns_nothing_from_padding_and_masked_targets():
    inputs = np.array([[[1.0], [2.0], [3.0], [900.0]]])
    targets = np.array([[[1.0], [700.0], [3.0], [900.0]]])
    mask = np.array([[[True], [False], [True], [True]]])
    scaling = SequenceProblem(inputs, targets, lengths=[3], target_mask=mask).scaled("standard").scaling
    assert scaling.input_offset.tolist() == [2.0]
    assert scaling.target_offset.tolist() == [2.0]


def test_tied_columns_share_one_scaling_learnt_from_both():
    inputs, targets = np.array([[[0.0, 5.0], [1.0, 6.0]]]), np.array([[[1.0], [4.0]]])
    scaling = SequenceProblem(inputs, targets, tied=[0]).scaled("range", (0.0, 1.0)).scaling
    assert scaling.input_factor.tolist() == [4.0, 1.0]
    assert scaling.target_factor.tolist() == [4.0]
    assert scaling.target_offset.tolist() == [0.0]


def test_classes_are_not_scaled():
    targets = np.eye(2)[[[0, 1, 0]]]
    problem = SequenceProblem(np.arange(3.0)[None, :, None], targets, learned=RightClass()).scaled("standard")
    assert np.array_equal(problem.targets, targets)
    assert not problem.scaling.changes_targets


@pytest.mark.parametrize("value", [0.0, 0.1, 1e-300, -1e300])
def test_a_constant_column_is_not_divided_by_its_rounding_error(value):
    inputs = np.full((1, 7, 1), value)
    for method in ("standard", "range", "robust"):
        problem = SequenceProblem(inputs, np.arange(7.0)[None, :, None]).scaled(method)
        assert problem.scaling.input_factor.tolist() == [1.0]
        assert np.isfinite(problem.inputs).all()


def test_values_beyond_floating_point_are_refused():
    with pytest.raises(ValueError, match="too large, or too close together"):
        SequenceProblem(np.array([[[1e308], [-1e308]]]), np.zeros((1, 2, 1))).scaled("standard")
    inputs = np.array([[[1.0], [np.nextafter(1.0, 2.0)], [1e308]]])
    parts = {"train": np.array([[True, True, False]]), "test": np.array([[False, False, True]])}
    with pytest.raises(ValueError, match="beyond the range of floating-point numbers"):
        SequenceProblem(inputs, np.zeros((1, 3, 1)), parts=parts).scaled("standard")


@given(problems())
@settings(max_examples=60, deadline=None)
def test_unscaling_gives_back_the_original_values(problem):
    for method in ("standard", "range", "robust", {"inputs": "range", "targets": "robust"}):
        scaled = problem.scaled(method)
        size = np.abs(problem.inputs).max() + np.abs(problem.targets).max() + 1.0
        assert scaled.original is problem
        assert scaled.scaling.unscale_inputs(scaled.input_rows) == pytest.approx(problem.input_rows, abs=1e-12 * size)
        assert scaled.scaling.unscale_targets(scaled.target_rows) == pytest.approx(
            problem.target_rows, abs=1e-12 * size
        )


def test_scaling_a_scaled_problem_starts_from_the_original():
    problem = two_parts()
    assert problem.scaled("standard").scaled("none") is problem
    twice = problem.scaled("range").scaled("standard")
    assert np.array_equal(twice.inputs, problem.scaled("standard").inputs)


def test_with_scaling_applies_a_scaling_learnt_elsewhere():
    scaling = Scaling("standard", np.array([1.0, 2.0]), np.array([2.0, 4.0]), np.array([0.0]), np.array([10.0]))
    problem = two_parts().with_scaling(scaling)
    assert np.array_equal(problem.inputs, (problem.original.inputs - [1.0, 2.0]) / [2.0, 4.0])
    assert problem.scaling is scaling
    with pytest.raises(ValueError, match="for 2 inputs and 1 outputs, the problem has 1 and 1"):
        SequenceProblem(np.zeros((1, 2, 1)), np.zeros((1, 2, 1))).with_scaling(scaling)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("minmax",), "must be one of none"),
        (({"inputs": "minmax"},), "must be one of none"),
        (({"outputs": "none"},), "has the keys inputs and targets, got outputs"),
        (("range", (1.0, 1.0)), "rising"),
        (("range", (0.0, np.inf)), "finite"),
    ],
)
def test_bad_requests_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        two_parts().scaled(*arguments)


@pytest.mark.parametrize(
    "columns",
    [
        ([0.0], [0.0], [0.0], [1.0]),
        ([0.0], [1.0], [np.nan], [1.0]),
        ([0.0, 1.0], [1.0], [0.0], [1.0]),
        (0.0, 1.0, [0.0], [1.0]),
    ],
)
def test_a_scaling_checks_its_columns(columns):
    with pytest.raises(ValueError, match=r"one finite number a column|one offset and one factor"):
        Scaling("standard", *(np.array(column) for column in columns))

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings

from neuroevo.problems import RightClass, SequenceProblem, Within
from tests.problems.drawn import problems


def make(n_sequences=2, n_steps=5, n_inputs=1, n_outputs=1, **arguments):
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(n_sequences, n_steps, n_inputs))
    targets = rng.normal(size=(n_sequences, n_steps, n_outputs))
    return SequenceProblem(arguments.pop("inputs", inputs), arguments.pop("targets", targets), **arguments)


@given(problems())
@settings(max_examples=60, deadline=None)
def test_counted_is_what_a_loop_over_every_target_counts(problem):
    for part, mask in problem.parts.items():
        counted = problem.counted(part)
        for s in range(problem.n_sequences):
            for t in range(problem.n_steps):
                for o in range(problem.n_outputs):
                    expected = problem.washout <= t < problem.lengths[s] and mask[s, t] and problem.target_mask[s, t, o]
                    assert counted[s, t, o] == expected


def test_everything_trains_by_default():
    problem = make()
    assert list(problem.parts) == ["train"]
    assert problem.counted("train").all()
    assert problem.lengths.tolist() == [5, 5]
    assert problem.learned == Within(0.1)


def test_arrays_are_own_copies_and_read_only():
    inputs, targets = np.zeros((1, 3, 1)), np.zeros((1, 3, 1))
    mask, lengths = np.ones((1, 3, 1), dtype=bool), np.array([3])
    part = np.ones((1, 3), dtype=bool)
    problem = SequenceProblem(
        inputs, targets, target_mask=mask, lengths=lengths, parts={"train": part}, times=[1, 2, 3]
    )
    for array in (inputs, targets, mask, lengths, part):
        assert array.flags.writeable
        array[...] = 1 - array
    assert not problem.inputs.any()
    assert problem.target_mask.all()
    assert problem.parts["train"].all()
    for array in (
        problem.inputs,
        problem.targets,
        problem.lengths,
        problem.target_mask,
        problem.counted(),
        problem.times,
    ):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    with pytest.raises(TypeError):
        problem.parts["test"] = part
    with pytest.raises(AttributeError, match="washout of a SequenceProblem cannot be set"):
        problem.washout = 1


def test_masks_of_whole_sequences_are_spread_over_their_steps():
    problem = make(parts={"train": np.array([True, False]), "test": np.array([False, True])})
    assert problem.counted("train")[0].all()
    assert not problem.counted("train")[1].any()
    assert problem.counted("test")[1].all()


def test_nan_in_padding_and_masked_targets_is_harmless():
    inputs, targets, mask = np.zeros((2, 3, 1)), np.zeros((2, 3, 1)), np.ones((2, 3, 1), dtype=bool)
    inputs[1, 2], targets[1, 2], targets[0, 1], mask[0, 1] = np.nan, np.inf, np.nan, False
    problem = SequenceProblem(inputs, targets, lengths=[3, 2], target_mask=mask)
    assert np.isfinite(problem.inputs).all()
    assert np.isfinite(problem.targets).all()
    assert np.isnan(inputs[1, 2])


def test_a_pickled_problem_stays_scaled_and_read_only():
    problem = make(parts={"train": np.array([True, False]), "test": np.array([False, True])}).scaled("standard")
    copy = pickle.loads(pickle.dumps(problem))  # noqa: S301 - our own bytes
    assert np.array_equal(copy.inputs, problem.inputs)
    assert np.array_equal(copy.original.inputs, problem.original.inputs)
    assert list(copy.parts) == ["train", "test"]
    assert not copy.inputs.flags.writeable


ones, zeros = np.ones((2, 5, 1)), np.zeros((2, 5, 1))
BAD = [
    (
        {"inputs": np.ones((2, 5))},
        ValueError,
        r"shape \(n_sequences, n_steps, n_inputs\), got \(2, 5\); inputs\[None\]",
    ),
    ({"inputs": np.ones(5)}, ValueError, r"inputs\[None, :, None\]"),
    ({"inputs": np.ones((2, 0, 1))}, ValueError, "at least one sequence, one step and one column"),
    ({"inputs": np.ones((2, 4, 1))}, ValueError, "same number of sequences and steps"),
    ({"inputs": [[[1.0]], [[1.0], [2.0]]]}, ValueError, "same number of sequences and steps"),
    ({"inputs": [[[1.0]], [1.0, 2.0]]}, ValueError, "ragged"),
    ({"inputs": ones.astype(complex)}, TypeError, "real numbers"),
    ({"inputs": ones.astype(str)}, TypeError, "real numbers"),
    ({"inputs": np.where(np.arange(5)[None, :, None] == 3, np.nan, ones)}, ValueError, r"inputs\[0, 3, 0\] is nan \(2"),
    ({"targets": np.where(np.arange(5)[None, :, None] == 4, -np.inf, ones)}, ValueError, "set target_mask to False"),
    ({"lengths": [5]}, ValueError, "one a sequence"),
    ({"lengths": [5, 6]}, ValueError, r"1 \.\.\. 5 .*sequence 1 has 6"),
    ({"lengths": [0, 5]}, ValueError, "sequence 0 has 0"),
    ({"lengths": [5.0, 5.0]}, TypeError, "whole numbers"),
    ({"lengths": [True, True]}, TypeError, "whole numbers"),
    ({"target_mask": np.ones((2, 5), dtype=bool)}, ValueError, "shape of the targets"),
    ({"target_mask": ones}, TypeError, "must be bool"),
    ({"target_mask": zeros.astype(bool)}, ValueError, "part 'train' counts no target"),
    ({"washout": 5}, ValueError, "counts no target"),
    ({"washout": -1}, ValueError, "washout must be at least 0"),
    ({"washout": 1.5}, TypeError, "washout must be a whole number"),
    ({"washout": True}, TypeError, "washout must be a whole number"),
    ({"weight_decay": -0.1}, ValueError, "weight_decay"),
    ({"weight_decay": np.nan}, ValueError, "weight_decay"),
    ({"weight_decay": "0"}, TypeError, "weight_decay"),
    ({"learned": RightClass()}, ValueError, "two outputs or more"),
    ({"learned": 0.1}, TypeError, r"Within\(tolerance\) or RightClass\(\)"),
    ({"parts": {"test": np.ones(2, dtype=bool)}}, ValueError, "must be called 'train'; got 'test'"),
    ({"parts": {}}, ValueError, "must be called 'train'"),
    ({"parts": {"train": np.ones(2)}}, TypeError, "mask of part 'train' must be bool"),
    ({"parts": {"train": np.ones(3, dtype=bool)}}, ValueError, r"\(2, 5\) or \(2,\), got \(3,\)"),
    ({"parts": {"my part": np.ones(2, dtype=bool)}}, ValueError, "a part's name"),
    ({"parts": {"train": np.ones(2, bool), "test": np.zeros(2, bool)}}, ValueError, "part 'test' counts no target"),
    ({"times": np.arange(4)}, ValueError, "times must have the shape"),
    ({"times": [None] * 5}, TypeError, "times must be numbers or text"),
    ({"input_names": ["a", "b"]}, ValueError, "one a column"),
    ({"target_names": "y"}, ValueError, "one a column"),
    ({"tied": [1]}, ValueError, "input columns in -1"),
    ({"reference_variance": -1.0}, ValueError, "reference_variance"),
    ({"reference_variance": 0.0}, ValueError, "reference_variance must be a finite number above 0"),
]


@pytest.mark.parametrize(
    ("arguments", "error", "message"), BAD, ids=[f"{next(iter(a))}-{i}" for i, (a, *_) in enumerate(BAD)]
)
def test_bad_arguments_are_refused_with_a_remedy(arguments, error, message):
    with pytest.raises(error, match=message):
        make(**arguments)


def test_an_unknown_part_is_refused_with_the_known_ones():
    problem = make(parts={"train": np.array([True, False]), "test": np.array([False, True])})
    with pytest.raises(ValueError, match="no part 'validation'; the problem has train, test"):
        problem.counted("validation")


def test_right_class_refuses_what_is_not_one_hot():
    targets = np.zeros((1, 2, 2))
    targets[0, :, 0] = 1.0
    SequenceProblem(np.zeros((1, 2, 1)), targets, learned=RightClass())
    mask = np.array([[[True, False], [True, True]]])
    with pytest.raises(ValueError, match="must be the same for all of them"):
        SequenceProblem(np.zeros((1, 2, 1)), targets, learned=RightClass(), target_mask=mask)
    targets[0, 1, 1] = 1.0
    with pytest.raises(ValueError, match=r"targets\[0, 1\] is \[1.0, 1.0\]"):
        SequenceProblem(np.zeros((1, 2, 1)), targets, learned=RightClass())


@pytest.mark.parametrize(
    ("tolerance", "error"), [(0.0, ValueError), (np.inf, ValueError), ("1", TypeError), (True, TypeError)]
)
def test_a_tolerance_is_a_positive_number(tolerance, error):
    with pytest.raises(error, match="tolerance"):
        Within(tolerance)


def test_within_is_right_only_where_all_counted_outputs_are_near():
    targets = np.zeros((1, 4, 2))
    outputs = np.array([[[0.5, 0.5], [0.5, 0.6], [0.5, 9.0], [np.nan, 0.0]]])
    counted = np.array([[[True, True], [True, True], [True, False], [True, True]]])
    assert Within(0.5).right(outputs, targets, counted).tolist() == [[True, False, True, False]]


def test_right_class_takes_the_first_of_equal_outputs_and_no_nan():
    targets = np.array([[[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [1.0, 0.0]]])
    outputs = np.array([[[0.2, 0.2], [0.2, 0.2], [0.1, 0.2], [np.nan, 0.0]]])
    counted = np.ones((1, 4, 2), dtype=bool)
    assert RightClass().right(outputs, targets, counted).tolist() == [[True, False, True, False]]

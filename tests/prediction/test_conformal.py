"""Intervals: their quantile against its definition, their coverage against the binomial law, and what is refused."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from neuroevo.prediction import Calibration, least_targets
from neuroevo.problems import SequenceProblem

LEVELS = st.integers(1, 999).map(lambda thousandths: thousandths / 1000)


def problem_of(targets: np.ndarray[Any, Any], n_train: int, n_validation: int) -> SequenceProblem:
    """One sequence of ``(n_steps, n_outputs)`` targets whose steps train, validate and test in this order."""
    steps = np.arange(len(targets))
    parts = {"train": steps < n_train, "validation": (steps >= n_train) & (steps < n_train + n_validation)}
    rest = {"test": steps >= n_train + n_validation} if len(targets) > n_train + n_validation else {}
    masks = {name: mask[None] for name, mask in (parts | rest).items()}
    return SequenceProblem(np.zeros((1, len(targets), 1)), targets[None], parts=masks)


def calibration_of(scores: np.ndarray[Any, Any], spread: float = 1.0) -> Calibration:
    """From misses that are `scores`, of predictions that are 0."""
    targets = np.r_[np.zeros(3), scores][:, None]
    found = Calibration.of(
        problem_of(targets, 3, len(scores)), np.zeros((1, *targets.shape)), np.full((1, *targets.shape), spread)
    )
    assert found is not None
    return found


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60), LEVELS)
def test_width_is_the_smallest_that_enough_scores_do_not_pass(misses: list[float], level: float) -> None:
    needed = (len(misses) + 1) * Fraction(str(level))
    calibration = calibration_of(np.array(misses))
    wide_enough = [abs(width) for width in misses if sum(abs(miss) <= abs(width) for miss in misses) >= needed]
    if wide_enough:
        assert calibration.half_width(level).tolist() == [min(wide_enough)]
    else:
        with pytest.raises(
            ValueError, match=f"at least {least_targets(level)} validation targets .* there are {len(misses)}"
        ):
            calibration.half_width(level)


@given(LEVELS)
@settings(max_examples=200)
def test_least_number_of_targets_is_the_least(level: float) -> None:
    n, exact = least_targets(level), Fraction(str(level))
    assert (n + 1) * exact <= n
    assert n * exact > n - 1


def test_nine_targets_are_enough_for_nine_tenths() -> None:
    assert [least_targets(level) for level in (0.5, 0.8, 0.9, 0.95, 0.99)] == [1, 4, 9, 19, 99]


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1, 1.5, float("nan"), "0.9", True])
def test_level_is_a_share(level: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="level must be"):
        least_targets(level)


@pytest.mark.parametrize("scaled", [False, True])
def test_intervals_hold_exchangeable_targets_as_often_as_they_say(scaled: bool) -> None:
    """A new target lies inside with the probability ceil((n + 1) level) / (n + 1); Lei et al., theorem 2.2."""
    rng, n, level, n_repeats, inside = np.random.default_rng(3), 30, 0.8, 3000, 0
    for _ in range(n_repeats):
        spread = rng.gamma(2.0, size=(1, n + 6, 1))
        targets = rng.normal(size=n + 6) * spread[0, :, 0]
        problem = problem_of(targets[:, None], 5, n)
        calibration = Calibration.of(problem, np.zeros(spread.shape), spread)
        assert calibration is not None
        width = calibration.half_width(level, spread if scaled else None)
        inside += abs(targets[-1]) <= np.broadcast_to(width, spread.shape)[0, -1, 0]
    expected = binom(n_repeats, 25 / (n + 1))
    assert expected.ppf(1e-5) <= inside <= expected.ppf(1 - 1e-5)


def test_scaled_widths_follow_the_spread_and_a_floor_from_training_alone() -> None:
    rng = np.random.default_rng(1)
    targets, spread = rng.normal(size=(40, 2)), rng.gamma(2.0, size=(1, 40, 2))
    found = Calibration.of(problem_of(targets, 10, 20), np.zeros((1, 40, 2)), spread)
    assert found is not None
    floor = [np.mean([spread[0, step, output] for step in range(10)]) for output in range(2)]
    np.testing.assert_allclose(found.floor, floor, rtol=1e-14)
    widths = found.half_width(0.9, spread)
    for output in range(2):
        scores = sorted(
            abs(targets[step, output]) / (spread[0, step, output] + floor[output]) for step in range(10, 30)
        )
        np.testing.assert_allclose(
            widths[0, :, output], scores[18] * (spread[0, :, output] + floor[output]), rtol=1e-13
        )


def test_members_that_agree_everywhere_give_one_width() -> None:
    found = calibration_of(np.arange(1.0, 12.0), spread=0.0)
    assert found.half_width(0.9, np.zeros((1, 4, 1))).ravel().tolist() == [11.0] * 4


def test_a_prediction_that_is_no_number_misses_by_infinity() -> None:
    targets, predicted = np.zeros((24, 1)), np.zeros((1, 24, 1))
    predicted[0, -2:, 0] = np.nan, np.inf
    found = Calibration.of(problem_of(targets, 4, 20), predicted, np.ones((1, 24, 1)))
    assert found is not None
    assert found.half_width(0.85).tolist() == [0.0]
    assert found.half_width(0.9).tolist() == [np.inf]


def test_without_validation_targets_of_each_output_there_is_no_calibration() -> None:
    inputs, steps = np.zeros((1, 6, 1)), np.arange(6)
    mask = np.ones((1, 6, 2), bool)
    mask[0, 3:, 1] = False
    parts = {"train": steps[None] < 3, "validation": steps[None] >= 3}
    both = SequenceProblem(inputs, np.zeros((1, 6, 2)), parts=parts, target_mask=mask)
    for problem in (both, SequenceProblem(inputs, np.zeros((1, 6, 2)))):
        assert Calibration.of(problem, np.zeros((1, 6, 2)), np.zeros((1, 6, 2))) is None


@given(st.lists(st.integers(1, 9), min_size=1, max_size=4), st.integers(0, 2**32 - 1))
def test_arrays_keep_a_calibration_bit_for_bit(counts: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = [[np.sort(rng.gamma(1.0, size=n)) for n in counts] for _ in range(2)]
    back = Calibration.from_arrays(
        Calibration(tuple(scores[0]), tuple(scores[1]), rng.gamma(1.0, size=len(counts))).to_arrays()
        | {"other": np.zeros(1)}
    )
    assert back is not None
    for kept, given_ in zip((back.absolute, back.scaled), scores, strict=True):
        assert [each.tolist() for each in kept] == [each.tolist() for each in given_]


WRONG: dict[str, dict[str, Any]] = {
    "missing": {"calibration_floor": None},
    "falling": {"calibration_absolute": np.array([2.0, 1.0, 3.0])},
    "negative": {"calibration_scaled": np.array([-1.0, 1.0, 3.0])},
    "no number": {"calibration_absolute": np.array([1.0, np.nan, 3.0])},
    "lying counts": {"calibration_n_targets": np.array([2**62, 2**62])},
    "negative count": {"calibration_n_targets": np.array([-1, 4])},
    "counts of floats": {"calibration_n_targets": np.array([3.0])},
    "no output": {"calibration_n_targets": np.array([0, 3])},
    "floor 0": {"calibration_floor": np.array([0.0])},
    "floor of another shape": {"calibration_floor": np.ones(2)},
    "whole numbers": {"calibration_scaled": np.array([1, 2, 3])},
    "fewer scaled": {"calibration_scaled": np.array([1.0, 2.0])},
    "a matrix": {"calibration_absolute": np.ones((3, 1))},
}


@pytest.mark.parametrize("case", WRONG)
def test_arrays_that_are_no_calibration_are_refused(case: str) -> None:
    good = Calibration((np.array([1.0, 2.0, 3.0]),), (np.array([1.0, 2.0, 3.0]),), np.ones(1)).to_arrays()
    changed = {name: array for name, array in {**good, **WRONG[case]}.items() if array is not None}
    with pytest.raises(ValueError, match="calibration"):
        Calibration.from_arrays(changed)
    assert Calibration.from_arrays({"genome": np.zeros(3)}) is None

"""Folds: which data train and validate, beside scikit-learn's splitters, and that all is learnt on the training part."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neuroevo as ne
from neuroevo.problems.folds import fold, natural_scheme, together, with_parts
from neuroevo.problems.learned import RightClass


def series(n, train, validation=0, *, seed=1, washout=0, residual=None, scaling="standard"):
    values = np.cumsum(np.random.default_rng(seed).normal(size=n + 1)) + 30
    at = np.arange(n)
    parts = {"train": at < train, "test": at >= train + validation}
    if validation:
        parts["validation"] = (at >= train) & (at < train + validation)
    problem = ne.SequenceProblem(
        values[None, :n, None],
        values[None, 1:, None],
        parts={name: mask[None] for name, mask in parts.items()},
        washout=washout,
        tied=[0],
    )
    return problem.prepared(residual).scaled(scaling)


def labelled(counts, n_steps=6, seed=3):
    """Sequences of classes, counts of each, in a shuffled order; every fifth of them is a test."""
    rng = np.random.default_rng(seed)
    kinds = rng.permutation(np.repeat(np.arange(len(counts)), counts))
    targets = np.repeat(np.eye(len(counts))[kinds][:, None], n_steps, axis=1)
    tests = np.arange(len(kinds)) % 5 == 4
    parts = {"train": ~tests, "test": tests} if tests.any() else {"train": ~tests}
    inputs = rng.normal(size=(len(kinds), n_steps, 2))
    return ne.SequenceProblem(inputs, targets, parts=parts, learned=RightClass()), kinds


def counted(problem, part):
    return problem.counted(part).any(axis=2)


CASES = json.loads((Path(__file__).parent.parent / "reference" / "folds.json").read_text())["cases"]


@pytest.mark.parametrize("washout", [0, 5])
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['scheme']}-{case['n']}-{len(case['folds'])}")
def test_folds_in_time_are_those_of_scikit_learn(case, washout):
    held_by_problem = case["size"] or 0
    problem = series(110, case["n"] - held_by_problem + washout, held_by_problem, washout=washout)
    for number, (train, held) in enumerate(case["folds"], 1):
        found = fold(problem, number, len(case["folds"]), case["scheme"])
        assert set(found.parts) == {"train", "validation"}
        np.testing.assert_array_equal(np.flatnonzero(counted(found, "train")[0]) - washout, train)
        np.testing.assert_array_equal(np.flatnonzero(counted(found, "validation")[0]) - washout, held)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=2, max_size=4), st.integers(2, 6), st.integers(0, 99))
def test_folds_of_sequences_hold_each_once_and_the_classes_evenly(counts, k, seed):
    problem, kinds = labelled(counts, seed=seed)
    known = counted(problem, "train").any(axis=1)
    if known.sum() < k:
        with pytest.raises(ne.BadInput, match="need as many of them"):
            fold(problem, 1, k, "sequences")
        return
    held = np.array([counted(fold(problem, number, k), "validation").any(axis=1) for number in range(1, k + 1)])
    trained = np.array([counted(fold(problem, number, k), "train").any(axis=1) for number in range(1, k + 1)])
    np.testing.assert_array_equal(held.sum(axis=0), known)
    np.testing.assert_array_equal(trained | held, np.broadcast_to(known, held.shape))
    assert not (trained & held).any()
    assert np.ptp(held.sum(axis=1)) <= 1
    for kind in range(len(counts)):
        assert np.ptp((held & (kinds == kind)).sum(axis=1)) <= 1


@pytest.mark.parametrize("residual", [None, "linear", "last_value"])
@pytest.mark.parametrize(
    "scaling", ["standard", "range", "robust", "none", {"inputs": "range", "targets": "standard"}, {"targets": "range"}]
)
def test_all_that_is_learnt_is_learnt_on_the_fold_alone(residual, scaling):
    found = fold(series(100, 60, 20, residual=residual, scaling=scaling), 1, 3, "rolling")
    # Built anew from a series that ends with the fold: 20 steps train, 20 validate.
    base = found.original
    parts = {name: mask[:, :40] for name, mask in found.parts.items()}
    alone = ne.SequenceProblem(base.inputs[:, :40], base.targets[:, :40], parts=parts, tied=[0])
    lags = None if residual != "linear" else int(found.preparation.linear.lags.max()) + 1
    wanted = alone.prepared(residual, residual_lags=lags).scaled(scaling)
    np.testing.assert_allclose(found.inputs[:, :40], wanted.inputs, rtol=1e-12)
    np.testing.assert_allclose(found.targets[:, :40], wanted.targets, rtol=1e-9, atol=1e-12)
    assert found.error_name == wanted.error_name


def test_the_last_rolling_fold_is_the_problems_own_split():
    problem = series(100, 60, 20, residual="linear")
    last = fold(problem, 2, 2, "rolling")
    for part in ("train", "validation"):
        np.testing.assert_array_equal(last.counted(part), problem.counted(part))
    np.testing.assert_array_equal(last.inputs, problem.inputs)
    np.testing.assert_array_equal(last.targets, problem.targets)


def test_together_is_one_training_part_and_leaves_the_tests():
    problem = series(100, 60, 20, scaling="range")
    found = together(problem)
    assert set(found.parts) == {"train", "test"}
    np.testing.assert_array_equal(found.counted("train"), problem.counted("train") | problem.counted("validation"))
    np.testing.assert_array_equal(found.counted("test"), problem.counted("test"))
    assert (found.inputs[:, :80].min(), found.inputs[:, :80].max()) != (problem.inputs.min(), problem.inputs.max())
    with pytest.raises(ne.BadInput, match="part called validation"):
        together(series(100, 60))


def test_limits_of_a_range_stay_what_they_were():
    problem = series(100, 60, 20).unscaled.scaled("range", (-0.8, 0.4))
    found = with_parts(problem, problem.parts)
    np.testing.assert_array_equal(found.inputs, problem.inputs)


def test_one_sequence_is_cut_in_time_and_several_are_dealt_out():
    assert natural_scheme(series(100, 60)) == "rolling"
    assert natural_scheme(labelled([3, 3])[0]) == "sequences"


@pytest.mark.parametrize(
    ("k", "scheme", "message"),
    [
        (5, "rolling", "5 rolling folds that validate 20 steps each leave nothing to train on of 80 steps"),
        (81, "blocked", "81 folds need as many steps that train or validate, got 80"),
        (2, "sequences", 'got 1: ask for fewer folds, or for scheme = "rolling"'),
    ],
)
def test_too_many_folds_are_refused(k, scheme, message):
    with pytest.raises(ne.BadInput, match=message):
        fold(series(100, 60, 20), 1, k, scheme)


@pytest.mark.parametrize(("number", "k"), [(0, 3), (4, 3), (1, 1)])
def test_folds_that_are_none_are_refused(number, k):
    with pytest.raises(ne.BadInput, match="numbered from 1"):
        fold(series(100, 60, 20), number, k)

"""Fronts and crowding distances against their definitions and DEAP's, the hypervolume against a count and moocore's."""

from __future__ import annotations

import warnings

import moocore
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from neuroevo.strategies.nsga2.hypervolume import hypervolume
from neuroevo.strategies.nsga2.ranking import chosen, crowding, first_front, ranks

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from deap import base, tools

SHAPES = st.tuples(st.integers(1, 30), st.integers(1, 4))
WHOLE = hnp.arrays(np.float64, SHAPES, elements=st.integers(0, 6).map(float) | st.just(np.inf))
REAL = hnp.arrays(np.float64, SHAPES, elements=st.floats(-1e6, 1e6, width=32))


def by_definition(goals):
    """Which front each row's values are on, and how many equal rows come before it."""
    rows = [tuple(row) for row in goals.tolist()]
    left, front_of, n_fronts = set(rows), {}, 0
    while left:
        front = {row for row in left if not any(o != row and all(map(float.__le__, o, row)) for o in left)}
        front_of |= dict.fromkeys(front, n_fronts)
        left -= front
        n_fronts += 1
    return np.array([front_of[row] + n_fronts * rows[:k].count(row) for k, row in enumerate(rows)])


@given(WHOLE | REAL)
def test_fronts_are_those_of_the_definition_and_copies_come_behind(goals):
    found = ranks(goals)
    assert np.array_equal(found, by_definition(goals + 0.0))
    assert np.array_equal(np.sort(first_front(goals)), np.flatnonzero((found == 0) & np.isfinite(goals).all(axis=1)))


def individuals(goals):
    class Fitness(base.Fitness):
        weights = (-1.0,) * goals.shape[1]

    class Found(list):
        def __init__(self, number, values):
            super().__init__([number])
            self.fitness = Fitness(values)

    return [Found(number, row) for number, row in enumerate(goals.tolist())]


@pytest.mark.parametrize("n_goals", [2, 3])
def test_selection_and_crowding_are_deaps(n_goals):
    rng = np.random.default_rng(n_goals)
    for _ in range(20):
        goals = rng.random((60, n_goals))
        population = individuals(goals)
        for front in tools.sortNondominated(population, len(population)):
            tools.emo.assignCrowdingDist(front)
        theirs = np.array([each.fitness.crowding_dist for each in population])
        rank, distance = ranks(goals), crowding(goals, ranks(goals))
        # DEAP divides by the number of goals.
        np.testing.assert_allclose(distance / n_goals, theirs, rtol=1e-12)
        kept = np.array([int(each[0]) for each in tools.selNSGA2(individuals(goals), 25)])
        # Which end of the last front goes on where there is room for one is open.
        for rows in (kept, chosen(goals, 25)):
            assert (
                sorted(zip(rank[rows], -distance[rows], strict=True)) == sorted(zip(rank, -distance, strict=True))[:25]
            )


def test_crowding_of_large_equal_and_failed_rows():
    goals = np.array([[-1e308, 1e308], [0.0, 0.0], [1e308, -1e308], [np.inf, np.inf]])
    assert crowding(goals, np.zeros(4, dtype=np.int64)).tolist() == [np.inf, 2.0, np.inf, 0.0]
    assert crowding(np.ones((3, 2)), np.zeros(3, dtype=np.int64)).max() == np.inf


@given(hnp.arrays(np.float64, st.tuples(st.integers(1, 12), st.integers(1, 4)), elements=st.integers(0, 9).map(float)))
def test_the_hypervolume_is_what_a_grid_counts_and_deap_says(goals):
    corner = np.full(goals.shape[1], 8.0)
    cells = np.stack(np.meshgrid(*[np.arange(8)] * goals.shape[1], indexing="ij"), axis=-1).reshape(-1, goals.shape[1])
    counted = (goals[None] <= cells[:, None]).all(axis=2).any(axis=1).sum()
    assert hypervolume(goals, corner) == counted
    assert moocore.hypervolume(goals, ref=corner) == pytest.approx(counted)


@given(hnp.arrays(np.float64, st.tuples(st.integers(1, 30), st.integers(2, 4)), elements=st.floats(0, 1, width=32)))
def test_the_hypervolume_is_that_of_moocore_to_which_deap_leaves_it(goals):
    corner = np.full(goals.shape[1], 0.9)
    assert hypervolume(goals, corner) == pytest.approx(moocore.hypervolume(goals, ref=corner), rel=1e-12, abs=1e-300)


def test_a_plateau_of_copies_is_ranked_at_once():
    goals = np.ones((4000, 2))
    assert np.array_equal(ranks(goals), np.arange(4000))
    assert first_front(goals).tolist() == [0]

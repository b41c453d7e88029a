"""Selection against DEAP fed the same choices, and against the probabilities that the papers give."""

from __future__ import annotations

import numpy as np
import pytest
from deap import base, tools
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from neuroevo.strategies.genetic import selection
from tests.strategies.genetic.scripted import ScriptedGenerator, script

RNG_SEED = 11
ERROR = np.array([0.5, 0.1, 2.0, 0.25, np.inf, 1.0])
GENOMES = np.arange(12.0).reshape(6, 2)

ALL = (
    selection.tournament,
    selection.roulette,
    selection.rank,
    selection.stochastic_universal_sampling,
    selection.truncation,
)


class Minimised(base.Fitness):
    weights = (-1.0,)


class Maximised(base.Fitness):
    weights = (1.0,)


class Row(list):
    pass


def rows(values, fitness=Minimised):
    individuals = []
    for i, value in enumerate(values):
        row = Row([float(i)])
        row.fitness = fitness((float(value),))
        individuals.append(row)
    return individuals


def chosen_rows(individuals):
    return [int(row[0]) for row in individuals]


def shares(select, error=ERROR, k=60_000, **options):
    rng = np.random.default_rng(RNG_SEED)
    chosen = select(np.zeros((len(error), 1)), error, k, rng, **options)
    return np.bincount(chosen, minlength=len(error)) / k


def test_tournament_equals_deaps_fed_the_same_draws(monkeypatch):
    draws = np.random.default_rng(1).integers(0, 6, (50, 3))
    own = selection.tournament(GENOMES, ERROR, 50, ScriptedGenerator(draws))
    individuals = rows(ERROR)
    script(monkeypatch, choice=[individuals[i] for i in draws.ravel()])
    assert own.tolist() == chosen_rows(tools.selTournament(individuals, 50, tournsize=3))


def test_roulette_equals_deaps_fed_the_same_spins(monkeypatch):
    spins = np.random.default_rng(2).random(200)
    order = np.argsort(ERROR)
    own = order[selection.roulette(GENOMES, ERROR[order], 200, ScriptedGenerator(spins))]
    script(monkeypatch, random=spins)
    individuals = rows(np.where(np.isinf(ERROR), 0.0, ERROR.min() / ERROR), Maximised)
    assert own.tolist() == chosen_rows(tools.selRoulette(individuals, 200))


def test_universal_sampling_equals_deaps_fed_the_same_draw(monkeypatch):
    fitness = np.where(np.isinf(ERROR), 0.0, ERROR.min() / ERROR)
    order = np.argsort(ERROR)
    own = order[selection.stochastic_universal_sampling(GENOMES, ERROR[order], 20, ScriptedGenerator(0.37))]
    script(monkeypatch, uniform=[0.37 * fitness.sum() / 20])
    assert own.tolist() == chosen_rows(tools.selStochasticUniversalSampling(rows(fitness, Maximised), 20))


def test_tournament_has_the_closed_forms_distribution():
    n, size = len(ERROR), 3
    worse_or_equal = np.array([np.sum(error <= ERROR) for error in ERROR]) / n
    expected = worse_or_equal**size - (worse_or_equal - 1 / n) ** size
    assert shares(selection.tournament, size=size) == pytest.approx(expected, abs=0.006)


def test_roulette_is_proportional_to_the_reciprocal_error():
    fitness = 1.0 / ERROR
    assert shares(selection.roulette) == pytest.approx(fitness / fitness.sum(), abs=0.006)


def test_rank_follows_bakers_line():
    error = ERROR[:4]
    expected = np.empty(4)
    expected[np.argsort(error)] = np.array([1.8, 1.8 - 1.6 / 3, 1.8 - 3.2 / 3, 0.2]) / 4
    assert shares(selection.rank, error, pressure=1.8) == pytest.approx(expected, abs=0.006)


def test_truncation_is_uniform_among_the_best():
    expected = np.isin(np.arange(6), np.argsort(ERROR)[:3]) / 3
    assert shares(selection.truncation, share=0.5) == pytest.approx(expected, abs=0.006)


@given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=20), st.integers(1, 40), st.integers(0, 2**32))
def test_universal_sampling_keeps_every_count_within_one_of_its_mean(errors, k, seed):
    error = np.array(errors)
    rng = np.random.default_rng(seed)
    chosen = selection.stochastic_universal_sampling(np.zeros((len(error), 1)), error, k, rng)
    mean = k * (1 / error) / np.sum(1 / error)
    assert np.all(np.abs(np.bincount(chosen, minlength=len(error)) - mean) < 1 + 1e-9)


@pytest.mark.parametrize("select", ALL[:4])
def test_a_failed_evaluation_never_wins_against_a_finite_one(select):
    options = {"size": 6} if select is selection.tournament else {}
    rng = np.random.default_rng(3)
    error = np.array([np.inf, 3.0, np.inf, 1e300, np.inf])
    chosen = select(np.zeros((5, 1)), error, 4000, rng, **options)
    finite = np.isin(chosen, [1, 3])
    # A tournament of failed ones only has a failed winner; nothing else has.
    assert finite.mean() >= (1 - 0.6**6 - 0.03 if select is selection.tournament else 1.0)


@pytest.mark.parametrize("select", ALL)
@pytest.mark.parametrize("error", [np.full(4, np.inf), np.zeros(4), np.array([0.0, np.inf, 0.0, 1.0]), np.ones(1)])
def test_extreme_errors_still_give_rows(select, error):
    chosen = select(np.zeros((len(error), 1)), error, 50, np.random.default_rng(4))
    assert chosen.shape == (50,)
    assert chosen.min() >= 0
    assert chosen.max() < len(error)


def test_all_failed_are_chosen_alike():
    assert stats.chisquare(shares(selection.roulette, np.full(5, np.inf)) * 60_000).pvalue > 0.001


@pytest.mark.parametrize("select", [selection.roulette, selection.stochastic_universal_sampling])
def test_shares_of_a_reciprocal_need_errors_that_are_not_negative(select):
    with pytest.raises(ValueError, match="tournament"):
        select(np.zeros((2, 1)), np.array([-1.0, 2.0]), 3, np.random.default_rng(5))

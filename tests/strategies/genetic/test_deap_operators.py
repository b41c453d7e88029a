"""DEAP's operators on rows: its own results, none of its hazards."""

from __future__ import annotations

import random

import numpy as np
import pytest
from deap import tools

from neuroevo.strategies import make_strategy
from neuroevo.strategies.genetic import deap_operators as adapters

FIRST, SECOND = np.zeros((6, 8)), np.ones((6, 8))


def test_global_generators_are_seeded_inside_and_put_back():
    random.seed(3)
    np.random.seed(3)  # noqa: NPY002
    expected = random.random(), np.random.random()  # noqa: NPY002
    random.seed(3)
    np.random.seed(3)  # noqa: NPY002
    draws = []
    for _ in range(2):
        with adapters.seeded_globals(np.random.default_rng(1)):
            draws.append((random.random(), np.random.random()))  # noqa: NPY002
    assert draws[0] == draws[1]
    assert (random.random(), np.random.random()) == expected  # noqa: NPY002


def test_global_generators_are_put_back_after_an_error():
    random.seed(3)
    state = random.getstate()
    with pytest.raises(IndexError), adapters.seeded_globals(np.random.default_rng(1)):
        random.choice([])
    assert random.getstate() == state


@pytest.mark.parametrize("name", ["cxOnePoint", "cxTwoPoint"])
def test_no_gene_is_lost_in_crossover(name):
    mate = adapters.adapted_crossover(getattr(tools, name))
    a, b = mate(FIRST, SECOND, np.random.default_rng(2))
    assert np.array_equal(a + b, np.ones((6, 8)))
    assert np.any(a == 1)
    assert np.array_equal(FIRST, np.zeros((6, 8)))


def test_a_crossover_equals_deaps_own_run():
    mate = adapters.adapted_crossover(adapters.functools.partial(tools.cxBlend, alpha=0.5))
    own = mate(FIRST, SECOND, np.random.default_rng(4))[0]
    with adapters.seeded_globals(np.random.default_rng(4)):
        other = [tools.cxBlend(a, b, 0.5)[0] for a, b in zip(FIRST.tolist(), SECOND.tolist(), strict=True)]
    assert np.array_equal(own, np.array(other))


def test_failed_evaluations_never_win_a_tournament():
    select = adapters.adapted_selection(adapters.functools.partial(tools.selTournament, tournsize=8))
    error = np.array([np.inf, 2.0, np.inf, 1.0, np.inf])
    chosen = select(np.zeros((5, 3)), error, 300, np.random.default_rng(5))
    assert np.isin(chosen, [1, 3]).mean() > 0.95
    best = adapters.adapted_selection(tools.selBest)(np.zeros((5, 3)), error, 2, np.random.default_rng(5))
    assert best.tolist() == [3, 1]


@pytest.mark.parametrize("name", ["selRoulette", "selStochasticUniversalSampling"])
def test_proportional_selection_prefers_small_errors(name):
    select = adapters.adapted_selection(getattr(tools, name))
    error = np.array([1.0, 0.25, np.inf, 4.0])
    chosen = select(np.zeros((4, 2)), error, 400, np.random.default_rng(6))
    expected = np.array([1.0, 4.0, 0.0, 0.25]) / 5.25
    assert np.bincount(chosen, minlength=4) / 400 == pytest.approx(expected, abs=0.07)
    assert len(select(np.zeros((3, 2)), np.array([0.0, np.inf, 1.0]), 9, np.random.default_rng(7))) == 9


@pytest.mark.parametrize(
    "settings",
    [
        {"selection": "deap.selTournament", "selection_options": {"tournsize": 3}},
        {"selection": "deap.selRoulette"},
        {"selection": "deap.selBest"},
        {"selection": "deap.selRandom"},
        {"crossover": "deap.cxSimulatedBinary", "crossover_options": {"eta": 15.0}},
        {"crossover": "deap.cxUniform", "crossover_options": {"indpb": 0.5}},
        {"crossover": "deap.cxTwoPoint"},
        {"mutation": "deap.mutGaussian", "mutation_options": {"mu": 0.0, "sigma": 0.1, "indpb": 0.2}},
        {"mutation": "deap.mutShuffleIndexes", "mutation_options": {"indpb": 0.2}},
    ],
    ids=lambda settings: next(iter(settings.values())),
)
def test_a_run_with_an_operator_of_deap_repeats_and_leaves_the_globals_alone(settings):
    def run(global_seed):
        random.seed(global_seed)
        state = random.getstate()
        strategy = make_strategy("genetic_algorithm", n_genes=6, seed=2, population_size=10, **settings)
        for _ in range(6):
            population = strategy.ask()
            strategy.tell(population, np.sum(population**2, axis=1))
        assert random.getstate() == state
        return strategy.ask()

    assert np.array_equal(run(1), run(2))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"crossover": "deap.cxBlent"}, "did you mean 'deap.cxBlend'"),
        ({"crossover": "deap.cxBlend"}, "alpha"),
        ({"crossover": "deap.cxBlend", "crossover_options": {"alpha": 0.5, "beta": 1.0}}, "beta"),
        ({"crossover": "deap.mutGaussian"}, "no crossover"),
        ({"crossover": "blent"}, "did you mean 'blend'"),
        ({"selection": "tournament", "selection_options": {"size": 3}}, "fields of its own"),
    ],
)
def test_operators_that_do_not_exist_or_fit_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        make_strategy("genetic_algorithm", n_genes=6, seed=2, **settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"crossover": "deap.cxMessyOnePoint"},
        {"crossover": "deap.cxPartialyMatched"},
        {"crossover": "deap.cxESBlend", "crossover_options": {"alpha": 0.5}},
        {
            "mutation": "deap.mutPolynomialBounded",
            "mutation_options": {"eta": 20.5, "low": 5.0, "up": 6.0, "indpb": 1.0},
        },
    ],
    ids=lambda settings: next(iter(settings.values())),
)
def test_operators_that_cannot_work_on_genomes_say_so(settings):
    strategy = make_strategy("genetic_algorithm", n_genes=6, seed=2, population_size=10, **settings)
    population = strategy.ask()
    strategy.tell(population, np.sum(population**2, axis=1))
    with pytest.raises(ValueError, match=r"deap\."):
        strategy.ask()

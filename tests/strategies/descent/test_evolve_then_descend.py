"""A search and then a descent: when they change over, from where, and that it can be cut anywhere."""

from __future__ import annotations

import numpy as np
import pytest

from neuroevo.errors import BadInput
from neuroevo.evaluation import Learning
from neuroevo.settings import SettingsError
from neuroevo.strategies import make_strategy
from tests.strategies.truths import shifted_sphere, tell


def make(search="snes", **arguments):
    settings = {"generations": 4, "descent": {"kind": "bptt", "population_size": 5}, **arguments}
    return make_strategy(
        "evolve_then_descend", n_genes=4, seed=4, population_size=12, search={"kind": search}, **settings
    )


def advance(strategy, n, error=shifted_sphere):
    asked = []
    for _ in range(n):
        population = strategy.ask()
        asked.append(population.copy())
        tell(strategy, population, error)
    return asked


def same(first, second):
    return len(first) == len(second) and all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_the_descent_begins_from_the_best_distinct_genomes_of_the_search():
    twins = np.repeat(np.random.default_rng(2).normal(size=(6, 4)), 2, axis=0)
    strategy = make("random_search", initial=twins)
    alone = make_strategy("random_search", n_genes=4, seed=4, population_size=12, initial=twins)
    asked = advance(strategy, 6)
    assert same(asked[:4], advance(alone, 4))
    distinct = np.unique(np.concatenate(asked[:4]), axis=0)
    assert len(distinct) == 42
    best = distinct[np.argsort(shifted_sphere(distinct), kind="stable")[:5]]
    np.testing.assert_array_equal(asked[4], best)
    (message,) = strategy.take_messages()
    assert message == "generation 4: random_search ends after 48 evaluations, bptt begins from 5 genomes"


@pytest.mark.parametrize(
    ("limits", "n_generations"),
    [
        ({"generations": 3}, 3),
        ({"generations": 0, "evaluations": 25}, 3),
        ({"generations": 9, "evaluations": 36}, 3),
        ({"generations": 0, "patience": 4}, 5),
    ],
)
def test_the_first_limit_that_is_reached_ends_the_search(limits, n_generations):
    strategy = make(**limits)
    sizes = [len(population) for population in advance(strategy, 8, lambda population: np.ones(len(population)))]
    assert sizes == [12] * n_generations + [5] * (8 - n_generations)


def test_what_is_wanted_and_how_follows_from_the_stage():
    strategy = make(descent={"kind": "bptt", "truncation": 3})
    assert strategy.needs == {"gradient"}
    assert strategy.methods == {"bptt"}
    for stage in (0, 0, 0, 0, 1, 1):
        assert strategy.wants == (frozenset({"gradient"}) if stage else frozenset())
        assert strategy.learning == (Learning("bptt", truncation=3) if stage else None)
        advance(strategy, 1)


def test_a_search_that_found_nothing_goes_on():
    strategy = make(generations=2)
    failed = advance(strategy, 5, lambda population: np.full(len(population), np.inf))
    assert [len(population) for population in failed] == [12] * 5
    assert [len(population) for population in advance(strategy, 2)] == [12, 5]


@pytest.mark.parametrize(
    ("search", "descent"),
    [
        ("snes", {"kind": "bptt", "population_size": 5}),
        ("simulated_annealing", {"kind": "levenberg_marquardt", "population_size": 3}),
        ("differential_evolution", {"kind": "cma_es"}),
        ("random_search", {"kind": "rtrl", "online": True, "population_size": 4}),
        ("memetic", {"kind": "bptt", "population_size": 3}),
    ],
)
def test_it_goes_on_from_any_generation(search, descent):
    whole = advance(make(search, descent=descent), 10)
    strategy, names = make(search, descent=descent), set()
    for generation in range(9):
        assert same(advance(strategy, 1), whole[generation : generation + 1])
        names.add(tuple(strategy.figures()))
        assert len(strategy.emigrants(2)[1]) > 0
        state = strategy.state()
        strategy = make(search, descent=descent)
        advance(strategy, generation % 7)
        strategy.restore(state)
        assert strategy.state().keys() == state.keys()
    assert same(advance(strategy, 1), whole[9:])
    assert len(names) == 1


def test_a_strategy_that_starts_around_a_genome_gets_the_best_one():
    strategy = make(descent={"kind": "cma_es", "step_size": 1e-6})
    advance(strategy, 4)
    best = strategy.incumbent[0].copy()
    np.testing.assert_allclose(strategy.ask(), np.broadcast_to(best, (8, 4)), atol=1e-4)


def test_immigrants_enter_whoever_is_at_work():
    for n in (2, 4, 6):
        strategy = make(descent={"kind": "bptt", "population_size": 5, "rate": 1e-9})
        advance(strategy, n)
        genome = np.full((1, 4), 0.3)
        strategy.inject(genome, np.zeros(1))
        assert np.abs(strategy.ask() - genome).max(axis=1).min() < 1e-6


def test_mistakes_are_named():
    with pytest.raises(SettingsError, match="generations, evaluations or patience must say"):
        make(generations=0)
    with pytest.raises(SettingsError, match=r"descent.kind: .*no strategy 'bpt'"):
        make(descent={"kind": "bpt"})
    strategy = make()
    advance(strategy, 6)
    state = strategy.state()
    with pytest.raises(BadInput, match="without the best"):
        make().restore(state | {"best": state["best"][:0], "best_errors": state["best_errors"][:0]})

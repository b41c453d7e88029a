"""Memetic search: who descends and for how long, what the search learns of it, and that it can be cut anywhere."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from neuroevo.errors import BadInput
from neuroevo.evaluation import Learning
from neuroevo.settings import SettingsError
from neuroevo.strategies import STRATEGIES, make_strategy
from tests.strategies.truths import shifted_sphere, tell

PLAIN = {"optimiser": "sgd", "momentum": 0.0, "rate": 0.25, "clip": 0.0}
"""From x, a step of this descent on the shifted sphere leads half way to 0.3."""
SEARCHES = [kind for kind in STRATEGIES.names() if not make_strategy(kind, n_genes=3, seed=1).needs]


def make(search="snes", n_genes=4, **arguments):
    settings = {"every": 2, "share": 0.25, "steps": 3, "descent": {"kind": "bptt", **PLAIN}, **arguments}
    return make_strategy("memetic", n_genes=n_genes, seed=4, population_size=12, search={"kind": search}, **settings)


def advance(strategy, n, error=shifted_sphere):
    asked = []
    for _ in range(n):
        population = strategy.ask()
        asked.append(population.copy())
        tell(strategy, population, error)
    return asked


def same(first, second):
    return len(first) == len(second) and all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("which", ["best", "random"])
def test_some_of_a_generation_descend_and_then_the_search_goes_on(which):
    strategy, alone = make(which=which), make_strategy("snes", n_genes=4, seed=4, population_size=12)
    asked = advance(strategy, 8)
    assert [len(population) for population in asked] == [12, 12, 3, 3, 3, 3, 12, 12]
    assert same(asked[:2], advance(alone, 2))
    rows = [np.flatnonzero((asked[1] == genome).all(axis=1)) for genome in asked[2]]
    assert all(len(row) == 1 for row in rows)
    best = np.argsort(shifted_sphere(asked[1]), kind="stable")[:3]
    assert (np.concatenate(rows).tolist() == best.tolist()) == (which == "best")
    for before, after in pairwise(asked[2:6]):
        np.testing.assert_allclose(after - 0.3, (before - 0.3) / 2, rtol=1e-9)
    assert same(advance(make(which=which), 8), asked)


def test_what_is_wanted_and_how_follows_from_who_is_at_work():
    strategy = make(descent={"kind": "hybrid", "block": 3, **PLAIN})
    assert strategy.needs == {"gradient"}
    assert strategy.methods == {"hybrid"}
    for wants, learning in [(set(), None)] * 2 + [({"gradient"}, Learning("hybrid", block=3))] * 4 + [(set(), None)]:
        assert (strategy.wants, strategy.learning) == (wants, learning)
        advance(strategy, 1)


def test_lamarckian_searches_take_in_what_descents_found():
    strategy, alone = make(), make_strategy("snes", n_genes=4, seed=4, population_size=12)
    asked = advance(strategy, 7)
    advance(alone, 2)
    alone.inject(asked[5], shifted_sphere(asked[5]))
    np.testing.assert_array_equal(asked[6], alone.ask())
    np.testing.assert_array_equal(asked[6][:3], asked[5][np.argsort(shifted_sphere(asked[5]), kind="stable")])
    assert strategy.incumbent[1] <= shifted_sphere(asked[5]).min()


def test_baldwinian_searches_are_told_the_errors_and_keep_their_genomes():
    strategy, alone = make(inheritance="baldwinian"), make_strategy("snes", n_genes=4, seed=4, population_size=12)
    asked = advance(strategy, 7)
    advance(alone, 1)
    population = alone.ask()
    errors = shifted_sphere(population)
    best = np.argsort(errors, kind="stable")[:3]
    errors[best] = np.minimum(errors[best], shifted_sphere(asked[5]))
    alone.tell(population, errors)
    np.testing.assert_array_equal(asked[6], alone.ask())
    np.testing.assert_allclose(shifted_sphere(strategy.emigrants(1)[0]), strategy.emigrants(1)[1])


@pytest.mark.parametrize(("every", "inheritance"), [(1, "lamarckian"), (3, "baldwinian")])
@pytest.mark.parametrize("search", SEARCHES)
def test_it_goes_on_from_any_generation(search, every, inheritance):
    options = {"every": every, "inheritance": inheritance, "steps": 2, "which": "random"}
    whole = advance(make(search, **options), 14)
    strategy, names = make(search, **options), set()
    for generation in range(13):
        assert same(advance(strategy, 1), whole[generation : generation + 1])
        names.add(tuple(strategy.figures()))
        state = strategy.state()
        assert all(isinstance(value, np.ndarray | int | float | bool) for value in state.values())
        strategy = make(search, **options)
        advance(strategy, generation % 5)
        strategy.restore(state)
        assert strategy.state().keys() == state.keys()
        assert all(np.array_equal(value, state[name], equal_nan=True) for name, value in strategy.state().items())
    assert same(advance(strategy, 1), whole[13:])
    assert len(names) == 1


def test_a_state_without_the_search_that_waits_is_refused():
    strategy = make(every=1, steps=3)
    advance(strategy, 8)
    state = strategy.state()
    assert any(name.startswith("search.") for name in state)
    without = {name: value for name, value in state.items() if not name.startswith("search.")}
    with pytest.raises(BadInput, match="search that waits"):
        make(every=1, steps=3).restore(without)
    with pytest.raises(BadInput, match="12 genomes that wait"):
        make(every=1, steps=3).restore(state | {"held_errors": state["held_errors"][:-1]})
    with pytest.raises(BadInput, match="chosen"):
        make(every=1, steps=3).restore(state | {"chosen": state["chosen"] + 10})


def test_a_generation_that_failed_has_nobody_who_could_descend():
    strategy = make(every=1)
    asked = advance(strategy, 3, lambda population: np.full(len(population), np.inf))
    assert [len(population) for population in asked] == [12] * 3
    half = advance(strategy, 2, lambda x: np.where(np.arange(len(x)) % 6, np.inf, shifted_sphere(x)))
    assert [len(population) for population in half] == [12, 2]


def test_immigrants_wait_until_the_search_is_told():
    strategy = make()
    advance(strategy, 3)
    genome = np.full((1, 4), 0.31)
    strategy.inject(genome, shifted_sphere(genome))
    np.testing.assert_array_equal(strategy.incumbent[0], genome[0])
    state = strategy.state()
    advance(strategy, 3)
    asked = strategy.ask()
    assert (asked == genome).all(axis=1).any()
    other = make()
    other.restore(state)
    advance(other, 3)
    np.testing.assert_array_equal(other.ask(), asked)


def test_what_cma_es_takes_in_moves_its_distribution_by_usual_steps():
    """A descent goes a thousand step sizes in one leap; the distribution must not be torn apart."""
    far = 1000.0

    def error(population):
        return np.square(population - far).sum(axis=1)

    strategy = make("cma_es", n_genes=6, every=1, steps=12)
    step_sizes = []
    for _ in range(60):
        tell(strategy, strategy.ask(), error)
        step_sizes.append(strategy.figures()["search_step_size"])
    changes = np.diff(np.log(step_sizes))
    assert strategy.incumbent[1] < 1.0
    assert changes.max() <= 1.0
    assert strategy.figures()["search_condition"] < 1e3
    asked = [population for population in advance(strategy, 30, error) if len(population) == 12]
    spread = np.mean([population[4:].std(axis=0).max() for population in asked])
    assert spread < far


@pytest.mark.parametrize("inheritance", ["lamarckian", "baldwinian"])
@pytest.mark.parametrize("search", ["snes", "genetic_algorithm"])
def test_it_comes_deeper_than_the_search_alone_with_as_many_evaluations(search, inheritance):
    """Rosenbrock's valley in eight dimensions; one with derivatives counts as ten evaluations, one for each gene and two."""

    def residuals(x):
        return np.concatenate([10 * (x[:, 1:] - x[:, :-1] ** 2), 1 - x[:, :-1]], axis=1)

    def jacobian(x):
        n, found = x.shape[1] - 1, np.zeros((len(x), 2 * x.shape[1] - 2, x.shape[1]))
        rows = np.arange(n)
        found[:, rows, rows], found[:, rows, rows + 1], found[:, n + rows, rows] = -20 * x[:, :-1], 10.0, -1.0
        return found

    def reached(strategy):
        n = 0
        while n < 3000:
            population = strategy.ask()
            r, j = residuals(population), jacobian(population)
            truth = {"gradient": 2 * np.einsum("nr,nrg->ng", r, j), "curvature": 2 * np.einsum("nrg,nrh->ngh", j, j)}
            strategy.tell(population, np.square(r).sum(axis=1), **{name: truth[name] for name in strategy.wants})
            n += len(population) * (10 if strategy.wants else 1)
        return strategy.incumbent[1]

    both = {"share": 0.05, "steps": 40, "descent": {"kind": "levenberg_marquardt"}, "inheritance": inheritance}
    own, alone = ([], [])
    for seed in range(3):
        given = {"n_genes": 8, "seed": seed, "population_size": 20}
        own.append(reached(make_strategy("memetic", search={"kind": search}, **both, **given)))
        alone.append(reached(make_strategy(search, **given)))
    assert np.median(own) < 1e-9
    assert np.median(alone) > 0.01


@pytest.mark.parametrize(
    ("wrong", "messages"),
    [
        ({"search": {"kind": "sness"}}, ["search.kind: .*did you mean 'snes'"]),
        ({"search": {}}, ["search.kind: must name a strategy in quotes"]),
        ({"search": {"kind": "snes", "sigma": 1}}, ["search.sigma: unknown key"]),
        ({"search": {"kind": "snes", "bounds": [0, 1]}}, ["search.bounds: belongs to both"]),
        ({"search": {"kind": "bptt"}}, ["search: bptt wants gradient itself"]),
        ({"descent": {"kind": "snes"}}, ["descent.kind: snes is no descent"]),
        ({"descent": {"kind": "bptt", "population_size": 3}}, ["descent.population_size follows from share"]),
        ({"search": {"kind": "snes", "population_size": 9}, "population_size": 8}, ["population_size: .*search, 9"]),
        (
            {"search": {"kind": "snes", "step_size": -1}, "descent": {"kind": "bptt", "rate": 0, "hue": 1}},
            ["search.step_size: must be greater than 0", "descent.hue: unknown key", "descent.rate: must be greater"],
        ),
        ({"search": 4}, ["search: must be a table"]),
    ],
)
def test_mistakes_in_the_tables_are_named(wrong, messages):
    with pytest.raises((SettingsError, BadInput)) as caught:
        make_strategy("memetic", n_genes=3, seed=1, **wrong)
    for message in messages:
        assert caught.match(message)


def test_settings_hold_the_whole_tables():
    settings = STRATEGIES["memetic"].Settings(search={"kind": "snes", "population_size": 9})
    assert settings.population_size == 9
    assert settings.search["step_size"] == 0.2
    assert "population_size" not in settings.descent
    assert settings.descent["betas"] == [0.9, 0.999]
    again = STRATEGIES["memetic"].Settings(
        search=settings.search, descent=settings.descent, population_size=settings.population_size
    )
    assert again == settings

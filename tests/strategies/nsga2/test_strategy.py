"""What NSGA-II adds to the contract of strategies: goals, fronts, the corner, and who migrates."""

from __future__ import annotations

import numpy as np
import pytest

from neuroevo.settings import SettingsError
from neuroevo.strategies import make_strategy
from neuroevo.strategies.nsga2.hypervolume import hypervolume

GOALS = ["error", "links"]


def make(**arguments):
    return make_strategy("nsga2", **{"n_genes": 5, "seed": 3, "population_size": 20, "goals": GOALS, **arguments})


def two_goals(x):
    """Distances from two points; all between them are best in one way or other."""
    return np.stack([np.square(x - 1).sum(axis=1), np.square(x + 1).sum(axis=1)], axis=1)


def advance(strategy, n, goals=two_goals):
    for _ in range(n):
        population = strategy.ask()
        values = goals(population)
        strategy.tell(population, values[:, 0], goals=values)
    return strategy


def test_the_front_spreads_over_all_that_is_best_in_one_way_or_other():
    strategy = advance(make(population_size=60), 150)
    genomes, errors, goals = strategy.front()
    assert len(genomes) > 50
    assert np.array_equal(goals, two_goals(genomes))
    assert np.array_equal(errors, goals[:, 0])
    assert (np.diff(goals[:, 0]) > 0).all()
    assert (np.diff(goals[:, 1]) < 0).all()
    # On the line between (-1, ..., -1) and (1, ..., 1), whose squared distances have roots that add up to sqrt(20).
    np.testing.assert_allclose(np.sqrt(goals).sum(axis=1), np.sqrt(20), rtol=0.05)
    assert np.ptp(np.sqrt(goals[:, 0])) > 0.9 * np.sqrt(20)


def test_a_front_is_a_copy():
    strategy, undisturbed = advance(make(), 5), advance(make(), 5)
    for array in strategy.front():
        array[...] = np.nan
    assert np.array_equal(strategy.ask(), undisturbed.ask())


def test_the_hypervolume_is_that_of_the_front_and_falls_only_where_that_is_larger_than_the_population():
    strategy, volumes = make(reference=[30.0, 30.0]), []
    for _ in range(30):
        whole = len(strategy.front()[0]) < 20 if volumes else True
        advance(strategy, 1)
        volumes.append(strategy.figures()["hypervolume"])
        assert volumes[-1] == pytest.approx(hypervolume(strategy.front()[2], [30.0, 30.0]))
        assert strategy.figures()["front_size"] == len(strategy.front()[0])
        if whole and len(strategy.front()[0]) < 20:
            assert volumes[-1] >= max(volumes) - 1e-9
    assert volumes[-1] > 0.98 * max(volumes)


def test_the_corner_is_the_worst_of_the_better_half_of_the_first_generation_that_did_not_fail():
    strategy = make()
    advance(strategy, 2, lambda x: np.full((len(x), 2), np.inf))
    assert np.isnan(strategy.figures()["hypervolume"])
    advance(strategy, 1)
    _, _, goals = strategy.front()
    members = two_goals(strategy.state()["parents"])
    corner = members[np.argsort(members[:, 0])[:10]].max(axis=0)
    assert strategy.figures()["hypervolume"] == pytest.approx(hypervolume(goals, corner))
    advance(strategy, 3)
    assert np.array_equal(strategy.state()["corner"], corner)


def test_emigrants_lie_apart_and_immigrants_are_asked_next():
    strategy = advance(make(population_size=40), 60)
    genomes, errors = strategy.emigrants(4)
    _, _, front = strategy.front()
    ends = {front[0, 0], front[-1, 0]}
    assert ends <= set(errors)
    assert (np.diff(errors) >= 0).all()
    other = advance(make(population_size=40, island=1), 3)
    other.inject(genomes, errors)
    other.inject(genomes[:1] + 0.1, [5.0])
    asked = other.ask()
    assert np.array_equal(asked[:4], genomes)
    assert np.array_equal(asked[4], genomes[0] + 0.1)
    values = two_goals(asked)
    other.tell(asked, values[:, 0], goals=values)
    assert not np.array_equal(other.ask()[:4], genomes)


def test_one_goal_is_an_ordinary_search_without_a_front():
    strategy = make(goals=["error"])
    assert strategy.wants == frozenset()
    assert strategy.goals == ()
    for _ in range(80):
        population = strategy.ask()
        strategy.tell(population, two_goals(population)[:, 0])
    assert strategy.incumbent[1] < 0.1
    assert strategy.figures() == {}
    with pytest.raises(RuntimeError, match="no front"):
        strategy.front()


@pytest.mark.parametrize(
    ("goals", "complaint"),
    [(np.zeros((20, 3)), r"\(20, 3\), expected \(20, 2\)"), (np.full((20, 2), np.nan), "NaN"), (np.zeros(20), "shape")],
)
def test_goals_that_are_none_are_refused(goals, complaint):
    strategy = make()
    population = strategy.ask()
    with pytest.raises(ValueError, match=complaint):
        strategy.tell(population, np.zeros(20), goals=goals)


def test_a_state_of_other_goals_is_refused():
    state = advance(make(), 2).state()
    for other in ({"goals": ["error", "links", "bytes"]}, {"goals": ["error"]}, {"population_size": 22}):
        with pytest.raises(ValueError, match="state"):
            make(**other).restore(state)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"goals": []}, "at least 1"),
        ({"goals": ["links", "links"]}, "twice"),
        ({"reference": [1.0]}, "for each of 2 goals"),
        ({"mutation_rate": 1.5}, "mutation_rate"),
    ],
)
def test_settings_out_of_range_are_refused(settings, complaint):
    with pytest.raises(SettingsError, match=complaint):
        make(**settings)


def test_it_is_refused_as_the_search_of_a_pair():
    for kind in ("memetic", "evolve_then_descend"):
        with pytest.raises(ValueError, match=r"has goals beside the error"):
            make_strategy(kind, n_genes=5, seed=1, search={"kind": "nsga2"})
        make_strategy(kind, n_genes=5, seed=1, search={"kind": "nsga2", "goals": ["error"]})

"""What is special to CoSyNE: values wander between networks and stay with their gene."""

from __future__ import annotations

import numpy as np
import pytest

from neuroevo.networks import Elman
from neuroevo.strategies import cosyne, make_strategy


def make(**settings):
    return make_strategy("cosyne", **{"n_genes": 6, "seed": 3, "population_size": 20, **settings})


def step(strategy):
    population = strategy.ask()
    strategy.tell(population, np.sum(population**2, axis=1))
    return population


def test_every_value_of_the_better_networks_stays_with_its_gene_and_changes_its_network():
    strategy = make()
    before = step(strategy)
    after = strategy.ask()
    best = before[np.argsort(np.sum(before**2, axis=1))[:15]]
    assert np.array_equal(np.sort(after[:15], axis=0), np.sort(best, axis=0))
    assert not np.array_equal(after[:15], best)
    rows = {tuple(row) for row in before}
    assert sum(tuple(row) in rows for row in after) <= 1


def test_children_descend_from_the_top_quarter():
    strategy = make(mutation_probability=0.0)
    before = step(strategy)
    parents = before[np.argsort(np.sum(before**2, axis=1))[:5]]
    children = strategy.ask()[15:]
    assert all(np.isin(children[:, gene], parents[:, gene]).all() for gene in range(6))


def test_mutation_is_cauchy_noise_on_a_share_of_the_genes():
    strategy = make(population_size=4000, mutation_probability=0.3, mutation_width=0.3, parent_share=1 / 4000)
    before = step(strategy)
    parent = before[np.argmin(np.sum(before**2, axis=1))]
    steps = strategy.ask()[3000:] - parent
    moved = steps[steps != 0]
    assert len(moved) / steps.size == pytest.approx(0.3, abs=0.02)
    # A Cauchy variable's quartiles are at plus and minus its scale.
    assert np.quantile(moved, [0.25, 0.5, 0.75]) == pytest.approx([-0.3, 0.0, 0.3], abs=0.03)


def test_the_cut_falls_inside_the_segment_of_each_unit():
    layout = Elman(1, 4, 1).layout
    tails = cosyne.beyond_cut(layout.units, 500, np.random.default_rng(1))
    for unit in np.unique(layout.units):
        segment = tails[:, layout.units == unit]
        assert np.all(np.diff(segment.astype(int), axis=1) >= 0)
        assert len(np.unique(segment.sum(axis=1))) == segment.shape[1] + 1


def test_shuffling_by_fitness_spares_the_best_and_moves_the_worst():
    errors = np.array([0.5, 1.0, 2.0, np.inf])
    chance = cosyne.shuffle_probability(errors, 3)
    fitness = np.array([2.0, 1.0, 0.5, 0.0])
    assert chance == pytest.approx(1 - (fitness / 2.0) ** (1 / 3))
    assert np.array_equal(cosyne.shuffle_probability(np.full(3, np.inf), 3), np.ones(3))
    assert np.array_equal(cosyne.shuffle_probability(np.array([0.0, 1.0]), 3), [0.0, 1.0])


def test_only_marked_values_change_places():
    rng = np.random.default_rng(2)
    genomes = rng.standard_normal((30, 8))
    marked = rng.random((30, 8)) < 0.5
    shuffled = cosyne.permuted_where(genomes, marked, rng)
    assert np.array_equal(shuffled[~marked], genomes[~marked])
    assert np.array_equal(np.sort(shuffled, axis=0), np.sort(genomes, axis=0))
    assert np.mean(shuffled[marked] != genomes[marked]) > 0.8


def test_a_run_that_shuffles_by_fitness_improves():
    strategy = make(shuffle_by_fitness=True)
    first = np.sum(step(strategy) ** 2, axis=1).min()
    for _ in range(60):
        step(strategy)
    assert strategy.incumbent[1] < 0.1 * first

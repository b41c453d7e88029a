"""Tempering against the closed forms: the exchange rule and a Boltzmann distribution on every rung."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from neuroevo.strategies import make_strategy
from neuroevo.strategies.annealing.parallel_tempering import exchanged


def make(**settings):
    return make_strategy("parallel_tempering", **{"n_genes": 1, "seed": 2, "population_size": 12, **settings})


def step(strategy, error):
    population = strategy.ask()
    strategy.tell(population, error(population))
    return population


def test_exchange_follows_hukushima_and_nemoto():
    n = 100_000
    errors = np.tile([1.0, 2.0], n)  # the hotter chain has the better genome
    temperatures = np.tile([2.0, 0.5], n)
    hot = np.arange(0, 2 * n, 2)
    assert exchanged(errors, temperatures, hot, np.random.default_rng(1)).all()
    share = exchanged(errors[::-1], temperatures, hot, np.random.default_rng(1)).mean()
    assert share == pytest.approx(np.exp((1 / 2.0 - 1 / 0.5) * (2.0 - 1.0)), abs=0.01)


def test_a_failed_evaluation_goes_to_the_hotter_chain():
    temperatures = np.array([2.0, 0.5])
    hot = np.array([0])
    rng = np.random.default_rng(1)
    assert exchanged(np.array([1.0, np.inf]), temperatures, hot, rng).all()
    assert not exchanged(np.array([np.inf, 1.0]), temperatures, hot, rng).any()
    assert not exchanged(np.array([np.inf, np.inf]), temperatures, hot, rng).any()


def test_ladders_are_geometric_and_exchange_only_within_themselves():
    strategy = make(n_temperatures=4, temperature_ratio=0.001, population_size=10)
    step(strategy, lambda population: population[:, 0] ** 2)
    ladder = [1.0, 0.1, 0.01, 0.001]
    assert strategy._temperatures(1.0) == pytest.approx([*ladder, *ladder, 1.0, 0.1])
    assert strategy._hot_partners(0).tolist() == [0, 2, 4, 6, 8]
    assert strategy._hot_partners(1).tolist() == [1, 5]


@pytest.mark.parametrize("exchange_every", [1, 3])
def test_every_rung_keeps_its_boltzmann_distribution(exchange_every):
    def harmonic(population):
        return 0.5 * population[:, 0] ** 2

    strategy = make(
        n_temperatures=3,
        population_size=6000,
        initial_temperature=1.0,
        temperature_ratio=0.04,
        width=0.5,
        width_adaptation="fixed",
        exchange_every=exchange_every,
    )
    for _ in range(120):
        step(strategy, harmonic)
    positions = strategy.state()["positions"][:, 0]
    for rung, temperature in enumerate([1.0, 0.2, 0.04]):
        assert stats.kstest(positions[rung::3], stats.norm(0, np.sqrt(temperature)).cdf).pvalue > 0.001


def test_a_good_genome_wanders_to_the_cold_end():
    def needle(population):
        return np.where(np.abs(population[:, 0]) < 0.05, 0.0, 1.0)

    initial = np.full((6, 1), 3.0)
    initial[0] = 0.0
    strategy = make(
        n_temperatures=6,
        population_size=6,
        initial=initial,
        initial_temperature=1.0,
        width=1e-9,
        width_adaptation="fixed",
    )
    for _ in range(40):
        step(strategy, needle)
    assert strategy.state()["errors"].tolist() == [1.0, 1.0, 1.0, 1.0, 1.0, 0.0]


def test_tempering_leaves_a_valley_that_a_cold_chain_does_not():
    def two_valleys(population):
        x = population[:, 0]
        return 4.0 * (x**2 - 1.0) ** 2 + 0.5 * x + 0.6

    settings = {"initial": np.array([1.0]), "initial_width": 0.05, "width": 0.2, "width_adaptation": "fixed"}
    tempered = make(n_temperatures=12, initial_temperature=4.0, temperature_ratio=0.01, **settings)
    cold = make_strategy(
        "simulated_annealing",
        n_genes=1,
        seed=2,
        population_size=12,
        initial_temperature=0.04,
        temperature_ratio=1.0,
        **settings,
    )
    for _ in range(400):
        step(tempered, two_valleys)
        step(cold, two_valleys)
    assert tempered.incumbent[1] < 0.2
    assert cold.incumbent[1] > 1.0

"""Annealing against the closed forms: Metropolis' rule and Boltzmann's distribution."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from neuroevo.strategies import make_strategy
from neuroevo.strategies.annealing.chains import rises_accepted
from neuroevo.strategies.annealing.neighbourhood import neighbours
from neuroevo.strategies.annealing.simulated_annealing import resampled


def sphere(population):
    return np.sum(np.square(population), axis=1)


def make(**settings):
    return make_strategy("simulated_annealing", **{"n_genes": 4, "seed": 2, "population_size": 30, **settings})


def step(strategy, error=sphere):
    population = strategy.ask()
    strategy.tell(population, error(population))
    return population


@pytest.mark.parametrize("ratio", [0.01, 0.3, 1.0, 2.5])
def test_rises_are_accepted_with_probability_exp_of_minus_rise_over_temperature(ratio):
    n = 200_000
    change = np.full(n, 3.0 * ratio)
    share = rises_accepted(change, 3.0, np.random.default_rng(1)).mean()
    assert abs(share - np.exp(-ratio)) < 4 * np.sqrt(np.exp(-ratio) / n)


def test_falls_are_always_accepted_and_failures_never():
    rng = np.random.default_rng(2)
    assert rises_accepted(np.array([-1.0, 0.0, -np.inf]), 1e-300, rng).all()
    assert not rises_accepted(np.array([np.inf, np.nan]), 1e300, rng).any()


def test_the_acceptance_of_a_run_is_metropolis():
    strategy = make(population_size=20_000, initial_temperature=2.0, temperature_ratio=1.0, width_adaptation="fixed")
    step(strategy, lambda population: np.zeros(len(population)))
    step(strategy, lambda population: np.full(len(population), 1.0))
    moved = strategy.state()["errors"] == 1.0
    assert moved.mean() == pytest.approx(np.exp(-0.5), abs=0.012)


@pytest.mark.parametrize("neighbourhood", ["gaussian", "cauchy", "one_gene"])
def test_chains_at_one_temperature_reach_boltzmanns_distribution(neighbourhood):
    def two_wells(population):
        x = population[:, 0]
        return (x**2 - 1.0) ** 2 + 0.3 * x

    temperature = 0.4
    strategy = make(
        n_genes=1,
        population_size=3000,
        initial_temperature=temperature,
        temperature_ratio=1.0,
        width=0.7,
        width_adaptation="fixed",
        neighbourhood=neighbourhood,
        start_width=2.0,
        seed=8,
    )
    for _ in range(250):
        step(strategy, two_wells)
    edges = np.linspace(-2, 2, 21)
    fine = np.linspace(-4, 4, 80_001)
    density = np.exp(-two_wells(fine[:, np.newaxis]) / temperature)
    cumulative = np.cumsum(density) / density.sum()
    expected = np.diff(np.interp(edges, fine, cumulative), prepend=0.0)
    expected[0] = np.interp(-2, fine, cumulative)
    expected = np.append(expected, 1.0 - expected.sum())
    counted = np.histogram(strategy.state()["positions"][:, 0], np.concatenate([[-np.inf], edges, [np.inf]]))[0]
    keep = expected * 3000 > 5
    observed, wanted = counted[keep], 3000 * expected[keep]
    assert stats.chisquare(observed, wanted * observed.sum() / wanted.sum()).pvalue > 0.001


def test_bounds_keep_the_distribution_uniform_where_the_error_is_flat():
    strategy = make(
        n_genes=1,
        population_size=3000,
        bounds=(-1.0, 1.0),
        width=0.5,
        width_adaptation="fixed",
        initial_temperature=1.0,
        start="uniform",
        start_width=0.1,
    )
    for _ in range(60):
        step(strategy, lambda population: np.zeros(len(population)))
    assert stats.kstest(strategy.state()["positions"][:, 0], stats.uniform(-1, 2).cdf).pvalue > 0.001


def test_gaussian_steps_are_gaussian():
    steps = neighbours("gaussian", np.zeros((200, 50)), np.full(200, 0.3), np.random.default_rng(3))
    assert stats.kstest(steps.ravel(), stats.norm(0, 0.3).cdf).pvalue > 0.001


def test_cauchy_steps_are_cauchy_in_every_direction():
    steps = neighbours("cauchy", np.zeros((20_000, 3)), np.full(20_000, 0.3), np.random.default_rng(4))
    for direction in (np.array([1.0, 0.0, 0.0]), np.array([0.6, -0.8, 0.0])):
        assert stats.kstest(steps @ direction, stats.cauchy(0, 0.3).cdf).pvalue > 0.001


def test_one_gene_moves_one_gene():
    widths = np.linspace(0.1, 2.0, 5000)
    steps = neighbours("one_gene", np.zeros((5000, 6)), widths, np.random.default_rng(5))
    assert np.all(np.sum(steps != 0, axis=1) == 1)
    assert stats.chisquare(np.sum(steps != 0, axis=0)).pvalue > 0.001
    assert stats.kstest(steps.sum(axis=1) / widths, "norm").pvalue > 0.001


def test_the_first_temperature_is_estimated_from_the_problem():
    strategy = make(population_size=2000, initial_acceptance=0.4, width_adaptation="fixed")
    assert not hasattr(strategy, "_errors")
    step(strategy)
    before = strategy.state()["errors"]
    population = strategy.ask()
    error = sphere(population)
    strategy.tell(population, error)
    rises = (error - before)[error > before]
    assert strategy.state()["first_temperature"] == pytest.approx(np.median(rises) / -np.log(0.4))
    # The estimate scales with the units of the error.
    scaled = make(population_size=2000, initial_acceptance=0.4, width_adaptation="fixed")
    for _ in range(2):
        step(scaled, lambda population: 1e6 * sphere(population))
    assert scaled.state()["first_temperature"] == pytest.approx(1e6 * strategy.state()["first_temperature"])


def test_the_estimate_waits_for_the_first_that_does_not_fail():
    strategy = make()
    for _ in range(3):
        step(strategy, lambda population: np.full(len(population), np.inf))
    assert strategy.temperature is None
    for _ in range(2):
        step(strategy)
    assert strategy.temperature > 0


def test_the_width_follows_rises_and_falls_and_never_equals():
    strategy = make(population_size=4, initial_temperature=1e-9, temperature_ratio=1.0, width=0.1)
    step(strategy, lambda _: np.array([1.0, 1.0, 1.0, np.inf]))
    # Better, equal, failed, and failed like its chain.
    step(strategy, lambda _: np.array([0.5, 1.0, np.inf, np.inf]))
    grown, narrowed = 0.1 * np.exp(0.1 * (1 - 0.234)), 0.1 * np.exp(0.1 * (0 - 0.234))
    assert strategy.state()["widths"] == pytest.approx([grown, 0.1, narrowed, 0.1])
    step(strategy, lambda _: np.full(4, np.inf))
    assert strategy.state()["widths"] == pytest.approx([grown, 0.1, narrowed, 0.1])


@pytest.mark.parametrize("target", [0.15, 0.44])
def test_the_adaptive_width_reaches_its_acceptance(target):
    strategy = make(
        n_genes=10,
        population_size=400,
        initial_temperature=1.0,
        temperature_ratio=1.0,
        acceptance_target=target,
        width=5.0,
    )
    for _ in range(400):
        step(strategy)
    rates = []
    for _ in range(40):
        before = strategy.state()["positions"]
        step(strategy)
        rates.append(np.mean(np.any(strategy.state()["positions"] != before, axis=1)))
    assert np.mean(rates) == pytest.approx(target, abs=0.03)


def test_the_adaptive_cooling_follows_the_acceptance_of_lam():
    strategy = make(
        n_genes=10, population_size=500, cooling="adaptive", width_adaptation="fixed", width=0.3, horizon=300
    )
    rates = []
    for _ in range(200):
        before = strategy.state()["positions"] if strategy.generation else None
        step(strategy)
        if before is not None:
            rates.append(np.mean(np.any(strategy.state()["positions"] != before, axis=1)))
    assert np.mean(rates[80:190]) == pytest.approx(0.44, abs=0.04)


def test_two_rulers_of_the_acceptance_are_refused():
    with pytest.raises(ValueError, match="width_adaptation"):
        make(cooling="adaptive")


def test_it_cools_over_its_horizon_and_then_holds():
    strategy = make(initial_temperature=1.0, temperature_ratio=0.01, horizon=20)
    temperatures = []
    for _ in range(40):
        step(strategy)
        temperatures.append(strategy.temperature)
    assert temperatures[0] == 1.0
    assert temperatures[20] == pytest.approx(0.01)
    assert temperatures[39] == temperatures[20]


def test_reheating_takes_the_clock_back_after_stagnation():
    strategy = make(initial_temperature=1.0, temperature_ratio=0.01, horizon=100, reheat_after=10)
    temperatures = []
    for generation in range(60):
        # Better every time at first, never afterwards.
        step(strategy, lambda population, g=generation: np.full(len(population), max(30.0 - g, 0.0) + 1.0))
        temperatures.append(strategy.temperature)
    rises = np.flatnonzero(np.diff(temperatures) > 0)
    assert len(rises) >= 1
    assert rises[0] == pytest.approx(40, abs=1)
    clock = 40
    assert temperatures[rises[0] + 1] == pytest.approx(0.01 ** (clock / 2 / 100), rel=0.05)


def test_resampling_gives_every_chain_the_copies_that_boltzmann_expects():
    errors = np.random.default_rng(1).permutation(np.array([0.0, 1.0, 2.0, np.inf] * 5000))
    rows = resampled(errors, 0.7, np.random.default_rng(6))
    counts = np.bincount(errors[rows].astype(int), minlength=3) / len(errors)
    weights = np.exp(-0.7 * np.array([0.0, 1.0, 2.0]))
    assert counts == pytest.approx(weights / weights.sum(), abs=0.005)
    assert np.array_equal(resampled(np.full(4, np.inf), 0.7, np.random.default_rng(6)), np.arange(4))


def test_resampled_chains_stay_in_equilibrium_while_it_cools():
    def harmonic(population):
        return 0.5 * population[:, 0] ** 2

    # Steps that hardly move leave it to the resampling alone.
    strategy = make(
        n_genes=1, population_size=20_000, start_width=1.0, initial_temperature=1.0, temperature_ratio=0.1, horizon=10, width=0.02,
        width_adaptation="fixed",
    )  # fmt: skip
    for _ in range(12):
        step(strategy, harmonic)
    assert np.std(strategy.state()["positions"]) == pytest.approx(np.sqrt(0.1), rel=0.03)


def test_without_resampling_the_chains_never_meet():
    strategy = make(resampling=False, width=1e-9, width_adaptation="fixed", initial_temperature=1.0)
    first = step(strategy)
    for _ in range(5):
        step(strategy)
    assert np.allclose(strategy.state()["positions"], first, atol=1e-6)


def test_extending_a_run_equals_a_longer_run():
    arguments = {"horizon": 6, "reheat_after": 4}
    short, long = make(**arguments), make(**arguments)
    for _ in range(8):
        step(short)
    for _ in range(20):
        step(long)
    extended = make(**arguments)
    extended.restore(short.state())
    for _ in range(12):
        step(extended)
    assert np.array_equal(extended.ask(), long.ask())

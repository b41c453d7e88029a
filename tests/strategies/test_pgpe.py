"""PGPE with ClipUp: the update against a slow one written from the papers, its steps, its invariances."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import rankdata

from neuroevo.errors import BadInput
from neuroevo.settings import SettingsError
from neuroevo.strategies import make_strategy


def ellipsoid(population, condition=100.0):
    n = population.shape[1]
    return np.square(population) @ condition ** (np.arange(n) / (n - 1))


def slow_update(mean, width, velocity, noise, error, *, max_speed, learning_rate, momentum, width_rate, max_change):
    """A generation gene by gene and pair by pair, with rewards to be climbed as in the papers.

    Sehnke et al. 2010 for symmetric samples: the mean moves by noise (r+ - r-) / 2, the width by
    ((r+ + r-) / 2 - b) (noise^2 - width^2) / width. Toklu et al. 2020: ranks from -1/2 to 1/2 as rewards, b their mean;
    the velocity takes the normalised gradient times the step size and is cut to the largest speed.
    """
    n_pairs, n = noise.shape
    rewards = (rankdata(-np.asarray(error)) - 1) / (2 * n_pairs - 1) - 0.5
    baseline = sum(rewards) / len(rewards)
    gradient, width_gradient = np.zeros(n), np.zeros(n)
    for pair in range(n_pairs):
        plus, minus = rewards[pair], rewards[n_pairs + pair]
        for gene in range(n):
            step = width[gene] * noise[pair, gene]
            gradient[gene] += step * (plus - minus) / 2 / n_pairs
            spread = (step**2 - width[gene] ** 2) / width[gene]
            width_gradient[gene] += ((plus + minus) / 2 - baseline) * spread / n_pairs
    velocity = momentum * velocity + learning_rate * max_speed * gradient / np.linalg.norm(gradient)
    if np.linalg.norm(velocity) > max_speed:
        velocity = velocity * max_speed / np.linalg.norm(velocity)
    wider = [
        min(max(w + width_rate * g, (1 - max_change) * w), (1 + max_change) * w)
        for w, g in zip(width, width_gradient, strict=True)
    ]
    return mean + velocity, np.array(wider), velocity


@pytest.mark.parametrize("width_rate", [0.1, 3.0])
def test_updates_equal_a_slow_one_on_the_same_samples(width_rate):
    rates = {"learning_rate": 0.4, "momentum": 0.8, "width_rate": width_rate, "max_change": 0.15}
    strategy = make_strategy("pgpe", n_genes=6, seed=1, population_size=10, max_speed=0.2, initial=np.ones(6), **rates)
    mean, width, velocity = np.ones(6), np.full(6, 0.3), np.zeros(6)
    strategy._immigrants = np.empty((0, 6))
    max_speed = 0.2 * 0.3 * np.sqrt(6)
    fast, cut = 0, 0
    for generation in range(30):
        population = strategy.ask()
        noise = strategy._z[:5]
        error = ellipsoid(population)
        if generation % 7 == 3:
            error[[2, 8]] = np.inf
        before = width
        mean, width, velocity = slow_update(mean, width, velocity, noise, error, max_speed=max_speed, **rates)
        strategy.tell(population, error)
        np.testing.assert_allclose(strategy._mean, mean, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(strategy._width, width, rtol=1e-9)
        fast += np.linalg.norm(velocity) > 0.999 * max_speed
        cut += np.any(np.abs(width / before - 1) > 0.1499)
    assert 0 < fast < 30
    assert (cut > 0) == (width_rate > 1)


def test_the_gradient_is_that_of_the_expected_rank():
    # With errors that are linear in one gene the mean moves along that gene, whatever the widths.
    strategy = make_strategy("pgpe", n_genes=3, seed=1, population_size=4000, step_size=0.5)
    population = strategy.ask()
    strategy.tell(population, 5 * population[:, 1])
    assert strategy._velocity[1] < 0
    assert np.abs(strategy._velocity[[0, 2]]).max() < 0.05 * abs(strategy._velocity[1])


def test_the_first_step_has_half_of_the_largest_speed_and_no_step_more_than_all_of_it():
    strategy = make_strategy("pgpe", n_genes=16, seed=1, step_size=0.5)
    before, speeds = strategy._mean, []
    for _ in range(20):
        population = strategy.ask()
        strategy.tell(population, population.sum(axis=1))
        speeds.append(np.linalg.norm(strategy._mean - before))
        before = strategy._mean
    # The first standard deviations are a vector of length 0.5 sqrt(16) = 2; a fifteenth of it is the largest speed.
    assert speeds[0] == pytest.approx(1 / 15)
    assert max(speeds) == pytest.approx(2 / 15)
    assert strategy.figures()["speed"] == pytest.approx(speeds[-1])


def test_widths_follow_the_scale_of_each_gene():
    strategy = make_strategy("pgpe", n_genes=6, seed=1)
    for _ in range(300):
        population = strategy.ask()
        strategy.tell(population, ellipsoid(population - 0.2, condition=1e4))
    assert strategy.incumbent[1] < 0.01
    assert strategy._width[0] > 10 * strategy._width[-1]


def test_nothing_but_the_order_of_the_errors_counts():
    plain, bent = (make_strategy("pgpe", n_genes=8, seed=2) for _ in range(2))
    for _ in range(40):
        population = plain.ask()
        assert np.array_equal(bent.ask(), population)
        error = ellipsoid(population - 0.3)
        plain.tell(population, error)
        bent.tell(population, np.log1p(error) ** 3)


def test_scaling_all_genes_scales_the_search():
    plain = make_strategy("pgpe", n_genes=8, seed=2, initial=np.ones(8))
    large = make_strategy("pgpe", n_genes=8, seed=2, initial=np.full(8, 4.0), step_size=1.2)
    for _ in range(40):
        population, wide = plain.ask(), large.ask()
        np.testing.assert_allclose(wide, 4 * population, rtol=1e-9)
        plain.tell(population, ellipsoid(population))
        large.tell(wide, ellipsoid(wide / 4))


def test_samples_come_in_mirrored_pairs():
    population = make_strategy("pgpe", n_genes=5, seed=1, population_size=10, initial=np.full(5, 2.0)).ask()
    # The first sample is the given genome itself.
    np.testing.assert_allclose((population[1:5] + population[6:]) / 2, np.full((4, 5), 2.0), atol=1e-12)
    assert np.array_equal(population[0], np.full(5, 2.0))


def test_a_generation_of_failures_or_equals_moves_nothing():
    for value in (np.inf, 3.0):
        strategy = make_strategy("pgpe", n_genes=6, seed=1)
        population = strategy.ask()
        strategy.tell(population, np.full(len(population), value))
        assert np.all(strategy._mean == 0)
        assert np.all(strategy._width == 0.3)
        assert np.all(strategy._velocity == 0)


def test_an_odd_population_is_refused_with_the_reason():
    with pytest.raises(SettingsError, match="mirrored pairs"):
        make_strategy("pgpe", n_genes=3, seed=1, population_size=7)


def test_more_immigrants_than_samples_are_no_state():
    strategy = make_strategy("pgpe", n_genes=3, seed=1, population_size=4)
    population = strategy.ask()
    strategy.tell(population, ellipsoid(population))
    with pytest.raises(BadInput, match="immigrants"):
        strategy.restore(strategy.state() | {"immigrants": np.zeros((5, 3))})

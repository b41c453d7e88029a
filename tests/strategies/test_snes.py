"""SNES: the update against evosax's, its utilities, widths that follow the landscape."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from neuroevo.settings import SettingsError
from neuroevo.strategies import make_strategy
from neuroevo.strategies.snes import utilities

REFERENCE = Path(__file__).parents[1] / "reference" / "evosax_updates.npz"


def ellipsoid(population, condition=100.0):
    n = population.shape[1]
    return np.square(population) @ condition ** (np.arange(n) / (n - 1))


def test_an_update_equals_evosaxs_on_the_same_samples():
    # Written by tests/reference/make_evosax_updates.py with evosax 0.3.2.
    with np.load(REFERENCE) as archive:
        z, mean, std, start = (archive[f"snes_{name}"] for name in ("z", "mean", "std", "start"))
    strategy = make_strategy("snes", n_genes=z.shape[2], seed=0, population_size=z.shape[1], step_size=1.0)
    strategy._mean = start
    for g in range(len(z)):
        population = strategy.ask()
        strategy._z = z[g]
        strategy.tell(population, ellipsoid(strategy._mean + strategy._width * z[g]))
        np.testing.assert_allclose(strategy._mean, mean[g], atol=1e-12)
        np.testing.assert_allclose(strategy._width, std[g], rtol=1e-12)


@pytest.mark.parametrize("n", [2, 3, 10, 257])
def test_utilities_fall_with_the_rank_and_sum_to_zero(n):
    u = utilities(n)
    assert u.sum() == pytest.approx(0, abs=1e-12)
    assert np.all(np.diff(u) <= 0)
    # The worse half has no more than -1/n (Wierstra et al. 2014, section 3.1).
    assert u[-1] == pytest.approx(-1 / n)


def test_the_default_population_is_the_papers():
    assert len(make_strategy("snes", n_genes=305, seed=1).ask()) == 4 + int(3 * np.log(305))


def test_widths_follow_the_scale_of_each_gene():
    strategy = make_strategy("snes", n_genes=6, seed=1)
    for _ in range(300):
        population = strategy.ask()
        strategy.tell(population, ellipsoid(population, condition=1e4))
    assert strategy.incumbent[1] < 1e-6
    assert strategy._width[0] > 10 * strategy._width[-1]


def test_a_generation_of_failures_moves_nothing():
    strategy = make_strategy("snes", n_genes=6, seed=1)
    population = strategy.ask()
    strategy.tell(population, np.full(len(population), np.inf))
    assert np.all(strategy._mean == 0)
    assert np.all(strategy._width == 0.2)


def test_equal_errors_share_their_utilities():
    def updated(error):
        strategy = make_strategy("snes", n_genes=3, seed=1, population_size=6)
        strategy.ask()
        strategy.tell(strategy._asked, error)
        return strategy

    u = utilities(6)
    shared = updated(np.array([3.0, 1.0, 2.0, 2.0, 2.0, 5.0]))
    z = (make_strategy("snes", n_genes=3, seed=1, population_size=6).ask()) / 0.2
    tied = (u[1] + u[2] + u[3]) / 3
    np.testing.assert_allclose(shared._mean, 0.2 * (np.array([u[4], u[0], tied, tied, tied, u[5]]) @ z))
    flat = updated(np.full(6, 2.0))
    assert np.all(flat._mean == 0)
    assert np.all(flat._width == 0.2)


def test_a_single_sample_is_refused():
    with pytest.raises(SettingsError, match="population_size"):
        make_strategy("snes", n_genes=6, seed=1, population_size=1)

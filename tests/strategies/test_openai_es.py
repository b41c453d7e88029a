"""OpenAI-ES: the update against evosax's, mirrored samples, ranks and Adam by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import rankdata

from neuroevo.settings import SettingsError
from neuroevo.strategies import make_strategy
from neuroevo.strategies.openai_es import centred_ranks

REFERENCE = Path(__file__).parents[1] / "reference" / "evosax_updates.npz"


def ellipsoid(population, condition=100.0):
    n = population.shape[1]
    return np.square(population) @ condition ** (np.arange(n) / (n - 1))


def test_updates_equal_evosaxs_on_the_same_samples():
    # Written by tests/reference/make_evosax_updates.py with evosax 0.3.2 and optax's Adam. evosax divides the gradient
    # by the noise once more, which Adam undoes but for its epsilon of 1e-8: hence the tolerance.
    with np.load(REFERENCE) as archive:
        z, mean, start = (archive[f"openai_es_{name}"] for name in ("z", "mean", "start"))
    n_generations, population_size, n = z.shape
    strategy = make_strategy(
        "openai_es", n_genes=n, seed=0, population_size=population_size, noise=0.02, learning_rate=0.01,
        mean_every=0,
    )  # fmt: skip
    strategy._mean = start
    for g in range(n_generations):
        population = strategy.ask()
        strategy._z = z[g][: population_size // 2]
        strategy.tell(population, ellipsoid(strategy._mean + 0.02 * z[g]))
        np.testing.assert_allclose(strategy._mean, mean[g], atol=1e-8)


def test_samples_are_mirrored_at_the_mean():
    strategy = make_strategy("openai_es", n_genes=5, seed=1, population_size=10, noise=0.3)
    population = strategy.ask()
    np.testing.assert_allclose((population[:5] + population[5:]) / 2, np.tile(strategy._mean, (5, 1)), atol=1e-12)
    assert np.std(population[:5] - strategy._mean) == pytest.approx(0.3, rel=0.5)


def test_ranks_are_centred_and_shared_by_equals():
    rng = np.random.default_rng(0)
    error = np.concatenate([rng.standard_normal(20), [np.inf] * 5, [0.0] * 3])
    expected = (rankdata(np.where(np.isinf(error), 1e9, error)) - 1) / (len(error) - 1) - 0.5
    np.testing.assert_allclose(centred_ranks(error), expected, atol=1e-15)


def test_the_first_step_of_adam_has_the_length_of_the_learning_rate():
    strategy = make_strategy("openai_es", n_genes=4, seed=1, learning_rate=0.03)
    before = strategy._mean
    population = strategy.ask()
    strategy.tell(population, population @ np.array([1.0, -1.0, 1.0, -1.0]))
    # Kingma and Ba 2015: with both moments corrected, the first step is the sign of the gradient times the rate.
    np.testing.assert_allclose(strategy._mean - before, [-0.03, 0.03, -0.03, 0.03], rtol=1e-5)


def test_weight_decay_pulls_the_mean_to_the_origin():
    def settled(weight_decay):
        strategy = make_strategy("openai_es", n_genes=3, seed=1, population_size=40, weight_decay=weight_decay)
        strategy._mean = np.full(3, 2.0)
        for _ in range(150):
            population = strategy.ask()
            strategy.tell(population, np.zeros(len(population)))
        return np.abs(strategy._mean).max()

    assert settled(0.0) == pytest.approx(2.0)
    assert settled(0.1) < 1.5


def test_the_start_is_a_given_genome():
    strategy = make_strategy("openai_es", n_genes=3, seed=1, initial=np.array([1.0, 2.0, 3.0]))
    assert np.array_equal(strategy._mean, [1.0, 2.0, 3.0])


def test_a_given_genome_is_evaluated_and_cannot_get_lost():
    champion = np.array([1.0, 2.0, 3.0])
    strategy = make_strategy("openai_es", n_genes=3, seed=1, initial=champion, noise=0.5)
    population = strategy.ask()
    strategy.tell(population, np.square(population - champion).sum(axis=1))
    assert np.array_equal(strategy.incumbent[0], champion)
    assert strategy.incumbent[1] == 0.0


def test_the_best_of_several_given_genomes_becomes_the_mean():
    given = np.array([[4.0, 4.0], [0.0, 0.0], [2.0, 2.0]])
    strategy = make_strategy("openai_es", n_genes=2, seed=1, initial=given)
    population = strategy.ask()
    assert np.array_equal(population[32:], given)
    strategy.tell(population, np.square(population).sum(axis=1))
    assert np.array_equal(strategy._mean, [0.0, 0.0])
    assert strategy.incumbent[1] == 0.0


@pytest.mark.parametrize("mean_every", [0, 1, 4])
def test_the_mean_is_asked_as_often_as_wanted_and_leaves_the_path_as_it_is(mean_every):
    strategy = make_strategy("openai_es", n_genes=5, seed=1, population_size=8, mean_every=mean_every)
    alone = make_strategy("openai_es", n_genes=5, seed=1, population_size=8, mean_every=0)
    for generation in range(1, 13):
        population, samples = strategy.ask(), alone.ask()
        assert np.array_equal(population[:8], samples)
        is_due = mean_every > 0 and generation % mean_every == 0
        assert len(population) == 8 + is_due
        if is_due:
            assert np.array_equal(population[8], alone._mean)
        strategy.tell(population, ellipsoid(population))
        alone.tell(samples, ellipsoid(samples))
    assert strategy.incumbent[1] <= alone.incumbent[1]


def test_only_an_immigrant_better_than_the_last_generation_is_taken():
    strategy = make_strategy("openai_es", n_genes=3, seed=1)
    population = strategy.ask()
    strategy.tell(population, np.full(len(population), 5.0))
    mean = strategy._mean
    strategy.inject(np.zeros((1, 3)), np.array([6.0]))
    assert np.array_equal(strategy._mean, mean)
    strategy.inject(np.zeros((1, 3)), np.array([4.0]))
    assert np.array_equal(strategy._mean, np.zeros(3))


def test_an_odd_population_is_refused_with_the_reason():
    with pytest.raises(SettingsError, match="mirrored pairs"):
        make_strategy("openai_es", n_genes=3, seed=1, population_size=7)

"""Mutation against DEAP: the same numbers where choices can be fed, the same distribution elsewhere."""

from __future__ import annotations

import random

import numpy as np
import pytest
from deap import tools
from scipy import stats

from neuroevo.strategies.bounds import Bounds
from neuroevo.strategies.genetic import mutation
from tests.strategies.genetic.scripted import ScriptedGenerator, script

GENOMES = np.random.default_rng(31).uniform(-1.5, 2.5, (40, 50))


@pytest.fixture
def seeded():
    state = random.getstate()
    random.seed(7)
    yield
    random.setstate(state)


def test_gaussian_equals_deaps_fed_the_same_choices(monkeypatch):
    rng = np.random.default_rng(1)
    u, z = rng.random(GENOMES.shape, dtype=np.float32), rng.standard_normal(GENOMES.size)
    own = mutation.gaussian(GENOMES, 0.3, ScriptedGenerator(u, z[: np.sum(u < np.float32(0.2))]), probability=0.2)
    script(monkeypatch, random=u.ravel(), gauss=0.3 * z)
    other = [tools.mutGaussian(genome, 0, 0.3, float(np.float32(0.2)))[0] for genome in GENOMES.tolist()]
    assert np.array_equal(own, np.array(other))


def test_bounded_polynomial_equals_deaps_fed_the_same_choices(monkeypatch):
    bounds = Bounds.of((-1.5, 2.5), 50)
    u = np.random.default_rng(2).random(GENOMES.shape)
    chosen = np.zeros(GENOMES.shape, dtype=np.float32)
    own = mutation.polynomial(GENOMES, 1.0, ScriptedGenerator(chosen, u), probability=0.5, eta=20.0, bounds=bounds)
    script(monkeypatch, random=np.stack([chosen, u], axis=-1).ravel())
    other = [tools.mutPolynomialBounded(genome, 20.0, -1.5, 2.5, 0.5)[0] for genome in GENOMES.tolist()]
    assert np.allclose(own, other, rtol=1e-13, atol=1e-14)


def test_gaussian_has_deaps_distribution(seeded):
    own = mutation.gaussian(GENOMES, 0.3, np.random.default_rng(3), probability=0.2) - GENOMES
    other = np.array([tools.mutGaussian(genome, 0, 0.3, 0.2)[0] for genome in GENOMES.tolist()]) - GENOMES
    assert np.mean(own != 0) == pytest.approx(np.mean(other != 0), abs=0.04)
    assert stats.ks_2samp(own[own != 0], other[other != 0]).pvalue > 0.001
    assert stats.kstest(own[own != 0], stats.norm(0, 0.3).cdf).pvalue > 0.001


def test_each_genome_may_have_its_own_width():
    widths = np.linspace(0.1, 4.0, 40)[:, np.newaxis]
    for probability in (1.0, 0.5):
        steps = mutation.gaussian(GENOMES, widths, np.random.default_rng(4), probability=probability) - GENOMES
        scaled = (steps / widths)[steps != 0]
        assert stats.kstest(scaled, "norm").pvalue > 0.001


def test_each_gene_may_have_its_own_width():
    widths = np.exp(np.random.default_rng(5).standard_normal(GENOMES.shape))
    for probability in (1.0, 0.5):
        steps = mutation.gaussian(GENOMES, widths, np.random.default_rng(4), probability=probability) - GENOMES
        assert stats.kstest((steps / widths)[steps != 0], "norm").pvalue > 0.001


def test_polynomial_without_bounds_reaches_as_far_as_its_width():
    steps = mutation.polynomial(np.zeros((200, 50)), 0.7, np.random.default_rng(5), probability=1.0, eta=2.0)
    assert np.abs(steps).max() <= 0.7
    # P(step < s) = 0.5 (1 + s)^(eta + 1) for s in [-1, 0], and mirrored (Deb and Goyal 1996).
    scaled = steps.ravel() / 0.7
    assert (
        stats.kstest(
            scaled, lambda s: np.where(s < 0, 0.5 * (1 + np.minimum(s, 0)) ** 3, 1 - 0.5 * (1 - np.maximum(s, 0)) ** 3)
        ).pvalue
        > 0.001
    )


def test_bounded_polynomial_keeps_the_box():
    bounds = Bounds.of((-1.5, 2.5), 50)
    mutants = mutation.polynomial(GENOMES, 9.0, np.random.default_rng(6), probability=1.0, eta=0.5, bounds=bounds)
    assert bounds.contain(mutants)


def test_uniform_reset_draws_anew_and_leaves_the_rest():
    mutants = mutation.uniform_reset(GENOMES, 1.0, np.random.default_rng(7), probability=0.25, low=5.0, high=6.0)
    changed = mutants != GENOMES
    assert changed.mean() == pytest.approx(0.25, abs=0.04)
    assert stats.kstest(mutants[changed] - 5.0, "uniform").pvalue > 0.001


def test_genes_are_chosen_with_their_probability():
    assert mutation.chosen_genes((1000, 100), 0.03, np.random.default_rng(8)).mean() == pytest.approx(0.03, abs=0.003)
    assert not mutation.chosen_genes((10, 10), 0.0, np.random.default_rng(8)).any()
    assert mutation.chosen_genes((10, 10), 1.0, np.random.default_rng(8)).all()


@pytest.mark.parametrize("name", ["gaussian", "polynomial", "uniform_reset"])
def test_parents_are_left_alone(name):
    options = {"gaussian": {}, "polynomial": {"eta": 20.0}, "uniform_reset": {"low": -1.0, "high": 1.0}}[name]
    kept = GENOMES.copy()
    for probability in (0.1, 1.0):
        mutant = getattr(mutation, name)(GENOMES, 0.1, np.random.default_rng(9), probability=probability, **options)
        assert not np.shares_memory(mutant, GENOMES)
    assert np.array_equal(kept, GENOMES)

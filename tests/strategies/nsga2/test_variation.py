"""Crossover and mutation against DEAP's operators, fed the same random numbers, and against the published spread."""

from __future__ import annotations

import warnings
from unittest.mock import patch

import numpy as np
import pytest
from scipy import stats

from neuroevo.strategies.bounds import Bounds
from neuroevo.strategies.nsga2.variation import crossed, mutated

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from deap import tools


class Given:
    """Hands out given arrays as a generator's uniform numbers."""

    def __init__(self, *arrays):
        self.arrays = list(arrays)

    def random(self, shape):
        found = self.arrays.pop(0)
        assert found.shape == (shape if isinstance(shape, tuple) else (shape,))
        return found


def test_crossover_is_deaps_given_the_same_numbers():
    rng = np.random.default_rng(1)
    n_genes, low, high = 40, -1.0, 2.0
    first, second = rng.uniform(low, high, (2, 1, n_genes))
    taken, swapped, u = rng.random((3, 1, n_genes))
    ours = crossed(first, second, 15.0, Given(taken, swapped, u), Bounds.of((low, high), n_genes))
    numbers = []
    for k in range(n_genes):
        numbers += [taken[0, k]] + ([u[0, k], swapped[0, k]] if taken[0, k] <= 0.5 else [])
    with patch("random.random", side_effect=numbers):
        theirs = tools.cxSimulatedBinaryBounded(first[0].tolist(), second[0].tolist(), 15.0, low, high)
    for own, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(own[0], other, rtol=1e-12)


def test_mutation_is_deaps_given_the_same_numbers():
    rng = np.random.default_rng(2)
    n_genes, low, high = 40, -1.0, 2.0
    genome = rng.uniform(low, high, (1, n_genes))
    taken = rng.random((1, n_genes))
    u = rng.random(int((taken < 0.3).sum()))
    ours = mutated(genome, 0.3, 20.0, 1.0, Given(taken, u), Bounds.of((low, high), n_genes))
    drawn = iter(u)
    numbers = [each for value in taken[0] for each in ([value, next(drawn)] if value < 0.3 else [value])]
    with patch("random.random", side_effect=numbers):
        (theirs,) = tools.mutPolynomialBounded(genome[0].tolist(), 20.0, low, high, 0.3)
    np.testing.assert_allclose(ours[0], theirs, rtol=1e-12)


@pytest.mark.parametrize("index", [2.0, 20.0])
def test_without_bounds_children_spread_as_published(index):
    """Deb and Agrawal 1995, eqs. 16 and 17: the distribution of beta, the children's distance by the parents'."""
    n = 20_000
    first, second = np.zeros((n, 1)), np.ones((n, 1))
    children = crossed(first, second, index, np.random.default_rng(3))
    np.testing.assert_allclose(children[0] + children[1], 1.0, atol=1e-12)
    beta = np.abs(children[0] - children[1])[:, 0]
    beta = beta[beta != 1.0]
    assert len(beta) / n == pytest.approx(0.5, abs=0.02)

    def distribution(b):
        return np.where(b <= 1, 0.5 * b ** (index + 1), 1 - 0.5 * np.maximum(b, 1e-9) ** -(index + 1))

    assert stats.kstest(beta, distribution).pvalue > 0.01


def test_without_bounds_steps_are_those_of_the_polynomial():
    """Deb and Goyal 1996: density 0.5 (eta + 1) (1 - |delta|)^eta of a step by the span."""
    index, span = 5.0, 3.0
    found = mutated(np.full((200, 100), 7.0), 0.5, index, span, np.random.default_rng(4))
    steps = (found[found != 7.0] - 7.0) / span
    assert len(steps) / 20_000 == pytest.approx(0.5, abs=0.02)
    cdf = lambda d: np.where(d < 0, 0.5 * (1 + d) ** (index + 1), 1 - 0.5 * (1 - d) ** (index + 1))  # noqa: E731
    assert stats.kstest(steps, cdf).pvalue > 0.01


def test_open_sides_keep_the_closed_ones():
    bounds = Bounds.of((0.0, np.inf), 3)
    rng = np.random.default_rng(5)
    genomes = np.abs(rng.normal(size=(500, 3))) * 1e-3
    assert bounds.contain(mutated(genomes, 1.0, 1.0, 2.0, rng, bounds))
    for child in crossed(genomes[:250], genomes[250:], 1.0, rng, bounds):
        assert bounds.contain(child)
        assert np.isfinite(child).all()

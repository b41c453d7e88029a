"""Mutation operators: small random changes of single genes.

All have the form `mutate(genomes, width, rng, **options) -> (m, n_genes)`, a new array. `width` is a number,
`(m, 1)`, one per genome, or `(m, n_genes)`, one per gene: the strategy holds it fixed, lets it decay, or adapts it.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from neuroevo.strategies.bounds import Bounds, FloatArray

Width: TypeAlias = float | FloatArray


def gaussian(genomes: FloatArray, width: Width, rng: np.random.Generator, *, probability: float) -> FloatArray:
    """Each gene gets noise N(0, width^2) with this probability (Schwefel 1981; DEAP's mutGaussian)."""
    if probability >= 1.0:
        moved = rng.standard_normal(genomes.shape)
        moved *= width
        moved += genomes
        return moved
    mutant = genomes.copy()
    places = np.flatnonzero(chosen_genes(genomes.shape, probability, rng))
    steps = rng.standard_normal(len(places))
    steps *= width if np.ndim(width) == 0 else np.broadcast_to(width, genomes.shape).flat[places]
    mutant.reshape(-1)[places] += steps
    return mutant


def polynomial(
    genomes: FloatArray,
    width: Width,
    rng: np.random.Generator,
    *,
    probability: float,
    eta: float,
    bounds: Bounds | None = None,
) -> FloatArray:
    """Each gene moves with this probability by at most its range, mostly by little (Deb and Goyal 1996).

    With finite bounds the range is the box and no child leaves it (Deb's NSGA-II code; DEAP's mutPolynomialBounded);
    without, it is `width` to either side.
    """
    chosen = chosen_genes(genomes.shape, probability, rng)
    u = rng.random(genomes.shape)
    if bounds is None or not np.all(np.isfinite(bounds.high - bounds.low)):
        return np.where(chosen, genomes + width * polynomial_step(u, eta), genomes)
    return np.where(chosen, genomes + bounded_polynomial_step(genomes, u, eta, bounds), genomes)


def polynomial_step(u: FloatArray, eta: float) -> FloatArray:
    """Steps in [-1, 1] from uniform numbers `u` in [0, 1) (Deb and Goyal 1996, eq. 4)."""
    power = 1.0 / (eta + 1.0)
    return np.where(u < 0.5, (2.0 * u) ** power - 1.0, 1.0 - (2.0 * (1.0 - u)) ** power)


def bounded_polynomial_step(genomes: FloatArray, u: FloatArray, eta: float, bounds: Bounds) -> FloatArray:
    """Steps that keep `(m, n_genes)` genomes inside finite bounds, from uniform numbers `u` of that shape."""
    span = bounds.high - bounds.low
    power = 1.0 / (eta + 1.0)
    below = 1.0 - (genomes - bounds.low) / span
    above = 1.0 - (bounds.high - genomes) / span
    down = (2.0 * u + np.maximum(1.0 - 2.0 * u, 0.0) * below ** (eta + 1.0)) ** power - 1.0
    up = 1.0 - (2.0 * (1.0 - u) + np.maximum(2.0 * u - 1.0, 0.0) * above ** (eta + 1.0)) ** power
    return np.where(u < 0.5, down, up) * span


def uniform_reset(
    genomes: FloatArray, _width: Width, rng: np.random.Generator, *, probability: float, low: Width, high: Width
) -> FloatArray:
    """Each gene is drawn anew from U(low, high) with this probability (Michalewicz 1992, uniform mutation)."""
    chosen = chosen_genes(genomes.shape, probability, rng)
    return np.where(chosen, rng.uniform(low, high, genomes.shape), genomes)


def chosen_genes(shape: tuple[int, ...], probability: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which genes mutate. Single precision halves the cost and moves the probability by less than 1e-7."""
    return rng.random(shape, dtype=np.float32) < np.float32(probability)

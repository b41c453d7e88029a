"""Crossover operators: two children from two parents.

All have the form `mate(first, second, rng, **options) -> (first_children, second_children)`: row i of the parents
`(m, n_genes)` makes row i of the children, which are new arrays.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from neuroevo.strategies.bounds import FloatArray

Children: TypeAlias = tuple[FloatArray, FloatArray]


def one_point(first: FloatArray, second: FloatArray, rng: np.random.Generator) -> Children:
    """The genes from a random cut on change places (Holland 1975)."""
    m, n_genes = first.shape
    if n_genes == 1:
        return first.copy(), second.copy()
    cut = rng.integers(1, n_genes, (m, 1))
    return swap(first, second, np.arange(n_genes) >= cut)


def two_point(first: FloatArray, second: FloatArray, rng: np.random.Generator) -> Children:
    """The genes between two different cuts change places (De Jong 1975; the cuts drawn as in DEAP's cxTwoPoint)."""
    m, n_genes = first.shape
    if n_genes == 1:
        return first.copy(), second.copy()
    one = rng.integers(1, n_genes + 1, (m, 1))
    other = rng.integers(1, n_genes, (m, 1))
    other += other >= one
    gene = np.arange(n_genes)
    return swap(first, second, (gene >= np.minimum(one, other)) & (gene < np.maximum(one, other)))


def uniform(first: FloatArray, second: FloatArray, rng: np.random.Generator, *, probability: float = 0.5) -> Children:
    """Each gene changes places with this probability (Syswerda 1989)."""
    return swap(first, second, rng.random(first.shape) < probability)


def unit(
    first: FloatArray,
    second: FloatArray,
    rng: np.random.Generator,
    *,
    units: NDArray[np.int64],
    probability: float = 0.5,
) -> Children:
    """Each unit changes places with this probability, all its incoming weights and its bias together.

    Montana and Davis 1989, "Training feedforward neural networks using genetic algorithms", their crossover of nodes.

    Args:
        first: `(m, n_genes)` parents.
        second: `(m, n_genes)` parents.
        rng: Where the choices come from.
        units: `(n_genes,)`, the number of the unit that each gene belongs to.
        probability: Of a unit's changing places.
    """
    chosen = rng.random((len(first), int(units.max()) + 1)) < probability
    return swap(first, second, chosen[:, units])


def arithmetic(first: FloatArray, second: FloatArray, rng: np.random.Generator) -> Children:
    """Both children lie on the line between the parents, at a random place (Michalewicz 1992)."""
    return mix(first, second, rng.random((len(first), 1)))


def intermediate(first: FloatArray, second: FloatArray, _rng: np.random.Generator) -> Children:
    """Both children are the mean of the parents; what sets them apart is mutation (Schwefel 1981)."""
    mean = (first + second) / 2
    return mean, mean.copy()


def blend(first: FloatArray, second: FloatArray, rng: np.random.Generator, *, alpha: float = 0.5) -> Children:
    """Each gene lies at a random place between the parents' or up to `alpha` of their distance beyond.

    BLX-alpha, Eshelman and Schaffer 1993; as in DEAP's cxBlend the two children mirror each other.
    """
    return mix(first, second, (1.0 + 2.0 * alpha) * rng.random(first.shape) - alpha)


def simulated_binary(first: FloatArray, second: FloatArray, rng: np.random.Generator, *, eta: float = 2.0) -> Children:
    """Each gene is spread about the parents' mean as one-point crossover spreads binary numbers (Deb and Agrawal 1995).

    The larger `eta`, the nearer the children are to the parents.
    """
    return spread(first, second, rng.random(first.shape), eta)


def swap(first: FloatArray, second: FloatArray, swapped: NDArray[np.bool_]) -> Children:
    """Children with the genes marked in `swapped` `(m, n_genes)` exchanged."""
    return np.where(swapped, second, first), np.where(swapped, first, second)


def mix(first: FloatArray, second: FloatArray, gamma: FloatArray) -> Children:
    """Children (1 - gamma) first + gamma second, and the other way round."""
    shift = second - first
    shift *= gamma
    return first + shift, second - shift


def spread(first: FloatArray, second: FloatArray, u: FloatArray, eta: float) -> Children:
    """Simulated binary crossover from uniform numbers `u` in [0, 1) (Deb and Agrawal 1995, eq. 9)."""
    beta = np.where(u <= 0.5, 2.0 * u, 1.0 / (2.0 * (1.0 - u))) ** (1.0 / (eta + 1.0))
    mean = 0.5 * (first + second)
    half = (0.5 * beta) * (first - second)
    return mean + half, mean - half

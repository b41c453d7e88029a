"""Simulated binary crossover and polynomial mutation, for genes with bounds and without.

References:
    K. Deb, R. B. Agrawal: Simulated binary crossover for continuous search space. Complex Systems 9 (1995), 115-148.
    K. Deb, M. Goyal: A combined genetic adaptive search (GeneAS) for engineering design. Computer Science and
    Informatics 26 (1996), 30-45: polynomial mutation.
    The forms for genes with bounds are those of the authors' program, which is NSGA-II of 2002.
"""

from __future__ import annotations

import numpy as np

from neuroevo.strategies.bounds import Bounds, FloatArray

_NEAR = 1e-14
"""Genes of two parents that are no further apart are not crossed."""


def crossed(
    first: FloatArray, second: FloatArray, index: float, rng: np.random.Generator, bounds: Bounds | None = None
) -> tuple[FloatArray, FloatArray]:
    """Two children of each pair of parents ``(n, n_genes)``: half of the genes are crossed, half of these change sides.

    Args:
        first: One parent of each pair.
        second: The other.
        index: eta_c; the larger, the nearer are children to their parents.
        rng: Where the numbers come from.
        bounds: The box that parents and children lie in.
    """
    taken, swapped, u = rng.random(first.shape) < 0.5, rng.random(first.shape) < 0.5, rng.random(first.shape)
    low, high = np.minimum(first, second), np.maximum(first, second)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        apart = high - low
        below = _spread(u, np.inf if bounds is None else (low - bounds.low) / apart, index)
        above = _spread(u, np.inf if bounds is None else (bounds.high - high) / apart, index)
        children = 0.5 * (low + high) - 0.5 * below * apart, 0.5 * (low + high) + 0.5 * above * apart
    taken &= (apart > _NEAR) & np.isfinite(children[0]) & np.isfinite(children[1])
    children = np.where(swapped, *children), np.where(swapped, *children[::-1])
    found = np.where(taken, children[1], first), np.where(taken, children[0], second)
    return found if bounds is None else (bounds.clip(found[0]), bounds.clip(found[1]))


def _spread(u: FloatArray, room: FloatArray | float, index: float) -> FloatArray:
    """beta_q: how far apart children are, parents being 1 apart and so many times that from the bound."""
    alpha = 2.0 - (1.0 + 2.0 * np.asarray(room)) ** -(index + 1.0)
    inside = u * alpha
    return np.where(inside <= 1.0, inside, 1.0 / np.maximum(2.0 - inside, np.finfo(np.float64).tiny)) ** (
        1.0 / (index + 1.0)
    )


def mutated(
    genomes: FloatArray, rate: float, index: float, span: float, rng: np.random.Generator, bounds: Bounds | None = None
) -> FloatArray:
    """Genomes ``(n, n_genes)`` some of whose genes are mutated.

    Args:
        genomes: What is mutated.
        rate: The probability of each gene.
        index: eta_m; the larger, the smaller are the steps.
        span: The largest step of genes without bounds on both sides.
        rng: Where the numbers come from.
        bounds: The box that genomes lie in and stay in.
    """
    found = genomes.copy()
    at = np.nonzero(rng.random(genomes.shape) < rate)
    u, genes = rng.random(len(at[0])), genomes[at]
    width, below, above = np.full(u.shape, span), np.ones(u.shape), np.ones(u.shape)
    if bounds is not None:
        low, high = bounds.low[at[1]], bounds.high[at[1]]
        width = np.where(np.isfinite(high - low), high - low, span)
        below, above = np.minimum((genes - low) / width, 1.0), np.minimum((high - genes) / width, 1.0)
    power = index + 1.0
    # The half of u that is not used would lie beyond what can be raised to a power.
    lower, upper = np.minimum(2.0 * u, 1.0), np.minimum(2.0 - 2.0 * u, 1.0)
    down = (lower + (1.0 - lower) * (1.0 - below) ** power) ** (1.0 / power) - 1.0
    up = 1.0 - (upper + (1.0 - upper) * (1.0 - above) ** power) ** (1.0 / power)
    found[at] = genes + np.where(u < 0.5, down, up) * width
    return found if bounds is None else bounds.clip(found)

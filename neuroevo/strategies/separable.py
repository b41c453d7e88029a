"""What strategies share that sample a normal distribution with a width for each gene."""

from __future__ import annotations

from math import erfc
from typing import Any

import numpy as np

from neuroevo.strategies.base import Strategy
from neuroevo.strategies.bounds import Bounds, FloatArray

SQRT2 = float(np.sqrt(2.0))
_LONGEST = 3
"""Of an immigrant's step, in widths: far ones would throw the widths off."""
_NEAREST = 100
"""Genes whose way to another value counts."""


def sampled(
    mean: FloatArray, width: FloatArray, steps: FloatArray, immigrants: FloatArray, bounds: Bounds | None
) -> FloatArray:
    """``(n, n_genes)``: the genomes mean + width * steps, the first of them replaced by immigrants.

    Args:
        mean: ``(n_genes,)``.
        width: ``(n_genes,)``, standard deviations.
        steps: ``(n, n_genes)``, standard normal; those of the immigrants' places become the immigrants' own.
        immigrants: ``(m, n_genes)``, m at most n.
        bounds: The box that genomes are reflected into.
    """
    genomes = mean + width * steps
    if bounds is not None:
        genomes = bounds.reflect(genomes)
    m = len(immigrants)
    if m:
        genomes[:m] = immigrants
        steps[:m] = np.clip((immigrants - mean) / width, -_LONGEST, _LONGEST)
    return genomes


def widening(strategy: Strategy[Any], mean: FloatArray, widths: FloatArray, n_samples: int) -> float:
    """The factor, 1 or more, that keeps a distribution above the grid that genes stand for.

    A generation is expected to have at least one gene that stands for another value than the mean's: where all samples
    are one and the same network, no error tells a strategy anything, and it would stay there. For one sample and gene
    that is the marginal probability that Hamano, Saito, Nomura and Shirakawa 2022, "CMA-ES with margin", GECCO
    (https://arxiv.org/abs/2205.13482), bound from below.

    Args:
        strategy: Whose `margin` says how far genes are from other values; without one the factor is 1.
        mean: ``(n_genes,)``, of the distribution.
        widths: ``(n_genes,)``, standard deviations.
        n_samples: Of a generation.
    """
    margin = None if strategy.margin is None else strategy.margin(mean)
    if margin is None or not (margin > 0).any():
        return 1.0
    on_grid = margin > 0
    # The far ones add next to nothing.
    steps = np.sort(margin[on_grid] / np.maximum(widths[on_grid], 1e-300))[:_NEAREST]

    def reaches(factor: float) -> bool:
        return n_samples * sum(0.5 * erfc(step / factor / SQRT2) for step in steps.tolist()) >= 1.0

    if reaches(1.0):
        return 1.0
    low, high = 1.0, max(1.0, float(steps[0]))
    while not reaches(high):
        low, high = high, 2 * high
    while high > 1.001 * low:
        middle = float(np.sqrt(low * high))
        low, high = (low, middle) if reaches(middle) else (middle, high)
    return high

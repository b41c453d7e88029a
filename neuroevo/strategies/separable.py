"""What strategies share that sample a normal distribution with a width for each gene."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np

from neuroevo.strategies.base import Strategy
from neuroevo.strategies.bounds import Bounds, FloatArray

_LONGEST = 3
"""Of an immigrant's step, in widths: far ones would throw the widths off."""


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


def least_width(strategy: Strategy[Any], mean: FloatArray, n_samples: int) -> FloatArray | None:
    """``(n_genes,)``: the smallest useful widths where genes stand for values of a grid; None where they do not.

    A gene in the middle of its cell leaves it with the probability 1 / (n_genes n_samples), so that one gene of a
    generation is expected to; the smallest marginal probability of Hamano, Saito, Nomura and Shirakawa 2022, "CMA-ES
    with margin", GECCO (https://arxiv.org/abs/2205.13482), with its recommended alpha.
    """
    spacing = None if strategy.spacing is None else strategy.spacing(mean)
    if spacing is None:
        return None
    return spacing / 2 / -NormalDist().inv_cdf(0.5 / (strategy.n_genes * n_samples))


def enlargement(deviations: FloatArray, least: FloatArray | None) -> float:
    """By what a distribution is to be enlarged as a whole, so that its widths have the least ones in the mean square.

    Args:
        deviations: ``(n_genes,)``, standard deviations.
        least: ``(n_genes,)``, from `least_width`.
    """
    held = None if least is None else least > 0
    if held is None or least is None or not held.any():
        return 1.0
    share = float(np.sqrt(np.square(deviations[held] / least[held]).mean()))
    return max(1.0, 1.0 / max(share, 1e-300))

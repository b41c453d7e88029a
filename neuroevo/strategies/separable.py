"""What strategies share that sample a normal distribution with a width for each gene."""

from __future__ import annotations

import numpy as np

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

"""Where and how wide a search distribution starts: a centre and a scale for every gene.

Strategies that adapt a normal distribution (CMA-ES, SNES) start at the origin, where every network is silent, and about
as wide as the weights of a working network are spread: with a layout that is the standard deviation of Glorot's start,
without one it is 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuroevo.strategies.bounds import Bounds, FloatArray

if TYPE_CHECKING:
    from neuroevo.networks import GenomeLayout


def gene_scale(n_genes: int, layout: GenomeLayout | None, bounds: Bounds | None) -> FloatArray:
    """`(n_genes,)` standard deviations to start with.

    With a layout sqrt(2 / (fan in + fan out)) (Glorot and Bengio 2010, eq. 16); at most a third of the width of the
    box, pycma's rule.
    """
    scale = np.ones(n_genes)
    if layout is not None:
        scale = np.sqrt(2.0 / (layout.fan_in + layout.fan_out)) * layout.start_scale
    return scale if bounds is None else np.minimum(scale, (bounds.high - bounds.low) / 3)


def search_centre(n_genes: int, initial: FloatArray | None, bounds: Bounds | None) -> FloatArray:
    """`(n_genes,)` first mean: the centre of the given genomes, else 0, or the middle of a box that leaves 0 out."""
    if initial is not None and len(initial):
        return np.asarray(initial.mean(axis=0))
    centre = np.zeros(n_genes)
    if bounds is None:
        return centre
    closed = np.isfinite(bounds.low) & np.isfinite(bounds.high)
    middle = np.where(closed, bounds.low, 0.0) / 2 + np.where(closed, bounds.high, 0.0) / 2
    outside = (bounds.low >= 0) | (bounds.high <= 0)
    return np.clip(np.where(outside & closed, middle, centre), bounds.low, bounds.high)

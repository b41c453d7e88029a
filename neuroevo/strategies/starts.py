"""Initial populations by name.

- `uniform`: every gene from U(-width, width).
- `gaussian`: every gene from N(0, width^2).
- `glorot`: every gene from U(-a, a) with a = width sqrt(6 / (fan in + fan out)) of the array that it is in (Glorot and
  Bengio 2010, https://proceedings.mlr.press/v9/glorot10a.html, eq. 16; width 1 is theirs).
- `orthogonal`: as glorot, with every square recurrent matrix a random orthogonal one times width (Saxe, McClelland and
  Ganguli 2014, https://arxiv.org/abs/1312.6120); gated cells get one for each gate.

The last two need the layout. Where there is one, what filters feed back is spread by less, `layout.start_scale`. Bounds
cut the first two down to the box; where zero is outside, the middle of the box takes its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuroevo.errors import BadInput
from neuroevo.machine import one_blas_thread
from neuroevo.strategies.bounds import Bounds, FloatArray

if TYPE_CHECKING:
    from neuroevo.networks import GenomeLayout
    from neuroevo.strategies.settings import StartSettings


def initial_population(
    settings: StartSettings,
    n: int,
    n_genes: int,
    rng: np.random.Generator,
    *,
    layout: GenomeLayout | None = None,
    initial: FloatArray | None = None,
    bounds: Bounds | None = None,
) -> FloatArray:
    """The first population: `(n, n_genes)` float64.

    Args:
        settings: Name and width of the start.
        n: Genomes wanted.
        n_genes: Length of a genome.
        rng: Where the numbers come from.
        layout: Needed by the starts that are scaled by layer.
        initial: `(m, n_genes)` given genomes: they come first, as they are; where m < n, the rest are copies of them
            in turn with gaussian noise of `initial_width`.
        bounds: The box to stay in.

    Raises:
        ValueError: The start needs a layout and there is none, or no genome is given.
    """
    if initial is not None:
        return _around(initial, n, settings.initial_width, rng, bounds)
    # What is fed back within a filter begins near 0 whatever the start, so that filters are stable at first.
    width = settings.start_width * (np.ones(n_genes) if layout is None else layout.start_scale)
    if settings.start == "uniform":
        centre, low, high = box(n_genes, width, bounds)
        return rng.uniform(low, high, (n, n_genes))
    if settings.start == "gaussian":
        centre, _, _ = box(n_genes, width, bounds)
        return _kept(centre + width * rng.standard_normal((n, n_genes)), bounds)
    if layout is None:
        raise BadInput(
            f"start = {settings.start!r} scales genes by layer and needs layout=network.layout; "
            "without a layout use 'uniform' or 'gaussian'"
        )
    genomes = _glorot(n, layout, width, rng)
    if settings.start == "orthogonal":
        _make_orthogonal(genomes, layout, settings.start_width, rng)
    return _kept(genomes, bounds)


def _around(given: FloatArray, n: int, width: float, rng: np.random.Generator, bounds: Bounds | None) -> FloatArray:
    if len(given) == 0:
        raise BadInput("initial has no genome; give at least one row or leave it out")
    genomes = given[np.arange(n) % len(given)]
    n_more = max(0, n - len(given))
    if n_more:
        genomes[len(given) :] += width * rng.standard_normal((n_more, given.shape[1]))
    return _kept(genomes, bounds)


def box(n_genes: int, width: float | FloatArray, bounds: Bounds | None) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Centre, low and high, each `(n_genes,)`, of a start of this half-width that stays within the bounds."""
    centre = np.zeros(n_genes)
    if bounds is None:
        return centre, centre - width, centre + width
    inside = (bounds.low < 0) & (bounds.high > 0)
    # An open side leaves no middle; the start then lies against the closed side.
    low = np.where(np.isfinite(bounds.low), bounds.low, bounds.high - 2 * width)
    high = np.where(np.isfinite(bounds.high), bounds.high, bounds.low + 2 * width)
    centre = np.where(inside, 0.0, 0.5 * (np.where(inside, 0.0, low) + np.where(inside, 0.0, high)))
    return centre, np.maximum(bounds.low, centre - width), np.minimum(bounds.high, centre + width)


def _kept(genomes: FloatArray, bounds: Bounds | None) -> FloatArray:
    return genomes if bounds is None else bounds.reflect(genomes)


def _glorot(n: int, layout: GenomeLayout, gain: FloatArray, rng: np.random.Generator) -> FloatArray:
    limit = gain * np.sqrt(6.0 / (layout.fan_in + layout.fan_out))
    return rng.uniform(-limit, limit, (n, layout.n_genes))


def _make_orthogonal(genomes: FloatArray, layout: GenomeLayout, gain: float, rng: np.random.Generator) -> None:
    """Overwrite the recurrent genes of `(n, n_genes)` genomes in place."""
    slot = 0
    for role, shape in zip(layout.roles, layout.shapes, strict=True):
        size = int(np.prod(shape))
        genes = layout.slots[slot : slot + size]
        slot += size
        if role != "recurrent" or len(shape) != 2 or shape[0] % shape[1]:
            continue
        n_blocks, side = shape[0] // shape[1], shape[1]
        matrices = gain * _orthogonal(len(genomes) * n_blocks, side, rng)
        free = genes >= 0
        genomes[:, genes[free]] = matrices.reshape(len(genomes), size)[:, free]


def _orthogonal(n: int, side: int, rng: np.random.Generator) -> FloatArray:
    """`(n, side, side)`: uniform among the orthogonal matrices, by QR with positive diagonal of R (Mezzadri 2007)."""
    with one_blas_thread():
        q, r = np.linalg.qr(rng.standard_normal((n, side, side)))
    return q * np.where(np.diagonal(r, axis1=1, axis2=2) < 0, -1.0, 1.0)[:, np.newaxis, :]

"""The two matrix products of a backward step on register tiles, for weights in the order of `packing.unit_blocks`.

Errors go from units to sources by the transposed matrix: a tile is 4 sources x 4 sequences or 8 x 1, and its chains
run over the units in order. The gradient of the weights is the product of deltas and sources over a block of steps: a
tile is 4 units x 4 sources, and its chains run over the steps of a span and in each over its sequences. So the shape of
a tile never shows in a result.
"""

from __future__ import annotations

from typing import NamedTuple

from neuroevo.kernels.cells.base import Rows
from neuroevo.kernels.compilation import called, inlined
from neuroevo.kernels.processor import BLOCK_UNITS, TILE_SEQUENCES
from neuroevo.kernels.tiles import (
    count,
    number_of,
    tile_add_wide,
    tile_fma_apart,
    tile_load,
    tile_outer,
    tile_store,
    tile_zero,
)
from neuroevo.kernels.vectors import add_wide, broadcast, lanes, load, store


class Matrix(NamedTuple):
    """Some columns of a matrix of packed weights.

    Attributes:
        w: Element of the first weight of the whole matrix, its biases included.
        n_sources: Sources of a unit, the bias included.
        first: The first source concerned; 0 is the bias.
    """

    w: int
    n_sources: int
    first: int


@inlined
def _transposed_tile(memory, matrix, units, out, add, rows, columns):
    """Sums for as many sources as the tile has rows, into memory rows from `out` on."""
    width, stride = lanes(memory.weights), memory.stride
    zero = tile_zero(memory.values, rows, columns)
    tile = tile_load(memory.values, out, stride, rows, columns) if add else zero
    w, at = matrix.w, units.at
    n_left = units.n
    while n_left > 0:
        block = min(BLOCK_UNITS, n_left)
        apart = block * width
        here = w + matrix.first * apart
        for _ in range(block):
            tile = tile_fma_apart(tile, memory.weights, here, apart, memory.values, at)
            here += width
            at += stride
        w += matrix.n_sources * apart
        n_left -= block
    tile_store(tile, memory.values, out, stride)


@inlined
def transposed_sums(memory, matrix, units, out, add, columns):
    """The rows `out` as sums over `units` of weight times row: errors on their way back to the sources of a layer.

    Args:
        memory: `Memory`.
        matrix: `Matrix`, whose first source belongs to the first row of `out`.
        units: `Rows` of deltas.
        out: `Rows`, written, or added to where `add` is true.
        add: Whether the sums begin with what stands there.
        columns: `Count` of sequences.
    """
    at, n_left, first = out.at, out.n, matrix.first
    if number_of(columns) == 1:
        # A single sequence needs more sources for as many sums as hide the latency of a multiply-add.
        while n_left >= 8:
            _transposed_tile(memory, Matrix(matrix.w, matrix.n_sources, first), units, at, add, count(8), columns)
            at, n_left, first = at + 8 * memory.stride, n_left - 8, first + 8
    while n_left >= 4:
        _transposed_tile(memory, Matrix(matrix.w, matrix.n_sources, first), units, at, add, count(4), columns)
        at, n_left, first = at + 4 * memory.stride, n_left - 4, first + 4
    if n_left >= 2:
        _transposed_tile(memory, Matrix(matrix.w, matrix.n_sources, first), units, at, add, count(2), columns)
        at, n_left, first = at + 2 * memory.stride, n_left - 2, first + 2
    if n_left == 1:
        _transposed_tile(memory, Matrix(matrix.w, matrix.n_sources, first), units, at, add, count(1), columns)


class Walk(NamedTuple):
    """Two rows on their way through the steps of a span.

    Attributes:
        delta: Element of the first delta's row at the first step.
        delta_step: Elements to that of the next step.
        source: Element of the first source's row at the first step.
        source_step: Elements to that of the next step.
        n_steps: Steps.
        n_columns: Sequences.
    """

    delta: int
    delta_step: int
    source: int
    source_step: int
    n_steps: int
    n_columns: int


@inlined
def _outer_tile(memory, walk, gradient, w, apart, rows, columns):
    """The gradient of a tile of weights: rows are units, whose weights lie side by side; columns sources, `apart`."""
    values, width = memory.values, lanes(memory.values)
    tile = tile_zero(values, rows, columns)
    delta, source = walk.delta, walk.source
    for _ in range(walk.n_steps):
        for c in range(0, walk.n_columns * width, width):
            tile = tile_outer(tile, values, delta + c, source + c, memory.stride)
        delta += walk.delta_step
        source += walk.source_step
    tile_add_wide(tile, gradient, w, width, apart)


@inlined
def outer_row(memory, walk, gradient, w, apart, n_sources, rows):
    """The gradient of the weights from all sources to as many units as a tile has rows."""
    step = memory.stride * TILE_SEQUENCES
    while n_sources >= TILE_SEQUENCES:
        _outer_tile(memory, walk, gradient, w, apart, rows, count(TILE_SEQUENCES))
        walk = _moved(walk, step)
        w += TILE_SEQUENCES * apart
        n_sources -= TILE_SEQUENCES
    while n_sources > 0:
        _outer_tile(memory, walk, gradient, w, apart, rows, count(1))
        walk = _moved(walk, memory.stride)
        w += apart
        n_sources -= 1


@inlined
def _moved(walk, by):
    return Walk(walk.delta, walk.delta_step, walk.source + by, walk.source_step, walk.n_steps, walk.n_columns)


@called
def outer_products(memory, matrix, units, sources, span, gradient):
    """Add to the gradient what the steps of a span contribute to the weights from `sources` to `units`.

    Args:
        memory: `Memory`.
        matrix: `Matrix`, whose first source is the first row of `sources`.
        units: `Rows` of deltas at the first step.
        sources: `Rows` of sources at the first step.
        span: `adjoints.Span`.
        gradient: View, float64, of the packed weights' gradient.
    """
    width, stride = lanes(memory.values), memory.stride
    w, delta, n_left = matrix.w, units.at, units.n
    while n_left > 0:
        block = min(BLOCK_UNITS, n_left)
        apart = block * width
        here, n_rows = w + matrix.first * apart, block
        while n_rows > 0:
            walk = Walk(delta, span.deltas_size, sources.at, span.size, span.n_steps, span.n_columns)
            if n_rows >= 4:
                outer_row(memory, walk, gradient, here, apart, sources.n, count(4))
                here, delta, n_rows = here + 4 * width, delta + 4 * stride, n_rows - 4
            else:
                outer_row(memory, walk, gradient, here, apart, sources.n, count(1))
                here, delta, n_rows = here + width, delta + stride, n_rows - 1
        w += matrix.n_sources * apart
        n_left -= block


@called
def delta_sums(memory, deltas, span, gradient, w, apart):
    """Add the sums of deltas over the steps of a span: the gradient of biases, `apart` from unit to unit."""
    values, width = memory.values, lanes(memory.values)
    for u in range(deltas.n):
        total, at = broadcast(values, 0.0), deltas.at + u * memory.stride
        for _ in range(span.n_steps):
            for c in range(0, span.n_columns * width, width):
                total = total + load(values, at + c)
            at += span.deltas_size
        add_wide(total, gradient, w + u * apart)


@called
def bias_sums(memory, matrix, units, span, gradient):
    """Add the gradient of the biases of a matrix in unit blocks."""
    width = lanes(memory.values)
    w, at, n_left = matrix.w, units.at, units.n
    while n_left > 0:
        block = min(BLOCK_UNITS, n_left)
        delta_sums(memory, Rows(at, block), span, gradient, w, width)
        w += matrix.n_sources * block * width
        at += block * memory.stride
        n_left -= block


@called
def zero_rows(memory, rows, n_columns):
    """Set rows to zero in the first columns."""
    width = lanes(memory.values)
    for at in range(rows.at, rows.at + rows.n * memory.stride, memory.stride):
        for k in range(at, at + n_columns * width, width):
            store(memory.values, k, broadcast(memory.values, 0.0))

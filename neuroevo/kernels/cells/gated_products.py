"""The two matrix products of a backward step for units whose gates lie side by side: `[unit][source][gate]`.

As in `products`: errors go to sources in tiles of 4 sources x 4 sequences, whose chains run over the units and in each
over its gates; the gradient of a unit's gates comes in tiles of gates x 4 sources, whose chains run over the steps of a
span and in each over its sequences.
"""

from __future__ import annotations

from typing import NamedTuple

from neuroevo.kernels.compilation import called, inlined
from neuroevo.kernels.products import Walk, outer_row
from neuroevo.kernels.tiles import count, number_of, tile_fma_apart, tile_load, tile_store, tile_zero
from neuroevo.kernels.vectors import add_wide, broadcast, lanes, load

UNITS_AT_ONCE = 16
"""Units whose deltas, of 4 sequences, stay in the first-level cache while the sums of all sources go over them."""


class Gated(NamedTuple):
    """Weights from some sources to all units of a layer, gate by gate side by side.

    Attributes:
        w: Element of the first of them.
        per_unit: Elements from unit to unit.
        deltas: Row of the first unit's first gate that is concerned, as an element.
        n_rows: Rows of deltas from unit to unit.
        n_units: Units.
    """

    w: int
    per_unit: int
    deltas: int
    n_rows: int
    n_units: int


@inlined
def _transposed_tile(memory, gated, out, gates, add, rows, columns):
    width, stride = lanes(memory.values), memory.stride
    begun = memory.values
    tile = tile_load(begun, out, stride, rows, columns) if add else tile_zero(begun, rows, columns)
    apart = number_of(gates) * width
    w, at = gated.w, gated.deltas
    for _ in range(gated.n_units):
        here, delta = w, at
        for _ in range(number_of(gates)):
            tile = tile_fma_apart(tile, memory.weights, here, apart, memory.values, delta)
            here, delta = here + width, delta + stride
        w, at = w + gated.per_unit, at + gated.n_rows * stride
    tile_store(tile, memory.values, out, stride)


@inlined
def transposed(memory, gated, out, gates, add, columns):
    """The rows `out`, of sources, as sums of weight times delta over units and their `gates` (a `Count`)."""
    for first in range(0, gated.n_units, UNITS_AT_ONCE):
        w, deltas = gated.w + first * gated.per_unit, gated.deltas + first * gated.n_rows * memory.stride
        some = Gated(w, gated.per_unit, deltas, gated.n_rows, min(UNITS_AT_ONCE, gated.n_units - first))
        _transposed_of_units(memory, some, out, gates, add or first > 0, columns)


@inlined
def _transposed_of_units(memory, gated, out, gates, add, columns):
    at, n_left, w = out.at, out.n, gated.w
    apart = number_of(gates) * lanes(memory.values)
    while n_left > 0:
        some = Gated(w, gated.per_unit, gated.deltas, gated.n_rows, gated.n_units)
        n_done = 1
        if number_of(columns) == 1 and n_left >= 8:
            # A single sequence needs more sources for as many sums as hide the latency of a multiply-add.
            _transposed_tile(memory, some, at, gates, add, count(8), columns)
            n_done = 8
        elif n_left >= 4:
            _transposed_tile(memory, some, at, gates, add, count(4), columns)
            n_done = 4
        else:
            _transposed_tile(memory, some, at, gates, add, count(1), columns)
        at, n_left, w = at + n_done * memory.stride, n_left - n_done, w + n_done * apart


@called
def gradient_of_sources(memory, gated, sources, gates, span, gradient):
    """Add the gradient of the weights from the rows `sources` to all units of a layer."""
    apart = number_of(gates) * lanes(memory.values)
    w, delta = gated.w, gated.deltas
    for _ in range(gated.n_units):
        walk = Walk(delta, span.deltas_size, sources.at, span.size, span.n_steps, span.n_columns)
        outer_row(memory, walk, gradient, w, apart, sources.n, gates)
        w, delta = w + gated.per_unit, delta + gated.n_rows * memory.stride


@called
def gradient_of_biases(memory, gated, gates, span, gradient):
    """Add the gradient of the biases: the sums of deltas over the steps of a span."""
    values, width, stride = memory.values, lanes(memory.values), memory.stride
    w, delta = gated.w, gated.deltas
    for _ in range(gated.n_units):
        for gate in range(number_of(gates)):
            total, at = broadcast(values, 0.0), delta + gate * stride
            for _ in range(span.n_steps):
                for c in range(0, span.n_columns * width, width):
                    total = total + load(values, at + c)
                at += span.deltas_size
            add_wide(total, gradient, w + gate * width)
        w, delta = w + gated.per_unit, delta + gated.n_rows * stride

"""Elman, Jordan and leaky (continuous-time) networks: every unit sees all inputs and all that is fed back.

h = f(W x + U r + b), where r are the units of the previous step (Elman, leaky) or the outputs of the previous step
(Jordan); a leaky unit moves by a share a of the way, h += a (f(...) - h). Layers are stacked, x of an upper layer
being h of the one below.

Each sum is one chain of multiply-adds: the bias, the sources from below in order, the sources fed back in order.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroevo.kernels.activations import TANH, activate, logistic, tanh_constants, tanh_with
from neuroevo.kernels.cells import fill_rows, is_cell, prepare, start, step
from neuroevo.kernels.compilation import called, implements, inlined
from neuroevo.kernels.packing import Order, plain_order, unit_blocks
from neuroevo.kernels.processor import BLOCK_UNITS
from neuroevo.kernels.tiles import count, number_of, tile_fma, tile_from, tile_map, tile_store
from neuroevo.kernels.vectors import fma, lanes, load, store


class Dense(NamedTuple):
    """The shape of a dense network in numbers."""

    n_inputs: int
    n_hidden: int
    n_outputs: int
    n_layers: int
    n_fed_back: int
    """Sources that are fed back: n_hidden, or n_outputs of a Jordan network."""
    is_jordan: int
    activation: int
    output_activation: int
    leaky: int
    initial_state: int


def dense_order(cell: Dense, arrays: dict[str, NDArray[np.int64]]) -> Order:
    """The order of slots that the kernel reads: layers, read-out, leak genes, initial states.

    Args:
        cell: The shape.
        arrays: The slots of each weight array, in its shape.
    """
    layers = range(cell.n_layers)
    pieces = [
        unit_blocks(np.column_stack([arrays[f"bias_l{k}"], arrays[f"weight_ih_l{k}"], arrays[f"weight_hh_l{k}"]]))
        for k in layers
    ]
    pieces.append(unit_blocks(np.column_stack([arrays["bias_out"], arrays["weight_out"]])))
    if cell.leaky:
        pieces += [arrays[f"time_constant_l{k}"] for k in layers]
    if cell.initial_state:
        pieces += [arrays[f"initial_state_l{k}"] for k in layers]
    return plain_order(pieces)


@inlined
def _tile(weights, w, per_source, values, s, n_below, r, n_back, stride, o, constants, squash, rows, columns):
    """Sums of the units in one tile, squashed by tanh if asked; weights lie `per_source` elements apart by source."""
    tile = tile_from(weights, w, rows, columns)
    w += per_source
    for i in range(n_below):
        tile = tile_fma(tile, weights, w + i * per_source, values, s + i * stride)
    w += n_below * per_source
    for i in range(n_back):
        tile = tile_fma(tile, weights, w + i * per_source, values, r + i * stride)
    if squash:
        # At once, tile by tile, so that the processor overlaps it with the sums of the next tile.
        tile_store(tile_map(tile, tanh_with, constants), values, o, stride)
    else:
        tile_store(tile, values, o, stride)


@inlined
def _block(weights, w, n_units, values, s, n_below, r, n_back, o, stride, constants, squash, columns):
    """Sums of a block of up to 8 units, in tiles of 4, 2 and 1."""
    width = lanes(weights)
    per_source = n_units * width
    while n_units >= 4:
        _tile(weights, w, per_source, values, s, n_below, r, n_back, stride, o, constants, squash, count(4), columns)
        w, o, n_units = w + 4 * width, o + 4 * stride, n_units - 4
    if n_units >= 2:
        _tile(weights, w, per_source, values, s, n_below, r, n_back, stride, o, constants, squash, count(2), columns)
        w, o, n_units = w + 2 * width, o + 2 * stride, n_units - 2
    if n_units == 1:
        _tile(weights, w, per_source, values, s, n_below, r, n_back, stride, o, constants, squash, count(1), columns)


@called
def weighted_sums(weights, w, n_units, values, s, n_below, r, n_back, o, stride, squash, n_tiles, columns):
    """Sums of `n_units` units: values from `s` (n_below rows) and from `r` (n_back rows), written from `o` on.

    With `squash` the hyperbolic tangent of the sums is written.
    """
    constants = tanh_constants(values)
    tile_width = number_of(columns) * lanes(values)
    per_unit = (1 + n_below + n_back) * lanes(weights)
    for u in range(0, n_units, BLOCK_UNITS):
        n = min(BLOCK_UNITS, n_units - u)
        for shift in range(0, n_tiles * tile_width, tile_width):
            _block(
                weights,
                w + u * per_unit,
                n,
                values,
                s + shift,
                n_below,
                r + shift,
                n_back,
                o + u * stride + shift,
                stride,
                constants,
                squash,
                columns,
            )


@called
def _leak(weights, w, values, at_old, at_new, n_units, stride, n_columns):
    """Move each unit from its old value a share of the way to what was computed for it."""
    width = lanes(values)
    for u in range(n_units):
        part = load(weights, w + u * width)
        for k in range(u * stride, u * stride + n_columns * width, width):
            before = load(values, at_old + k)
            store(values, at_new + k, fma(part, load(values, at_new + k) - before, before))


@inlined
def _layer_size(cell, layer):
    """Packed weights of a layer, per lane."""
    n_below = cell.n_inputs if layer == 0 else cell.n_hidden
    return cell.n_hidden * (1 + n_below + cell.n_fed_back)


@inlined
def _extras(cell):
    """Where the weights of layers and read-out end, per lane."""
    upper = (cell.n_layers - 1) * cell.n_hidden * (1 + 2 * cell.n_hidden)
    return _layer_size(cell, 0) + upper + cell.n_outputs * (1 + cell.n_hidden)


@implements(prepare)
def _prepare(cell, weights):
    def turn_genes_into_shares(cell, weights):
        if cell.leaky:
            width = lanes(weights)
            first = _extras(cell) * width
            for w in range(first, first + cell.n_layers * cell.n_hidden * width, width):
                store(weights, w, logistic(load(weights, w)))

    return turn_genes_into_shares if is_cell(cell, Dense) else None


@implements(start)
def _start(cell, weights, values, at, stride, n_columns):
    def start_dense(cell, weights, values, at, stride, n_columns):
        width = lanes(values)
        first = -1
        if cell.initial_state:
            first = (_extras(cell) + (cell.n_layers * cell.n_hidden if cell.leaky else 0)) * width
        if cell.is_jordan:
            fill_rows(weights, first, values, at + cell.n_inputs * stride, stride, cell.n_outputs, n_columns)
            return
        for layer in range(cell.n_layers):
            row = cell.n_inputs + cell.n_outputs + 2 * layer * cell.n_hidden
            w = first + layer * cell.n_hidden * width if cell.initial_state else -1
            fill_rows(weights, w, values, at + row * stride, stride, cell.n_hidden, n_columns)

    return start_dense if is_cell(cell, Dense) else None


@implements(step)
def _step(cell, weights, values, at, stride, t, wanted, n_tiles, columns):
    def step_dense(cell, weights, values, at, stride, t, wanted, n_tiles, columns):
        width, size, n_columns = lanes(values), cell.n_hidden * stride, n_tiles * number_of(columns)
        outputs = at + cell.n_inputs * stride
        units = outputs + cell.n_outputs * stride
        below, n_below, w = at, cell.n_inputs, 0
        share = _extras(cell) * width
        for layer in range(cell.n_layers):
            old = units + (2 * layer + (t & 1)) * size
            new = units + (2 * layer + 1 - (t & 1)) * size
            back = outputs if cell.is_jordan else old
            weighted_sums(
                weights,
                w,
                cell.n_hidden,
                values,
                below,
                n_below,
                back,
                cell.n_fed_back,
                new,
                stride,
                cell.activation == TANH,
                n_tiles,
                columns,
            )
            if cell.activation != TANH:
                activate(cell.activation, values, new, cell.n_hidden, stride, n_columns)
            if cell.leaky:
                _leak(
                    weights, share + layer * cell.n_hidden * width, values, old, new, cell.n_hidden, stride, n_columns
                )
            w += _layer_size(cell, layer) * width
            below, n_below = new, cell.n_hidden
        if wanted or cell.is_jordan:
            weighted_sums(
                weights, w, cell.n_outputs, values, below, n_below, below, 0, outputs, stride, False, n_tiles, columns
            )
            activate(cell.output_activation, values, outputs, cell.n_outputs, stride, n_columns)

    return step_dense if is_cell(cell, Dense) else None

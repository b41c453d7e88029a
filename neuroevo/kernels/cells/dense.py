"""Elman, Jordan and leaky (continuous-time) networks: every unit sees all inputs and all that is fed back.

h = f(W x + U r + b), where r are the units of the previous step (Elman, leaky) or the outputs of the previous step
(Jordan); a leaky unit moves by a share a of the way, h += a (f(...) - h). Layers are stacked, x of an upper layer
being h of the one below. A leaky network may make several such steps in one, with the inputs held; the state then has
a block of units for each, the last one first, since that is the one that later steps see.

Each sum is one chain of multiply-adds: the bias, the sources from below in order, the sources fed back in order; that
of an output the bias, the units, and the inputs where the outputs see them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import types
from numpy.typing import NDArray

from neuroevo.kernels.activations import TANH, activate, logistic, tanh_constants, tanh_with
from neuroevo.kernels.cells.base import Rows, fill_rows, prepare, start, step
from neuroevo.kernels.compilation import implements, inlined, is_kind
from neuroevo.kernels.packing import Order, plain_order, unit_blocks
from neuroevo.kernels.processor import BLOCK_UNITS
from neuroevo.kernels.tiles import count, number_of, tile_fma, tile_from, tile_map, tile_store
from neuroevo.kernels.vectors import broadcast, fma, lanes, load, store


class Dense(NamedTuple):
    """The shape of a dense network in numbers; its state are the units, layer by layer."""

    n_inputs: int
    n_hidden: int
    n_outputs: int
    n_state: int
    n_layers: int
    n_fed_back: int
    """Sources that are fed back: n_hidden, or n_outputs of a Jordan network."""
    is_jordan: int
    activation: int
    output_activation: int
    leaky: int
    initial_state: int
    n_skip: int
    """Inputs that the outputs see too: n_inputs or 0."""
    n_substeps: Any = None
    """Steps of leaky units in one step of the data; None for one, whose code then has no loop."""
    continuous: int = 0
    """1 where the backward step integrates the adjoint equations of continuous time."""


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
    pieces.append(unit_blocks(read_out_rows(arrays)))
    if cell.leaky:
        pieces += [arrays[f"time_constant_l{k}"] for k in layers]
    if cell.initial_state:
        pieces += [arrays[f"initial_state_l{k}"] for k in layers]
    return plain_order(pieces)


def read_out_rows(arrays: dict[str, NDArray[np.int64]]) -> NDArray[np.int64]:
    """``(n_outputs, 1 + n_hidden + n_skip)``: the slots of each output's bias, units and the inputs that it sees."""
    return np.column_stack([arrays[name] for name in ("bias_out", "weight_out", "weight_skip") if name in arrays])


class Sources(NamedTuple):
    """What a unit sums up: rows from below, then rows that are fed back (for an output units, then inputs)."""

    below: Rows
    back: Rows


class Squash(NamedTuple):
    """Whether sums are squashed by tanh at once, and its constants in registers."""

    asked: bool
    constants: Any


@inlined
def _tile(memory, w, per_source, sources, out, squash, rows, columns):
    """Sums of the units in one tile, squashed if asked; weights lie `per_source` elements apart by source."""
    tile = tile_from(memory.weights, w, rows, columns)
    w += per_source
    for i in range(sources.below.n):
        at = sources.below.at + i * memory.stride
        tile = tile_fma(tile, memory.weights, w + i * per_source, memory.values, at)
    w += sources.below.n * per_source
    for i in range(sources.back.n):
        at = sources.back.at + i * memory.stride
        tile = tile_fma(tile, memory.weights, w + i * per_source, memory.values, at)
    if squash.asked:
        # At once, tile by tile, so that the processor overlaps it with the sums of the next tile.
        tile_store(tile_map(tile, tanh_with, squash.constants), memory.values, out, memory.stride)
    else:
        tile_store(tile, memory.values, out, memory.stride)


@inlined
def _block(memory, w, sources, out, squash, columns):
    """Sums of a block of up to 8 units, in tiles of 4, 2 and 1."""
    width, at, n_units = lanes(memory.weights), out.at, out.n
    per_source = n_units * width
    while n_units >= 4:
        _tile(memory, w, per_source, sources, at, squash, count(4), columns)
        w, at, n_units = w + 4 * width, at + 4 * memory.stride, n_units - 4
    if n_units >= 2:
        _tile(memory, w, per_source, sources, at, squash, count(2), columns)
        w, at, n_units = w + 2 * width, at + 2 * memory.stride, n_units - 2
    if n_units == 1:
        _tile(memory, w, per_source, sources, at, squash, count(1), columns)


@inlined
def weighted_sums(memory, w, sources, out, squash, columns):
    """Weighted sums of `sources`, written to the rows `out`; with `squash` their hyperbolic tangents.

    The packed weights begin at element `w`: `unit_blocks` of the bias, the rows from below, the rows fed back.
    """
    hold = Squash(squash, tanh_constants(memory.values))
    per_unit = (1 + sources.below.n + sources.back.n) * lanes(memory.weights)
    for u in range(0, out.n, BLOCK_UNITS):
        rows = Rows(out.at + u * memory.stride, min(BLOCK_UNITS, out.n - u))
        _block(memory, w + u * per_unit, sources, rows, hold, columns)


@inlined
def read_out(cell, memory, w, units, outputs, columns):
    """Outputs of a step: weighted sums of the rows `units`, through the cell's output activation."""
    _read_out(cell, memory, w, Sources(units, Rows(outputs, 0)), outputs, columns)


@inlined
def read_out_skip(cell, memory, w, units, at, columns):
    """As `read_out` at the step `at`, for cells whose outputs see `n_skip` inputs after the units."""
    _read_out(cell, memory, w, Sources(units, Rows(at.inputs, cell.n_skip)), at.new, columns)


@inlined
def _read_out(cell, memory, w, sources, outputs, columns):
    weighted_sums(memory, w, sources, Rows(outputs, cell.n_outputs), False, columns)
    activate(cell.output_activation, memory.values, outputs, cell.n_outputs, memory.stride, number_of(columns))


@inlined
def _leak(memory, w, old, new, n_units, n_columns):
    """Move each unit from its old value a share of the way to what was computed for it."""
    width = lanes(memory.values)
    for u in range(n_units):
        part = load(memory.weights, w + u * width)
        for k in range(u * memory.stride, u * memory.stride + n_columns * width, width):
            before = load(memory.values, old + k)
            store(memory.values, new + k, fma(part, load(memory.values, new + k) - before, before))


@inlined
def _layer_size(cell, layer):
    """Packed weights of a layer, per lane."""
    n_below = cell.n_inputs if layer == 0 else cell.n_hidden
    return cell.n_hidden * (1 + n_below + cell.n_fed_back)


@inlined
def _extras(cell):
    """Where the weights of layers and read-out end, per lane."""
    upper = (cell.n_layers - 1) * cell.n_hidden * (1 + 2 * cell.n_hidden)
    return _layer_size(cell, 0) + upper + cell.n_outputs * (1 + cell.n_hidden + cell.n_skip)


@implements(prepare)
def _prepare(cell, weights):
    def turn_genes_into_shares(cell, weights):
        if cell.leaky:
            width = lanes(weights)
            first = _extras(cell) * width
            for w in range(first, first + cell.n_layers * cell.n_hidden * width, width):
                store(weights, w, logistic(load(weights, w)) / broadcast(weights, substeps(cell)))

    return turn_genes_into_shares if is_kind(cell, Dense) else None


@implements(start)
def _start(cell, memory, at, n_columns):
    def start_dense(cell, memory, at, n_columns):
        w = -1
        if cell.initial_state:
            w = (_extras(cell) + (cell.n_layers * cell.n_hidden if cell.leaky else 0)) * lanes(memory.values)
        # What a network remembers lies together: the outputs of a Jordan network, else the units of all layers.
        units = at + cell.n_outputs * memory.stride
        rows = Rows(at, cell.n_outputs) if cell.is_jordan else Rows(units, cell.n_layers * cell.n_hidden)
        fill_rows(memory, w, rows, n_columns)
        if substeps(cell) > 1:
            others = cell.n_state - rows.n
            fill_rows(memory, -1, Rows(units + rows.n * memory.stride, others), n_columns)

    return start_dense if is_kind(cell, Dense) else None


def substeps(cell):
    """Steps of units in one step of the data."""


@implements(substeps)
def _substeps(cell):
    is_one = isinstance(cell.types[cell.fields.index("n_substeps")], types.NoneType)
    return (lambda cell: 1) if is_one else (lambda cell: cell.n_substeps)


@inlined
def substep_blocks(cell, memory, k):
    """Elements from the first unit in a slot to the block that substep `k` reads (0: of the old slot) and writes."""
    block = cell.n_layers * cell.n_hidden * memory.stride
    return k * block, 0 if k + 1 == substeps(cell) else (k + 1) * block


@implements(step)
def _step(cell, memory, at, wanted, columns):
    def step_dense(cell, memory, at, wanted, columns):
        width, size, n = lanes(memory.values), cell.n_hidden * memory.stride, cell.n_hidden
        below, w = Rows(at.inputs, cell.n_inputs), 0
        for k in range(substeps(cell)):
            read, written = substep_blocks(cell, memory, k)
            old = (at.old if k == 0 else at.new) + cell.n_outputs * memory.stride + read
            new = at.new + cell.n_outputs * memory.stride + written
            below, w, share = Rows(at.inputs, cell.n_inputs), 0, _extras(cell) * width
            for layer in range(cell.n_layers):
                back = Rows(at.old if cell.is_jordan else old, cell.n_fed_back)
                weighted_sums(memory, w, Sources(below, back), Rows(new, n), cell.activation == TANH, columns)
                if cell.activation != TANH:
                    activate(cell.activation, memory.values, new, n, memory.stride, number_of(columns))
                if cell.leaky:
                    _leak(memory, share, old, new, n, number_of(columns))
                below = Rows(new, n)
                w += _layer_size(cell, layer) * width
                old, new, share = old + size, new + size, share + n * width
        if wanted or cell.is_jordan:
            read_out_skip(cell, memory, w, below, at, columns)

    return step_dense if is_kind(cell, Dense) else None

"""Locally recurrent networks: layers whose links, or whose units, are IIR filters.

Every link sees the last values of its source, which lie in the new slot one below the other, so that they are so many
sources of a weighted sum. What filters feed back lies in the old slot. Each sum is one chain of multiply-adds: that of
a link the values of its source from the newest on, then what it feeds back, and the unit adds the bias and its links
in order; where links have no feedback, a unit's is the bias, the values of each source, then what it feeds back.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroevo.kernels.activations import activate
from neuroevo.kernels.cells import Rows, copy_rows, fill_rows, prepare, start, step
from neuroevo.kernels.compilation import implements, inlined, is_kind
from neuroevo.kernels.packing import Order, plain_order, unit_blocks
from neuroevo.kernels.processor import BLOCK_UNITS
from neuroevo.kernels.tiles import (
    count,
    number_of,
    tile_add,
    tile_fma,
    tile_fma_rows,
    tile_from,
    tile_store,
    tile_zero,
)
from neuroevo.kernels.vectors import lanes, peek

NOTHING, SYNAPSE, ACTIVATION, OUTPUT = range(4)
"""What a layer feeds back."""

FEEDBACK = {"synapse": SYNAPSE, "activation": ACTIVATION, "output": OUTPUT}


class LocallyRecurrent(NamedTuple):
    """The layers of a locally recurrent network, the read-out being the last.

    Attributes:
        n_inputs: Inputs.
        n_outputs: Outputs.
        n_state: Rows of all layers.
        n_layers: Layers, the read-out included.
        is_dynamic: Whether the read-out has a state.
        activation: Code.
        output_activation: Code.
        layers: ``(n_layers * 10,)`` int64, the `Layer` of each.
    """

    n_inputs: int
    n_outputs: int
    n_state: int
    n_layers: int
    is_dynamic: int
    activation: int
    output_activation: int
    layers: NDArray[np.int64]


class Layer(NamedTuple):
    """A layer in numbers.

    Attributes:
        n_units: Units N.
        n_sources: Sources M.
        ma: Values of a source that a link sees.
        ar: Values that are fed back.
        feedback: What is fed back, `NOTHING` where `ar` is 0.
        weights: The first packed weight.
        units: Row of a slot with the first unit.
        memory: Row of a slot where what is fed back begins, the newest block first: of SYNAPSE M N rows, source by
            source; of ACTIVATION the N sums; of OUTPUT the N units of the step before, since those of the step are
            units.
        line: Row of a slot where the values of the sources begin, `ma` rows for each source, the newest first; with one
            tap there are none.
        deltas: Row of the deltas of a step where those of the layer begin: of N sums, then of SYNAPSE those of the M N
            links, in the order of `memory`.
    """

    n_units: int
    n_sources: int
    ma: int
    ar: int
    feedback: int
    weights: int
    units: int
    memory: int
    line: int
    deltas: int


def describe_layers(
    sizes: tuple[int, int, int, int],
    taps: tuple[int, int],
    feedback: str,
    is_dynamic: bool,
    codes: tuple[int, int],
) -> LocallyRecurrent:
    """The cell of a network.

    Args:
        sizes: Inputs, hidden units, outputs, hidden layers.
        taps: Moving-average and autoregressive taps.
        feedback: A key of `FEEDBACK`.
        is_dynamic: Whether the read-out has filters.
        codes: Activation of units and of outputs.
    """
    n_inputs, n_hidden, n_outputs, n_layers = sizes
    layers, weights, row, n_sources, deltas = [], 0, n_outputs, n_inputs, 0
    for k in range(n_layers + 1):
        is_out = k == n_layers
        n_units = n_outputs if is_out else n_hidden
        ma, ar = taps if is_dynamic or not is_out else (1, 0)
        code = FEEDBACK[feedback] if ar else NOTHING
        memory = row if is_out else row + n_units
        blocks = {NOTHING: 0, SYNAPSE: ar * n_sources, ACTIVATION: ar, OUTPUT: ar - 1}[code]
        line = memory + blocks * n_units
        layers.append(Layer(n_units, n_sources, ma, ar, code, weights, 0 if is_out else row, memory, line, deltas))
        deltas += n_units * (1 + n_sources if code == SYNAPSE else 1)
        row = line + (ma * n_sources if ma > 1 else 0)
        weights += n_units * (1 + n_sources * ma + (ar * n_sources if code == SYNAPSE else ar))
        n_sources = n_units
    return LocallyRecurrent(
        n_inputs, n_outputs, row - n_outputs, n_layers + 1, int(is_dynamic), *codes, np.array(layers, np.int64).ravel()
    )


def layers_of(cell: LocallyRecurrent) -> list[Layer]:
    """Its layers."""
    return [Layer(*row) for row in cell.layers.reshape(cell.n_layers, -1).tolist()]


def locally_recurrent_order(cell: LocallyRecurrent, arrays: dict[str, NDArray[np.int64]]) -> Order:
    """The order of slots that the kernel reads: `unit_blocks` of each layer, a unit's sources in the order of its sum."""
    pieces = []
    for k, layer in enumerate(layers_of(cell)):
        name = "out" if k + 1 == cell.n_layers else f"l{k}"
        is_static = name == "out" and not cell.is_dynamic
        ma = arrays["weight_out"][..., None] if is_static else arrays[f"weight_ma_{name}"]
        if layer.feedback == SYNAPSE:
            rows = np.concatenate([ma, arrays[f"weight_ar_{name}"]], axis=-1).reshape(layer.n_units, -1)
        else:
            rows = ma.reshape(layer.n_units, -1)
            if layer.feedback != NOTHING:
                rows = np.column_stack([rows, arrays[f"weight_ar_{name}"]])
        pieces.append(unit_blocks(np.column_stack([arrays[f"bias_{name}"], rows])))
    return plain_order(pieces)


@inlined
def layer_of(cell, k):
    """Layer k of a cell."""
    first = 10 * k
    return Layer(
        peek(cell.layers, first), peek(cell.layers, first + 1), peek(cell.layers, first + 2),
        peek(cell.layers, first + 3), peek(cell.layers, first + 4), peek(cell.layers, first + 5),
        peek(cell.layers, first + 6), peek(cell.layers, first + 7), peek(cell.layers, first + 8),
        peek(cell.layers, first + 9),
    )  # fmt: skip


@inlined
def n_terms(layer):
    """Weights of a unit, the bias included."""
    n_fed_back = layer.ar * layer.n_sources if layer.feedback == SYNAPSE else layer.ar
    return 1 + layer.ma * layer.n_sources + n_fed_back


@inlined
def fed_back_row(layer, delay):
    """Row of the old slot where the values that are fed back `delay` steps after, from 1 on, begin."""
    if layer.feedback == SYNAPSE:
        return layer.memory + (delay - 1) * layer.n_sources * layer.n_units
    if layer.feedback == ACTIVATION:
        return layer.memory + (delay - 1) * layer.n_units
    return layer.units if delay == 1 else layer.memory + (delay - 2) * layer.n_units


@inlined
def _unit_tile(memory, layer, w, per_source, sources, back, out, rows, columns):
    """Sums of some units whose links have no feedback; `back` is the first unit's value that is fed back first."""
    stride, n_sources = memory.stride, layer.ma * layer.n_sources
    tile = tile_from(memory.weights, w, rows, columns)
    w += per_source
    for i in range(n_sources):
        tile = tile_fma(tile, memory.weights, w + i * per_source, memory.values, sources + i * stride)
    w += n_sources * per_source
    first = fed_back_row(layer, 1)
    for r in range(layer.ar):
        at = back + (fed_back_row(layer, r + 1) - first) * stride
        tile = tile_fma_rows(tile, memory.weights, w + r * per_source, memory.values, at, stride)
    tile_store(tile, memory.values, out, stride)


@inlined
def _link_tile(memory, layer, w, per_source, sources, back, links, out, rows, columns):
    """Sums of some units whose links feed back; their values are written to the rows from `links` on."""
    stride, size = memory.stride, layer.n_units * memory.stride
    tile = tile_from(memory.weights, w, rows, columns)
    w += per_source
    for m in range(layer.n_sources):
        link = tile_zero(memory.values, rows, columns)
        for p in range(layer.ma):
            at = sources + (m * layer.ma + p) * stride
            link = tile_fma(link, memory.weights, w + p * per_source, memory.values, at)
        w += layer.ma * per_source
        for r in range(layer.ar):
            at = back + (r * layer.n_sources + m) * size
            link = tile_fma_rows(link, memory.weights, w + r * per_source, memory.values, at, stride)
        w += layer.ar * per_source
        tile_store(link, memory.values, links + m * size, stride)
        tile = tile_add(tile, link)
    tile_store(tile, memory.values, out, stride)


@inlined
def _tile(memory, layer, w, per_source, sources, at, out, first, rows, columns):
    """The sums of the units from number `first` on."""
    shift = first * memory.stride
    back = at.old + fed_back_row(layer, 1) * memory.stride + shift
    out += shift
    if layer.feedback == SYNAPSE:
        links = at.new + layer.memory * memory.stride + shift
        _link_tile(memory, layer, w, per_source, sources, back, links, out, rows, columns)
    else:
        _unit_tile(memory, layer, w, per_source, sources, back, out, rows, columns)


@inlined
def filtered_sums(memory, layer, sources, at, out, columns):
    """The sums of all units of a layer, block by block in tiles of 4, 2 and 1, into the rows from `out` on."""
    width = lanes(memory.values)
    # A tile of links is held beside that of their units: with several sequences half as many rows fit.
    n_rows = 4 if number_of(columns) == 1 else 2
    for block in range(0, layer.n_units, BLOCK_UNITS):
        n_units = min(BLOCK_UNITS, layer.n_units - block)
        per_source, u = n_units * width, 0
        w = (layer.weights + block * n_terms(layer)) * width
        while n_rows == 4 and n_units - u >= 4:
            _tile(memory, layer, w + u * width, per_source, sources, at, out, block + u, count(4), columns)
            u += 4
        while n_units - u >= 2:
            _tile(memory, layer, w + u * width, per_source, sources, at, out, block + u, count(2), columns)
            u += 2
        if u < n_units:
            _tile(memory, layer, w + u * width, per_source, sources, at, out, block + u, count(1), columns)


@inlined
def _move_line(memory, layer, below, at, n_columns):
    """Move the values of the sources on by one step."""
    if layer.ma > 1:
        line, size = layer.line * memory.stride, layer.ma * memory.stride
        for m in range(layer.n_sources):
            copy_rows(memory, Rows(below + m * memory.stride, 1), at.new + line, n_columns)
            copy_rows(memory, Rows(at.old + line, layer.ma - 1), at.new + line + memory.stride, n_columns)
            line += size


@inlined
def _remember(memory, layer, at, n_columns):
    """Move what is fed back on by one step; the newest is there already, but for the sums of ACTIVATION."""
    size, stride = layer.n_units, memory.stride
    new, old = at.new + layer.memory * stride, at.old + layer.memory * stride
    if layer.feedback == SYNAPSE:
        size *= layer.n_sources
        copy_rows(memory, Rows(old, (layer.ar - 1) * size), new + size * stride, n_columns)
    elif layer.feedback == ACTIVATION:
        copy_rows(memory, Rows(at.new + layer.units * stride, size), new, n_columns)
        copy_rows(memory, Rows(old, (layer.ar - 1) * size), new + size * stride, n_columns)
    elif layer.feedback == OUTPUT and layer.ar > 1:
        copy_rows(memory, Rows(at.old + layer.units * stride, size), new, n_columns)
        copy_rows(memory, Rows(old, (layer.ar - 2) * size), new + size * stride, n_columns)


@inlined
def sources_of(memory, layer, below, new):
    """Where the sources of a layer lie, whose newest are the rows `below`, in the slot `new`."""
    return new + layer.line * memory.stride if layer.ma > 1 else below


@implements(prepare)
def _prepare(cell, weights):
    return (lambda cell, weights: None) if is_kind(cell, LocallyRecurrent) else None


@implements(start)
def _start(cell, memory, at, n_columns):
    def start_locally_recurrent(cell, memory, at, n_columns):
        fill_rows(memory, -1, Rows(at, cell.n_outputs + cell.n_state), n_columns)

    return start_locally_recurrent if is_kind(cell, LocallyRecurrent) else None


@implements(step)
def _step(cell, memory, at, wanted, columns):
    def step_locally_recurrent(cell, memory, at, wanted, columns):
        below, stride, n_columns = at.inputs, memory.stride, number_of(columns)
        for k in range(cell.n_layers):
            layer = layer_of(cell, k)
            is_out = k + 1 == cell.n_layers
            if not is_out or wanted or cell.is_dynamic:
                _move_line(memory, layer, below, at, n_columns)
                units = at.new + layer.units * stride
                filtered_sums(memory, layer, sources_of(memory, layer, below, at.new), at, units, columns)
                _remember(memory, layer, at, n_columns)
                code = cell.output_activation if is_out else cell.activation
                activate(code, memory.values, units, layer.n_units, stride, n_columns)
            below = at.new + layer.units * stride

    return step_locally_recurrent if is_kind(cell, LocallyRecurrent) else None

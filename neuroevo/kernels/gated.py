"""LSTM and GRU, one unit at a time: the four sums of its gates are the rows of a register tile.

The weights of the logistic gates are halved when they are packed (exact in binary), because logistic(x) =
0.5 + 0.5 tanh(x / 2). All activations are ratios, and those of one expression are brought to a common denominator: an
LSTM step needs two divisions a unit instead of five, a GRU step two instead of three.

Each sum is one chain of multiply-adds: the bias, the sources from below in order, the units fed back in order.

References: S. Hochreiter, J. Schmidhuber (1997); K. Cho et al. (2014); equations and gate order as in PyTorch.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroevo.kernels.activations import activate, logistic_ratio, tanh_constants, tanh_ratio
from neuroevo.kernels.cells import fill_rows, is_cell, prepare, start, step
from neuroevo.kernels.compilation import implements, inlined
from neuroevo.kernels.dense import weighted_sums
from neuroevo.kernels.packing import Order, unit_blocks
from neuroevo.kernels.tiles import count, number_of, tile_at, tile_fma, tile_fma_but, tile_from
from neuroevo.kernels.vectors import broadcast, fma, lanes, load, store


class Lstm(NamedTuple):
    """The shape of an LSTM in numbers."""

    n_inputs: int
    n_hidden: int
    n_outputs: int
    n_layers: int
    output_activation: int
    initial_state: int


class Gru(NamedTuple):
    """The shape of a GRU in numbers."""

    n_inputs: int
    n_hidden: int
    n_outputs: int
    n_layers: int
    output_activation: int
    initial_state: int


Slots = dict[str, NDArray[np.int64]]

_LSTM_FACTORS = np.array([0.5, 0.5, 1.0, 0.5])
_GRU_FACTORS = np.array([0.5, 0.5, 1.0])


def lstm_order(cell: Lstm, arrays: Slots) -> Order:
    """Order of the weights: layers (per unit, per source: i, f, g, o), read-out, initial states and cells."""
    pieces, factors = [], []
    for layer in range(cell.n_layers):
        names = ("bias", "weight_ih", "weight_hh")
        rows = np.column_stack([arrays[f"{name}_l{layer}"] for name in names])
        units = rows.reshape(4, cell.n_hidden, -1).transpose(1, 2, 0)
        pieces.append(units.ravel())
        factors.append(np.broadcast_to(_LSTM_FACTORS, units.shape).ravel())
    return _finished(cell, arrays, pieces, factors, ("initial_state", "initial_cell"))


def gru_order(cell: Gru, arrays: Slots) -> Order:
    """Order of the weights: layers (per unit: four biases r, z, n, recurrent n; then r, z, n of each source), ..."""
    pieces, factors = [], []
    for layer in range(cell.n_layers):
        bias = np.concatenate([arrays[f"bias_l{layer}"], arrays[f"bias_hn_l{layer}"]]).reshape(4, -1).T
        sources = np.column_stack([arrays[f"weight_ih_l{layer}"], arrays[f"weight_hh_l{layer}"]])
        units = sources.reshape(3, cell.n_hidden, -1).transpose(1, 2, 0)
        n_sources = units.shape[1]
        pieces.append(np.column_stack([bias, units.reshape(cell.n_hidden, -1)]).ravel())
        factors.append(np.tile([*_GRU_FACTORS, 1.0, *np.tile(_GRU_FACTORS, n_sources)], cell.n_hidden))
    return _finished(cell, arrays, pieces, factors, ("initial_state",))


def _finished(
    cell: Lstm | Gru,
    arrays: Slots,
    pieces: list[NDArray[np.int64]],
    factors: list[NDArray[np.float64]],
    states: tuple[str, ...],
) -> Order:
    pieces.append(unit_blocks(np.column_stack([arrays["bias_out"], arrays["weight_out"]])))
    if cell.initial_state:
        pieces += [arrays[f"{name}_l{layer}"] for layer in range(cell.n_layers) for name in states]
    slots = np.concatenate(pieces)
    known = np.concatenate(factors)
    return Order(slots, np.concatenate([known, np.ones(slots.size - known.size)]))


@inlined
def _lstm_unit(weights, w, values, s, n_below, r, n_units, stride, cell_state, new, constants, columns):
    width = lanes(weights)
    tile = tile_from(weights, w, count(4), columns)
    for i in range(n_below):
        tile = tile_fma(tile, weights, w + (4 + 4 * i) * width, values, s + i * stride)
    w += (4 + 4 * n_below) * width
    for i in range(n_units):
        tile = tile_fma(tile, weights, w + 4 * i * width, values, r + i * stride)
    _lstm_gates(
        tile_at(tile, 0, 0),
        tile_at(tile, 1, 0),
        tile_at(tile, 2, 0),
        tile_at(tile, 3, 0),
        values,
        cell_state,
        new,
        constants,
    )
    if number_of(columns) > 1:
        _lstm_gates(
            tile_at(tile, 0, 1),
            tile_at(tile, 1, 1),
            tile_at(tile, 2, 1),
            tile_at(tile, 3, 1),
            values,
            cell_state + width,
            new + width,
            constants,
        )
    if number_of(columns) > 2:
        _lstm_gates(
            tile_at(tile, 0, 2),
            tile_at(tile, 1, 2),
            tile_at(tile, 2, 2),
            tile_at(tile, 3, 2),
            values,
            cell_state + 2 * width,
            new + 2 * width,
            constants,
        )
        _lstm_gates(
            tile_at(tile, 0, 3),
            tile_at(tile, 1, 3),
            tile_at(tile, 2, 3),
            tile_at(tile, 3, 3),
            values,
            cell_state + 3 * width,
            new + 3 * width,
            constants,
        )


@inlined
def _lstm_gates(write_sum, keep_sum, new_sum, read_sum, values, at_cell, at_new, constants):
    write, write_under = logistic_ratio(write_sum, constants)
    keep, keep_under = logistic_ratio(keep_sum, constants)
    new, new_under = tanh_ratio(new_sum, constants)
    under = write_under * new_under
    kept = keep * load(values, at_cell) * under
    cell = fma(write * new, keep_under, kept) / (keep_under * under)
    store(values, at_cell, cell)
    read, read_under = logistic_ratio(read_sum, constants)
    squashed, squashed_under = tanh_ratio(cell, constants)
    store(values, at_new, read * squashed / (read_under * squashed_under))


@inlined
def _gru_unit(weights, w, values, s, n_below, r, n_units, stride, old, new, constants, columns):
    width = lanes(weights)
    tile = tile_from(weights, w, count(4), columns)
    w += 4 * width
    for i in range(n_below):
        tile = tile_fma_but(tile, weights, w + 3 * i * width, values, s + i * stride, count(3))
    w += 3 * n_below * width
    for i in range(n_units):
        tile = tile_fma_but(tile, weights, w + 3 * i * width, values, r + i * stride, count(2))
    _gru_gates(
        tile_at(tile, 0, 0), tile_at(tile, 1, 0), tile_at(tile, 2, 0), tile_at(tile, 3, 0), values, old, new, constants
    )
    if number_of(columns) > 1:
        _gru_gates(
            tile_at(tile, 0, 1),
            tile_at(tile, 1, 1),
            tile_at(tile, 2, 1),
            tile_at(tile, 3, 1),
            values,
            old + width,
            new + width,
            constants,
        )
    if number_of(columns) > 2:
        _gru_gates(
            tile_at(tile, 0, 2),
            tile_at(tile, 1, 2),
            tile_at(tile, 2, 2),
            tile_at(tile, 3, 2),
            values,
            old + 2 * width,
            new + 2 * width,
            constants,
        )
        _gru_gates(
            tile_at(tile, 0, 3),
            tile_at(tile, 1, 3),
            tile_at(tile, 2, 3),
            tile_at(tile, 3, 3),
            values,
            old + 3 * width,
            new + 3 * width,
            constants,
        )


@inlined
def _gru_gates(reset_sum, keep_sum, new_sum, fed_back_sum, values, at_old, at_new, constants):
    reset, reset_under = logistic_ratio(reset_sum, constants)
    keep, keep_under = logistic_ratio(keep_sum, constants)
    new, new_under = tanh_ratio(new_sum + reset * fed_back_sum / reset_under, constants)
    change = fma(load(values, at_old), new_under, new * broadcast(new, -1.0))
    store(values, at_new, fma(keep, change, new * keep_under) / (new_under * keep_under))


@inlined
def _weights_of(cell, n_gates, n_biases):
    """Packed weights of all layers, and of layers and read-out, per lane."""
    below = cell.n_hidden * (n_biases + n_gates * (cell.n_inputs + cell.n_hidden))
    above = (cell.n_layers - 1) * cell.n_hidden * (n_biases + 2 * n_gates * cell.n_hidden)
    return below + above, below + above + cell.n_outputs * (1 + cell.n_hidden)


@inlined
def _read_out(cell, weights, w, values, units, outputs, stride, n_tiles, columns):
    weighted_sums(
        weights, w, cell.n_outputs, values, units, cell.n_hidden, units, 0, outputs, stride, False, n_tiles, columns
    )
    activate(cell.output_activation, values, outputs, cell.n_outputs, stride, n_tiles * number_of(columns))


@implements(prepare)
def _prepare(cell, weights):
    return (lambda cell, weights: None) if is_cell(cell, Lstm) or is_cell(cell, Gru) else None


@implements(start)
def _start_lstm(cell, weights, values, at, stride, n_columns):
    def start_lstm(cell, weights, values, at, stride, n_columns):
        """Rows per layer: h, its second copy, c."""
        size = cell.n_hidden * lanes(values)
        _, first = _weights_of(cell, 4, 4)
        for layer in range(cell.n_layers):
            h = at + (cell.n_inputs + cell.n_outputs + 3 * layer * cell.n_hidden) * stride
            w = first * lanes(values) + 2 * layer * size if cell.initial_state else -1
            fill_rows(weights, w, values, h, stride, cell.n_hidden, n_columns)
            w = w + size if cell.initial_state else -1
            fill_rows(weights, w, values, h + 2 * cell.n_hidden * stride, stride, cell.n_hidden, n_columns)

    return start_lstm if is_cell(cell, Lstm) else None


@implements(step)
def _step_lstm(cell, weights, values, at, stride, t, wanted, n_tiles, columns):
    def step_lstm(cell, weights, values, at, stride, t, wanted, n_tiles, columns):
        width, size = lanes(values), cell.n_hidden * stride
        outputs = at + cell.n_inputs * stride
        constants = tanh_constants(values)
        tile_width = number_of(columns) * width
        below, n_below, w = at, cell.n_inputs, 0
        for layer in range(cell.n_layers):
            h = outputs + cell.n_outputs * stride + 3 * layer * size
            old, new, state = h + (t & 1) * size, h + (1 - (t & 1)) * size, h + 2 * size
            per_unit = 4 * (1 + n_below + cell.n_hidden) * width
            for u in range(cell.n_hidden):
                for k in range(0, n_tiles * tile_width, tile_width):
                    _lstm_unit(
                        weights,
                        w,
                        values,
                        below + k,
                        n_below,
                        old + k,
                        cell.n_hidden,
                        stride,
                        state + u * stride + k,
                        new + u * stride + k,
                        constants,
                        columns,
                    )
                w += per_unit
            below, n_below = new, cell.n_hidden
        if wanted:
            _read_out(cell, weights, w, values, below, outputs, stride, n_tiles, columns)

    return step_lstm if is_cell(cell, Lstm) else None


@implements(start)
def _start_gru(cell, weights, values, at, stride, n_columns):
    def start_gru(cell, weights, values, at, stride, n_columns):
        """Rows per layer: h and its second copy."""
        _, first = _weights_of(cell, 3, 4)
        for layer in range(cell.n_layers):
            h = at + (cell.n_inputs + cell.n_outputs + 2 * layer * cell.n_hidden) * stride
            w = (first + layer * cell.n_hidden) * lanes(values) if cell.initial_state else -1
            fill_rows(weights, w, values, h, stride, cell.n_hidden, n_columns)

    return start_gru if is_cell(cell, Gru) else None


@implements(step)
def _step_gru(cell, weights, values, at, stride, t, wanted, n_tiles, columns):
    def step_gru(cell, weights, values, at, stride, t, wanted, n_tiles, columns):
        width, size = lanes(values), cell.n_hidden * stride
        outputs = at + cell.n_inputs * stride
        constants = tanh_constants(values)
        tile_width = number_of(columns) * width
        below, n_below, w = at, cell.n_inputs, 0
        for layer in range(cell.n_layers):
            h = outputs + cell.n_outputs * stride + 2 * layer * size
            old, new = h + (t & 1) * size, h + (1 - (t & 1)) * size
            per_unit = (4 + 3 * (n_below + cell.n_hidden)) * width
            for u in range(cell.n_hidden):
                for k in range(0, n_tiles * tile_width, tile_width):
                    _gru_unit(
                        weights,
                        w,
                        values,
                        below + k,
                        n_below,
                        old + k,
                        cell.n_hidden,
                        stride,
                        old + u * stride + k,
                        new + u * stride + k,
                        constants,
                        columns,
                    )
                w += per_unit
            below, n_below = new, cell.n_hidden
        if wanted:
            _read_out(cell, weights, w, values, below, outputs, stride, n_tiles, columns)

    return step_gru if is_cell(cell, Gru) else None

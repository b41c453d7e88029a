"""LSTM and GRU, one unit at a time: the four sums of its gates are the rows of a register tile.

The weights of the logistic gates are halved when they are packed (exact in binary), because logistic(x) =
0.5 + 0.5 tanh(x / 2). All activations are ratios, and those of one expression are brought to a common denominator: an
LSTM step needs two divisions a unit instead of five, a GRU step two instead of three.

Each sum is one chain of multiply-adds: the bias, the sources from below in order, the units fed back in order.

References: S. Hochreiter, J. Schmidhuber (1997); K. Cho et al. (2014); equations and gate order as in PyTorch.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroevo.kernels.activations import logistic_ratio, tanh_constants, tanh_ratio
from neuroevo.kernels.cells.base import Rows, fill_rows, prepare, start, step
from neuroevo.kernels.cells.dense import Sources, read_out_rows, read_out_skip
from neuroevo.kernels.compilation import implements, inlined, is_kind
from neuroevo.kernels.packing import Order, unit_blocks
from neuroevo.kernels.tiles import count, number_of, tile_fma, tile_fma_but, tile_from, tile_over_columns
from neuroevo.kernels.vectors import broadcast, fma, lanes, load, store


class Lstm(NamedTuple):
    """The shape of an LSTM in numbers; its state are, layer by layer, the units h and the cells c."""

    n_inputs: int
    n_hidden: int
    n_outputs: int
    n_state: int
    n_layers: int
    output_activation: int
    initial_state: int
    n_skip: int
    truncated: int = 0
    """Whether errors going back end at the gates; see `gated_back`."""


class Lstm1997(NamedTuple):
    """As `Lstm`, without the forget gate: c = c + i g."""

    n_inputs: int
    n_hidden: int
    n_outputs: int
    n_state: int
    n_layers: int
    output_activation: int
    initial_state: int
    n_skip: int
    truncated: int = 0


class Gru(NamedTuple):
    """The shape of a GRU in numbers; its state are the units, layer by layer."""

    n_inputs: int
    n_hidden: int
    n_outputs: int
    n_state: int
    n_layers: int
    output_activation: int
    initial_state: int
    n_skip: int


Slots = dict[str, NDArray[np.int64]]

_LSTM_FACTORS = np.array([0.5, 0.5, 1.0, 0.5])
_LSTM_1997_FACTORS = np.array([0.5, 1.0, 0.5])
_GRU_BELOW = np.array([1.0, 0.5, 0.5])
_GRU_BACK = np.array([0.5, 0.5, 1.0])


def lstm_order(cell: Lstm | Lstm1997, arrays: Slots) -> Order:
    """Order of the weights: layers (per unit, per source: i, f where there is one, g, o), read-out, initial h and c."""
    pieces, factors = [], []
    of_gates = _LSTM_FACTORS if isinstance(cell, Lstm) else _LSTM_1997_FACTORS
    for layer in range(cell.n_layers):
        names = ("bias", "weight_ih", "weight_hh")
        rows = np.column_stack([arrays[f"{name}_l{layer}"] for name in names])
        units = rows.reshape(of_gates.size, cell.n_hidden, -1).transpose(1, 2, 0)
        pieces.append(units.ravel())
        factors.append(np.broadcast_to(of_gates, units.shape).ravel())
    return _finished(cell, arrays, pieces, factors, ("initial_state", "initial_cell"))


def gru_order(cell: Gru, arrays: Slots) -> Order:
    """Order of the weights: layers, read-out, initial states.

    Per unit: biases n, r, z, recurrent n; n, r, z of each source from below; r, z, n of each unit fed back. So the
    gates of either kind of source lie side by side among a unit's four sums.
    """
    pieces, factors, n = [], [], cell.n_hidden
    for layer in range(cell.n_layers):
        bias = np.concatenate([arrays[f"bias_l{layer}"], arrays[f"bias_hn_l{layer}"]]).reshape(4, n)[[2, 0, 1, 3]].T
        below = arrays[f"weight_ih_l{layer}"].reshape(3, n, -1)[[2, 0, 1]].transpose(1, 2, 0)
        back = arrays[f"weight_hh_l{layer}"].reshape(3, n, -1).transpose(1, 2, 0)
        pieces.append(np.column_stack([bias, below.reshape(n, -1), back.reshape(n, -1)]).ravel())
        of_sources = [*np.tile(_GRU_BELOW, below.shape[1]), *np.tile(_GRU_BACK, n)]
        factors.append(np.tile([*_GRU_BELOW, 1.0, *of_sources], n))
    return _finished(cell, arrays, pieces, factors, ("initial_state",))


def _finished(
    cell: Lstm | Lstm1997 | Gru,
    arrays: Slots,
    pieces: list[NDArray[np.int64]],
    factors: list[NDArray[np.float64]],
    states: tuple[str, ...],
) -> Order:
    pieces.append(unit_blocks(read_out_rows(arrays)))
    if cell.initial_state:
        pieces += [arrays[f"{name}_l{layer}"] for layer in range(cell.n_layers) for name in states]
    slots = np.concatenate(pieces)
    known = np.concatenate(factors)
    return Order(slots, np.concatenate([known, np.ones(slots.size - known.size)]))


class Gates(NamedTuple):
    """What becomes of the sums of a unit's gates: elements of its rows, and the constants of tanh in registers.

    Attributes:
        values: View of memory.
        old: The value that is carried over: an LSTM's cell c, a GRU's unit h.
        carry: Where the new c goes; a GRU has none.
        new: Where the new h goes.
        constants: Of `tanh_ratio`.
    """

    values: Any
    old: int
    carry: int
    new: int
    constants: Any


@inlined
def gate_sums(memory, w, sources, rows, columns):
    """The sums of one unit's gates as the `rows` (a `Count`) of a tile."""
    per_source = number_of(rows) * lanes(memory.weights)
    tile = tile_from(memory.weights, w, rows, columns)
    w += per_source
    for i in range(sources.below.n):
        tile = tile_fma(tile, memory.weights, w + i * per_source, memory.values, sources.below.at + i * memory.stride)
    w += sources.below.n * per_source
    for i in range(sources.back.n):
        tile = tile_fma(tile, memory.weights, w + i * per_source, memory.values, sources.back.at + i * memory.stride)
    return tile


@inlined
def _lstm_gates(sums, column, gates):
    """New c and h of a unit for one sequence from its sums i, f, g, o."""
    values, constants = gates.values, gates.constants
    shift = column * lanes(values)
    write, write_under = logistic_ratio(sums[0], constants)
    keep, keep_under = logistic_ratio(sums[1], constants)
    new, new_under = tanh_ratio(sums[2], constants)
    under = write_under * new_under
    kept = keep * load(values, gates.old + shift) * under
    cell = fma(write * new, keep_under, kept) / (keep_under * under)
    store(values, gates.carry + shift, cell)
    read, read_under = logistic_ratio(sums[3], constants)
    squashed, squashed_under = tanh_ratio(cell, constants)
    store(values, gates.new + shift, read * squashed / (read_under * squashed_under))


@inlined
def _lstm_1997_gates(sums, column, gates):
    """As `_lstm_gates` from the sums i, g, o: the cell is kept as it is."""
    values, constants = gates.values, gates.constants
    shift = column * lanes(values)
    write, write_under = logistic_ratio(sums[0], constants)
    new, new_under = tanh_ratio(sums[1], constants)
    cell = load(values, gates.old + shift) + write * new / (write_under * new_under)
    store(values, gates.carry + shift, cell)
    read, read_under = logistic_ratio(sums[2], constants)
    squashed, squashed_under = tanh_ratio(cell, constants)
    store(values, gates.new + shift, read * squashed / (read_under * squashed_under))


@inlined
def gru_sums(memory, w, sources, columns):
    """Tile of one unit: r and z sum up all sources, the candidate's two sums n those from below and those fed back."""
    three = 3 * lanes(memory.weights)
    tile = tile_from(memory.weights, w, count(4), columns)
    w += 4 * lanes(memory.weights)
    for i in range(sources.below.n):
        at = sources.below.at + i * memory.stride
        tile = tile_fma_but(tile, memory.weights, w + i * three, memory.values, at, count(3))
    w += sources.below.n * three
    for i in range(sources.back.n):
        at = sources.back.at + i * memory.stride
        tile = tile_fma_but(tile, memory.weights, w + i * three, memory.values, at, count(0))
    return tile


@inlined
def _gru_gates(sums, column, gates):
    """New h of a unit for one sequence from its sums n from below, r, z, n fed back."""
    values, constants = gates.values, gates.constants
    shift = column * lanes(values)
    reset, reset_under = logistic_ratio(sums[1], constants)
    keep, keep_under = logistic_ratio(sums[2], constants)
    new, new_under = tanh_ratio(sums[0] + reset * sums[3] / reset_under, constants)
    change = fma(load(values, gates.old + shift), new_under, new * broadcast(new, -1.0))
    store(values, gates.new + shift, fma(keep, change, new * keep_under) / (new_under * keep_under))


@inlined
def n_weights(cell, n_biases, n_gates):
    """Packed weights of all layers and the read-out, per lane."""
    below = cell.n_hidden * (n_biases + n_gates * (cell.n_inputs + cell.n_hidden))
    above = (cell.n_layers - 1) * cell.n_hidden * (n_biases + 2 * n_gates * cell.n_hidden)
    return below + above + cell.n_outputs * (1 + cell.n_hidden + cell.n_skip)


def _is_gated(cell: Any) -> bool:
    return is_kind(cell, Lstm) or is_kind(cell, Lstm1997) or is_kind(cell, Gru)


@implements(prepare)
def _prepare(cell, weights):
    return (lambda cell, weights: None) if _is_gated(cell) else None


@implements(start)
def _start(cell, memory, at, n_columns):
    n_biases, n_gates = 3 if is_kind(cell, Lstm1997) else 4, 4 if is_kind(cell, Lstm) else 3

    def start_gated(cell, memory, at, n_columns):
        w = n_weights(cell, n_biases, n_gates) * lanes(memory.values) if cell.initial_state else -1
        fill_rows(memory, w, Rows(at + cell.n_outputs * memory.stride, cell.n_state), n_columns)

    return start_gated if _is_gated(cell) else None


@inlined
def _lstm_step(cell, memory, at, wanted, columns, rows, finish):
    """A step of a cell with so many gates (`rows`), `finish` making c and h of their sums."""
    n, size, constants = cell.n_hidden, cell.n_hidden * memory.stride, tanh_constants(memory.values)
    old, new = at.old + cell.n_outputs * memory.stride, at.new + cell.n_outputs * memory.stride
    below, w = Rows(at.inputs, cell.n_inputs), 0
    for _ in range(cell.n_layers):
        sources = Sources(below, Rows(old, n))
        per_unit = number_of(rows) * (1 + below.n + n) * lanes(memory.values)
        for u in range(0, size, memory.stride):
            gates = Gates(memory.values, old + size + u, new + size + u, new + u, constants)
            tile_over_columns(gate_sums(memory, w, sources, rows, columns), finish, gates)
            w += per_unit
        below = Rows(new, n)
        old, new = old + 2 * size, new + 2 * size
    if wanted:
        read_out_skip(cell, memory, w, below, at, columns)


@implements(step)
def _step_lstm(cell, memory, at, wanted, columns):
    def step_lstm(cell, memory, at, wanted, columns):
        _lstm_step(cell, memory, at, wanted, columns, count(4), _lstm_gates)

    return step_lstm if is_kind(cell, Lstm) else None


@implements(step)
def _step_lstm_1997(cell, memory, at, wanted, columns):
    def step_lstm_1997(cell, memory, at, wanted, columns):
        _lstm_step(cell, memory, at, wanted, columns, count(3), _lstm_1997_gates)

    return step_lstm_1997 if is_kind(cell, Lstm1997) else None


@implements(step)
def _step_gru(cell, memory, at, wanted, columns):
    def step_gru(cell, memory, at, wanted, columns):
        n, size, constants = cell.n_hidden, cell.n_hidden * memory.stride, tanh_constants(memory.values)
        old, new = at.old + cell.n_outputs * memory.stride, at.new + cell.n_outputs * memory.stride
        below, w = Rows(at.inputs, cell.n_inputs), 0
        for _ in range(cell.n_layers):
            sources = Sources(below, Rows(old, n))
            per_unit = (4 + 3 * (below.n + n)) * lanes(memory.values)
            for u in range(0, size, memory.stride):
                gates = Gates(memory.values, old + u, 0, new + u, constants)
                tile_over_columns(gru_sums(memory, w, sources, columns), _gru_gates, gates)
                w += per_unit
            below = Rows(new, n)
            old, new = old + size, new + size
        if wanted:
            read_out_skip(cell, memory, w, below, at, columns)

    return step_gru if is_kind(cell, Gru) else None

"""The backward step of LSTM and GRU; see `gated` for the forward one, `adjoints` for the contract.

The slots keep h and c alone. The sums of a unit's gates are computed once more, tile by tile as in the forward step,
and become deltas in registers. With the adjoints dh and dc of a step's new state and k = tanh(c'):

- LSTM, c' = f c + i g and h' = o k: dc gains dh o (1 - k**2); the deltas are dc g i (1 - i), dc c f (1 - f),
  dc i (1 - g**2), dh k o (1 - o), and dc f goes to the old cell.
- GRU, h' = (1 - z) n + z h and n = tanh(a + r b): the candidate's delta is d = dh (1 - z) (1 - n**2) for a, r d for b;
  those of the gates are d b r (1 - r), dh (h - n) z (1 - z), and dh z goes to the old unit.

Deltas reach the old units and the layer below by the transposed weights. With `truncated` they don't: errors end at the
gates, and live on in the cells alone. That is the truncated gradient of S. Hochreiter and J. Schmidhuber (1997), Neural
Computation 9, 1735-1780, appendix A.1, which sets the derivatives of all sums of gates and of cell inputs by units of
the step before to zero; their RTRL inside the cell and this adjoint give the same numbers.

The weights of logistic gates are packed halved, so that their deltas are those of half a sum: twice as large.

Deltas: unit by unit those of its gates, in the order of their weights; then those of the outputs.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from neuroevo.kernels.activations import tanh_constants, tanh_with
from neuroevo.kernels.cells.adjoints import accumulate, back, start_back, unprepare
from neuroevo.kernels.cells.base import Rows
from neuroevo.kernels.cells.dense import Sources
from neuroevo.kernels.cells.dense_back import add_over_columns, read_out_back, read_out_gradient
from neuroevo.kernels.cells.gated import Gru, Lstm, Lstm1997, gate_sums, gru_sums, n_weights
from neuroevo.kernels.cells.gated_products import Gated, gradient_of_biases, gradient_of_sources, transposed
from neuroevo.kernels.compilation import implements, inlined, is_kind
from neuroevo.kernels.products import zero_rows
from neuroevo.kernels.tiles import count, number_of, tile_over_columns
from neuroevo.kernels.vectors import broadcast, fma, lanes, load, store


def n_deltas(cell: Lstm | Lstm1997 | Gru) -> int:
    """Rows of deltas of a step."""
    n_gates = 3 if isinstance(cell, Lstm1997) else 4
    return n_gates * cell.n_layers * cell.n_hidden + cell.n_outputs


class Way(NamedTuple):
    """The way back through a unit: elements of its rows, and what is held in registers.

    Attributes:
        values: View of memory.
        stride: Elements from row to row.
        old: The value that is carried over: an LSTM's cell c, a GRU's unit h.
        new: The new c; a GRU has none.
        unit: Adjoint of the new h.
        cell: Adjoint of the new c; a GRU has none.
        older: Adjoint of what is carried over, written.
        deltas: Of the first gate, written.
        constants: Of `tanh_ratio`.
    """

    values: Any
    stride: int
    old: int
    new: int
    unit: int
    cell: int
    older: int
    deltas: int
    constants: Any


@inlined
def _lstm_deltas(sums, column, way):
    values, constants, stride = way.values, way.constants, way.stride
    shift = column * lanes(values)
    half, one = broadcast(values, 0.5), broadcast(values, 1.0)
    write, keep = tanh_with(sums[0], constants), tanh_with(sums[1], constants)
    new, read = tanh_with(sums[2], constants), tanh_with(sums[3], constants)
    squashed = tanh_with(load(values, way.new + shift), constants)
    of_unit, deltas = load(values, way.unit + shift), way.deltas + shift
    shown = of_unit * fma(half, read, half)
    of_cell = fma(shown, fma(-squashed, squashed, one), load(values, way.cell + shift))
    halved = of_cell * half
    store(values, deltas, halved * new * fma(-write, write, one))
    store(values, deltas + stride, halved * load(values, way.old + shift) * fma(-keep, keep, one))
    store(values, deltas + 2 * stride, of_cell * fma(half, write, half) * fma(-new, new, one))
    store(values, deltas + 3 * stride, of_unit * half * squashed * fma(-read, read, one))
    store(values, way.older + shift, of_cell * fma(half, keep, half))


@inlined
def _lstm_1997_deltas(sums, column, way):
    values, constants, stride = way.values, way.constants, way.stride
    shift = column * lanes(values)
    half, one = broadcast(values, 0.5), broadcast(values, 1.0)
    write, new = tanh_with(sums[0], constants), tanh_with(sums[1], constants)
    read = tanh_with(sums[2], constants)
    squashed = tanh_with(load(values, way.new + shift), constants)
    of_unit, deltas = load(values, way.unit + shift), way.deltas + shift
    shown = of_unit * fma(half, read, half)
    of_cell = fma(shown, fma(-squashed, squashed, one), load(values, way.cell + shift))
    store(values, deltas, of_cell * half * new * fma(-write, write, one))
    store(values, deltas + stride, of_cell * fma(half, write, half) * fma(-new, new, one))
    store(values, deltas + 2 * stride, of_unit * half * squashed * fma(-read, read, one))
    store(values, way.older + shift, of_cell)


@inlined
def _gru_deltas(sums, column, way):
    values, constants, stride = way.values, way.constants, way.stride
    shift = column * lanes(values)
    half, one = broadcast(values, 0.5), broadcast(values, 1.0)
    reset, keep = tanh_with(sums[1], constants), tanh_with(sums[2], constants)
    share = fma(half, reset, half)
    new = tanh_with(fma(share, sums[3], sums[0]), constants)
    of_unit, deltas = load(values, way.unit + shift), way.deltas + shift
    of_candidate = of_unit * fma(-half, keep, half) * fma(-new, new, one)
    store(values, deltas, of_candidate)
    store(values, deltas + stride, of_candidate * sums[3] * half * fma(-reset, reset, one))
    moved = load(values, way.old + shift) - new
    store(values, deltas + 2 * stride, of_unit * moved * half * fma(-keep, keep, one))
    store(values, deltas + 3 * stride, of_candidate * share)
    store(values, way.older + shift, of_unit * fma(half, keep, half))


@inlined
def _lstm_back(cell, memory, at, errors, wanted, columns, gates, finish):
    values, width, stride, n = memory.values, lanes(memory.values), memory.stride, cell.n_hidden
    constants, size, n_gates = tanh_constants(memory.values), cell.n_hidden * memory.stride, number_of(gates)
    top = cell.n_outputs * stride + (cell.n_layers - 1) * 2 * size
    newer, older, old, new = errors.newer + top, errors.older + top, at.old + top, at.new + top
    deltas = errors.deltas + cell.n_layers * n_gates * size
    w = (n_weights(cell, n_gates, n_gates) - cell.n_outputs * (1 + n + cell.n_skip)) * width
    read_out_back(cell, memory, w, Rows(newer, n), at, errors, deltas, wanted, columns)
    for layer in range(cell.n_layers - 1, -1, -1):
        below = Rows(at.inputs if layer == 0 else new - 2 * size, cell.n_inputs if layer == 0 else n)
        sources, per_unit = Sources(below, Rows(old, n)), n_gates * (1 + below.n + n) * width
        w, deltas = w - n * per_unit, deltas - n_gates * size
        for u in range(n):
            row, here = u * stride, size + u * stride
            way = Way(
                values, stride, old + here, new + here, newer + row, newer + here, older + here,
                deltas + n_gates * row, constants,
            )  # fmt: skip
            tile_over_columns(gate_sums(memory, w + u * per_unit, sources, gates, columns), finish, way)
        if cell.truncated:
            zero_rows(memory, Rows(older, n), number_of(columns))
        else:
            back_at = w + n_gates * (1 + below.n) * width
            transposed(memory, Gated(back_at, per_unit, deltas, n_gates, n), Rows(older, n), gates, False, columns)
        if layer > 0:
            under = Gated(w + n_gates * width, per_unit, deltas, n_gates, n)
            transposed(memory, under, Rows(newer - 2 * size, n), gates, True, columns)
        newer, older, old, new = newer - 2 * size, older - 2 * size, old - 2 * size, new - 2 * size


@implements(back)
def _back_lstm(cell, memory, at, errors, wanted, columns):
    def back_lstm(cell, memory, at, errors, wanted, columns):
        _lstm_back(cell, memory, at, errors, wanted, columns, count(4), _lstm_deltas)

    return back_lstm if is_kind(cell, Lstm) else None


@implements(back)
def _back_lstm_1997(cell, memory, at, errors, wanted, columns):
    def back_lstm_1997(cell, memory, at, errors, wanted, columns):
        _lstm_back(cell, memory, at, errors, wanted, columns, count(3), _lstm_1997_deltas)

    return back_lstm_1997 if is_kind(cell, Lstm1997) else None


@implements(back)
def _back_gru(cell, memory, at, errors, wanted, columns):
    def back_gru(cell, memory, at, errors, wanted, columns):
        values, width, stride, n = memory.values, lanes(memory.values), memory.stride, cell.n_hidden
        constants, size = tanh_constants(memory.values), cell.n_hidden * memory.stride
        top = cell.n_outputs * stride + (cell.n_layers - 1) * size
        newer, older, old, new = errors.newer + top, errors.older + top, at.old + top, at.new + top
        deltas = errors.deltas + cell.n_layers * 4 * size
        w = (n_weights(cell, 4, 3) - cell.n_outputs * (1 + n + cell.n_skip)) * width
        read_out_back(cell, memory, w, Rows(newer, n), at, errors, deltas, wanted, columns)
        for layer in range(cell.n_layers - 1, -1, -1):
            below = Rows(at.inputs if layer == 0 else new - size, cell.n_inputs if layer == 0 else n)
            sources, per_unit = Sources(below, Rows(old, n)), (4 + 3 * (below.n + n)) * width
            w, deltas = w - n * per_unit, deltas - 4 * size
            for row in range(0, size, stride):
                way = Way(values, stride, old + row, 0, newer + row, 0, older + row, deltas + 4 * row, constants)
                tile_over_columns(gru_sums(memory, w + row // stride * per_unit, sources, columns), _gru_deltas, way)
            back_at, recurrent = w + (4 + 3 * below.n) * width, deltas + stride
            transposed(memory, Gated(back_at, per_unit, recurrent, 4, n), Rows(older, n), count(3), True, columns)
            if layer > 0:
                under = Gated(w + 4 * width, per_unit, deltas, 4, n)
                transposed(memory, under, Rows(newer - size, n), count(3), True, columns)
            newer, older, old, new = newer - size, older - size, old - size, new - size

    return back_gru if is_kind(cell, Gru) else None


@implements(accumulate)
def _accumulate_lstm(cell, memory, span, gradient):
    if not (is_kind(cell, Lstm) or is_kind(cell, Lstm1997)):
        return None
    four = is_kind(cell, Lstm)

    def accumulate_lstm(cell, memory, span, gradient):
        gates = count(4) if four else count(3)
        n_gates, width, stride, n = number_of(gates), lanes(memory.values), memory.stride, cell.n_hidden
        inputs, size = span.old - cell.n_inputs * stride, n * stride
        below, old, w, deltas = Rows(inputs, cell.n_inputs), span.old + cell.n_outputs * stride, 0, span.deltas
        for _ in range(cell.n_layers):
            per_source = n_gates * width
            per_unit = per_source * (1 + below.n + n)
            gradient_of_biases(memory, Gated(w, per_unit, deltas, n_gates, n), gates, span, gradient)
            under = Gated(w + per_source, per_unit, deltas, n_gates, n)
            gradient_of_sources(memory, under, below, gates, span, gradient)
            recurrent = Gated(w + per_source * (1 + below.n), per_unit, deltas, n_gates, n)
            gradient_of_sources(memory, recurrent, Rows(old, n), gates, span, gradient)
            below = Rows(old + span.size, n)
            w, old, deltas = w + n * per_unit, old + 2 * size, deltas + n_gates * size
        read_out_gradient(cell, memory, w, below.at, inputs, deltas, span, gradient)

    return accumulate_lstm


@implements(accumulate)
def _accumulate_gru(cell, memory, span, gradient):
    def accumulate_gru(cell, memory, span, gradient):
        width, stride, n = lanes(memory.values), memory.stride, cell.n_hidden
        inputs, size = span.old - cell.n_inputs * stride, n * stride
        below, old, w, deltas = Rows(inputs, cell.n_inputs), span.old + cell.n_outputs * stride, 0, span.deltas
        for _ in range(cell.n_layers):
            per_unit = (4 + 3 * (below.n + n)) * width
            gradient_of_biases(memory, Gated(w, per_unit, deltas, 4, n), count(4), span, gradient)
            under = Gated(w + 4 * width, per_unit, deltas, 4, n)
            gradient_of_sources(memory, under, below, count(3), span, gradient)
            recurrent = Gated(w + (4 + 3 * below.n) * width, per_unit, deltas + stride, 4, n)
            gradient_of_sources(memory, recurrent, Rows(old, n), count(3), span, gradient)
            below = Rows(old + span.size, n)
            w, old, deltas = w + n * per_unit, old + size, deltas + 4 * size
        read_out_gradient(cell, memory, w, below.at, inputs, deltas, span, gradient)

    return accumulate_gru if is_kind(cell, Gru) else None


@implements(start_back)
def _start_back(cell, memory, at, gradient, n_columns):
    if not (is_kind(cell, Lstm) or is_kind(cell, Lstm1997) or is_kind(cell, Gru)):
        return None
    n_biases, n_gates = 3 if is_kind(cell, Lstm1997) else 4, 4 if is_kind(cell, Lstm) else 3

    def start_back_gated(cell, memory, at, gradient, n_columns):
        if cell.initial_state:
            rows = Rows(at + cell.n_outputs * memory.stride, cell.n_state)
            w = n_weights(cell, n_biases, n_gates) * lanes(memory.values)
            add_over_columns(memory, rows, gradient, w, n_columns)

    return start_back_gated


@implements(unprepare)
def _unprepare(cell, weights, gradient):
    if is_kind(cell, Lstm) or is_kind(cell, Lstm1997) or is_kind(cell, Gru):
        return lambda cell, weights, gradient: None
    return None

"""The training of the first LSTM: weights that move while a sequence runs.

S. Hochreiter, J. Schmidhuber (1997), Neural Computation 9, 1735-1780, section 4 and appendix A.1: errors that arrive at
the sums of gates and cell inputs change the weights of these and go no further back; within a cell they are not lost,
because the cell's derivative by each of its weights runs along with it (RTRL), a number for each weight of a unit's
gates. So a step costs the same for every weight, and nothing is remembered of the past. With the sources x of a step
(1 for the bias, inputs, units of the step before), read-out weights V, and E the squared differences of the step:

- output gate: its delta is d_o = o (1 - o) tanh(c) dE/dh, and dE/dw = d_o x;
- internal state: its error is e = o (1 - tanh(c)**2) dE/dh, where dE/dh is V^T times the deltas of the outputs;
- input gate, cell input and, where there is one, forget gate: dE/dw = e p, where the derivative p = dc/dw runs forward
  as p(t) = f p(t - 1) + l x, with l = g i (1 - i), i (1 - g**2) or c(t - 1) f (1 - f), and f = 1 without forget gate
  (F. Gers, J. Schmidhuber, F. Cummins 2000, Neural Computation 12, 2451-2471, have it with one).

A first cell that has a gene is a weight with p(t) = f p(t - 1), p(0) = 1; a first unit is seen by sums alone, and
stays. As weights move, p mixes derivatives at weights of different times, which is good for small rates (R. J.
Williams, D. Zipser 1989, Neural Computation 1, 270-280). Were they to stay, this would be the gradient of
`gated_back`'s truncated mode.

Sequences come in the order of the problem, each as far as its last target that counts; weights run through them all.
The weight decay of a problem plays no part in these steps.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroevo.kernels.activations import tanh_constants, tanh_with
from neuroevo.kernels.cells.adjoints import Errors
from neuroevo.kernels.cells.base import At, Memory, Rows, start, step
from neuroevo.kernels.cells.dense import Sources
from neuroevo.kernels.cells.dense_back import read_out_back
from neuroevo.kernels.cells.gated import Lstm, Lstm1997, gate_sums, n_weights
from neuroevo.kernels.compilation import called, implements, inlined, is_kind, kernel
from neuroevo.kernels.loops import driver  # noqa: F401 - it registers code
from neuroevo.kernels.packing import pack
from neuroevo.kernels.processor import BLOCK_UNITS, LANES
from neuroevo.kernels.products import zero_rows
from neuroevo.kernels.scratch import aligned_empty
from neuroevo.kernels.tasks.base import Moment, feed, slope
from neuroevo.kernels.tiles import count, number_of, tile_over_columns
from neuroevo.kernels.vectors import broadcast, fma, lanes, load, opened, peek, poke, store, take_next, view


class Desk(NamedTuple):
    """Memory of one thread in the kernel's precision; all but `values` with a vector for each packed weight, and one.

    Attributes:
        weights: The weights as they are.
        first: The weights as they were given.
        traces: Derivatives of a unit's cell by its weights.
        gradient: Since the weights last moved.
        moves: By which they last moved, where there is momentum.
        values: Rows of a sequence: two steps, adjoints, deltas.
    """

    weights: NDArray[Any]
    first: NDArray[Any]
    traces: NDArray[Any]
    gradient: NDArray[Any]
    moves: NDArray[Any]
    values: NDArray[Any]


class Pace(NamedTuple):
    """How weights move; see `evaluation.learning.Online`.

    Attributes:
        rate: Learning rate.
        momentum: Share of the last move that is added.
        clip: Largest norm of a gradient; 0 for none.
        interval: Steps between two moves.
        shares: ``(n_packed,)`` float64: the square of a weight's factor, by which its derivative counts; 0 where it is
            fixed.
        positions: ``(n_sequences,)`` int64: where the task has each sequence.
    """

    rate: float
    momentum: float
    clip: float
    interval: int
    shares: NDArray[np.float64]
    positions: NDArray[np.int64]


def make_desk(cell: Lstm | Lstm1997, n_packed: int, dtype: Any) -> Desk:
    """Memory for one thread."""
    width = LANES[np.dtype(dtype).name]
    n_slot = cell.n_outputs + cell.n_state
    n_rows = 2 * (cell.n_inputs + n_slot) + n_slot + cell.n_outputs + 6
    weights, first, traces, gradient, moves = (aligned_empty((n_packed + 1) * width, dtype) for _ in range(5))
    return Desk(weights, first, traces, gradient, moves, aligned_empty(n_rows * width, dtype))


def make_pace(packing: Any, order: NDArray[np.int64], rate: float, momentum: float, clip: float, interval: int) -> Pace:
    """The pace for weights that are packed so, and sequences that a task has in this order."""
    shares = np.where(packing.genes >= 0, packing.factors**2, 0.0)
    return Pace(float(rate), float(momentum), float(clip), int(interval), shares, np.argsort(order))


class Unit(NamedTuple):
    """Where the numbers of a unit lie: elements of `values`.

    Attributes:
        values: View of memory.
        stride: Elements from row to row.
        old: The old cell.
        new: The new cell.
        adjoint: Adjoint of the unit.
        out: Six rows: for each gate what its sum's sources are multiplied by, then the share of the cell that is kept,
            and the cell's error.
        constants: Of `tanh_ratio`.
    """

    values: Any
    stride: int
    old: int
    new: int
    adjoint: int
    out: int
    constants: Any


@inlined
def _locals(sums, column, unit):
    values, constants, stride, out = unit.values, unit.constants, unit.stride, unit.out
    half, one = broadcast(values, 0.5), broadcast(values, 1.0)
    write, keep = tanh_with(sums[0], constants), tanh_with(sums[1], constants)
    new, read = tanh_with(sums[2], constants), tanh_with(sums[3], constants)
    squashed, adjoint = tanh_with(load(values, unit.new), constants), load(values, unit.adjoint)
    store(values, out, half * new * fma(-write, write, one))
    store(values, out + stride, half * load(values, unit.old) * fma(-keep, keep, one))
    store(values, out + 2 * stride, fma(half, write, half) * fma(-new, new, one))
    store(values, out + 3 * stride, adjoint * half * squashed * fma(-read, read, one))
    store(values, out + 4 * stride, fma(half, keep, half))
    store(values, out + 5 * stride, adjoint * fma(half, read, half) * fma(-squashed, squashed, one))


@inlined
def _locals_1997(sums, column, unit):
    values, constants, stride, out = unit.values, unit.constants, unit.stride, unit.out
    half, one = broadcast(values, 0.5), broadcast(values, 1.0)
    write, new = tanh_with(sums[0], constants), tanh_with(sums[1], constants)
    read = tanh_with(sums[2], constants)
    squashed, adjoint = tanh_with(load(values, unit.new), constants), load(values, unit.adjoint)
    store(values, out, half * new * fma(-write, write, one))
    store(values, out + stride, fma(half, write, half) * fma(-new, new, one))
    store(values, out + 2 * stride, adjoint * half * squashed * fma(-read, read, one))
    store(values, out + 4 * stride, one)
    store(values, out + 5 * stride, adjoint * fma(half, read, half) * fma(-squashed, squashed, one))


def locals_of(cell, memory, w, sources, unit):
    """The six rows of a unit's `out` (without forget gate the fourth is left)."""


@implements(locals_of)
def _locals_of(cell, memory, w, sources, unit):
    def with_forget_gate(cell, memory, w, sources, unit):
        tile_over_columns(gate_sums(memory, w, sources, count(4), count(1)), _locals, unit)

    def without(cell, memory, w, sources, unit):
        tile_over_columns(gate_sums(memory, w, sources, count(3), count(1)), _locals_1997, unit)

    return with_forget_gate if is_kind(cell, Lstm) else without if is_kind(cell, Lstm1997) else None


def gates_of(cell):
    """The number of gates, as a `Count`."""


@implements(gates_of)
def _gates_of(cell):
    if is_kind(cell, Lstm):
        return lambda cell: count(4)
    return (lambda cell: count(3)) if is_kind(cell, Lstm1997) else None


@inlined
def _source(memory, desk, k, source, unit, gates):
    """One source of a unit: its derivatives run on, and the gradient of its weights from element `k` on grows."""
    width, stride, last = lanes(memory.values), memory.stride, number_of(gates) - 1
    keep, error = load(memory.values, unit.out + 4 * stride), load(memory.values, unit.out + 5 * stride)
    for gate in range(last):
        at = k + gate * width
        trace = fma(keep, load(desk.traces, at), load(memory.values, unit.out + gate * stride) * source)
        store(desk.traces, at, trace)
        store(desk.gradient, at, fma(error, trace, load(desk.gradient, at)))
    at = k + last * width
    store(desk.gradient, at, fma(load(memory.values, unit.out + last * stride), source, load(desk.gradient, at)))


@inlined
def _units(cell, memory, desk, at, adjoints, out):
    """The units of a step: derivatives run on, and the gradient grows."""
    values, width, stride, n = memory.values, lanes(memory.values), memory.stride, cell.n_hidden
    gates, constants, head = gates_of(cell), tanh_constants(memory.values), cell.n_outputs * memory.stride
    per_source = number_of(gates) * width
    below, back = Rows(at.inputs, cell.n_inputs), Rows(at.old + head, n)
    w, first_cell = 0, (n_weights(cell, number_of(gates), number_of(gates)) + n) * width
    for u in range(n):
        row, its_cell = head + u * stride, head + (n + u) * stride
        unit = Unit(values, stride, at.old + its_cell, at.new + its_cell, adjoints + row, out, constants)
        locals_of(cell, memory, w, Sources(below, back), unit)
        _source(memory, desk, w, broadcast(values, 1.0), unit, gates)
        w += per_source
        for i in range(below.n):
            _source(memory, desk, w, load(values, below.at + i * stride), unit, gates)
            w += per_source
        for i in range(n):
            _source(memory, desk, w, load(values, back.at + i * stride), unit, gates)
            w += per_source
        if cell.initial_state:
            k = first_cell + u * width
            trace = load(values, out + 4 * stride) * load(desk.traces, k)
            store(desk.traces, k, trace)
            store(desk.gradient, k, fma(load(values, out + 5 * stride), trace, load(desk.gradient, k)))
    return w


@inlined
def _outputs(cell, memory, desk, at, deltas, w):
    """The gradient of the read-out, whose weights begin at element `w`, grows."""
    values, width, stride, n_sources = (
        memory.values,
        lanes(memory.values),
        memory.stride,
        1 + cell.n_hidden + cell.n_skip,
    )
    units = at.new + cell.n_outputs * stride
    for o in range(cell.n_outputs):
        first = o // BLOCK_UNITS * BLOCK_UNITS
        apart = min(BLOCK_UNITS, cell.n_outputs - first)
        delta, k = load(values, deltas + o * stride), w + (first * n_sources + o - first) * width
        store(desk.gradient, k, load(desk.gradient, k) + delta)
        for i in range(1, n_sources):
            k += apart * width
            inside = i <= cell.n_hidden
            source = units + (i - 1) * stride if inside else at.inputs + (i - 1 - cell.n_hidden) * stride
            store(desk.gradient, k, fma(delta, load(values, source), load(desk.gradient, k)))


@inlined
def _clip(desk, pace, shares, n_packed, width):
    """Shorten the gradients of the genomes in whose lanes they are longer than they may be."""
    squares = broadcast(desk.gradient, 0.0)
    for k in range(n_packed):
        value = load(desk.gradient, k * width)
        squares = fma(broadcast(value, peek(shares, k)) * value, value, squares)
    # The vector of `traces` behind those of the weights is free to hold the factors.
    store(desk.traces, n_packed * width, squares)
    for lane in range(width):
        norm = math.sqrt(peek(desk.traces, n_packed * width + lane))
        poke(desk.traces, n_packed * width + lane, pace.clip / norm if norm > pace.clip else 1.0)
    factor = load(desk.traces, n_packed * width)
    for k in range(0, n_packed * width, width):
        store(desk.gradient, k, factor * load(desk.gradient, k))


@called
def _move(desk, pace, shares, n_packed, width):
    """Move the weights against their gradient, and begin a new one."""
    if pace.clip > 0.0:
        _clip(desk, pace, shares, n_packed, width)
    rate, momentum = broadcast(desk.weights, -pace.rate), broadcast(desk.weights, pace.momentum)
    for k in range(n_packed):
        at = k * width
        move = rate * broadcast(rate, peek(shares, k)) * load(desk.gradient, at)
        if pace.momentum > 0.0:
            move = fma(momentum, load(desk.moves, at), move)
            store(desk.moves, at, move)
        store(desk.weights, at, load(desk.weights, at) + move)
        store(desk.gradient, at, broadcast(rate, 0.0))


@called
def _learn_sequence(cell, task, memory, desk, pace, shares, n_packed, position):
    """All steps of a sequence."""
    width, n_inputs = memory.stride, cell.n_inputs * memory.stride
    n_slot = cell.n_outputs + cell.n_state
    size = n_inputs + n_slot * width
    adjoints = 2 * size
    deltas = adjoints + n_slot * width
    start(cell, memory, n_inputs, 1)
    zero, one = broadcast(desk.traces, 0.0), broadcast(desk.traces, 1.0)
    for k in range(n_packed):
        store(desk.traces, k * width, zero)
    for k in range((n_packed - cell.n_hidden if cell.initial_state else n_packed), n_packed):
        store(desk.traces, k * width, one)
    n_steps = peek(task.n_run, position)
    for t in range(n_steps):
        old, new = n_inputs + t % 2 * size, n_inputs + (t + 1) % 2 * size
        at, now = At(old - n_inputs, old, new), Moment(position, t, n_steps)
        wanted = feed(task, memory, at.inputs, now, count(1))
        step(cell, memory, at, wanted, count(1))
        zero_rows(memory, Rows(adjoints, n_slot), 1)
        wanted = slope(task, memory, new, adjoints, now, count(1))
        w = (n_weights(cell, number_of(gates_of(cell)), number_of(gates_of(cell)))) * width
        w -= cell.n_outputs * (1 + cell.n_hidden + cell.n_skip) * width
        units = Rows(adjoints + cell.n_outputs * width, cell.n_hidden)
        read_out_back(cell, memory, w, units, at, Errors(adjoints, adjoints, deltas), deltas, wanted, count(1))
        _units(cell, memory, desk, at, adjoints, deltas + cell.n_outputs * width)
        if wanted:
            _outputs(cell, memory, desk, at, deltas, w)
        if (t + 1) % pace.interval == 0 or t + 1 == n_steps:
            _move(desk, pace, shares, n_packed, width)


@called
def _write_back(packing, weights, first, population, block, refined):
    """The genomes as their weights have become, in rows of `refined` from `block` on."""
    n_packed = packing.genes.size
    width = weights.size // (n_packed + 1)
    for lane in range(min(width, population.shape[0] - block)):
        for gene in range(population.shape[1]):
            refined[block + lane, gene] = population[block + lane, gene]
        for k in range(n_packed):
            if packing.genes[k] >= 0:
                moved = np.float64(weights[k * width + lane]) - np.float64(first[k * width + lane])
                refined[block + lane, packing.genes[k]] += moved / packing.factors[k]


@kernel
def learn(cell, packing, task, population, desk, pace, counter, refined):
    """Let blocks of genomes learn from all sequences, once through, until the counter has passed the last block.

    Args:
        cell: `Lstm` or `Lstm1997` of one layer.
        packing: `Packing` of its weights.
        task: What is fed and how it is judged; one with a slope.
        population: ``(n, n_genes)`` float64.
        desk: `Desk` of this thread.
        pace: `Pace`.
        counter: ``(1,)`` int64, the next block; shared by all threads.
        refined: ``(n, n_genes)`` float64, written: the genomes at the end; not finite where they have diverged.
    """
    shape, shown, opened_desk, opened_pace = opened(cell), opened(task), opened(desk), opened(pace)
    weights, values = view(desk.weights), view(desk.values)
    width, n_packed = lanes(values), packing.genes.size
    n_blocks = (population.shape[0] + width - 1) // width
    memory = Memory(weights, values, width)
    while True:
        block = take_next(counter)
        if block >= n_blocks:
            return
        pack(packing, population, block * width, weights, width)
        desk.first[:] = desk.weights
        desk.gradient[:] = 0.0
        desk.moves[:] = 0.0
        for sequence in range(task.order.size):
            position = peek(opened_pace.positions, sequence)
            _learn_sequence(shape, shown, memory, opened_desk, opened_pace, opened_pace.shares, n_packed, position)
        _write_back(packing, desk.weights, desk.first, population, block * width, refined)

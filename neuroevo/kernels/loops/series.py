"""Elman networks with many units on few sequences: lanes are the units of one genome.

With a single sequence every weight is used once a step. When the weights of a whole block of genomes outgrow the
first-level cache, fetching them bounds the speed; those of one genome still fit. Here a vector holds the weights from
one source to 16 units, the source's value is broadcast, and each sum is the same chain as in `dense` - the bias, the
inputs in order, the units in order - so that both give the same bits and the choice is one of speed alone.

The read-out has too few rows to fill vectors; it takes four steps at once, which hides the latency of its chains.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroevo.kernels.activations import TANH, activate, tanh_constants, tanh_with
from neuroevo.kernels.cells.base import Memory
from neuroevo.kernels.cells.dense import read_out_rows
from neuroevo.kernels.compilation import called, inlined, kernel
from neuroevo.kernels.packing import Order
from neuroevo.kernels.processor import LANES
from neuroevo.kernels.tasks.base import finish
from neuroevo.kernels.tasks.sequences import BLOCK_STEPS, NOTHING, all_failed, flush
from neuroevo.kernels.tiles import count, each_fma, each_of, each_poke, tile_fma_by, tile_from, tile_map, tile_store
from neuroevo.kernels.vectors import broadcast, fma_scalar, lanes, load, opened, peek, poke, store, take_next, view

HISTORY = 8
"""Steps whose unit values, and inputs where outputs see them, are kept for the read-out; divides `BLOCK_STEPS`."""


class Series(NamedTuple):
    """The shape of an Elman network of one layer with a linear read-out."""

    n_inputs: int
    n_hidden: int
    n_outputs: int
    n_padded: int
    """Units, filled up to whole vectors."""
    activation: int
    initial_state: int
    n_skip: int
    """Inputs that the outputs see too: n_inputs or 0."""


def series_order(cell: Series, arrays: dict[str, NDArray[np.int64]]) -> Order:
    """Order of the weights: per source (bias, inputs, units) those to all units; read-out by output; initial state."""
    rows = np.column_stack([arrays["bias_l0"], arrays["weight_ih_l0"], arrays["weight_hh_l0"]]).T
    padding = ((0, 0), (0, cell.n_padded - cell.n_hidden))
    pieces = [np.pad(rows, padding, constant_values=-1)]
    if cell.initial_state:
        pieces.append(np.pad(arrays["initial_state_l0"][None, :], padding, constant_values=-1))
    pieces.append(read_out_rows(arrays))
    slots = np.concatenate([piece.ravel() for piece in pieces])
    return Order(slots, np.ones(slots.size))


def n_padded(n_hidden: int, dtype: Any) -> int:
    """Units filled up to whole vectors of a precision."""
    width = LANES[np.dtype(dtype).name]
    return -(-n_hidden // width) * width


@called
def _pack(packing, population, genome, weights):
    genes, fixed = view(packing.genes), view(packing.fixed)
    genomes = view(population)
    first = genome * population.shape[1]
    for k in range(packing.genes.size):
        gene = peek(genes, k)
        poke(weights, k, peek(genomes, first + gene) if gene >= 0 else peek(fixed, k))


class Feed(NamedTuple):
    """The numbers that a step is fed with: `at` in a view of all inputs."""

    inputs: Any
    at: int


@inlined
def _vectors(cell, memory, v, feed, old, new, constants, rows):
    """New values of the units in some vectors, `v` elements from the first."""
    weights, values = memory.weights, memory.values
    tile = tile_from(weights, v, rows, count(1))
    w = v + cell.n_padded
    for i in range(cell.n_inputs):
        tile = tile_fma_by(tile, weights, w, broadcast(values, peek(feed.inputs, feed.at + i)))
        w += cell.n_padded
    for j in range(cell.n_hidden):
        tile = tile_fma_by(tile, weights, w, broadcast(values, peek(values, old + j)))
        w += cell.n_padded
    if cell.activation == TANH:
        tile = tile_map(tile, tanh_with, constants)
    tile_store(tile, values, new + v, lanes(values))


@called
def _step(cell, memory, feed, old, new):
    """One step: the units at `old` become those at `new`."""
    constants = tanh_constants(memory.values)
    width = lanes(memory.values)
    v = 0
    while cell.n_padded - v >= 8 * width:
        _vectors(cell, memory, v, feed, old, new, constants, count(8))
        v += 8 * width
    if cell.n_padded - v >= 4 * width:
        _vectors(cell, memory, v, feed, old, new, constants, count(4))
        v += 4 * width
    if cell.n_padded - v >= 2 * width:
        _vectors(cell, memory, v, feed, old, new, constants, count(2))
        v += 2 * width
    if cell.n_padded - v >= width:
        _vectors(cell, memory, v, feed, old, new, constants, count(1))
    if cell.activation != TANH:
        activate(cell.activation, memory.values, new, 1, cell.n_padded, cell.n_padded // width)


@called
def _read_out(cell, memory, w, outputs, n_steps):
    """Outputs of the first `n_steps` steps in the history, `[output][step]` from `outputs` on."""
    inputs = outputs + HISTORY * cell.n_outputs
    for o in range(cell.n_outputs):
        for s in range(0, n_steps, 4):
            sums = each_of(peek(memory.weights, w), count(4))
            for j in range(cell.n_hidden):
                weight = peek(memory.weights, w + 1 + j)
                sums = each_fma(sums, weight, memory.values, s * cell.n_padded + j, cell.n_padded)
            for i in range(cell.n_skip):
                weight = peek(memory.weights, w + 1 + cell.n_hidden + i)
                sums = each_fma(sums, weight, memory.values, inputs + s * cell.n_skip + i, cell.n_skip)
            each_poke(memory.values, outputs + o * HISTORY + s, sums)
        w += 1 + cell.n_hidden + cell.n_skip


@inlined
def _score(task, step, values, at, sums):
    """As `sequences._score`, for one genome; its outputs lie `HISTORY` elements apart from `at` on."""
    right = True
    for o in range(task.n_outputs):
        k = step * task.n_outputs + o
        if peek(task.mask, k) != 0:
            difference = peek(values, at + o * HISTORY) - peek(task.targets, k)
            poke(sums, 0, fma_scalar(difference, difference, peek(sums, 0)))
            # The tolerance in the kernel's precision, as in a vector.
            poke(sums, 2, task.tolerance)
            right &= abs(difference) <= peek(sums, 2)
    if right:
        poke(sums, 1, peek(sums, 1) + 1.0)


@inlined
def _judge(cell, task, memory, sums, w, step, n_steps):
    """Outputs and errors of the first `n_steps` steps in the history, the first of which is `step`, if any counts."""
    wanted = False
    for k in range(step, step + n_steps):
        wanted |= peek(task.counts, k) != NOTHING
    if wanted:
        outputs = HISTORY * cell.n_padded
        _read_out(cell, memory, w, outputs, n_steps)
        for k in range(n_steps):
            if peek(task.counts, step + k) != NOTHING:
                _score(task, step + k, memory.values, outputs + k, sums)


@called
def _run(cell, task, memory, sums, totals, position):
    """All steps of a sequence; False if the genome has failed."""
    values, size = memory.values, cell.n_padded
    sequence, end = peek(task.order, position), peek(task.n_run, position)
    w = size * (1 + cell.n_inputs + cell.n_hidden)
    old = (HISTORY - 1) * size
    for v in range(0, size, lanes(values)):
        store(values, old + v, load(memory.weights, w + v) if cell.initial_state else broadcast(values, 0.0))
    if cell.initial_state:
        w += size
    row = peek(task.starts, position)
    for t in range(end):
        s = t % HISTORY
        feed = Feed(task.inputs, (row + t) * cell.n_inputs)
        _step(cell, memory, feed, old, s * size)
        for i in range(cell.n_skip):
            poke(values, HISTORY * (size + cell.n_outputs) + s * cell.n_skip + i, peek(feed.inputs, feed.at + i))
        old = s * size
        if s == HISTORY - 1 or t == end - 1:
            _judge(cell, task, memory, sums, w, row + t - s, s + 1)
            if (t + 1) % BLOCK_STEPS == 0 or t == end - 1:
                flush(sums, 0, totals, sequence, 1)
                if all_failed(totals, task.order, position, 1, 1):
                    return False
    return True


@kernel
def evaluate_by_units(cell, packing, task, population, scratch, counter, error, right):
    """As `driver.evaluate` of `Sequences`, genome by genome."""
    memory = Memory(view(scratch.weights), view(scratch.values), cell.n_padded)
    sums, totals, shown = view(scratch.sums), view(scratch.totals), opened(task)
    while True:
        genome = take_next(counter)
        if genome >= population.shape[0]:
            return
        _pack(packing, population, genome, memory.weights)
        scratch.totals[:] = 0.0
        scratch.sums[:] = 0.0
        for position in range(task.order.size):
            if not _run(cell, shown, memory, sums, totals, position):
                scratch.totals[:] = np.inf
                break
        finish(task, scratch.totals[: 2 * task.order.size], population, genome, error, right)

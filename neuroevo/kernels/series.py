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
from neuroevo.kernels.compilation import called, inlined, kernel
from neuroevo.kernels.errors import BLOCK_STEPS, NOTHING, all_failed, finish, flush, view_of
from neuroevo.kernels.packing import Order
from neuroevo.kernels.processor import LANES
from neuroevo.kernels.tiles import count, tile_fma_by, tile_from, tile_map, tile_store
from neuroevo.kernels.vectors import broadcast, fma_scalar, lanes, load, peek, poke, store, take_next, view

HISTORY = 8
"""Steps whose unit values are kept for the read-out; divides `BLOCK_STEPS`."""


class Series(NamedTuple):
    """The shape of an Elman network of one layer with a linear read-out."""

    n_inputs: int
    n_hidden: int
    n_outputs: int
    n_padded: int
    """Units, filled up to whole vectors."""
    activation: int
    initial_state: int


def series_order(cell: Series, arrays: dict[str, NDArray[np.int64]]) -> Order:
    """Order of the weights: per source (bias, inputs, units) those to all units; read-out by output; initial state."""
    rows = np.column_stack([arrays["bias_l0"], arrays["weight_ih_l0"], arrays["weight_hh_l0"]]).T
    padding = ((0, 0), (0, cell.n_padded - cell.n_hidden))
    pieces = [np.pad(rows, padding, constant_values=-1)]
    if cell.initial_state:
        pieces.append(np.pad(arrays["initial_state_l0"][None, :], padding, constant_values=-1))
    pieces.append(np.column_stack([arrays["bias_out"], arrays["weight_out"]]))
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


@inlined
def _vectors(cell, weights, v, inputs, x, values, old, new, constants, rows):
    """New values of the units in some vectors, `v` elements from the first."""
    tile = tile_from(weights, v, rows, count(1))
    w = v + cell.n_padded
    for i in range(cell.n_inputs):
        tile = tile_fma_by(tile, weights, w, broadcast(values, peek(inputs, x + i)))
        w += cell.n_padded
    for j in range(cell.n_hidden):
        tile = tile_fma_by(tile, weights, w, broadcast(values, peek(values, old + j)))
        w += cell.n_padded
    if cell.activation == TANH:
        tile = tile_map(tile, tanh_with, constants)
    tile_store(tile, values, new + v, lanes(values))


@called
def _step(cell, weights, inputs, x, values, old, new):
    """One step: the units at `old` become those at `new`."""
    constants = tanh_constants(values)
    width = lanes(values)
    v = 0
    while cell.n_padded - v >= 8 * width:
        _vectors(cell, weights, v, inputs, x, values, old, new, constants, count(8))
        v += 8 * width
    if cell.n_padded - v >= 4 * width:
        _vectors(cell, weights, v, inputs, x, values, old, new, constants, count(4))
        v += 4 * width
    if cell.n_padded - v >= 2 * width:
        _vectors(cell, weights, v, inputs, x, values, old, new, constants, count(2))
        v += 2 * width
    if cell.n_padded - v >= width:
        _vectors(cell, weights, v, inputs, x, values, old, new, constants, count(1))
    if cell.activation != TANH:
        activate(cell.activation, values, new, 1, cell.n_padded, cell.n_padded // width)


@called
def _read_out(cell, weights, w, values, outputs, n_steps):
    """Outputs of the first `n_steps` steps in the history, `[output][step]` from `outputs` on."""
    size = cell.n_padded
    for o in range(cell.n_outputs):
        bias = peek(weights, w)
        for s in range(0, n_steps, 4):
            a, b, c, d = bias, bias, bias, bias
            h = s * size
            for j in range(cell.n_hidden):
                weight = peek(weights, w + 1 + j)
                a = fma_scalar(weight, peek(values, h + j), a)
                b = fma_scalar(weight, peek(values, h + size + j), b)
                c = fma_scalar(weight, peek(values, h + 2 * size + j), c)
                d = fma_scalar(weight, peek(values, h + 3 * size + j), d)
            place = outputs + o * HISTORY + s
            poke(values, place, a)
            poke(values, place + 1, b)
            poke(values, place + 2, c)
            poke(values, place + 3, d)
        w += 1 + cell.n_hidden


@inlined
def _score(cell, data, row, values, outputs, s, sums):
    """As `errors.score`, for one genome."""
    right = True
    for o in range(cell.n_outputs):
        k = row * cell.n_outputs + o
        if peek(data.mask, k) != 0:
            difference = peek(values, outputs + o * HISTORY + s) - peek(data.targets, k)
            poke(sums, 0, fma_scalar(difference, difference, peek(sums, 0)))
            # The tolerance in the kernel's precision, as in a vector.
            poke(sums, 2, data.tolerance)
            right &= abs(difference) <= peek(sums, 2)
    if right:
        poke(sums, 1, peek(sums, 1) + 1.0)


@called
def _run(cell, data, weights, values, sums, totals, position):
    """All steps of a sequence; False if the genome has failed."""
    size, width = cell.n_padded, lanes(values)
    sequence, end = peek(data.order, position), peek(data.n_run, position)
    outputs = HISTORY * size
    w = size * (1 + cell.n_inputs + cell.n_hidden)
    last = (HISTORY - 1) * size
    for v in range(0, size, width):
        store(values, last + v, load(weights, w + v) if cell.initial_state else broadcast(values, 0.0))
    if cell.initial_state:
        w += size
    row = sequence * data.n_steps
    for t in range(end):
        s = t % HISTORY
        old = (s + HISTORY - 1) % HISTORY
        _step(cell, weights, data.inputs, (row + t) * cell.n_inputs, values, old * size, s * size)
        if s == HISTORY - 1 or t == end - 1:
            wanted = False
            for k in range(row + t - s, row + t + 1):
                wanted |= peek(data.counts, k) != NOTHING
            if wanted:
                _read_out(cell, weights, w, values, outputs, s + 1)
                for k in range(s + 1):
                    if peek(data.counts, row + t - s + k) != NOTHING:
                        _score(cell, data, row + t - s + k, values, outputs, k, sums)
            if (t + 1) % BLOCK_STEPS == 0 or t == end - 1:
                flush(sums, 0, totals, sequence, 1)
                if all_failed(totals, data.order, position, 1, 1):
                    return False
    return True


@kernel
def evaluate_by_units(cell, packing, data, population, scratch, counter, error, right):
    """As `driver.evaluate`, genome by genome."""
    weights, values = view(scratch.weights), view(scratch.values)
    sums, totals = view(scratch.sums), view(scratch.totals)
    sequences = view_of(data)
    while True:
        genome = take_next(counter)
        if genome >= population.shape[0]:
            return
        _pack(packing, population, genome, weights)
        scratch.totals[:] = 0.0
        scratch.sums[:] = 0.0
        for position in range(data.order.size):
            if not _run(cell, sequences, weights, values, sums, totals, position):
                scratch.totals[:] = np.inf
                break
        finish(data, scratch.totals[: 2 * data.order.size], population, genome, 1, error, right)

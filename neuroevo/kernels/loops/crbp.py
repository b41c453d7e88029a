"""Causal recursive backpropagation for locally recurrent networks: gradients found forward in time, also online.

The derivatives of a unit's sum s by the coefficients of its filters are filters themselves, run forward (alpha for the
taps w of sources, beta for the taps v of what is fed back), and only errors go backward, from the units q of a layer to
those n below over at most Q steps of what lies between them:

    alpha_nm(p)[t] = x_m[t-p] + sum_r v_nm(r) alpha_nm(p)[t-r]
    beta_nm(p)[t] = y_nm[t-p] + sum_r v_nm(r) beta_nm(p)[t-r]
    e_n[t] = sum_q sum_{p=0..Q} delta_q[t+p] h_qn(p),  delta_n[t] = e_n[t] f'(s_n[t])
    dE/dw_nm(p) = sum_t delta_n[t] alpha_nm(p)[t],  dE/dv_nm(p) = sum_t delta_n[t] beta_nm(p)[t]

with h_qn the impulse response of the link. So the errors of layer l are known D_l = the sum of Q over the layers above
it after the step that they belong to, and its part of the gradient follows so many steps behind the network. Without
truncation the gradient is exact (RBP). Links without feedback end by themselves after their taps, and Q = 0 is exact
where nothing above a layer remembers: BP, temporal BP and BPS; Q = 0 with filters above is the rule of Back and Tsoi.
Where units feed back, all coefficients of a unit are filtered by its own taps, for outputs with the slope f' of each.

Sums over p are computed transposed, from the latest delta back through the link's filter, which needs no h. The filters
of derivatives run behind with the weights of the moment, where the paper keeps their values of the step: the two are
one where weights stand still, and agree to first order where they change slowly.

Reference: P. Campolucci, A. Uncini, F. Piazza, B. D. Rao: On-line learning algorithms for locally recurrent neural
networks. IEEE Transactions on Neural Networks 10 (1999), 253-271.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroevo.kernels.cells.base import Memory, Rows, prepare, start, step
from neuroevo.kernels.cells.filter_layers import LocallyRecurrent
from neuroevo.kernels.compilation import called, inlined, kernel
from neuroevo.kernels.loops import driver  # noqa: F401 - it registers cells and tasks
from neuroevo.kernels.loops.crbp_layers import Horizon, at_step, follow, n_vectors, places_of
from neuroevo.kernels.packing import pack, unpack_gradient
from neuroevo.kernels.processor import LANES
from neuroevo.kernels.products import zero_rows
from neuroevo.kernels.scratch import aligned_empty
from neuroevo.kernels.tasks.base import Moment, feed, finish_gradient, slope
from neuroevo.kernels.tiles import count
from neuroevo.kernels.vectors import add_wide, broadcast, fma, lanes, load, opened, peek, poke, store, take_next, view

BLOCK_STEPS = 32
"""Steps whose contributions are added in the kernel's precision."""


class Room(NamedTuple):
    """Memory of one thread; `real` is the kernel's precision.

    Attributes:
        weights: real, the packed weights of one block.
        values: real, see `Places`.
        gradient: ``(n_packed * lanes,)`` float64.
    """

    weights: NDArray[Any]
    values: NDArray[Any]
    gradient: NDArray[np.float64]


def make_room(cell: LocallyRecurrent, horizon: Horizon, n_packed: int, dtype: Any) -> Room:
    """Memory for one thread."""
    width = LANES[np.dtype(dtype).name]
    values = aligned_empty(n_vectors(cell, horizon, n_packed) * width, dtype)
    return Room(aligned_empty(n_packed * width, dtype), values, aligned_empty(n_packed * width, np.float64))


@called
def _take(memory, places, n_packed, gradient):
    """Move the gradient since the last time to the totals in double."""
    values, width = memory.values, lanes(memory.values)
    for w in range(0, n_packed * width, width):
        add_wide(load(values, places.sums + w), gradient, w)
        store(values, places.sums + w, broadcast(values, 0.0))


@called
def _move(memory, places, genes, n_packed, update):
    """Move the weights down the gradient since the last time, as `online.move` does, in the kernel's precision."""
    values, width = memory.values, lanes(memory.values)
    if update.clip > 0.0:
        _clip(memory, places, genes, n_packed, update.clip)
    rate, momentum = broadcast(values, update.rate), broadcast(values, update.momentum)
    for k in range(n_packed):
        w = k * width
        if peek(genes, k) >= 0:
            move = fma(momentum, load(values, places.steps + w), rate * load(values, places.sums + w))
            store(values, places.steps + w, move)
            store(memory.weights, w, load(memory.weights, w) - move)
        store(values, places.sums + w, broadcast(values, 0.0))


@inlined
def _clip(memory, places, genes, n_packed, clip):
    """Shorten each genome's gradient to the norm `clip`."""
    values, width = memory.values, lanes(memory.values)
    for lane in range(width):
        square = 0.0
        for k in range(n_packed):
            if peek(genes, k) >= 0:
                slope = float(peek(values, places.sums + k * width + lane))
                square += slope * slope
        if square > clip * clip:
            factor = clip / math.sqrt(square)
            for k in range(n_packed):
                at = places.sums + k * width + lane
                poke(values, at, peek(values, at) * factor)


@called
def _run(cell, task, memory, horizon, places, genes, n_packed, update, gradient, position):
    """One sequence, and as many steps after its end as errors take to reach the lowest layer."""
    width, n_steps = lanes(memory.values), peek(task.n_run, position)
    zero_rows(memory, Rows(places.filters, n_packed * horizon.n_filters), 1)
    start(cell, memory, at_step(cell, horizon, 0, width).old, 1)
    n_all = n_steps + peek(horizon.lags, 0)
    for t in range(n_all):
        wanted = False
        if t < n_steps:
            at, now = at_step(cell, horizon, t, width), Moment(position, t, n_steps)
            wanted = feed(task, memory, at.inputs, now, count(1))
            step(cell, memory, at, wanted, count(1))
            zero_rows(memory, Rows(places.outputs, cell.n_outputs), 1)
            wanted = slope(task, memory, at.new, places.outputs, now, count(1))
        for k in range(cell.n_layers - 1, -1, -1):
            follow(cell, memory, horizon, places, k, t, n_steps, wanted)
        if update.rate > 0.0:
            if (t + 1) % update.interval == 0 or t + 1 == n_all:
                _move(memory, places, genes, n_packed, update)
        elif (t + 1) % BLOCK_STEPS == 0 or t + 1 == n_all:
            _take(memory, places, n_packed, gradient)


@kernel
def crbp(cell, packing, task, turns, population, room, horizon, update, counter, found):
    """Gradients of a population by recursive backpropagation, or what becomes of it online.

    Args:
        cell: `LocallyRecurrent`.
        packing: `Packing` of its weights.
        task: What is fed and how it is judged.
        turns: ``(n_sequences,)`` int64, the sequences in the order in which they run, as positions of the task's order.
        population: ``(n, n_genes)`` float64.
        room: `Room` of this thread.
        horizon: `Horizon`.
        update: `online.Update`.
        counter: ``(1,)`` int64, the next block; shared by all threads.
        found: ``(n, n_genes)`` float64, written: with a rate of 0 the gradient of the error, otherwise the genomes
            after all sequences, one after the other.
    """
    weights, values, gradient = view(room.weights), view(room.values), view(room.gradient)
    shape, shown, far, genes = opened(cell), opened(task), opened(horizon), view(packing.genes)
    width, n_packed = lanes(values), packing.genes.size
    places = places_of(shape, far, n_packed, width)
    memory = Memory(weights, values, width)
    n_blocks = (population.shape[0] + width - 1) // width
    while True:
        block = take_next(counter)
        if block >= n_blocks:
            return
        pack(packing, population, block * width, weights, width)
        prepare(shape, weights)
        room.gradient[:] = 0.0
        room.values[places.outputs :] = 0.0
        for turn in range(turns.size):
            _run(shape, shown, memory, far, places, genes, n_packed, update, gradient, turns[turn])
        n_genomes = min(width, population.shape[0] - block * width)
        if update.rate > 0.0:
            for k in range(n_packed):
                if peek(genes, k) >= 0:
                    for lane in range(n_genomes):
                        found[block * width + lane, peek(genes, k)] = peek(weights, k * width + lane)
        else:
            unpack_gradient(packing, room.gradient, block * width, n_genomes, found)
            finish_gradient(task, population, block * width, n_genomes, found)

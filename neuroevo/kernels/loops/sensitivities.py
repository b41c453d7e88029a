"""Derivatives that run forward with a network: RTRL, the hybrid of BPTT and RTRL, curvature, and learning on the way.

What all of these carry is P, the derivatives of a network's state by its weights. A block of h steps takes them on:

    P(t + h) = B + J P(t),    dE/dw += G + l P(t)

where row u of J and of B are found by one backward pass through the block that begins with the u-th unit vector: its
adjoint at the block's beginning, and its gradient of the weights; l and G are the same of the errors within the block.
With h = 1 this is real-time recurrent learning at O(n^4) for each step of n units; with h = n a step costs O(n^3) on
average (Schmidhuber's hybrid), and the gradients are equal. All cells that have a backward step have these as well.

Without P errors stay within a window of the last steps, and the weights move every few steps: BPTT(h; h') of Williams
and Peng, h the window and h' the block.

The curvature is that of Gauss and Newton: the sum over steps and outputs of r r^T times the second derivative of the
loss, r being the derivatives of an output by the weights. P gives them at every step; where few steps have targets, a
pass back from each of these is cheaper.

All of this is in double precision.

References: R. J. Williams, D. Zipser: A learning algorithm for continually running fully recurrent neural networks.
Neural Computation 1 (1989), 270-280. J. Schmidhuber: A fixed size storage O(n^3) time complexity learning algorithm for
fully recurrent continually running networks. Neural Computation 4 (1992), 243-248. R. J. Williams, J. Peng: An
efficient gradient-based algorithm for on-line training of recurrent network trajectories. Neural Computation 2 (1990),
490-501.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroevo.kernels.cells.adjoints import Errors, Span, accumulate, back, start_back, unprepare
from neuroevo.kernels.cells.base import At, Memory, Rows, copy_rows, prepare, start, step
from neuroevo.kernels.compilation import called, inlined, kernel
from neuroevo.kernels.loops import gradient  # noqa: F401 - it registers code
from neuroevo.kernels.loops.online import move
from neuroevo.kernels.packing import pack, unpack_gradient
from neuroevo.kernels.processor import LANES, TILE_SEQUENCES
from neuroevo.kernels.products import zero_rows
from neuroevo.kernels.scratch import aligned_empty
from neuroevo.kernels.tasks.base import Moment, bend, feed, finish_gradient, slope
from neuroevo.kernels.tiles import count, tile_add_wide, tile_fma_apart, tile_load, tile_outer, tile_store, tile_zero
from neuroevo.kernels.vectors import broadcast, lanes, load, opened, peek, store, take_next, view

N_RESIDUALS = 16
"""Outputs whose derivatives are collected before they join the curvature, which is then gone through once for all."""

WIDTH = LANES["float64"]


class Way(NamedTuple):
    """How derivatives are carried on.

    Attributes:
        block: Steps after which sensitivities or weights go on.
        window: Steps that errors run back through at most; the block's where sensitivities carry what is beyond.
        exact: 1 with sensitivities.
        curved: 1 where the curvature is wanted. A block is one step then where `exact` is 1, else the whole sequence:
            the derivatives of each output run back to its beginning.
    """

    block: int
    window: int
    exact: int
    curved: int


class Shape(NamedTuple):
    """What a thread's memory is made for.

    Attributes:
        n_packed: Packed weights.
        n_inputs: Input rows.
        n_slot: Rows of a slot, outputs and state.
        n_deltas: Rows of deltas.
        n_carried: Rows of a slot on which the next step depends.
        n_genes: Genes.
    """

    n_packed: int
    n_inputs: int
    n_slot: int
    n_deltas: int
    n_carried: int
    n_genes: int


class Room(NamedTuple):
    """Memory of one thread, float64.

    Attributes:
        weights: Packed weights of one block of genomes.
        values: Slots and inputs of a window, adjoints of two slots, deltas of a window.
        carried: ``(n_carried,)`` int64, the rows of a slot that the next step depends on.
        older: P, `[carried row][packed weight][lane]`.
        newer: The next P.
        jacobian: `[carried row][carried row][lane]`, and behind it one row more, for l.
        row: ``(n_packed * lanes,)``, the gradient of one pass.
        total: ``(n_packed * lanes,)``, the gradient since weights moved.
        residuals: `[residual][packed weight][lane]`, and the same times the bend.
        products: `[packed weight][packed weight][lane]`, the curvature as far as the second is not after the first.
        genes: ``(lanes, n_genes)``.
        slopes: ``(lanes, n_genes)``.
        moves: ``(lanes, n_genes)``, the last change of each gene.
        n_deltas: Rows of deltas of a step.
    """

    weights: NDArray[np.float64]
    values: NDArray[np.float64]
    carried: NDArray[np.int64]
    older: NDArray[np.float64]
    newer: NDArray[np.float64]
    jacobian: NDArray[np.float64]
    row: NDArray[np.float64]
    total: NDArray[np.float64]
    residuals: NDArray[np.float64]
    products: NDArray[np.float64]
    genes: NDArray[np.float64]
    slopes: NDArray[np.float64]
    moves: NDArray[np.float64]
    n_deltas: int


def sizes(shape: Shape, way: Way) -> dict[str, int]:
    """Vectors of each array of `Room` that is made of vectors."""
    steps = (way.window + 1) * (shape.n_inputs + shape.n_slot) + 2 * shape.n_slot + way.window * shape.n_deltas
    sensitivities = shape.n_carried * shape.n_packed if way.exact else 0
    return {
        "weights": shape.n_packed,
        "values": steps,
        "older": sensitivities,
        "newer": sensitivities,
        "jacobian": shape.n_carried * (shape.n_carried + 1),
        "row": shape.n_packed,
        "total": shape.n_packed,
        "residuals": 2 * N_RESIDUALS * shape.n_packed if way.curved else 0,
        "products": shape.n_packed**2 if way.curved else 0,
    }


def make_room(shape: Shape, way: Way, carried: NDArray[np.int64]) -> Room:
    """Memory for one thread."""
    arrays: dict[str, Any] = {name: aligned_empty(n * WIDTH, np.float64) for name, n in sizes(shape, way).items()}
    arrays |= {name: np.zeros((WIDTH, shape.n_genes)) for name in ("genes", "slopes", "moves")}
    return Room(**arrays, carried=carried, n_deltas=shape.n_deltas)


class Frame(NamedTuple):
    """Where things lie in `values`: elements.

    Attributes:
        slot: The first slot; its inputs lie before it.
        size: Elements from slot to slot.
        even: Adjoints of slots with even numbers.
        odd: Adjoints of the others; they lie behind those.
        deltas: Deltas of the first step.
        deltas_size: Elements to those of the next step.
    """

    slot: int
    size: int
    even: int
    odd: int
    deltas: int
    deltas_size: int


class Stretch(NamedTuple):
    """Steps in memory, the first of which leads from the first slot.

    Attributes:
        position: The sequence, in the task's order.
        t: Number of the first step.
        n: Steps.
        fresh: Steps before those whose outputs' errors count.
    """

    position: int
    t: int
    n: int
    fresh: int


@inlined
def _frame(cell, way, n_deltas, width):
    n_slot = (cell.n_outputs + cell.n_state) * width
    size = cell.n_inputs * width + n_slot
    even = (way.window + 1) * size
    return Frame(cell.n_inputs * width, size, even, even + n_slot, even + 2 * n_slot, n_deltas * width)


@called
def _run_on(cell, task, memory, frame, stretch, n_new):
    """Run the steps after those of a stretch."""
    old = frame.slot + stretch.n * frame.size
    inputs = cell.n_inputs * memory.stride
    for t in range(stretch.t + stretch.n, stretch.t + stretch.n + n_new):
        wanted = feed(task, memory, old - inputs, Moment(stretch.position, t, t + 1), count(1))
        step(cell, memory, At(old - inputs, old, old + frame.size), wanted, count(1))
        old += frame.size


@called
def _run_back(cell, task, memory, frame, stretch, wanted_last):
    """Adjoints from the last slot of a stretch back to the first, and all deltas.

    The adjoints of the last slot are there; the slopes of the loss are added to those of fresh steps.
    """
    inputs = cell.n_inputs * memory.stride
    for s in range(stretch.n - 1, -1, -1):
        old = frame.slot + s * frame.size
        newer, older = (frame.odd, frame.even) if s % 2 == 0 else (frame.even, frame.odd)
        wanted = wanted_last and s == stretch.n - 1
        if s >= stretch.fresh:
            now = Moment(stretch.position, stretch.t + s, stretch.t + s + 1)
            wanted |= slope(task, memory, old + frame.size, newer, now, count(1))
        zero_rows(memory, Rows(older, cell.n_outputs), 1)
        errors = Errors(newer, older, frame.deltas + s * frame.deltas_size)
        back(cell, memory, At(old - inputs, old, old + frame.size), errors, wanted, count(1))


@inlined
def _zero(vectors, n):
    for k in range(0, n * lanes(vectors), lanes(vectors)):
        store(vectors, k, broadcast(vectors, 0.0))


@inlined
def _copy(source, target, at, n):
    for k in range(0, n * lanes(source), lanes(source)):
        store(target, at + k, load(source, k))


@inlined
def _times_tile(left, n, older, target, u, k, n_packed, rows, columns):
    width = lanes(older)
    place, apart = (u * n_packed + k) * width, n_packed * width
    tile = tile_load(target, place, apart, rows, columns)
    for row in range(n):
        tile = tile_fma_apart(tile, left, (u * n + row) * width, n * width, older, (row * n_packed + k) * width)
    tile_store(tile, target, place, apart)


@inlined
def _times_rows(left, n, older, target, u, n_packed, rows):
    k = 0
    while n_packed - k >= TILE_SEQUENCES:
        _times_tile(left, n, older, target, u, k, n_packed, rows, count(TILE_SEQUENCES))
        k += TILE_SEQUENCES
    while k < n_packed:
        _times_tile(left, n, older, target, u, k, n_packed, rows, count(1))
        k += 1


@called
def _add_product(left, n_rows, n, older, target, n_packed):
    """Add left `[row][n]` times `older` `[n][packed weight]` to `target` `[row][packed weight]`, lane by lane."""
    u = 0
    while n_rows - u >= 4:
        _times_rows(left, n, older, target, u, n_packed, count(4))
        u += 4
    while u < n_rows:
        _times_rows(left, n, older, target, u, n_packed, count(1))
        u += 1


class Carrying(NamedTuple):
    """What all passes need: how many rows are carried, and how many weights packed."""

    n: int
    n_packed: int


@inlined
def _gather_adjoints(memory, room, frame, size, target, row):
    """Write the carried rows of the first slot's adjoints to row `row` of `target`."""
    width = lanes(memory.values)
    for k in range(size.n):
        value = load(memory.values, frame.even + peek(room.carried, k) * width)
        store(target, (row * size.n + k) * width, value)


@inlined
def _pass(cell, task, memory, room, frame, size, stretch, wanted_last):
    """Run back through a stretch; `room.row` is its gradient of the weights."""
    _run_back(cell, task, memory, frame, stretch, wanted_last)
    _zero(room.row, size.n_packed)
    span = Span(frame.slot, frame.size, frame.deltas, frame.deltas_size, stretch.n, 1)
    accumulate(cell, memory, span, room.row)


@inlined
def _unit(cell, memory, frame, slot, row):
    """Make the adjoints of a slot those of one of its rows alone."""
    width, n_slot = lanes(memory.values), cell.n_outputs + cell.n_state
    zero_rows(memory, Rows(frame.even, 2 * n_slot), 1)
    at = (frame.odd if slot % 2 == 1 else frame.even) + row * width
    store(memory.values, at, broadcast(memory.values, 1.0))


@called
def _begin(cell, memory, room, frame, size):
    """The sensitivities of the state before the first step, into `room.older`."""
    width = lanes(memory.values)
    for u in range(size.n):
        _unit(cell, memory, frame, 0, peek(room.carried, u))
        _zero(room.row, size.n_packed)
        start_back(cell, memory, frame.even, room.row, 1)
        _copy(room.row, room.older, u * size.n_packed * width, size.n_packed)


@called
def _carry_on(cell, task, memory, room, frame, size, stretch):
    """Take the sensitivities from the first to the last slot of a stretch."""
    width = lanes(memory.values)
    blind = Stretch(stretch.position, stretch.t, stretch.n, stretch.n)
    for u in range(size.n):
        _unit(cell, memory, frame, stretch.n, peek(room.carried, u))
        _pass(cell, task, memory, room, frame, size, blind, False)
        _copy(room.row, room.newer, u * size.n_packed * width, size.n_packed)
        _gather_adjoints(memory, room, frame, size, room.jacobian, u)
    _add_product(room.jacobian, size.n, size.n, room.older, room.newer, size.n_packed)
    for k in range(0, size.n * size.n_packed * width, width):
        store(room.older, k, load(room.newer, k))


@inlined
def _add_beyond(memory, room, frame, size, target):
    """Add to `target` what the adjoints of the first slot owe to the weights' part in it."""
    _gather_adjoints(memory, room, frame, size, room.jacobian, size.n)
    last = size.n * size.n * lanes(memory.values)
    _add_row(room.jacobian, last, size, room.older, target)


@called
def _add_row(left, at, size, older, target):
    width = lanes(older)
    k = 0
    while size.n_packed - k >= TILE_SEQUENCES:
        tile = tile_load(target, k * width, width, count(1), count(TILE_SEQUENCES))
        for row in range(size.n):
            tile = tile_fma_apart(tile, left, at + row * width, width, older, (row * size.n_packed + k) * width)
        tile_store(tile, target, k * width, width)
        k += TILE_SEQUENCES
    while k < size.n_packed:
        tile = tile_load(target, k * width, width, count(1), count(1))
        for row in range(size.n):
            tile = tile_fma_apart(tile, left, at + row * width, width, older, (row * size.n_packed + k) * width)
        tile_store(tile, target, k * width, width)
        k += 1


@called
def _find_errors(cell, task, memory, room, frame, way, size, stretch):
    """Add the gradient of a stretch's fresh errors to `room.total`."""
    width, n_slot = lanes(memory.values), cell.n_outputs + cell.n_state
    zero_rows(memory, Rows(frame.even, 2 * n_slot), 1)
    _pass(cell, task, memory, room, frame, size, stretch, False)
    if way.exact:
        _add_beyond(memory, room, frame, size, room.row)
    elif stretch.t == 0:
        start_back(cell, memory, frame.even, room.row, 1)
    for k in range(0, size.n_packed * width, width):
        store(room.total, k, load(room.total, k) + load(room.row, k))


@inlined
def _outer_tile(room, size, n_rows, k, other, rows, columns):
    width = lanes(room.residuals)
    tile, row = tile_zero(room.residuals, rows, columns), size.n_packed * width
    for residual in range(n_rows):
        plain = residual * row + k * width
        bent = (N_RESIDUALS + residual) * row + other * width
        tile = tile_outer(tile, room.residuals, plain, bent, width)
    tile_add_wide(tile, room.products, (k * size.n_packed + other) * width, row, width)


@called
def _join(room, size, n_rows):
    """Add the outer products of the residuals collected to the curvature, up to its diagonal."""
    k = 0
    while k < size.n_packed:
        whole = size.n_packed - k >= 4
        last, other = k + (4 if whole else 1), 0
        while other < last:
            wide = size.n_packed - other >= TILE_SEQUENCES
            if whole and wide:
                _outer_tile(room, size, n_rows, k, other, count(4), count(TILE_SEQUENCES))
            elif whole:
                _outer_tile(room, size, n_rows, k, other, count(4), count(1))
            elif wide:
                _outer_tile(room, size, n_rows, k, other, count(1), count(TILE_SEQUENCES))
            else:
                _outer_tile(room, size, n_rows, k, other, count(1), count(1))
            other += TILE_SEQUENCES if wide else 1
        k = last


@called
def _find_residuals(cell, task, memory, room, frame, way, size, stretch, n_rows):
    """Collect the derivatives of the outputs of a stretch's fresh steps; residuals collected so far."""
    width = lanes(memory.values)
    for s in range(stretch.fresh, stretch.n):
        new, t = frame.slot + (s + 1) * frame.size, stretch.t + s
        for o in range(cell.n_outputs):
            bent = bend(task, memory, new, Moment(stretch.position, t, t + 1), o)
            if not bent[0]:
                continue
            _unit(cell, memory, frame, s + 1, o)
            _pass(cell, task, memory, room, frame, size, Stretch(stretch.position, stretch.t, s + 1, s + 1), True)
            if way.exact:
                _add_beyond(memory, room, frame, size, room.row)
            else:
                start_back(cell, memory, frame.even, room.row, 1)
            unprepare(cell, memory.weights, room.row)
            at = n_rows * size.n_packed * width
            for k in range(0, size.n_packed * width, width):
                value = load(room.row, k)
                store(room.residuals, at + k, value)
                store(room.residuals, N_RESIDUALS * size.n_packed * width + at + k, value * bent[1])
            n_rows += 1
            if n_rows == N_RESIDUALS:
                _join(room, size, n_rows)
                n_rows = 0
    return n_rows


@called
def _forget_oldest(cell, memory, frame, stretch, n_steps):
    """Move the slots behind the first `n_steps` steps to the beginning, inputs included."""
    n_rows = cell.n_inputs + cell.n_outputs + cell.n_state
    inputs = cell.n_inputs * memory.stride
    for s in range(n_steps, stretch.n + 1):
        rows = Rows(frame.slot - inputs + s * frame.size, n_rows)
        copy_rows(memory, rows, frame.slot - inputs + (s - n_steps) * frame.size, 1)


@called
def _run(cell, packing, task, memory, room, own, way, size, update, position):
    """All steps of one sequence; `room` has views, `own` the arrays themselves."""
    frame = _frame(cell, way, room.n_deltas, memory.stride)
    n_steps, n_slot = peek(task.n_run, position), cell.n_outputs + cell.n_state
    start(cell, memory, frame.slot, 1)
    if way.exact:
        _begin(cell, memory, room, frame, size)
    first, kept, n_rows, waiting = 0, 0, 0, 0
    while first + kept < n_steps:
        n_new = min(way.block, n_steps - first - kept)
        if not way.exact and kept + n_new > way.window:
            n_gone = kept + n_new - way.window
            _forget_oldest(cell, memory, frame, Stretch(position, first, kept, kept), n_gone)
            first, kept = first + n_gone, kept - n_gone
        _run_on(cell, task, memory, frame, Stretch(position, first, kept, kept), n_new)
        stretch = Stretch(position, first, kept + n_new, kept)
        _find_errors(cell, task, memory, room, frame, way, size, stretch)
        if way.curved:
            n_rows = _find_residuals(cell, task, memory, room, frame, way, size, stretch, n_rows)
        kept += n_new
        if way.exact:
            if first + kept < n_steps:
                _carry_on(cell, task, memory, room, frame, size, stretch)
                copy_rows(memory, Rows(frame.slot + kept * frame.size, n_slot), frame.slot, 1)
            first, kept = first + kept, 0
        waiting += n_new
        if update.rate > 0.0 and (waiting >= update.interval or first + kept == n_steps):
            waiting = 0
            unprepare(cell, memory.weights, room.total)
            move(packing, own.total, own.genes, own.slopes, own.moves, update, memory.weights)
            prepare(cell, memory.weights)
            _zero(room.total, size.n_packed)
    if n_rows > 0:
        _join(room, size, n_rows)


@called
def _unpack_curvature(packing, products, first, n_genomes, curvature):
    """The curvature by genes from that by packed weights, whose products lie up to the diagonal."""
    n_packed, width = packing.genes.size, WIDTH
    curvature[first : first + n_genomes] = 0.0
    for k in range(n_packed):
        gene = packing.genes[k]
        if gene >= 0:
            for other in range(n_packed):
                second = packing.genes[other]
                if second >= 0:
                    at = (max(k, other) * n_packed + min(k, other)) * width
                    factor = packing.factors[k] * packing.factors[other]
                    for lane in range(n_genomes):
                        curvature[first + lane, gene, second] += products[at + lane] * factor


@kernel
def sensitivities(cell, packing, task, turns, population, room, way, update, counter, found, curvature):
    """Gradients of a population, and its curvature, by what is carried forward; or what becomes of it on the way.

    Args:
        cell: Shape of the network.
        packing: `Packing` of its weights.
        task: What is fed and how it is judged, its numbers float64.
        turns: ``(n_sequences,)`` int64, the sequences in the order in which they run, as positions of the task's order.
        population: ``(n, n_genes)`` float64.
        room: `Room` of this thread.
        way: `Way`.
        update: `online.Update`; with a rate the genomes at the end are what is found.
        counter: ``(1,)`` int64, the next block; shared by all threads.
        found: ``(n, n_genes)`` float64, written: the gradient, or the genomes after the last step.
        curvature: ``(n, n_genes, n_genes)`` float64, written where the way is curved, without `Sequences.per_target`.
    """
    weights, values, shape, shown, opened_room = (
        view(room.weights), view(room.values), opened(cell), opened(task), opened(room),
    )  # fmt: skip
    width = lanes(values)
    size = Carrying(room.carried.size, packing.genes.size)
    n_blocks = (population.shape[0] + width - 1) // width
    while True:
        block = take_next(counter)
        if block >= n_blocks:
            return
        first = block * width
        n_genomes = min(width, population.shape[0] - first)
        for lane in range(width):
            room.genes[lane] = population[min(first + lane, population.shape[0] - 1)]
        room.moves[:] = 0.0
        pack(packing, room.genes, 0, weights, width)
        prepare(shape, weights)
        room.total[:] = 0.0
        room.products[:] = 0.0
        memory = Memory(weights, values, width)
        for k in range(turns.size):
            _run(shape, packing, shown, memory, opened_room, room, way, size, update, turns[k])
        if update.rate > 0.0:
            found[first : first + n_genomes] = room.genes[:n_genomes]
        else:
            unprepare(shape, weights, opened_room.total)
            unpack_gradient(packing, room.total, first, n_genomes, found)
            finish_gradient(task, population, first, n_genomes, found)
        if way.curved:
            _unpack_curvature(packing, room.products, first, n_genomes, curvature)

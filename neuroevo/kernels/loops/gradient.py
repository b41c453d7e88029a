"""Gradients of a population by backpropagation through time: the second half of `driver`.

A group of sequences runs forward with its slots kept, as many steps as memory was given for (a stretch). Where the
sequences are longer, the state at the beginning of each stretch is noted, and all stretches but the last run once more
before errors run back through them. On the way back the deltas of a block of steps are kept, from which
`accumulate` makes the gradient of the weights. Stretches end where blocks do, so that their length shows in no bit.

References: P. J. Werbos: Backpropagation through time: what it does and how to do it. Proc. IEEE 78 (1990), 1550-1560;
with a truncation, errors stay within windows of so many steps, as if the state were given at the start of each
(R. J. Williams, J. Peng 1990, Neural Computation 2, 490-501: BPTT(h; h)).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroevo.kernels.cells import (  # noqa: F401 - they register code
    dense_back,
    gated_back,
    graph_back,
    locally_recurrent_back,
)
from neuroevo.kernels.cells.adjoints import Errors, Span, accumulate, back, start_back, unprepare
from neuroevo.kernels.cells.base import At, Memory, Rows, copy_rows, prepare, start, step
from neuroevo.kernels.compilation import called, inlined, kernel
from neuroevo.kernels.loops import driver  # noqa: F401 - it registers code
from neuroevo.kernels.packing import pack, unpack_gradient
from neuroevo.kernels.processor import GROUP_SEQUENCES, LANES, TILE_SEQUENCES
from neuroevo.kernels.products import zero_rows
from neuroevo.kernels.scratch import aligned_empty
from neuroevo.kernels.tasks.base import Moment, Tally, feed, finish, finish_gradient, judge, slope
from neuroevo.kernels.tiles import count, number_of
from neuroevo.kernels.vectors import lanes, load, opened, peek, store, take_next, view

LONGEST_BLOCK = 64
"""Steps whose deltas are kept where a group is one sequence; for 2 sequences half as many, for 3 or 4 a quarter: the
deltas of a tile of units and what they are multiplied by stay in the first-level cache together."""


@inlined
def _block_steps(n_group):
    return LONGEST_BLOCK // (1 if n_group == 1 else 2 if n_group == 2 else 4)


class Room(NamedTuple):
    """Memory of one thread; `real` is the kernel's precision.

    Attributes:
        weights: real, the packed weights of one block.
        values: real: slots and inputs of a stretch, adjoints of two slots, deltas of a block of steps.
        sums: real, error and right steps of each sequence of a group since the last flush.
        totals: ``(n_sequences * 2 * lanes,)`` float64, error and right steps of each sequence.
        gradient: ``(n_packed * lanes,)`` float64.
        starts: real, the outputs and states at the beginning of each stretch of a group.
        n_kept: Steps of a stretch, a multiple of `LONGEST_BLOCK`.
        n_deltas: Rows of deltas of a step.
    """

    weights: NDArray[Any]
    values: NDArray[Any]
    sums: NDArray[Any]
    totals: NDArray[np.float64]
    gradient: NDArray[np.float64]
    starts: NDArray[Any]
    n_kept: int
    n_deltas: int


class Shape(NamedTuple):
    """What a thread's memory is made for.

    Attributes:
        n_packed: Packed weights.
        n_inputs: Input rows.
        n_slot: Rows of a slot, outputs and state.
        n_deltas: Rows of deltas.
        n_columns: Sequences of a group at most.
    """

    n_packed: int
    n_inputs: int
    n_slot: int
    n_deltas: int
    n_columns: int


def steps_kept(shape: Shape, n_steps: int, dtype: Any, n_bytes: int) -> int:
    """Steps of a stretch: all, or as many as fit into so many bytes, at least one block."""
    per_vector = LANES[np.dtype(dtype).name] * np.dtype(dtype).itemsize
    per_step = (shape.n_inputs + shape.n_slot) * shape.n_columns * per_vector
    fitting = max(1, int(n_bytes // (per_step * LONGEST_BLOCK)))
    return min(fitting, max(1, -(-n_steps // LONGEST_BLOCK))) * LONGEST_BLOCK


def sizes(shape: Shape, n_steps: int, n_kept: int) -> tuple[int, int]:
    """Vectors of `values` and of `starts`."""
    rows = (n_kept + 1) * (shape.n_inputs + shape.n_slot) + 2 * shape.n_slot
    n_starts = max(1, -(-n_steps // n_kept))
    return rows * shape.n_columns + LONGEST_BLOCK * shape.n_deltas, n_starts * shape.n_slot * shape.n_columns


def make_room(shape: Shape, n_steps: int, n_kept: int, n_sequences: int, dtype: Any) -> Room:
    """Memory for one thread: for sequences of up to `n_steps` steps, of which `n_kept` are kept."""
    width = LANES[np.dtype(dtype).name]
    n_values, n_starts = sizes(shape, n_steps, n_kept)
    return Room(
        aligned_empty(shape.n_packed * width, dtype),
        aligned_empty(n_values * width, dtype),
        aligned_empty(2 * GROUP_SEQUENCES * width, dtype),
        np.empty(n_sequences * 2 * width),
        aligned_empty(shape.n_packed * width, np.float64),
        aligned_empty(n_starts * width, dtype),
        n_kept,
        shape.n_deltas,
    )


class Frame(NamedTuple):
    """Where things lie in the memory of a group: elements of `values`.

    Attributes:
        slot: The first slot; its inputs lie before it.
        size: Elements from slot to slot.
        newer: Adjoints of the slots of odd steps, first as last: slot s has those at `newer` where s is odd.
        other: Adjoints of the slots of even steps.
        deltas: Deltas of the first step of a block.
        deltas_size: Elements from the deltas of a step to those of the next.
    """

    slot: int
    size: int
    newer: int
    other: int
    deltas: int
    deltas_size: int


@inlined
def _frame(cell, stride, room):
    n_slot = (cell.n_outputs + cell.n_state) * stride
    size = cell.n_inputs * stride + n_slot
    adjoints = (room.n_kept + 1) * size
    return Frame(
        cell.n_inputs * stride, size, adjoints, adjoints + n_slot, adjoints + 2 * n_slot, room.n_deltas * stride
    )


@called
def _forward(cell, task, memory, tally, frame, begin, moment, columns, judged):
    """The steps of `moment` within the stretch that begins at `begin`; False if all genomes have failed."""
    n_inputs = cell.n_inputs * memory.stride
    column = tally.first // (2 * lanes(memory.values))
    old = frame.slot + (moment.t - begin) * frame.size + column * lanes(memory.values)
    for t in range(moment.t, moment.end):
        new, inputs, now = old + frame.size, old - n_inputs, Moment(moment.position, t, moment.end)
        wanted = feed(task, memory, inputs, now, columns)
        step(cell, memory, At(inputs, old, new), wanted, columns)
        if judged and not judge(task, tally, memory, new, now, wanted, columns):
            return False
        old = new
    return True


@called
def _backward(cell, task, memory, frame, begin, block, moment, truncation, columns):
    """Errors from the step before `moment.end` back to that of `moment`, and the deltas of all these steps."""
    width = lanes(memory.values)
    n_inputs = cell.n_inputs * memory.stride
    column = block[1] * width
    for t in range(moment.end - 1, moment.t - 1, -1):
        old = frame.slot + (t - begin) * frame.size + column
        odd, even = frame.newer + column, frame.other + column
        newer, older = (odd, even) if (t + 1) % 2 == 1 else (even, odd)
        at = At(old - n_inputs, old, old + frame.size)
        now = Moment(moment.position, t, moment.end)
        wanted = slope(task, memory, at.new, newer, now, columns)
        n = number_of(columns)
        zero_rows(memory, Rows(older, cell.n_outputs), n)
        deltas = frame.deltas + (t - block[0]) * frame.deltas_size + column
        back(cell, memory, at, Errors(newer, older, deltas), wanted, columns)
        if truncation > 0 and t > 0 and t % truncation == 0:
            zero_rows(memory, Rows(older, cell.n_outputs + cell.n_state), n)


@inlined
def _forward_stretch(cell, task, memory, room, frame, group, n_group, begin, end, judged):
    """The steps of a stretch, of those sequences of a group that last; False if all genomes have failed."""
    width = lanes(memory.values)
    first = begin
    for active in range(n_group, 0, -1):
        last = min(end, peek(task.n_run, group + active - 1))
        column = 0
        while column < active and first < last:
            moment, tally = Moment(group + column, first, last), Tally(room.sums, 2 * column * width, room.totals)
            if active - column >= TILE_SEQUENCES:
                alive = _forward(cell, task, memory, tally, frame, begin, moment, count(TILE_SEQUENCES), judged)
                column += TILE_SEQUENCES
            else:
                alive = _forward(cell, task, memory, tally, frame, begin, moment, count(1), judged)
                column += 1
            if not alive:
                return False
        first = max(first, last)
    return True


@inlined
def _backward_block(cell, task, memory, room, frame, group, n_group, begin, span_begin, span_end, truncation):
    """Errors back through the steps of a block, and what these contribute to the gradient."""
    last = span_end
    for active in range(1, n_group + 1):
        # The longest sequence runs alone at the end; going back, one after the other joins.
        first = span_begin if active == n_group else max(span_begin, peek(task.n_run, group + active))
        last = min(last, peek(task.n_run, group + active - 1))
        if first < last:
            column = 0
            while column < active:
                moment, block = Moment(group + column, first, last), (span_begin, column)
                if active - column >= TILE_SEQUENCES:
                    _backward(cell, task, memory, frame, begin, block, moment, truncation, count(TILE_SEQUENCES))
                    column += TILE_SEQUENCES
                else:
                    _backward(cell, task, memory, frame, begin, block, moment, truncation, count(1))
                    column += 1
            old = frame.slot + (first - begin) * frame.size
            deltas = frame.deltas + (first - span_begin) * frame.deltas_size
            accumulate(
                cell, memory, Span(old, frame.size, deltas, frame.deltas_size, last - first, active), room.gradient
            )
            last = first


@inlined
def _note_start(memory, rows, starts, at, n_columns, back_again):
    """Copy the first columns of a slot to `starts`, or back."""
    width = lanes(memory.values)
    for row in range(rows.n):
        for c in range(0, n_columns * width, width):
            here, there = rows.at + row * memory.stride + c, at + row * memory.stride + c
            if back_again:
                store(memory.values, here, load(starts, there))
            else:
                store(starts, there, load(memory.values, here))


@called
def _gradient_of_group(cell, task, memory, room, group, n_group, truncation):
    """Errors of the sequences of a group, and their gradient; False if all genomes have failed."""
    frame = _frame(cell, memory.stride, room)
    n_slot, n_steps, n_kept = cell.n_outputs + cell.n_state, peek(task.n_run, group), room.n_kept
    n_block = _block_steps(n_group)
    first_slot = Rows(frame.slot, n_slot)
    start(cell, memory, frame.slot, n_group)
    for begin in range(0, n_steps, n_kept):
        if begin > 0:
            copy_rows(memory, Rows(frame.slot + n_kept * frame.size, n_slot), frame.slot, n_group)
        if n_steps > n_kept:
            at = begin // n_kept * n_slot * memory.stride
            _note_start(memory, first_slot, room.starts, at, n_group, False)
        end = min(n_steps, begin + n_kept)
        if not _forward_stretch(cell, task, memory, room, frame, group, n_group, begin, end, True):
            return False
    zero_rows(memory, Rows(frame.newer, 2 * n_slot), n_group)
    last = (n_steps - 1) // n_kept * n_kept
    for begin in range(last, -1, -n_kept):
        end = min(n_steps, begin + n_kept)
        if begin < last:
            at = begin // n_kept * n_slot * memory.stride
            _note_start(memory, first_slot, room.starts, at, n_group, True)
            _forward_stretch(cell, task, memory, room, frame, group, n_group, begin, end, False)
        for block in range((end - 1) // n_block * n_block, begin - 1, -n_block):
            block_end = min(end, block + n_block)
            _backward_block(cell, task, memory, room, frame, group, n_group, begin, block, block_end, truncation)
    start_back(cell, memory, frame.other, room.gradient, n_group)
    return True


@kernel
def gradient(cell, packing, task, population, room, truncation, counter, error, right, slopes):
    """Evaluate blocks of genomes with their gradients until the counter has passed the last block.

    Args:
        cell: Shape of the network.
        packing: `Packing` of its weights.
        task: What is fed and how it is judged.
        population: ``(n, n_genes)`` float64.
        room: `Room` of this thread.
        truncation: Steps of the windows that errors stay in; 0 for none.
        counter: ``(1,)`` int64, the next block; shared by all threads.
        error: ``(n,)`` float64, written as by `driver.evaluate`, to the same bits.
        right: ``(n,)`` float64, written: steps that are right.
        slopes: ``(n, n_genes)`` float64, written: the gradient of the error; anything where it failed.
    """
    memory_weights, values = view(room.weights), view(room.values)
    shape, shown, opened_room = opened(cell), opened(task), opened(room)
    width = lanes(values)
    n_blocks = (population.shape[0] + width - 1) // width
    n_sequences = task.order.size
    while True:
        block = take_next(counter)
        if block >= n_blocks:
            return
        pack(packing, population, block * width, memory_weights, width)
        prepare(shape, memory_weights)
        room.totals[:] = 0.0
        room.sums[:] = 0.0
        room.gradient[:] = 0.0
        for group in range(0, n_sequences, GROUP_SEQUENCES):
            n_group = min(GROUP_SEQUENCES, n_sequences - group)
            memory = Memory(memory_weights, values, n_group * width)
            if not _gradient_of_group(shape, shown, memory, opened_room, group, n_group, truncation):
                room.totals[:] = np.inf
                break
        finish(task, room.totals, population, block * width, error, right)
        unprepare(shape, memory_weights, opened_room.gradient)
        n_genomes = min(width, population.shape[0] - block * width)
        unpack_gradient(packing, room.gradient, block * width, n_genomes, slopes)
        finish_gradient(task, population, block * width, n_genomes, slopes)

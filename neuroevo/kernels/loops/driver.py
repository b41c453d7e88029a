"""The loop around all cells and tasks: blocks of genomes, groups of sequences, steps.

A thread takes one block of genomes (as many as a vector has lanes) after the other, packs their weights and runs all
sequences, the longest first, in groups of up to `GROUP_SEQUENCES` that share their steps while all of them last.

The slots of `cells` form a ring: each step reads one and writes the next. Two are enough to compute; where all steps of
a sequence fit, they are all still there when it has ended (`trace`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroevo.kernels.cells import dense, gated, graph, locally_recurrent  # noqa: F401 - they register code
from neuroevo.kernels.cells.base import At, Memory, prepare, start, step
from neuroevo.kernels.compilation import called, kernel
from neuroevo.kernels.packing import pack
from neuroevo.kernels.processor import GROUP_SEQUENCES, LANES, TILE_SEQUENCES
from neuroevo.kernels.scratch import aligned_empty
from neuroevo.kernels.tasks import free_runs, losses, outputs, replay, sequences  # noqa: F401 - they register code
from neuroevo.kernels.tasks.base import Moment, Tally, feed, finish, judge
from neuroevo.kernels.tiles import count
from neuroevo.kernels.vectors import lanes, opened, peek, take_next, view


class Scratch(NamedTuple):
    """Memory of one thread; `real` is the kernel's precision.

    Attributes:
        weights: real, the packed weights of one block.
        values: real, the rows of `cells` for one group of sequences, slot by slot.
        sums: real, error and right steps of each sequence of a group since the last flush.
        totals: ``(n_sequences * 2 * lanes,)`` float64, error and right steps of each sequence.
        n_slots: How many steps are kept, at least 2.
    """

    weights: NDArray[Any]
    values: NDArray[Any]
    sums: NDArray[Any]
    totals: NDArray[np.float64]
    n_slots: int


def make_scratch(n_packed: int, n_rows: int, n_sequences: int, dtype: Any, n_slots: int = 2) -> Scratch:
    """Memory for one thread: for `n_packed` weights, `n_rows` rows in all, `n_sequences` sequences."""
    width = LANES[np.dtype(dtype).name]
    return Scratch(
        aligned_empty(n_packed * width, dtype),
        aligned_empty(n_rows * GROUP_SEQUENCES * width, dtype),
        aligned_empty(2 * GROUP_SEQUENCES * width, dtype),
        np.empty(n_sequences * 2 * width),
        n_slots,
    )


def for_sequences(scratch: Scratch, n_sequences: int, dtype: Any) -> Scratch:
    """The memory of a thread for another number of sequences."""
    size = n_sequences * 2 * LANES[np.dtype(dtype).name]
    return scratch if scratch.totals.size == size else scratch._replace(totals=np.empty(size))


@called
def _run(cell, task, memory, tally, n_slots, column, moment, columns):
    """The steps from `moment` to its end of the sequences at `column` of a group; False if all genomes have failed."""
    n_inputs = cell.n_inputs * memory.stride
    size = n_inputs + (cell.n_outputs + cell.n_state) * memory.stride
    first = n_inputs + column * lanes(memory.values)
    last = first + n_slots * size
    old = first + moment.t % n_slots * size
    for t in range(moment.t, moment.end):
        new = old + size
        if new == last:
            new = first
        now = Moment(moment.position, t, moment.end)
        inputs = old - n_inputs
        wanted = feed(task, memory, inputs, now, columns)
        step(cell, memory, At(inputs, old, new), wanted, columns)
        if not judge(task, tally, memory, new, now, wanted, columns):
            return False
        old = new
    return True


@called
def _run_group(cell, task, memory, sums, totals, n_slots, group, n_group):
    """All steps of `n_group` sequences; they share their steps while all last, and the shorter ones drop out."""
    width = lanes(memory.values)
    start(cell, memory, cell.n_inputs * memory.stride, n_group)
    begin = 0
    for active in range(n_group, 0, -1):
        end = peek(task.n_run, group + active - 1)
        column = 0
        while column < active and begin < end:
            moment = Moment(group + column, begin, end)
            tally = Tally(sums, 2 * column * width, totals)
            if active - column >= TILE_SEQUENCES:
                alive = _run(cell, task, memory, tally, n_slots, column, moment, count(TILE_SEQUENCES))
                column += TILE_SEQUENCES
            else:
                alive = _run(cell, task, memory, tally, n_slots, column, moment, count(1))
                column += 1
            if not alive:
                return False
        begin = max(begin, end)
    return True


@kernel
def evaluate(cell, packing, task, population, scratch, counter, error, right):
    """Evaluate blocks of genomes until the counter has passed the last block.

    Args:
        cell: Shape of the network.
        packing: `Packing` of its weights.
        task: What is fed and how it is judged, `sequences.Sequences` or another one.
        population: ``(n, n_genes)`` float64.
        scratch: `Scratch` of this thread.
        counter: ``(1,)`` int64, the next block; shared by all threads.
        error: ``(n,)`` float64, written.
        right: ``(n,)`` float64, written: steps that are right.
    """
    weights, values = view(scratch.weights), view(scratch.values)
    sums, totals = view(scratch.sums), view(scratch.totals)
    shape, shown = opened(cell), opened(task)
    width = lanes(values)
    n_blocks = (population.shape[0] + width - 1) // width
    n_sequences = task.order.size
    while True:
        block = take_next(counter)
        if block >= n_blocks:
            return
        pack(packing, population, block * width, weights, width)
        prepare(shape, weights)
        scratch.totals[:] = 0.0
        scratch.sums[:] = 0.0
        group = 0
        while group < n_sequences:
            n_group = min(GROUP_SEQUENCES, n_sequences - group)
            memory = Memory(weights, values, n_group * width)
            if not _run_group(shape, shown, memory, sums, totals, scratch.n_slots, group, n_group):
                scratch.totals[:] = np.inf
                break
            group += n_group
        finish(task, scratch.totals, population, block * width, error, right)


@called
def _copy(slot_rows, memory, first, kept, genome, sequence, n_steps, column):
    """Copy what a ring kept of one sequence, lane by lane, each slot being `slot_rows` elements."""
    width = lanes(memory.values)
    for lane in range(min(width, kept.shape[0] - genome)):
        for t in range(n_steps):
            at = first + (t + 1) * slot_rows + column * width + lane
            for row in range(kept.shape[3]):
                kept[genome + lane, sequence, t, row] = peek(memory.values, at + row * memory.stride)


@kernel
def trace(cell, packing, task, population, scratch, counter, kept):
    """As `evaluate`, but nothing is judged: all rows of all steps are written.

    Args:
        cell: Shape of the network.
        packing: `Packing` of its weights.
        task: `replay.Replay`.
        population: ``(n, n_genes)`` float64.
        scratch: `Scratch` of this thread, with one slot more than the longest sequence has steps.
        counter: ``(1,)`` int64, the next block; shared by all threads.
        kept: ``(n, n_sequences, n_steps, n_outputs + n_state)`` real, written as far as the sequences last.
    """
    weights, values = view(scratch.weights), view(scratch.values)
    sums, totals = view(scratch.sums), view(scratch.totals)
    shape, shown = opened(cell), opened(task)
    width = lanes(values)
    n_blocks = (population.shape[0] + width - 1) // width
    n_sequences = task.order.size
    while True:
        block = take_next(counter)
        if block >= n_blocks:
            return
        pack(packing, population, block * width, weights, width)
        prepare(shape, weights)
        for group in range(0, n_sequences, GROUP_SEQUENCES):
            n_group = min(GROUP_SEQUENCES, n_sequences - group)
            memory = Memory(weights, values, n_group * width)
            _run_group(shape, shown, memory, sums, totals, scratch.n_slots, group, n_group)
            first = cell.n_inputs * memory.stride
            size = first + (cell.n_outputs + cell.n_state) * memory.stride
            for column in range(n_group):
                position = group + column
                _copy(size, memory, first, kept, block * width, task.order[position], task.n_run[position], column)

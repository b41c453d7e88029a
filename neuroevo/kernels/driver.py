"""The loop around all cells: blocks of genomes, groups of sequences, steps.

A thread takes one block of genomes (as many as a vector has lanes) after the other, packs their weights and runs all
sequences, the longest first, in groups of up to `GROUP_SEQUENCES` that share their steps while all of them last.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroevo.kernels import dense, gated, graph  # noqa: F401 - they register the cells
from neuroevo.kernels.cells import opened, prepare, start, step
from neuroevo.kernels.compilation import called, kernel
from neuroevo.kernels.errors import BLOCK_STEPS, NOTHING, all_failed, finish, flush, score, view_of
from neuroevo.kernels.packing import pack
from neuroevo.kernels.processor import GROUP_SEQUENCES, LANES, TILE_SEQUENCES
from neuroevo.kernels.scratch import aligned_empty
from neuroevo.kernels.tiles import count, number_of
from neuroevo.kernels.vectors import broadcast, lanes, peek, store, take_next, view


class Scratch(NamedTuple):
    """Memory of one thread; `real` is the kernel's precision.

    Attributes:
        weights: real, the packed weights of one block.
        values: real, the rows of `cells` for one group of sequences.
        sums: real, error and right steps of each sequence of a group since the last flush.
        totals: ``(n_sequences * 2 * lanes,)`` float64, error and right steps of each sequence.
    """

    weights: NDArray[Any]
    values: NDArray[Any]
    sums: NDArray[Any]
    totals: NDArray[np.float64]


def make_scratch(n_packed: int, n_state_rows: int, n_sequences: int, dtype: Any) -> Scratch:
    """Memory for one thread: for `n_packed` weights, `n_state_rows` rows in all, `n_sequences` sequences."""
    width = LANES[np.dtype(dtype).name]
    return Scratch(
        aligned_empty(n_packed * width, dtype),
        aligned_empty(n_state_rows * GROUP_SEQUENCES * width, dtype),
        aligned_empty(2 * GROUP_SEQUENCES * width, dtype),
        np.empty(n_sequences * 2 * width),
    )


@called
def _run(cell, data, weights, values, sums, totals, group, offset, n_group, begin, end, columns):
    """Steps `begin` ... `end` - 1 of the sequences at `offset` in a group; False if all genomes have failed."""
    width = lanes(values)
    stride = n_group * width
    at = offset * width
    outputs = at + cell.n_inputs * stride
    position = group + offset
    n_columns = number_of(columns)
    for t in range(begin, end):
        wanted = False
        for column in range(n_columns):
            row = peek(data.order, position + column) * data.n_steps + t
            wanted |= peek(data.counts, row) != NOTHING
            for i in range(cell.n_inputs):
                value = broadcast(values, peek(data.inputs, row * cell.n_inputs + i))
                store(values, at + i * stride + column * width, value)
        step(cell, weights, values, at, stride, t, wanted, 1, columns)
        if wanted:
            for column in range(n_columns):
                row = peek(data.order, position + column) * data.n_steps + t
                if peek(data.counts, row) != NOTHING:
                    score(
                        data,
                        row,
                        cell.n_outputs,
                        values,
                        outputs + column * width,
                        stride,
                        sums,
                        2 * (offset + column) * width,
                    )
        if (t + 1) % BLOCK_STEPS == 0 or t + 1 == end:
            for column in range(n_columns):
                if (t + 1) % BLOCK_STEPS == 0 or peek(data.n_run, position + column) == end:
                    flush(sums, 2 * (offset + column) * width, totals, peek(data.order, position + column), width)
            if all_failed(totals, data.order, position, n_columns, width):
                return False
    return True


@called
def _run_group(cell, data, weights, values, sums, totals, group, n_group):
    """All steps of `n_group` sequences; they share their steps while all last, and the shorter ones drop out."""
    start(cell, weights, values, 0, n_group * lanes(values), n_group)
    begin = 0
    for active in range(n_group, 0, -1):
        end = peek(data.n_run, group + active - 1)
        offset = 0
        while offset < active and begin < end:
            if active - offset >= TILE_SEQUENCES:
                alive = _run(
                    cell, data, weights, values, sums, totals, group, offset, n_group, begin, end, count(TILE_SEQUENCES)
                )
                offset += TILE_SEQUENCES
            else:
                alive = _run(cell, data, weights, values, sums, totals, group, offset, n_group, begin, end, count(1))
                offset += 1
            if not alive:
                return False
        begin = max(begin, end)
    return True


@kernel
def evaluate(cell, packing, data, population, scratch, counter, error, right):
    """Evaluate blocks of genomes until the counter has passed the last block.

    Args:
        cell: Shape of the network.
        packing: `Packing` of its weights.
        data: `Data`.
        population: ``(n, n_genes)`` float64.
        scratch: `Scratch` of this thread.
        counter: ``(1,)`` int64, the next block; shared by all threads.
        error: ``(n,)`` float64, written.
        right: ``(n,)`` float64, written: steps that are right.
    """
    weights, values = view(scratch.weights), view(scratch.values)
    sums, totals = view(scratch.sums), view(scratch.totals)
    sequences, shape = view_of(data), opened(cell)
    width = lanes(values)
    n_blocks = (population.shape[0] + width - 1) // width
    n_sequences = data.order.size
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
            if not _run_group(shape, sequences, weights, values, sums, totals, group, n_group):
                scratch.totals[:] = np.inf
                break
            group += n_group
        finish(data, scratch.totals, population, block * width, width, error, right)

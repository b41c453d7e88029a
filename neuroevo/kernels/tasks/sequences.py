"""The task of predicting sequences: how outputs become an error, defined once.

The losses of a sequence are added in the kernel's precision, outputs in order within steps in order, over
blocks of 64 steps (counted from step 0); a block's sum then joins the sequence's sum in double. Sequences are added in
index order in double. So a single-precision error stays accurate over any number of steps, and no layout shows in it.

The loss is the squared difference here, and what `losses` has where a task names one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import types
from numpy.typing import NDArray

from neuroevo.kernels.compilation import called, implements, inlined, is_kind
from neuroevo.kernels.tasks.base import bend, feed, finish, finish_gradient, judge, slope
from neuroevo.kernels.tiles import number_of
from neuroevo.kernels.vectors import (
    absolute,
    both,
    broadcast,
    equal,
    fma,
    lanes,
    less,
    less_equal,
    load,
    peek,
    poke,
    select,
    store,
)

BLOCK_STEPS = 64
"""Steps whose losses are added in the kernel's precision."""

NOTHING, ALL, SOME = range(3)
"""How many targets of a step count."""


class Sequences(NamedTuple):
    """Sequences, and what counts of them; all arrays flat in C order, `real` is the kernel's precision.

    Attributes:
        n_inputs: Inputs of a step.
        n_outputs: Targets of a step.
        inputs: ``(n_rows * n_inputs,)`` real; a row is a step of a sequence, whose rows follow each other.
        targets: ``(n_rows * n_outputs,)`` real.
        counts: ``(n_rows,)`` uint8, NOTHING, ALL or SOME.
        mask: ``(n_rows * n_outputs,)`` uint8, 1 for the targets that count.
        classes: ``(n_rows,)`` real, the right class of each step; empty where a tolerance decides.
        order: ``(n_sequences,)`` int64, the sequences by falling `n_run`.
        n_run: ``(n_sequences,)`` int64, in that order: steps up to the last one that counts.
        starts: ``(n_sequences,)`` int64, in that order: the row of each sequence's first step.
        by_class: 1 where `classes` decide what is right.
        tolerance: Largest difference that is right.
        per_target: 1 / number of counted targets, or 1 / sum of their weights.
        decay: Weight decay / number of genes.
        loss: None for the squared difference, or a `losses.Loss`, whose type chooses the code.
        weights: With a loss its factors, ``(n_rows * n_outputs,)`` real, or one for each row; else empty.
    """

    n_inputs: int
    n_outputs: int
    inputs: NDArray[Any]
    targets: NDArray[Any]
    counts: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    classes: NDArray[Any]
    order: NDArray[np.int64]
    n_run: NDArray[np.int64]
    starts: NDArray[np.int64]
    by_class: int
    tolerance: float
    per_target: float
    decay: float
    loss: Any
    weights: NDArray[Any]


@inlined
def feed_inputs(task, memory, inputs, moment, column):
    """Write the inputs of one sequence's step into its column of the input rows; its row."""
    step = peek(task.starts, moment.position + column) + moment.t
    place = inputs + column * lanes(memory.values)
    for i in range(task.n_inputs):
        value = broadcast(memory.values, peek(task.inputs, step * task.n_inputs + i))
        store(memory.values, place + i * memory.stride, value)
    return step


def feed_every_step(task, memory, inputs, moment, columns):
    """The `feed` of tasks that want every step."""
    for column in range(number_of(columns)):
        feed_inputs(task, memory, inputs, moment, column)
    return True


@implements(feed)
def _feed(task, memory, inputs, moment, columns):
    def feed_sequences(task, memory, inputs, moment, columns):
        wanted = False
        for column in range(number_of(columns)):
            step = feed_inputs(task, memory, inputs, moment, column)
            wanted |= peek(task.counts, step) != NOTHING
        return wanted

    return feed_sequences if is_kind(task, Sequences) else None


@implements(judge)
def _judge(task, tally, memory, outputs, moment, wanted, columns):
    def judge_sequences(task, tally, memory, outputs, moment, wanted, columns):
        width, n_columns = lanes(memory.values), number_of(columns)
        if wanted:
            for column in range(n_columns):
                step = peek(task.starts, moment.position + column) + moment.t
                if peek(task.counts, step) != NOTHING:
                    at, e = outputs + column * width, tally.first + 2 * column * width
                    score(task.loss, task, step, memory, at, tally.sums, e)
        return settle(task, tally, moment, n_columns, width)

    return judge_sequences if is_kind(task, Sequences) else None


@inlined
def settle(task, tally, moment, n_columns, width):
    """Flush the sums where a block of steps or a sequence has ended; whether the block of genomes goes on."""
    is_block = (moment.t + 1) % BLOCK_STEPS == 0
    if is_block or moment.t + 1 == moment.end:
        for column in range(n_columns):
            position = moment.position + column
            if is_block or peek(task.n_run, position) == moment.end:
                flush(tally.sums, tally.first + 2 * column * width, tally.totals, peek(task.order, position), width)
        return not all_failed(tally.totals, task.order, moment.position, n_columns, width)
    return True


def score(loss, task, step, memory, at, sums, e):
    """Add the losses of one step to `sums[e]`, and 1 or 0 to `sums[e + lanes]` where it is right.

    `step` is the row of the step; the outputs are the rows from `at` on.
    """


@implements(score)
def _score(loss, task, step, memory, at, sums, e):
    return _score_squared if isinstance(loss, types.NoneType) else None


def _score_squared(loss, task, step, memory, at, sums, e):
    values = memory.values
    width = lanes(values)
    error = load(sums, e)
    within = broadcast(values, task.tolerance)
    zero = broadcast(values, 0.0)
    right = less_equal(zero, within)
    whole = peek(task.counts, step) == ALL
    for o in range(task.n_outputs):
        k = step * task.n_outputs + o
        if whole or peek(task.mask, k) != 0:
            difference = load(values, at + o * memory.stride) - broadcast(values, peek(task.targets, k))
            error = fma(difference, difference, error)
            right = both(right, less_equal(absolute(difference), within))
    store(sums, e, error)
    if task.by_class != 0:
        right = right_class(broadcast(values, peek(task.classes, step)), task.n_outputs, values, at, memory.stride)
    store(sums, e + width, load(sums, e + width) + select(right, broadcast(values, 1.0), zero))


@inlined
def right_class(wanted, n_outputs, values, at, stride):
    """Mask of the genomes whose first largest output is that of the right class."""
    best = load(values, at)
    chosen = broadcast(values, 0.0)
    for o in range(1, n_outputs):
        output = load(values, at + o * stride)
        larger = less(best, output)
        best = select(larger, output, best)
        chosen = select(larger, broadcast(values, o), chosen)
    return equal(chosen, wanted)


@called
def flush(sums, e, totals, sequence, width):
    """Move the sums of a block of steps into the sequence's totals in double."""
    first = sequence * 2 * width
    for k in range(2 * width):
        poke(totals, first + k, peek(totals, first + k) + peek(sums, e + k))
        poke(sums, e + k, 0.0)


@called
def all_failed(totals, order, position, n_columns, width):
    """Whether every genome of the block has a sequence, among these, whose error is not finite."""
    for lane in range(width):
        failed = False
        for column in range(position, position + n_columns):
            failed |= not np.isfinite(peek(totals, peek(order, column) * 2 * width + lane))
        if not failed:
            return False
    return True


def finish_sequences(task, totals, population, first, error, right):
    """The `finish` of tasks whose error is a mean over all that counts; a failed evaluation is +inf and 0."""
    width = totals.size // (2 * task.order.size)
    for lane in range(min(width, population.shape[0] - first)):
        total, n_right, decay = 0.0, 0.0, 0.0
        for k in range(lane, totals.size, 2 * width):
            total += totals[k]
            n_right += totals[k + width]
        total *= task.per_target
        if task.decay > 0.0:
            for gene in population[first + lane]:
                decay += gene * gene
            total += task.decay * decay
        failed = not np.isfinite(total)
        error[first + lane] = np.inf if failed else total
        right[first + lane] = 0.0 if failed else n_right


@implements(finish)
def _finish(task, totals, population, first, error, right):
    return finish_sequences if is_kind(task, Sequences) else None


def score_slope(loss, task, step, memory, at, adjoints):
    """Add the derivatives of the losses of one step by its outputs at `at` to the rows from `adjoints` on."""


@implements(score_slope)
def _score_slope(loss, task, step, memory, at, adjoints):
    return _score_slope_squared if isinstance(loss, types.NoneType) else None


def _score_slope_squared(loss, task, step, memory, at, adjoints):
    values = memory.values
    whole = peek(task.counts, step) == ALL
    for o in range(task.n_outputs):
        k = step * task.n_outputs + o
        if whole or peek(task.mask, k) != 0:
            row = o * memory.stride
            difference = load(values, at + row) - broadcast(values, peek(task.targets, k))
            store(values, adjoints + row, load(values, adjoints + row) + (difference + difference))


@implements(slope)
def _slope(task, memory, outputs, adjoints, moment, columns):
    def slope_of_sequences(task, memory, outputs, adjoints, moment, columns):
        width, wanted = lanes(memory.values), False
        for column in range(number_of(columns)):
            step = peek(task.starts, moment.position + column) + moment.t
            if peek(task.counts, step) != NOTHING:
                wanted = True
                score_slope(task.loss, task, step, memory, outputs + column * width, adjoints + column * width)
        return wanted

    return slope_of_sequences if is_kind(task, Sequences) else None


@implements(finish_gradient)
def _finish_gradient(task, population, first, n_genomes, gradient):
    def finish_gradient_of_sequences(task, population, first, n_genomes, gradient):
        for row in range(first, first + n_genomes):
            for gene in range(population.shape[1]):
                decay = 2.0 * task.decay * population[row, gene]
                gradient[row, gene] = gradient[row, gene] * task.per_target + decay

    return finish_gradient_of_sequences if is_kind(task, Sequences) else None


def score_bend(loss, task, step, memory, at, output):
    """The second derivative of the loss of one output of a step, whose outputs are the rows from `at` on."""


@implements(score_bend)
def _score_bend(loss, task, step, memory, at, output):
    return _score_bend_squared if isinstance(loss, types.NoneType) else None


def _score_bend_squared(loss, task, step, memory, at, output):
    return broadcast(memory.values, 2.0)


@implements(bend)
def _bend(task, memory, outputs, moment, output):
    def bend_of_sequences(task, memory, outputs, moment, output):
        step = peek(task.starts, moment.position) + moment.t
        counts = peek(task.mask, step * task.n_outputs + output) != 0
        return counts, score_bend(task.loss, task, step, memory, outputs, output)

    return bend_of_sequences if is_kind(task, Sequences) else None

"""The task of running freely: after some steps with true inputs, outputs come back as inputs, and are judged.

What comes back is told by its *misses*, predictions less true values. Between networks and what a preparation looks at
all is linear, so the inputs of a free step are the true ones and factors times misses of earlier steps; a true value is
never taken off a prediction of another size. The misses of a run stay in memory of the task's own.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroevo.kernels.cells.base import Memory
from neuroevo.kernels.compilation import called, implements, inlined, is_kind
from neuroevo.kernels.processor import GROUP_SEQUENCES
from neuroevo.kernels.tasks.base import feed, finish, judge
from neuroevo.kernels.tasks.sequences import NOTHING, feed_inputs, finish_sequences, score, settle
from neuroevo.kernels.tiles import number_of
from neuroevo.kernels.vectors import broadcast, fma, lanes, load, maximum, minimum, peek, store


class FreeRuns(NamedTuple):
    """Runs of equal length; all arrays flat in C order, `real` is the kernel's precision.

    A run is a sequence of the driver. Its step of number 0 is the last one with true inputs; a row of `targets`,
    `counts`, `mask` and `weights` is a judged step of a run. The fields up to `weights` are as in `Sequences`.

    Attributes:
        n_known: Steps with true inputs.
        first: Number of the first judged step, 0 or less.
        n_judged: Judged steps of a run.
        n_free: Steps whose inputs are fed back.
        n_series: Series whose outputs come back.
        teachers: ``(n_runs * n_judged * n_outputs)`` real: the outputs that would come back as the true inputs.
        back: ``(n_judged * n_outputs)`` int64: the row of the room in which the miss of each judged output is kept, one
            of a series for each free step, in which it is new; -1 where it does not come back.
        gains: ``(n_outputs,)`` real: from the units of an output to those of its series.
        n_input_terms: How many there are.
        input_terms: ``(n, 3)`` int64: an input, a series, how many steps before the miss is new.
        input_factors: ``(n,)`` real.
        n_output_terms: How many there are.
        output_terms: Likewise, with outputs: what misses change of what is taken off the targets.
        output_factors: ``(n,)`` real.
        n_linear_terms: How many there are.
        linear_terms: ``(n, 3)`` int64: an output, an input, how many steps before it is read, of a linear model.
        linear_factors: ``(n, 3)`` real: its factor, and the ends of the range that the input is held in.
        room: real, aligned: of each sequence of a group the misses of all free steps, its judged outputs, and its
            inputs in all free steps where there is a linear model.
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
    n_known: int
    first: int
    n_judged: int
    n_free: int
    n_series: int
    teachers: NDArray[Any]
    back: NDArray[np.int64]
    gains: NDArray[Any]
    n_input_terms: int
    input_terms: NDArray[np.int64]
    input_factors: NDArray[Any]
    n_output_terms: int
    output_terms: NDArray[np.int64]
    output_factors: NDArray[Any]
    n_linear_terms: int
    linear_terms: NDArray[np.int64]
    linear_factors: NDArray[Any]
    room: NDArray[Any]


def n_room_rows(n_free: int, n_series: int, n_outputs: int, n_inputs: int, *, linear: bool) -> int:
    """Rows of the room of one sequence."""
    return n_free * n_series + n_outputs + (n_free * n_inputs if linear else 0)


@inlined
def _room_at(task, position, width):
    """Element of the room where that of a sequence begins."""
    rows = task.n_free * task.n_series + task.n_outputs
    if task.n_linear_terms > 0:
        rows += task.n_free * task.n_inputs
    return position % GROUP_SEQUENCES * rows * width


@implements(feed)
def _feed(task, memory, inputs, moment, columns):
    def feed_free(task, memory, inputs, moment, columns):
        width, number = lanes(memory.values), moment.t - task.n_known + 1
        for column in range(number_of(columns)):
            feed_inputs(task, memory, inputs, moment, column)
            if number > 0:
                _feed_misses(task, memory, inputs + column * width, moment.position + column, number)
        return number >= task.first

    return feed_free if is_kind(task, FreeRuns) else None


@called
def _feed_misses(task, memory, inputs, position, number):
    """Add to the true inputs of a free step what earlier misses change of them."""
    values, width = memory.values, lanes(memory.values)
    room = _room_at(task, position, width)
    for term in range(task.n_input_terms):
        new = number - peek(task.input_terms, 3 * term + 2)
        if new > 0:
            at = inputs + peek(task.input_terms, 3 * term) * memory.stride
            miss = room + ((new - 1) * task.n_series + peek(task.input_terms, 3 * term + 1)) * width
            factor = broadcast(values, peek(task.input_factors, term))
            store(values, at, fma(factor, load(task.room, miss), load(values, at)))
    if task.n_linear_terms > 0:
        kept = room + (task.n_free * task.n_series + task.n_outputs + (number - 1) * task.n_inputs) * width
        for i in range(task.n_inputs):
            store(task.room, kept + i * width, load(values, inputs + i * memory.stride))


@implements(judge)
def _judge(task, tally, memory, outputs, moment, wanted, columns):
    def judge_free(task, tally, memory, outputs, moment, wanted, columns):
        width, n_columns = lanes(memory.values), number_of(columns)
        if wanted:
            number = moment.t - task.n_known + 1
            for column in range(n_columns):
                position = moment.position + column
                row = peek(task.order, position) * task.n_judged + number - task.first
                at = _judged_outputs(task, memory, outputs + column * width, position, number, row)
                if peek(task.counts, row) != NOTHING:
                    own = Memory(memory.weights, task.room, width)
                    score(task.loss, task, row, own, at, tally.sums, tally.first + 2 * column * width)
        return settle(task, tally, moment, n_columns, width)

    return judge_free if is_kind(task, FreeRuns) else None


@called
def _judged_outputs(task, memory, outputs, position, number, row):
    """Write the outputs that stand for what a step predicts, and the misses that come back; where the outputs lie."""
    values, width = memory.values, lanes(memory.values)
    room = _room_at(task, position, width)
    judged = room + task.n_free * task.n_series * width
    for o in range(task.n_outputs):
        store(task.room, judged + o * width, load(values, outputs + o * memory.stride))
    if number > 0:
        _add_references(task, memory, room, judged, position, number)
    for o in range(task.n_outputs):
        new = peek(task.back, (number - task.first) * task.n_outputs + o)
        if new >= 0:
            teacher = broadcast(values, peek(task.teachers, row * task.n_outputs + o))
            miss = (load(task.room, judged + o * width) - teacher) * broadcast(values, peek(task.gains, o))
            store(task.room, room + new * width, miss)
    return judged


@inlined
def _add_references(task, memory, room, judged, position, number):
    """Add what earlier misses change of what the preparation takes off the targets."""
    values, width = memory.values, lanes(memory.values)
    for term in range(task.n_output_terms):
        new = number - peek(task.output_terms, 3 * term + 2)
        if new > 0:
            at = judged + peek(task.output_terms, 3 * term) * width
            miss = room + ((new - 1) * task.n_series + peek(task.output_terms, 3 * term + 1)) * width
            factor = broadcast(values, peek(task.output_factors, term))
            store(task.room, at, fma(factor, load(task.room, miss), load(task.room, at)))
    seen = judged + task.n_outputs * width
    start = peek(task.starts, position) + task.n_known - 1
    for term in range(task.n_linear_terms):
        read = number - peek(task.linear_terms, 3 * term + 2)
        if read > 0:
            at = judged + peek(task.linear_terms, 3 * term) * width
            i = peek(task.linear_terms, 3 * term + 1)
            low = broadcast(values, peek(task.linear_factors, 3 * term + 1))
            high = broadcast(values, peek(task.linear_factors, 3 * term + 2))
            now = load(task.room, seen + ((read - 1) * task.n_inputs + i) * width)
            true = broadcast(values, peek(task.inputs, (start + read) * task.n_inputs + i))
            changed = minimum(high, maximum(low, now)) - minimum(high, maximum(low, true))
            factor = broadcast(values, peek(task.linear_factors, 3 * term))
            store(task.room, at, fma(factor, changed, load(task.room, at)))


@implements(finish)
def _finish(task, totals, population, first, error, right):
    return finish_sequences if is_kind(task, FreeRuns) else None

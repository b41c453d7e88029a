"""The task of keeping the outputs of every step for whoever judges them outside, and nothing of the states."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroevo.kernels.compilation import implements, is_kind
from neuroevo.kernels.tasks.base import feed, finish, judge
from neuroevo.kernels.tasks.sequences import feed_every_step
from neuroevo.kernels.tiles import number_of
from neuroevo.kernels.vectors import lanes, load, peek, store


class Outputs(NamedTuple):
    """Inputs, as in `Sequences`; every step is wanted. For one block of genomes at a time.

    Attributes:
        n_inputs: Inputs of a step.
        n_outputs: Outputs of a step.
        inputs: ``(n_rows * n_inputs,)`` in the kernel's precision.
        order: ``(n_sequences,)`` int64, the sequences by falling `n_run`.
        n_run: ``(n_sequences,)`` int64, in that order: their lengths.
        starts: ``(n_sequences,)`` int64, in that order: the row of each sequence's first step.
        kept: ``(n_rows * n_outputs * lanes,)``, aligned; written as far as the sequences last.
    """

    n_inputs: int
    n_outputs: int
    inputs: NDArray[Any]
    order: NDArray[np.int64]
    n_run: NDArray[np.int64]
    starts: NDArray[np.int64]
    kept: NDArray[Any]


@implements(feed)
def _feed(task, memory, inputs, moment, columns):
    return feed_every_step if is_kind(task, Outputs) else None


@implements(judge)
def _judge(task, tally, memory, outputs, moment, wanted, columns):
    def keep(task, tally, memory, outputs, moment, wanted, columns):
        width = lanes(memory.values)
        for column in range(number_of(columns)):
            step = peek(task.starts, moment.position + column) + moment.t
            for o in range(task.n_outputs):
                value = load(memory.values, outputs + column * width + o * memory.stride)
                store(task.kept, (step * task.n_outputs + o) * width, value)
        return True

    return keep if is_kind(task, Outputs) else None


@implements(finish)
def _finish(task, totals, population, first, error, right):
    def leave(task, totals, population, first, error, right):
        return

    return leave if is_kind(task, Outputs) else None

"""The task of running sequences through a network without judging it, for whoever wants to see its states."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroevo.kernels.compilation import implements, is_kind
from neuroevo.kernels.tasks.base import feed, judge
from neuroevo.kernels.tasks.sequences import feed_every_step


class Replay(NamedTuple):
    """Inputs, as in `Sequences`; every step is wanted.

    Attributes:
        n_inputs: Inputs of a step.
        inputs: ``(n_rows * n_inputs,)`` in the kernel's precision.
        order: ``(n_sequences,)`` int64, the sequences by falling `n_run`.
        n_run: ``(n_sequences,)`` int64, in that order: their lengths.
        starts: ``(n_sequences,)`` int64, in that order: the row of each sequence's first step.
    """

    n_inputs: int
    inputs: NDArray[Any]
    order: NDArray[np.int64]
    n_run: NDArray[np.int64]
    starts: NDArray[np.int64]


@implements(feed)
def _feed(task, memory, inputs, moment, columns):
    return feed_every_step if is_kind(task, Replay) else None


@implements(judge)
def _judge(task, tally, memory, outputs, moment, wanted, columns):
    def judge_nothing(task, tally, memory, outputs, moment, wanted, columns):
        return True

    return judge_nothing if is_kind(task, Replay) else None

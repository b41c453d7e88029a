"""What a task gives to the driver: what is fed to the networks, and how their outputs are judged.

A task is a NamedTuple of numbers and arrays, which the kernel sees as views; its type chooses the code. A task of
sequences that run step by step has at least the fields `order` and `n_run`: ``(n_sequences,)`` int64, the sequences by
falling number of steps, and those numbers in that order. Each task module gives three functions by `@implements`:

- `feed(task, memory, inputs, moment, columns)`: write the input rows of a step, from element `inputs` of memory on, for
  `columns` (a `Count`) sequences; returns whether the outputs of the step are wanted by any of them.
- `judge(task, tally, memory, outputs, moment, wanted, columns)`: add what the output rows from `outputs` on are worth
  to the tally; returns whether the block of genomes goes on, False where all of it has failed.
- `finish(task, totals, population, first, error, right)`: error and right steps of the genomes from row `first` on,
  from the totals of all sequences.

A task whose error has a slope gives two more, for the gradient:

- `slope(task, memory, outputs, adjoints, moment, columns)`: add the derivatives of the tally's error by the output rows
  from `outputs` on to the rows from `adjoints` on; returns whether anything comes from the outputs of this step.
- `finish_gradient(task, population, first, n_genomes, gradient)`: turn the derivatives of the totals, which stand in
  `n_genomes` rows of `gradient` from `first` on, into those of the error.

And one for its curvature:

- `bend(task, memory, outputs, moment, output)`: whether an output of the first sequence concerned counts, and
  the second derivative of the tally's error by it, a vector.

What is fed may depend on what came out: the rows right after the inputs are the outputs of the previous step (of none
where t is 0). A control task keeps the state of what is controlled in the tally or in arrays of its own.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Moment(NamedTuple):
    """Which step of which sequences.

    Attributes:
        position: The first sequence concerned, in the task's order; the others follow.
        t: The step, from 0.
        end: The step before which this run of steps ends.
    """

    position: int
    t: int
    end: int


class Tally(NamedTuple):
    """Sums of what was judged.

    Attributes:
        sums: View in the kernel's precision, since the last flush; for each sequence of a group two vectors, error and
            right steps.
        first: Element of `sums` of the first sequence concerned.
        totals: View, float64; for each sequence of the task error and right steps of every lane.
    """

    sums: Any
    first: int
    totals: Any


def feed(task, memory, inputs, moment, columns):  # noqa: D103
    raise NotImplementedError("implemented per task by compilation.implements")


def judge(task, tally, memory, outputs, moment, wanted, columns):  # noqa: D103
    raise NotImplementedError("implemented per task by compilation.implements")


def finish(task, totals, population, first, error, right):  # noqa: D103
    raise NotImplementedError("implemented per task by compilation.implements")


def slope(task, memory, outputs, adjoints, moment, columns):  # noqa: D103
    raise NotImplementedError("implemented per task by compilation.implements")


def finish_gradient(task, population, first, n_genomes, gradient):  # noqa: D103
    raise NotImplementedError("implemented per task by compilation.implements")


def bend(task, memory, outputs, moment, output):  # noqa: D103
    raise NotImplementedError("implemented per task by compilation.implements")

"""What a cell gives beside its step so that errors can run back through it.

The adjoint of a row is the derivative of the error by that row. A step is gone through backward with the slots that it
went through forward still in memory. Each cell module that has a backward step gives these functions by `@implements`:

- `back(cell, memory, at, errors, wanted, columns)`: from the adjoints of the new slot, the deltas of the step and the
  adjoints of the old slot's state, all of whose rows it writes. Deltas are the adjoints of the weighted sums, in
  whatever order the cell likes; how many rows they are is said by `evaluation.cells`. Nothing comes from outputs that
  are not `wanted`, whose deltas become 0. Where outputs are fed back, their rows in the old slot are added to. It may
  add to the new slot's adjoints on its way (from the read-out to the units, from layer to layer).
- `accumulate(cell, memory, span, gradient)`: add what some steps contribute to the gradient of the packed
  weights: for each weight the sum over steps and sequences of its unit's delta times its source.
- `start_back(cell, memory, at, gradient, n_columns)`: add the adjoints of the first state to the gradient of those
  packed weights that it was filled with.
- `unprepare(cell, weights, gradient)`: turn the gradient of prepared weights into that of the weights as packed.

The deltas are kept for a block of steps, so that the gradient of a tile of weights stays in registers over all of them.
The gradient itself is float64: the sums of a block are made in the kernel's precision and added to it.
"""

from __future__ import annotations

from typing import NamedTuple


class Errors(NamedTuple):
    """Where the adjoints of a step lie: elements of the memory's `values`.

    Attributes:
        newer: Adjoints of the new slot: outputs, then state.
        older: Adjoints of the old slot.
        deltas: Deltas of the step.
    """

    newer: int
    older: int
    deltas: int


class Span(NamedTuple):
    """Steps that the same sequences have in common.

    Attributes:
        old: Element of memory of the first step's old slot; the inputs lie in the rows before it.
        size: Elements from slot to slot.
        deltas: Element of the first step's deltas.
        deltas_size: Elements from the deltas of a step to those of the next.
        n_steps: Steps.
        n_columns: Sequences; the first so many columns.
    """

    old: int
    size: int
    deltas: int
    deltas_size: int
    n_steps: int
    n_columns: int


def back(cell, memory, at, errors, wanted, columns):  # noqa: D103
    raise NotImplementedError("implemented per cell by compilation.implements")


def accumulate(cell, memory, span, gradient):  # noqa: D103
    raise NotImplementedError("implemented per cell by compilation.implements")


def start_back(cell, memory, at, gradient, n_columns):  # noqa: D103
    raise NotImplementedError("implemented per cell by compilation.implements")


def unprepare(cell, weights, gradient):  # noqa: D103
    raise NotImplementedError("implemented per cell by compilation.implements")

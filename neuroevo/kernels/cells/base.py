"""What a cell gives to the driver, and what it finds in memory.

A cell is a NamedTuple that describes the shape of a network by integers (and arrays, which the kernel sees as views);
its type chooses the code. It has at least the fields `n_inputs`, `n_outputs` and `n_state`, the rows of its state. Each
cell module gives three functions by `@implements`:

- `prepare(cell, weights)`: once after packing (say, turn leak genes into shares).
- `start(cell, memory, at, n_columns)`: write the state before the first step into the slot at `at`.
- `step(cell, memory, at, wanted, columns)`: one step of `columns` (a `Count`) sequences, the outputs only if `wanted`.

Memory is a matrix of vectors: row = a source (an input, an output, a unit), column = a sequence; an entry is one number
of each genome. A cell knows no time: the driver says where the inputs of the step lie, which slot holds the previous
step and which takes the new one. A slot is `n_outputs` rows of outputs, then `n_state` rows of state, all of which a
step writes anew, so that the driver may keep as many steps as somebody wants to see. The inputs of a step lie in the
rows before its old slot.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from neuroevo.kernels.compilation import called
from neuroevo.kernels.vectors import broadcast, lanes, load, store


class Memory(NamedTuple):
    """What a cell computes on; numba takes it apart, so passing it on costs nothing.

    Attributes:
        weights: View of the packed weights of a block of genomes.
        values: View of the matrix of vectors.
        stride: Elements of `values` from row to row.
    """

    weights: Any
    values: Any
    stride: int


class At(NamedTuple):
    """Where a step takes place: elements of `values`, each of the first row in the first column concerned.

    Attributes:
        inputs: Inputs of the step, which lie just before `old`.
        old: Slot of the previous step.
        new: Slot of this step.
    """

    inputs: int
    old: int
    new: int


class Rows(NamedTuple):
    """`n` rows of memory, the first at element `at`."""

    at: int
    n: int


def prepare(cell, weights):  # noqa: D103
    raise NotImplementedError("implemented per cell by compilation.implements")


def start(cell, memory, at, n_columns):  # noqa: D103
    raise NotImplementedError("implemented per cell by compilation.implements")


def step(cell, memory, at, wanted, columns):  # noqa: D103
    raise NotImplementedError("implemented per cell by compilation.implements")


@called
def fill_rows(memory, w, rows, n_columns):
    """Set rows to the packed vectors from `w` on, the same in all columns; zeros if `w` is negative."""
    width = lanes(memory.values)
    for row in range(rows.n):
        value = load(memory.weights, w + row * width) if w >= 0 else broadcast(memory.values, 0.0)
        for column in range(n_columns):
            store(memory.values, rows.at + row * memory.stride + column * width, value)


@called
def copy_rows(memory, rows, target, n_columns):
    """Copy the first columns of rows to the rows from element `target` on."""
    width = lanes(memory.values)
    for row in range(0, rows.n * memory.stride, memory.stride):
        for k in range(row, row + n_columns * width, width):
            store(memory.values, target + k, load(memory.values, rows.at + k))

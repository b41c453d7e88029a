"""What a cell gives to the driver, and what it finds in memory.

A cell is a NamedTuple of integers (the shape of the network); its type chooses the code. Each cell module gives four
functions by `@implements`:

- `opened(cell)`: the cell with views in place of arrays, if it holds any.
- `prepare(cell, weights)`: once after packing (say, turn leak genes into shares).
- `start(cell, weights, values, at, stride, n_columns)`: write the state before the first step.
- `step(cell, weights, values, at, stride, t, wanted, n_tiles, columns)`: one step of `n_tiles` times `columns` (a
  `Count`) sequences, the outputs only if `wanted`. The driver runs one tile at a time.

Memory `values` is a matrix of vectors: row = a source (an input, an output, a unit), column = a sequence; an entry is
one number of each genome. `at` is the element of row 0 in the first column concerned, `stride` the elements from row
to row. Rows 0 ... n_inputs - 1 hold the inputs of the step (the driver writes them), the next n_outputs rows the
outputs (the cell writes them), the rest is the cell's. With two copies of the units, even steps read the first and
write the second, odd steps the other way round.
"""

from __future__ import annotations

from numba import types

from neuroevo.kernels.compilation import called, implements
from neuroevo.kernels.vectors import broadcast, lanes, load, store


def opened(cell):  # noqa: D103
    raise NotImplementedError("implemented per cell by compilation.implements")


@implements(opened)
def _opened(cell):
    return (lambda cell: cell) if all(kind == types.int64 for kind in cell.types) else None


def prepare(cell, weights):  # noqa: D103
    raise NotImplementedError("implemented per cell by compilation.implements")


def start(cell, weights, values, at, stride, n_columns):  # noqa: D103
    raise NotImplementedError("implemented per cell by compilation.implements")


def step(cell, weights, values, at, stride, t, wanted, n_tiles, columns):  # noqa: D103
    raise NotImplementedError("implemented per cell by compilation.implements")


def is_cell(cell, kind):
    """Whether a numba type is that of the NamedTuple class `kind`: for the overloads of cells."""
    return getattr(cell, "instance_class", None) is kind


@called
def fill_rows(weights, w, values, at, stride, n_rows, n_columns):
    """Set rows to the packed vectors from `w` on, the same in all columns; zeros if `w` is negative."""
    step = lanes(values)
    for row in range(n_rows):
        value = load(weights, w + row * step) if w >= 0 else broadcast(values, 0.0)
        for column in range(n_columns):
            store(values, at + row * stride + column * step, value)

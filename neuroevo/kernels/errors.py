"""How outputs become an error: the arithmetic of one genome on one sequence, defined once.

The squared differences of a sequence are added in the kernel's precision, outputs in order within steps in order, over
blocks of 64 steps (counted from step 0); a block's sum then joins the sequence's sum in double. Sequences are added in
index order in double. So a single-precision error stays accurate over any number of steps, and no layout shows in it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroevo.kernels.compilation import helper, inlined
from neuroevo.kernels.vectors import absolute, both, broadcast, equal, fma, lanes, less, less_equal, load, select, store

BLOCK_STEPS = 64
"""Steps whose squared differences are added in the kernel's precision."""

NOTHING, ALL, SOME = range(3)
"""How many targets of a step count."""


class Data(NamedTuple):
    """Sequences, and what counts of them; `real` is the kernel's precision.

    Attributes:
        inputs: ``(n_sequences, n_steps, n_inputs)`` real.
        targets: ``(n_sequences, n_steps, n_outputs)`` real.
        counts: ``(n_sequences, n_steps)`` uint8, NOTHING, ALL or SOME.
        mask: ``(n_sequences, n_steps, n_outputs)`` bool, the targets that count.
        classes: ``(n_sequences, n_steps)`` int64, the right class of each step; ``(0, 0)`` where a tolerance decides.
        tolerance: ``(1,)`` real.
        order: ``(n_sequences,)`` int64, the sequences by falling `n_run`.
        n_run: ``(n_sequences,)`` int64, in that order: steps up to the last one that counts.
        factors: ``(2,)`` float64: 1 / number of counted targets, weight decay / number of genes.
    """

    inputs: NDArray[Any]
    targets: NDArray[Any]
    counts: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    classes: NDArray[np.int64]
    tolerance: NDArray[Any]
    order: NDArray[np.int64]
    n_run: NDArray[np.int64]
    factors: NDArray[np.float64]


@inlined
def score(data, sequence, t, values, at, stride, sums, e):
    """Add the squared differences of one step to `sums[e]`, and 1 or 0 to `sums[e + lanes]` where it is right."""
    width = lanes(values)
    error = load(sums, e)
    within = broadcast(values, data.tolerance[0])
    difference = broadcast(values, 0.0)
    right = less_equal(difference, within)
    whole = data.counts[sequence, t] == ALL
    by_class = data.classes.size > 0
    for o in range(data.targets.shape[2]):
        if whole or data.mask[sequence, t, o]:
            output = load(values, at + o * stride)
            difference = output - broadcast(values, data.targets[sequence, t, o])
            error = fma(difference, difference, error)
            right = both(right, less_equal(absolute(difference), within))
    store(sums, e, error)
    if by_class:
        right = _right_class(data, sequence, t, values, at, stride)
    one, zero = broadcast(values, 1.0), broadcast(values, 0.0)
    store(sums, e + width, load(sums, e + width) + select(right, one, zero))


@inlined
def _right_class(data, sequence, t, values, at, stride):
    """Mask of the genomes whose first largest output is that of the right class."""
    best = load(values, at)
    chosen = broadcast(values, 0.0)
    for o in range(1, data.targets.shape[2]):
        output = load(values, at + o * stride)
        larger = less(best, output)
        best = select(larger, output, best)
        chosen = select(larger, broadcast(values, o), chosen)
    return equal(chosen, broadcast(values, data.classes[sequence, t]))


@helper
def flush(sums, e, totals, row, width):
    """Move the sums of a block of steps into the sequence's totals in double."""
    for k in range(2 * width):
        totals[row, k] += sums[e + k]
        sums[e + k] = 0.0


@helper
def all_failed(totals, rows, first, n_columns, width):
    """Whether every genome of the block has a sequence, among these, whose error is not finite."""
    for lane in range(width):
        failed = False
        for column in range(first, first + n_columns):
            failed |= not np.isfinite(totals[rows[column], lane])
        if not failed:
            return False
    return True


@helper
def finish(data, totals, population, first, width, error, right):
    """Errors and learned steps of the genomes from row `first` on; a failed evaluation is +inf and 0."""
    for lane in range(min(width, population.shape[0] - first)):
        total, n_right, decay = 0.0, 0.0, 0.0
        for sequence in range(totals.shape[0]):
            total += totals[sequence, lane]
            n_right += totals[sequence, width + lane]
        total *= data.factors[0]
        if data.factors[1] > 0.0:
            for gene in population[first + lane]:
                decay += gene * gene
            total += data.factors[1] * decay
        failed = not np.isfinite(total)
        error[first + lane] = np.inf if failed else total
        right[first + lane] = 0.0 if failed else n_right

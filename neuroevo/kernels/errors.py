"""How outputs become an error: the arithmetic of one genome on one sequence, defined once.

The squared differences of a sequence are added in the kernel's precision, outputs in order within steps in order, over
blocks of 64 steps (counted from step 0); a block's sum then joins the sequence's sum in double. Sequences are added in
index order in double. So a single-precision error stays accurate over any number of steps, and no layout shows in it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroevo.kernels.compilation import called, inlined
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
    view,
)

BLOCK_STEPS = 64
"""Steps whose squared differences are added in the kernel's precision."""

NOTHING, ALL, SOME = range(3)
"""How many targets of a step count."""


class Data(NamedTuple):
    """Sequences, and what counts of them; all arrays flat in C order, `real` is the kernel's precision.

    Attributes:
        inputs: ``(n_sequences * n_steps * n_inputs,)`` real.
        targets: ``(n_sequences * n_steps * n_outputs,)`` real.
        counts: ``(n_sequences * n_steps,)`` uint8, NOTHING, ALL or SOME.
        mask: ``(n_sequences * n_steps * n_outputs,)`` uint8, 1 for the targets that count.
        classes: ``(n_sequences * n_steps,)`` real, the right class of each step; empty where a tolerance decides.
        order: ``(n_sequences,)`` int64, the sequences by falling `n_run`.
        n_run: ``(n_sequences,)`` int64, in that order: steps up to the last one that counts.
        n_steps: Steps from one sequence to the next in the arrays.
        by_class: 1 where `classes` decide what is right.
        tolerance: Largest difference that is right.
        per_target: 1 / number of counted targets.
        decay: Weight decay / number of genes.
    """

    inputs: NDArray[Any]
    targets: NDArray[Any]
    counts: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    classes: NDArray[Any]
    order: NDArray[np.int64]
    n_run: NDArray[np.int64]
    n_steps: int
    by_class: int
    tolerance: float
    per_target: float
    decay: float


class View(NamedTuple):
    """`Data` as the time loop sees it: views instead of arrays."""

    inputs: Any
    targets: Any
    counts: Any
    mask: Any
    classes: Any
    order: Any
    n_run: Any
    n_steps: int
    by_class: int
    tolerance: float


@inlined
def view_of(data):
    """The views of `Data`."""
    return View(
        view(data.inputs),
        view(data.targets),
        view(data.counts),
        view(data.mask),
        view(data.classes),
        view(data.order),
        view(data.n_run),
        data.n_steps,
        data.by_class,
        data.tolerance,
    )


@inlined
def score(data, step, n_outputs, values, at, stride, sums, e):
    """Add the squared differences of one step to `sums[e]`, and 1 or 0 to `sums[e + lanes]` where it is right.

    `step` numbers the steps of all sequences through; the outputs are the rows from `at` on.
    """
    width = lanes(values)
    error = load(sums, e)
    within = broadcast(values, data.tolerance)
    zero = broadcast(values, 0.0)
    right = less_equal(zero, within)
    whole = peek(data.counts, step) == ALL
    for o in range(n_outputs):
        k = step * n_outputs + o
        if whole or peek(data.mask, k) != 0:
            difference = load(values, at + o * stride) - broadcast(values, peek(data.targets, k))
            error = fma(difference, difference, error)
            right = both(right, less_equal(absolute(difference), within))
    store(sums, e, error)
    if data.by_class != 0:
        right = _right_class(broadcast(values, peek(data.classes, step)), n_outputs, values, at, stride)
    store(sums, e + width, load(sums, e + width) + select(right, broadcast(values, 1.0), zero))


@called
def _right_class(wanted, n_outputs, values, at, stride):
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


@called
def finish(data, totals, population, first, width, error, right):
    """Errors and right steps of the genomes from row `first` on; a failed evaluation is +inf and 0."""
    for lane in range(min(width, population.shape[0] - first)):
        total, n_right, decay = 0.0, 0.0, 0.0
        for k in range(lane, data.order.size * 2 * width, 2 * width):
            total += totals[k]
            n_right += totals[k + width]
        total *= data.per_target
        if data.decay > 0.0:
            for gene in population[first + lane]:
                decay += gene * gene
            total += data.decay * decay
        failed = not np.isfinite(total)
        error[first + lane] = np.inf if failed else total
        right[first + lane] = 0.0 if failed else n_right

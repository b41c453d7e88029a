"""What several worlds need: the choice that outputs make, and the cosine."""

from __future__ import annotations

import math

from neuroevo.kernels.activations import sine
from neuroevo.kernels.compilation import inlined
from neuroevo.kernels.vectors import broadcast, equal, less, load, select


@inlined
def largest(memory, outputs, n_outputs):
    """Which of the rows from `outputs` on is the largest, the first of equal ones; NaN where one is NaN."""
    values = memory.values
    best, chosen = load(values, outputs), broadcast(values, 0.0)
    flaw = best
    for k in range(1, n_outputs):
        value = load(values, outputs + k * memory.stride)
        higher = less(best, value)
        best, chosen = select(higher, value, best), select(higher, broadcast(values, k), chosen)
        flaw = select(equal(value, value), flaw, value)
    return select(equal(flaw, flaw), chosen, flaw)


@inlined
def cosine(x):
    """cos(x) of a vector."""
    return sine(x + broadcast(x, math.pi / 2))

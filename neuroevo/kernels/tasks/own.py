"""A function of one step as loss: what a step costs, lane by lane, weighed and added."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import types

from neuroevo.errors import BadInput
from neuroevo.kernels.compilation import implements, inlined
from neuroevo.kernels.foreign import check_compiles, column_of, functions_of, is_of, kind_of, row_of
from neuroevo.kernels.tasks.sequences import ALL, right_class, score
from neuroevo.kernels.vectors import (
    absolute,
    both,
    broadcast,
    fma_scalar,
    lanes,
    less_equal,
    load,
    peek,
    poke,
    select,
    store,
)


class Cost(NamedTuple):
    """The base of losses that are functions; `foreign.kind_of` derives one for each.

    Attributes:
        sees_counted: 1 where the function takes a third argument, which targets count.
    """

    sees_counted: int


def cost_of(function: Callable[..., Any], dtype: Any, sees_counted: bool, what: str) -> Cost:
    """The loss that is a function ``(outputs, targets[, counted]) -> cost`` of one step.

    Args:
        function: What numba compiles.
        dtype: float32 or float64, the kernel's precision.
        sees_counted: Whether it takes the third argument.
        what: What messages call it.

    Raises:
        BadInput: It is no Python function, does not compile, or gives no real number.
    """
    if not inspect.isfunction(getattr(function, "py_func", function)):
        raise BadInput(f"{what} must be a function that is written in Python, got {function!r}")
    kind = kind_of(Cost, {f"cost{3 if sees_counted else 2}": function})
    real = types.float32 if np.dtype(dtype) == np.float32 else types.float64
    arguments = types.Array(real, 1, "A", readonly=True), types.Array(real, 1, "C", readonly=True)
    counted = (types.Array(types.uint8, 1, "C", readonly=True),) if sees_counted else ()
    (compiled,) = functions_of(kind).values()
    given = check_compiles(compiled, (*arguments, *counted), what)
    if not isinstance(given, types.Float | types.Integer | types.Boolean):
        raise BadInput(f"{what} must give a real number for each step; it gives {given}")
    return kind(int(sees_counted))


@inlined
def _add_right(task, step, memory, at, sums, e):
    """Add 1 to `sums[e + lanes]` where the step is right."""
    values = memory.values
    zero, within = broadcast(values, 0.0), broadcast(values, task.tolerance)
    right, whole = less_equal(zero, within), peek(task.counts, step) == ALL
    if task.by_class != 0:
        right = right_class(broadcast(values, peek(task.classes, step)), task.n_outputs, values, at, memory.stride)
    else:
        for o in range(task.n_outputs):
            k = step * task.n_outputs + o
            if whole or peek(task.mask, k) != 0:
                difference = load(values, at + o * memory.stride) - broadcast(values, peek(task.targets, k))
                right = both(right, less_equal(absolute(difference), within))
    place = e + lanes(values)
    store(sums, place, load(sums, place) + select(right, broadcast(values, 1.0), zero))


@implements(score)
def _score(loss, task, step, memory, at, sums, e):
    if not is_of(loss, Cost):
        return None
    real = np.float32 if sums.dtype == types.float32 else np.float64
    ((name, cost),) = functions_of(loss.instance_class).items()

    def score_with_counted(loss, task, step, memory, at, sums, e):
        n, weight = task.n_outputs, peek(task.weights, step)
        targets, counted = row_of(task.targets, step * n, n, 1), row_of(task.mask, step * n, n, 1)
        for lane in range(lanes(sums)):
            own = real(cost(column_of(memory.values, at + lane, n, memory.stride), targets, counted))
            poke(sums, e + lane, fma_scalar(weight, own, peek(sums, e + lane)))
        _add_right(task, step, memory, at, sums, e)

    def score_own(loss, task, step, memory, at, sums, e):
        n, weight = task.n_outputs, peek(task.weights, step)
        targets = row_of(task.targets, step * n, n, 1)
        for lane in range(lanes(sums)):
            own = real(cost(column_of(memory.values, at + lane, n, memory.stride), targets))
            poke(sums, e + lane, fma_scalar(weight, own, peek(sums, e + lane)))
        _add_right(task, step, memory, at, sums, e)

    return score_with_counted if name.endswith("3") else score_own

"""Losses beside the squared difference, which a task of sequences names: what one output is worth against its target.

Each is multiplied by its weight and added; so a weighted mean needs no more than the task's `per_target`. Differences
are output - target.
"""

from __future__ import annotations

from typing import NamedTuple

from neuroevo.kernels.activations import logarithm
from neuroevo.kernels.compilation import implements, inlined, is_kind
from neuroevo.kernels.tasks.sequences import ALL, right_class, score, score_bend, score_slope
from neuroevo.kernels.vectors import (
    absolute,
    both,
    broadcast,
    copy_sign,
    equal,
    fma,
    lanes,
    less,
    less_equal,
    load,
    maximum,
    minimum,
    peek,
    select,
    store,
)

CODES = {"squared": 0, "absolute": 1, "huber": 2, "pinball": 3, "categorical": 4, "binary": 5, "wrong_step": 6}
"""Integer by which a kernel knows a loss."""

SQUARED, ABSOLUTE, HUBER, PINBALL, CATEGORICAL, BINARY, WRONG_STEP = range(7)

SMALLEST_PROBABILITY = 1e-7
"""What a smaller probability counts as; about half the distance of 1 from the number below it in single precision."""


class Loss(NamedTuple):
    """A loss.

    Attributes:
        code: One of `CODES`.
        parameter: The threshold of "huber", the quantile of "pinball".
    """

    code: int
    parameter: float


@implements(score)
def _score(loss, task, step, memory, at, sums, e):
    return _score_loss if is_kind(loss, Loss) else None


def _score_loss(loss, task, step, memory, at, sums, e):
    values = memory.values
    width = lanes(values)
    error = load(sums, e)
    within = broadcast(values, task.tolerance)
    zero = broadcast(values, 0.0)
    right = less_equal(zero, within)
    whole = peek(task.counts, step) == ALL
    for o in range(task.n_outputs):
        k = step * task.n_outputs + o
        if whole or peek(task.mask, k) != 0:
            output, target = load(values, at + o * memory.stride), peek(task.targets, k)
            difference = output - broadcast(values, target)
            right = both(right, less_equal(absolute(difference), within))
            if loss.code == WRONG_STEP:
                # Adds nothing, but turns an output that is not finite into NaN: the evaluation fails.
                error = error + (output - output)
            else:
                error = _with_loss(loss, error, output, difference, target, peek(task.weights, k))
    if task.by_class != 0:
        right = right_class(broadcast(values, peek(task.classes, step)), task.n_outputs, values, at, memory.stride)
    if loss.code == WRONG_STEP:
        error = error + select(right, zero, broadcast(values, peek(task.weights, step)))
    store(sums, e, error)
    store(sums, e + width, load(sums, e + width) + select(right, broadcast(values, 1.0), zero))


@inlined
def _with_loss(loss, error, output, difference, target, weight):
    """The error with the weighted loss of one output."""
    factor = broadcast(error, weight)
    if loss.code == SQUARED:
        error = fma(factor * difference, difference, error)
    elif loss.code == ABSOLUTE:
        error = fma(factor, absolute(difference), error)
    elif loss.code == HUBER:
        # b (|d| - b / 2) with b the smaller of |d| and the threshold is d**2 / 2 up to there, and straight beyond.
        size = absolute(difference)
        bounded = minimum(broadcast(error, loss.parameter), size)
        error = fma(factor * bounded, fma(broadcast(error, -0.5), bounded, size), error)
    elif loss.code == PINBALL:
        below = broadcast(error, -loss.parameter) * difference
        above = broadcast(error, 1.0 - loss.parameter) * difference
        error = fma(factor, maximum(below, above), error)
    elif loss.code == CATEGORICAL:
        # The weight holds the target as a factor: most are 0, and cost nothing.
        if weight != 0.0:
            error = fma(broadcast(error, -weight), _log_probability(output), error)
    else:
        if target != 0.0:
            error = fma(broadcast(error, -target) * factor, _log_probability(output), error)
        if target != 1.0:
            one = broadcast(error, 1.0)
            error = fma((broadcast(error, target) - one) * factor, _log_probability(one - output), error)
    return error


@inlined
def _log_probability(probability):
    return logarithm(maximum(broadcast(probability, SMALLEST_PROBABILITY), probability))


@implements(score_slope)
def _score_slope(loss, task, step, memory, at, adjoints):
    return _score_slope_loss if is_kind(loss, Loss) else None


def _score_slope_loss(loss, task, step, memory, at, adjoints):
    values = memory.values
    whole = peek(task.counts, step) == ALL
    for o in range(task.n_outputs):
        k, row = step * task.n_outputs + o, o * memory.stride
        if (whole or peek(task.mask, k) != 0) and loss.code != WRONG_STEP:
            added = _slope(loss, load(values, at + row), peek(task.targets, k), peek(task.weights, k))
            store(values, adjoints + row, load(values, adjoints + row) + added)


@inlined
def _slope(loss, output, target, weight):
    """The derivative of a weighted loss by its output; at a corner 0, and 0 where a probability is clamped."""
    factor, zero, one = broadcast(output, weight), broadcast(output, 0.0), broadcast(output, 1.0)
    difference = output - broadcast(output, target)
    slope = zero
    if loss.code == SQUARED:
        slope = factor * (difference + difference)
    elif loss.code == ABSOLUTE:
        slope = select(equal(difference, zero), difference, copy_sign(factor, difference))
    elif loss.code == HUBER:
        slope = factor * copy_sign(minimum(broadcast(output, loss.parameter), absolute(difference)), difference)
    elif loss.code == PINBALL:
        above, below = broadcast(output, 1.0 - loss.parameter), broadcast(output, -loss.parameter)
        slope = factor * select(equal(difference, zero), difference, select(less(zero, difference), above, below))
    elif loss.code == CATEGORICAL:
        slope = -factor * _slope_of_logarithm(output)
    else:
        of = broadcast(output, target)
        slope = factor * ((one - of) * _slope_of_logarithm(one - output) - of * _slope_of_logarithm(output))
    return slope


@inlined
def _slope_of_logarithm(probability):
    least = broadcast(probability, SMALLEST_PROBABILITY)
    inverse = broadcast(probability, 1.0) / maximum(least, probability)
    return select(less(least, probability), inverse, broadcast(probability, 0.0))


@implements(score_bend)
def _score_bend(loss, task, step, memory, at, output):
    return _score_bend_loss if is_kind(loss, Loss) else None


def _score_bend_loss(loss, task, step, memory, at, output):
    k = step * task.n_outputs + output
    value, target = load(memory.values, at + output * memory.stride), peek(task.targets, k)
    weight = broadcast(value, peek(task.weights, k))
    bent = broadcast(value, 0.0)
    if loss.code == SQUARED:
        bent = weight + weight
    elif loss.code == HUBER:
        size = absolute(value - broadcast(value, target))
        bent = select(less_equal(size, broadcast(value, loss.parameter)), weight, bent)
    elif loss.code == CATEGORICAL:
        slope = _slope_of_logarithm(value)
        bent = weight * slope * slope
    elif loss.code == BINARY:
        one = broadcast(value, 1.0)
        of, hit, miss = broadcast(value, target), _slope_of_logarithm(value), _slope_of_logarithm(one - value)
        bent = weight * (of * hit * hit + (one - of) * miss * miss)
    return bent

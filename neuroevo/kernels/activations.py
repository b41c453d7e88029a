"""Activation functions on vectors, from sums, products and one division: no function of the C library.

So every processor gives the same bits. NaN stays NaN in all of them.
"""

from __future__ import annotations

from numba import types

from neuroevo.kernels.compilation import helper, implements, inlined
from neuroevo.kernels.vectors import (
    absolute,
    broadcast,
    copy_sign,
    fma,
    less,
    load,
    maximum,
    minimum,
    polynomial,
    scale_by_power,
    select,
    store,
)

CODES = {"linear": 0, "tanh": 1, "logistic": 2, "softsign": 3, "relu": 4, "sine": 5, "hard_step": 6, "softmax": 7}
"""Integer by which a kernel knows an activation."""

LINEAR, TANH, LOGISTIC, SOFTSIGN, RELU, SINE, HARD_STEP, SOFTMAX = range(8)

_TANH_CLAMP = 7.90531110763549805
_TANH_OVER = (-2.76076847742355e-16, 2.00018790482477e-13, -8.60467152213735e-11, 5.12229709037114e-08,
              1.48572235717979e-05, 6.37261928875436e-04, 4.89352455891786e-03)
_TANH_UNDER = (1.19825839466702e-06, 1.18534705686654e-04, 2.26843463243900e-03, 4.89352518554385e-03)


def tanh(x):
    """Hyperbolic tangent of a vector."""


@implements(tanh)
def _tanh(x):
    return _tanh_single if x.element == types.float32 else _tanh_double


def _tanh_single(x):
    limit = broadcast(x, _TANH_CLAMP)
    clamped = maximum(broadcast(x, -_TANH_CLAMP), minimum(limit, x))
    square = clamped * clamped
    return clamped * polynomial(square, _TANH_OVER) / polynomial(square, _TANH_UNDER)


_LOG2_E = 1.4426950408889634
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_MAGIC = 6755399441055744.0
_EXPM1 = (1 / 6227020800, 1 / 479001600, 1 / 39916800, 1 / 3628800, 1 / 362880, 1 / 40320, 1 / 5040, 1 / 720, 1 / 120,
          1 / 24, 1 / 6, 1 / 2)


def _tanh_double(x):
    doubled = minimum(broadcast(x, 44.0), absolute(x) * broadcast(x, 2.0))
    whole = fma(doubled, broadcast(x, _LOG2_E), broadcast(x, _MAGIC)) - broadcast(x, _MAGIC)
    rest = fma(whole, broadcast(x, -_LN2_HIGH), doubled)
    rest = fma(whole, broadcast(x, -_LN2_LOW), rest)
    small = fma(rest * rest, polynomial(rest, _EXPM1), rest)
    power = scale_by_power(broadcast(x, 1.0), whole)
    growth = fma(power, small, power - broadcast(x, 1.0))
    return copy_sign(growth / (growth + broadcast(x, 2.0)), x)


@inlined
def logistic(x):
    """1 / (1 + exp(-x)) = 0.5 + 0.5 tanh(x / 2)."""
    half = broadcast(x, 0.5)
    return fma(half, tanh(half * x), half)


@inlined
def softsign(x):
    """x / (1 + |x|)."""
    return x / (broadcast(x, 1.0) + absolute(x))


@inlined
def relu(x):
    """The larger of x and 0."""
    return maximum(broadcast(x, 0.0), x)


@inlined
def hard_step(x):
    """1 above 0, else 0; NaN stays NaN."""
    step = select(less(broadcast(x, 0.0), x), broadcast(x, 1.0), broadcast(x, 0.0))
    return fma(x, broadcast(x, 0.0), step)


@helper
def activate(code, values, start, n_rows, stride, n_columns, step):
    """Apply an activation to vectors in memory: `n_columns` vectors from each of the rows `start + row * stride`."""
    if code == LINEAR:
        return
    if n_columns * step == stride:
        n_rows, n_columns = 1, n_rows * n_columns
    for row in range(n_rows):
        first = start + row * stride
        _activate_row(code, values, first, first + n_columns * step, step)


@helper
def _activate_row(code, values, first, last, step):
    if code == TANH:
        for i in range(first, last, step):
            store(values, i, tanh(load(values, i)))
    elif code == LOGISTIC:
        for i in range(first, last, step):
            store(values, i, logistic(load(values, i)))
    elif code == SOFTSIGN:
        for i in range(first, last, step):
            store(values, i, softsign(load(values, i)))
    elif code == RELU:
        for i in range(first, last, step):
            store(values, i, relu(load(values, i)))
    elif code == HARD_STEP:
        for i in range(first, last, step):
            store(values, i, hard_step(load(values, i)))

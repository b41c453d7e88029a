"""Activation functions and the logarithm on vectors, from sums, products and one division, not from the C library.

So every processor gives the same bits. NaN stays NaN in all of them.
"""

from __future__ import annotations

import math

from numba import types

from neuroevo.kernels.compilation import implements, inlined
from neuroevo.kernels.vectors import (
    absolute,
    broadcast,
    copy_sign,
    equal,
    exponent_of,
    flip_if_odd,
    fma,
    held,
    lanes,
    less,
    load,
    mantissa_of,
    maximum,
    minimum,
    polynomial,
    power_of_two,
    rounder,
    select,
    store,
    vector_of,
)

CODES = {
    "linear": 0, "tanh": 1, "logistic": 2, "softsign": 3, "relu": 4, "sine": 5, "hard_step": 6, "softmax": 7, "sign": 8,
    "k_winners": 9,
}  # fmt: skip
"""Integer by which a kernel knows an activation; k winners have that of "k_winners" + k."""

LINEAR, TANH, LOGISTIC, SOFTSIGN, RELU, SINE, HARD_STEP, SOFTMAX, SIGN, K_WINNERS = range(10)

_TANH_CLAMP = 7.8
_TANH_OVER = (46.32796859741211, 11926.0439453125, 521942.65625, 4037428.0)
_TANH_UNDER = (965.6102294921875, 96192.578125, 1867744.5, 4037430.25)

_LOG2_E = 1.4426950408889634
_EXPM1_DOUBLE = tuple(1 / math.factorial(n) for n in range(13, 1, -1))
_EXP_SINGLE = tuple(1 / math.factorial(n) for n in range(7, -1, -1))
_EXP_DOUBLE = tuple(1 / math.factorial(n) for n in range(13, -1, -1))
_LOG_SINGLE = (0.24279078841, 0.28498786688, 0.40000972152, 0.66666662693)
_LOG_DOUBLE = (
    1.479819860511658591e-01, 1.531383769920937332e-01, 1.818357216161805012e-01, 2.222219843214978396e-01,
    2.857142874366239149e-01, 3.999999999940941908e-01, 6.666666666666735130e-01,
)  # fmt: skip
_LN2_SINGLE = 6.9313812256e-01, 9.0580006145e-06
_LN2_DOUBLE = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_SINE_SINGLE = tuple((-1) ** n / math.factorial(2 * n + 1) for n in range(5, -1, -1))
_SINE_DOUBLE = tuple((-1) ** n / math.factorial(2 * n + 1) for n in range(10, -1, -1))


def tanh_constants(like):
    """What `tanh_ratio` needs, in registers."""


def tanh_ratio(x, constants):
    """The hyperbolic tangent of a vector as numerator and denominator, so that several can share one division."""


@implements(tanh_constants)
def _tanh_constants(like):
    return _tanh_constants_single if vector_of(like).element == types.float32 else _tanh_constants_double


@implements(tanh_ratio)
def _tanh_ratio(x, constants):
    return _tanh_ratio_single if x.element == types.float32 else _tanh_ratio_double


def _tanh_constants_single(like):
    clamp = held(broadcast(like, -_TANH_CLAMP)), held(broadcast(like, _TANH_CLAMP))
    over = (
        held(broadcast(like, _TANH_OVER[0])),
        held(broadcast(like, _TANH_OVER[1])),
        held(broadcast(like, _TANH_OVER[2])),
        held(broadcast(like, _TANH_OVER[3])),
    )
    under = (
        held(broadcast(like, _TANH_UNDER[0])),
        held(broadcast(like, _TANH_UNDER[1])),
        held(broadcast(like, _TANH_UNDER[2])),
        held(broadcast(like, _TANH_UNDER[3])),
    )
    return clamp, over, under


def _tanh_ratio_single(x, constants):
    (lowest, highest), over, under = constants
    clamped = maximum(lowest, minimum(highest, x))
    square = clamped * clamped
    # The leading coefficient of the denominator is 1, which saves a multiplication.
    low = polynomial(square, (square + under[0], under[1], under[2], under[3]))
    return clamped * polynomial(square, over), low


def _tanh_constants_double(like):
    return (broadcast(like, 0.0),)


def _tanh_ratio_double(x, constants):
    doubled = minimum(broadcast(x, 44.0), absolute(x) * broadcast(x, 2.0))
    shifted, rest = _reduce(doubled, _LOG2_E, -6.93147180369123816490e-01, -1.90821492927058770002e-10, 0.0)
    small = fma(rest * rest, polynomial(rest, _EXPM1_DOUBLE), rest)
    power = power_of_two(shifted)
    growth = fma(power, small, power - broadcast(x, 1.0))
    return copy_sign(growth, x), growth + broadcast(x, 2.0)


@inlined
def _reduce(x, per_period, minus_high, minus_middle, minus_low):
    """The whole number of periods in x (as `rounder` + n) and what remains; the period comes in up to three parts."""
    shifted = fma(x, broadcast(x, per_period), rounder(x))
    whole = shifted - rounder(x)
    rest = fma(whole, broadcast(x, minus_high), x)
    rest = fma(whole, broadcast(x, minus_middle), rest)
    return shifted, fma(whole, broadcast(x, minus_low), rest)


@inlined
def tanh_with(x, constants):
    """Hyperbolic tangent, given its `tanh_constants`."""
    over, under = tanh_ratio(x, constants)
    return over / under


@inlined
def logistic_ratio(half, constants):
    """1 / (1 + exp(-2 half)) as numerator and denominator: callers halve the argument where it costs nothing."""
    over, under = tanh_ratio(half, constants)
    return under + over, under + under


def exponential(x):
    """exp(x) of a vector with x <= 0, down to the smallest normal number."""


@implements(exponential)
def _exponential(x):
    return _exponential_single if x.element == types.float32 else _exponential_double


def _exponential_single(x):
    shifted, rest = _reduce(maximum(broadcast(x, -87.0), x), _LOG2_E, -0.693359375, 2.12194440e-4, 0.0)
    return polynomial(rest, _EXP_SINGLE) * power_of_two(shifted)


def _exponential_double(x):
    shifted, rest = _reduce(
        maximum(broadcast(x, -708.0), x), _LOG2_E, -6.93147180369123816490e-01, -1.90821492927058770002e-10, 0.0
    )
    return polynomial(rest, _EXP_DOUBLE) * power_of_two(shifted)


def logarithm(x):
    """ln(x) of a vector of normal numbers above 0, within 1.5 units in the last place; 0 for 1, NaN for NaN.

    By the series of fdlibm (Sun Microsystems 1993, e_log.c; in single e_logf.c): with x = m 2**n, f = m - 1 and
    s = f / (2 + f), ln(1 + f) = f - f**2 / 2 + s (f**2 / 2 + R), R a polynomial in s**2.
    """


@implements(logarithm)
def _logarithm(x):
    return _logarithm_single if x.element == types.float32 else _logarithm_double


def _logarithm_single(x):
    return _logarithm_by(x, _LOG_SINGLE, _LN2_SINGLE)


def _logarithm_double(x):
    return _logarithm_by(x, _LOG_DOUBLE, _LN2_DOUBLE)


@inlined
def _logarithm_by(x, coefficients, ln2):
    high, low = ln2
    n, f = exponent_of(x), mantissa_of(x) - broadcast(x, 1.0)
    half_square = broadcast(x, 0.5) * f * f
    s = f / (broadcast(x, 2.0) + f)
    square = s * s
    series = fma(square, polynomial(square, coefficients), half_square)
    result = fma(n, broadcast(x, high), f - (half_square - fma(s, series, n * broadcast(x, low))))
    return select(equal(x, x), result, x)


def sine(x):
    """sin(x) of a vector; the absolute error grows with |x| and the result stays in [-1, 1]."""


@implements(sine)
def _sine(x):
    return _sine_single if x.element == types.float32 else _sine_double


def _sine_single(x):
    shifted, rest = _reduce(x, 1 / math.pi, -3.140625, -0.0009670257568359375, -6.278329465203569e-07)
    rest = _within_quarter(rest)
    return flip_if_odd(rest * polynomial(rest * rest, _SINE_SINGLE), shifted)


def _sine_double(x):
    shifted, rest = _reduce(x, 1 / math.pi, -3.1415926534682512, -1.215420100718692e-10, -5.825464112186712e-20)
    rest = _within_quarter(rest)
    return flip_if_odd(rest * polynomial(rest * rest, _SINE_DOUBLE), shifted)


@inlined
def _within_quarter(x):
    """X clamped to where the sine's polynomial holds; only the reduction of huge arguments leaves it."""
    limit = broadcast(x, 1.5708)
    return maximum(broadcast(x, -1.5708), minimum(limit, x))


@inlined
def logistic(x):
    """1 / (1 + exp(-x)) = 0.5 + 0.5 tanh(x / 2)."""
    return logistic_with(x, broadcast(x, 0.5), tanh_constants(x))


@inlined
def logistic_with(x, half, constants):
    """As `logistic`, given a half in all lanes and `tanh_constants`."""
    return fma(half, tanh_with(half * x, constants), half)


@inlined
def softsign(x):
    """X / (1 + |x|)."""
    return x / (broadcast(x, 1.0) + absolute(x))


@inlined
def relu(x):
    """The larger of x and 0."""
    return maximum(broadcast(x, 0.0), x)


@inlined
def hard_step(x):
    """1 above 0, else 0; NaN stays NaN."""
    step = select(less(broadcast(x, 0.0), x), broadcast(x, 1.0), broadcast(x, 0.0))
    return select(equal(x, x), step, x)


@inlined
def sign(x):
    """-1 below 0, 0 at 0, 1 above; NaN stays NaN."""
    zero = broadcast(x, 0.0)
    below = select(less(x, zero), broadcast(x, -1.0), zero)
    step = select(less(zero, x), broadcast(x, 1.0), below)
    return select(equal(x, x), step, x)


@inlined
def activate(code, values, start, n_rows, stride, n_columns):
    """Apply an activation to vectors in memory: `n_columns` from each of the rows `start + row * stride`."""
    width = lanes(values)
    last, size = start + n_rows * stride, n_columns * width
    if code == TANH:
        # Before both loops: held constants are fetched anew wherever they stand.
        constants = tanh_constants(values)
        for first in range(start, last, stride):
            for i in range(first, first + size, width):
                store(values, i, tanh_with(load(values, i), constants))
    elif code == LOGISTIC:
        constants, half = tanh_constants(values), held(broadcast(values, 0.5))
        for first in range(start, last, stride):
            for i in range(first, first + size, width):
                store(values, i, logistic_with(load(values, i), half, constants))
    elif code == SOFTMAX:
        for first in range(start, start + size, width):
            _softmax(values, first, n_rows, stride)
    elif code == SOFTSIGN:
        _map_rows(softsign, values, start, last, stride, size)
    elif code == RELU:
        _map_rows(relu, values, start, last, stride, size)
    elif code == SINE:
        _map_rows(_sine_of, values, start, last, stride, size)
    elif code == HARD_STEP:
        _map_rows(hard_step, values, start, last, stride, size)
    elif code == SIGN:
        _map_rows(sign, values, start, last, stride, size)
    elif code > K_WINNERS:
        for first in range(start, start + size, width):
            _k_winners(code - K_WINNERS, values, first, n_rows, stride)


@inlined
def _sine_of(x):
    return sine(x)


@inlined
def _map_rows(function, values, start, last, stride, size):
    for first in range(start, last, stride):
        for i in range(first, first + size, lanes(values)):
            store(values, i, function(load(values, i)))


@inlined
def _k_winners(k, values, first, n_rows, stride):
    """1 where fewer than k of the rows of one column are larger, else 0."""
    one, zero = broadcast(values, 1.0), broadcast(values, 0.0)
    limit, threshold = broadcast(values, float(k)), broadcast(values, math.inf)
    for row in range(n_rows):
        value, n_larger = load(values, first + row * stride), zero
        for other in range(n_rows):
            n_larger = n_larger + select(less(value, load(values, first + other * stride)), one, zero)
        # The smallest of the winners; NaN, which no comparison holds for, is none.
        winner = select(less(n_larger, limit), value, threshold)
        threshold = select(less(winner, threshold), winner, threshold)
    for row in range(n_rows):
        value = load(values, first + row * stride)
        fires = select(less(value, threshold), zero, one)
        store(values, first + row * stride, select(equal(value, value), fires, value))


@inlined
def _softmax(values, first, n_rows, stride):
    """exp(x - max) over its sum, down the rows of one column."""
    largest = load(values, first)
    for row in range(1, n_rows):
        largest = maximum(largest, load(values, first + row * stride))
    total = broadcast(values, 0.0)
    for row in range(n_rows):
        power = exponential(load(values, first + row * stride) - largest)
        store(values, first + row * stride, power)
        total = total + power
    for row in range(n_rows):
        store(values, first + row * stride, load(values, first + row * stride) / total)

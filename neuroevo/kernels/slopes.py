"""Slopes of activations and losses: what an adjoint is multiplied by on its way back.

Nearly all activations tell their slope by their value; the sine alone needs its argument. At the corner of "relu" the
slope is 0, as in PyTorch; that of "hard_step" is 0 everywhere.
"""

from __future__ import annotations

import math

from neuroevo.kernels.activations import (
    LINEAR,
    LOGISTIC,
    RELU,
    SINE,
    SOFTMAX,
    SOFTSIGN,
    TANH,
    sine,
)
from neuroevo.kernels.compilation import called, inlined
from neuroevo.kernels.vectors import absolute, broadcast, fma, lanes, less, load, select, store


@inlined
def slope_of(code, value, argument):
    """Slope of an activation other than "softmax" where its value and its argument are these."""
    one = broadcast(value, 1.0)
    if code == TANH:
        slope = fma(-value, value, one)
    elif code == LINEAR:
        slope = one
    elif code == LOGISTIC:
        slope = fma(-value, value, value)
    elif code == SOFTSIGN:
        rest = one - absolute(value)
        slope = rest * rest
    elif code == RELU:
        slope = select(less(broadcast(value, 0.0), value), one, broadcast(value, 0.0))
    elif code == SINE:
        slope = sine(argument + broadcast(value, math.pi / 2))
    else:
        slope = broadcast(value, 0.0)
    return slope


@called
def through_activation(code, memory, values, adjoints, deltas, n_columns):
    """Deltas of units from their adjoints.

    Args:
        code: Of the activation.
        memory: `Memory`.
        values: `Rows` of activated values; of "sine" their arguments.
        adjoints: Element of the first adjoint's row.
        deltas: Element of the first delta's row; it may be that of `values` where the code is "sine".
        n_columns: Sequences.
    """
    width, stride = lanes(memory.values), memory.stride
    size = n_columns * width
    if code == TANH:
        one = broadcast(memory.values, 1.0)
        for row in range(0, values.n * stride, stride):
            for k in range(row, row + size, width):
                value, adjoint = load(memory.values, values.at + k), load(memory.values, adjoints + k)
                store(memory.values, deltas + k, adjoint * fma(-value, value, one))
    elif code == SOFTMAX:
        for k in range(0, size, width):
            _through_softmax(memory, values.at + k, values.n, adjoints + k, deltas + k)
    else:
        for row in range(0, values.n * stride, stride):
            for k in range(row, row + size, width):
                value, adjoint = load(memory.values, values.at + k), load(memory.values, adjoints + k)
                store(memory.values, deltas + k, adjoint * slope_of(code, value, value))


@inlined
def _through_softmax(memory, value, n_rows, adjoint, delta):
    """Deltas y (a - sum of a y) down the rows of one column, y being the values and a the adjoints."""
    values, stride = memory.values, memory.stride
    mean = broadcast(values, 0.0)
    for row in range(0, n_rows * stride, stride):
        mean = fma(load(values, adjoint + row), load(values, value + row), mean)
    for row in range(0, n_rows * stride, stride):
        store(values, delta + row, load(values, value + row) * (load(values, adjoint + row) - mean))

"""The two compiled loops behind the peaks; imported only when they are measured, because numba is slow to import."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from neuroevo.kernels import vectors
from neuroevo.kernels.scratch import aligned_empty

CHAINS = 12
"""Independent chains of multiply-adds: more than any processor has in flight, few enough for 16 registers."""

ROW_VECTORS = 64
"""Vectors of the row that the reference tanh goes over; it stays in the first-level cache."""

_CLAMP = 7.90531110763549805
_NUMERATOR = (
    -2.76076847742355e-16, 2.00018790482477e-13, -8.60467152213735e-11, 5.12229709037114e-08, 1.48572235717979e-05,
    6.37261928875436e-04, 4.89352455891786e-03,
)  # fmt: skip
_DENOMINATOR = (1.19825839466702e-06, 1.18534705686654e-04, 2.26843463243900e-03, 4.89352518554385e-03)

_v: Any = vectors
_view: Any = vectors.view


def row(dtype: Any) -> Any:
    """An aligned row of numbers between -3 and 3 that is long enough for every vector width."""
    array = aligned_empty(16 * ROW_VECTORS, dtype)
    array[:] = np.linspace(-3.0, 3.0, array.size)
    return array


@njit
def n_lanes(array: Any) -> Any:
    """Lanes of a vector of the array's type."""
    return _v.lanes(array)


@njit(nogil=True)
def multiply_loop(array: Any, n_rounds: Any) -> None:
    """`CHAINS` multiply-adds of vectors a round, none waiting for another."""
    values, step = _view(array), _v.lanes(array)
    factor, term = _v.broadcast(values, 0.5), _v.broadcast(values, 1.0)
    a, b, c = _v.load(values, 0), _v.load(values, step), _v.load(values, 2 * step)
    d, e, f = _v.load(values, 3 * step), _v.load(values, 4 * step), _v.load(values, 5 * step)
    g, h, i = _v.load(values, 6 * step), _v.load(values, 7 * step), _v.load(values, 8 * step)
    j, k, m = _v.load(values, 9 * step), _v.load(values, 10 * step), _v.load(values, 11 * step)
    for _ in range(n_rounds):
        a, b, c = _v.fma(a, factor, term), _v.fma(b, factor, term), _v.fma(c, factor, term)
        d, e, f = _v.fma(d, factor, term), _v.fma(e, factor, term), _v.fma(f, factor, term)
        g, h, i = _v.fma(g, factor, term), _v.fma(h, factor, term), _v.fma(i, factor, term)
        j, k, m = _v.fma(j, factor, term), _v.fma(k, factor, term), _v.fma(m, factor, term)
    _v.store(values, 0, (a + b + c) + (d + e + f) + (g + h + i) + (j + k + m))


@njit(nogil=True)
def tanh_loop(array: Any, n_rounds: Any) -> None:
    """The reference tanh of a row of `ROW_VECTORS` vectors, in place, each round."""
    values, step = _view(array), _v.lanes(array)
    upper, lower = _v.broadcast(values, _CLAMP), _v.broadcast(values, -_CLAMP)
    for _ in range(n_rounds):
        for i in range(0, ROW_VECTORS * step, step):
            x = _v.maximum(lower, _v.minimum(upper, _v.load(values, i)))
            square = x * x
            _v.store(values, i, x * _v.polynomial(square, _NUMERATOR) / _v.polynomial(square, _DENOMINATOR))

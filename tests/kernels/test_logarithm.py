"""The logarithm on vectors: its largest error, its limits, and the parts that it takes numbers into."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from neuroevo.kernels.activations import logarithm
from neuroevo.kernels.scratch import aligned_empty
from neuroevo.kernels.vectors import exponent_of, lanes, load, mantissa_of, store, view


@njit
def take_logarithm(array):
    values = view(array)
    for i in range(0, array.size, lanes(values)):
        store(values, i, logarithm(load(values, i)))


@njit
def take_apart(array, exponents):
    values, wholes = view(array), view(exponents)
    for i in range(0, array.size, lanes(values)):
        x = load(values, i)
        store(values, i, mantissa_of(x))
        store(wholes, i, exponent_of(x))


def padded(x, dtype):
    array = aligned_empty(-(-x.size // 16) * 16, dtype)
    array[:] = 1
    array[: x.size] = x
    return array


def numbers(dtype):
    """Normal numbers of all magnitudes, densest around 1."""
    info = np.finfo(dtype)
    everywhere = np.geomspace(float(info.tiny), float(info.max) / 2, 200_001)
    near = 1 + np.concatenate(
        [-np.geomspace(float(info.epsneg), 0.6, 50_000), np.geomspace(float(info.eps), 3, 50_000)]
    )
    return np.concatenate([everywhere, near, [1.0]]).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_logarithm_is_within_its_stated_error_and_0_at_1(dtype):
    x = numbers(dtype)
    array = padded(x, dtype)
    take_logarithm(array)
    expected = np.log(x.astype(np.longdouble))
    unit = np.spacing(np.abs(expected).astype(dtype)).astype(np.longdouble)
    assert (np.abs(array[: x.size] - expected) <= 1.5 * unit).all()
    assert array[x.size - 1] == 0.0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nan_stays_nan_in_its_lane(dtype):
    array = padded(np.full(32, 0.5), dtype)
    array[7] = np.nan
    take_logarithm(array)
    assert np.isnan(array[7])
    assert np.isfinite(np.delete(array, 7)).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_mantissa_times_power_of_two_is_the_number_itself(dtype):
    x = numbers(dtype)
    mantissas, exponents = padded(x, dtype), padded(x, dtype)
    take_apart(mantissas, exponents)
    m, n = mantissas[: x.size], exponents[: x.size]
    assert (np.ldexp(m.astype(np.longdouble), n.astype(int)) == x).all()
    half = np.sqrt(dtype(0.5))
    assert m.min() >= half * (1 - np.finfo(dtype).eps)
    assert m.max() <= 2 * half * (1 + np.finfo(dtype).eps)

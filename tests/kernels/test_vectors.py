"""The vector layer: every operation against numpy, lane by lane."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from numba import njit

from neuroevo.kernels.processor import LANES
from neuroevo.kernels.scratch import aligned_empty
from neuroevo.kernels.vectors import (
    absolute,
    both,
    broadcast,
    copy_sign,
    equal,
    extract,
    flip_if_odd,
    fma,
    lanes,
    less,
    less_equal,
    load,
    load_any,
    maximum,
    minimum,
    peek,
    poke,
    power_of_two,
    rounder,
    select,
    store,
    take_next,
    view,
)

TYPES = [np.float32, np.float64]


def arrays(dtype, n):
    rng = np.random.default_rng(7)
    results = []
    for _ in range(n):
        array = aligned_empty(LANES[np.dtype(dtype).name], dtype)
        array[:] = rng.normal(size=array.size)
        results.append(array)
    return results


@njit
def arithmetic(x, y, out):
    a, b = load(view(x), 0), load(view(y), 0)
    result = view(out)
    width = lanes(result)
    store(result, 0, a + b)
    store(result, width, a - b)
    store(result, 2 * width, a * b)
    store(result, 3 * width, a / b)
    store(result, 4 * width, minimum(a, b))
    store(result, 5 * width, maximum(a, b))
    store(result, 6 * width, absolute(a))
    store(result, 7 * width, copy_sign(a, b))
    store(result, 8 * width, select(less(a, b), a, broadcast(a, 9.0)))
    store(result, 9 * width, select(both(less_equal(a, b), equal(a, a)), b, a))


@pytest.mark.parametrize("dtype", TYPES)
def test_arithmetic_equals_numpy_bit_for_bit(dtype):
    x, y = arrays(dtype, 2)
    out = aligned_empty(10 * x.size, dtype)
    arithmetic(x, y, out)
    expected = [x + y, x - y, x * y, x / y, np.minimum(x, y), np.maximum(x, y), np.abs(x), np.copysign(x, y),
                np.where(x < y, x, dtype(9)), np.where(x <= y, y, x)]  # fmt: skip
    assert (out.reshape(10, -1) == np.stack(expected)).all()


@pytest.mark.parametrize("dtype", TYPES)
def test_minimum_and_maximum_give_the_second_where_either_is_nan(dtype):
    x, y = arrays(dtype, 2)
    x[0], y[1] = np.nan, np.nan
    out = aligned_empty(10 * x.size, dtype)
    arithmetic(x, y, out)
    low, high = out.reshape(10, -1)[4:6]
    assert low[0] == high[0] == y[0]
    assert np.isnan([low[1], high[1]]).all()


@njit
def fused(x, y, z, out):
    store(view(out), 0, fma(load(view(x), 0), load(view(y), 0), load(view(z), 0)))


@pytest.mark.parametrize("dtype", TYPES)
def test_fma_rounds_once(dtype):
    x, y, z, out = arrays(dtype, 4)
    one_more = dtype(1) + np.finfo(dtype).eps
    x[:], y[:], z[:] = one_more, one_more, -(one_more * one_more)
    fused(x, y, z, out)
    # (1 + e)**2 = 1 + 2 e + e**2, of which a rounded product keeps 1 + 2 e.
    assert (out == np.finfo(dtype).eps ** 2).all()


@njit
def moved(x, out):
    values = view(x)
    result = view(out)
    store(result, 0, load_any(values, 1))
    poke(result, lanes(result), peek(values, 2) + extract(load(values, 0), 3))


@pytest.mark.parametrize("dtype", TYPES)
def test_unaligned_load_and_scalars(dtype):
    width = LANES[np.dtype(dtype).name]
    x, out = aligned_empty(2 * width, dtype), aligned_empty(2 * width, dtype)
    x[:] = np.arange(2 * width)
    moved(x, out)
    assert (out[:width] == x[1 : width + 1]).all()
    assert out[width] == x[2] + x[3]


@njit
def whole_numbers(x, out):
    a = load(view(x), 0)
    shifted = a + rounder(a)
    store(view(out), 0, power_of_two(shifted))
    store(view(out), lanes(view(out)), flip_if_odd(a, shifted))


@pytest.mark.parametrize("dtype", TYPES)
def test_whole_numbers_inside_floating_point_numbers(dtype):
    width = LANES[np.dtype(dtype).name]
    x, out = aligned_empty(width, dtype), aligned_empty(2 * width, dtype)
    x[:] = np.arange(width) - width // 2
    whole_numbers(x, out)
    assert (out[:width] == 2.0**x).all()
    assert (out[width:] == np.where(x % 2 == 1, -x, x)).all()


@njit(nogil=True)
def take(counter):
    return take_next(counter)


def test_take_next_counts():
    counter = np.zeros(1, np.int64)
    assert [take(counter) for _ in range(3)] == [0, 1, 2]
    assert counter[0] == 3


def test_aligned_memory_begins_at_a_cache_line():
    assert all(aligned_empty(n, np.float32).ctypes.data % 64 == 0 for n in range(1, 40))


OUT_OF_BOUNDS = """
import numpy as np
from numba import njit
from neuroevo.kernels.scratch import aligned_empty
from neuroevo.kernels.vectors import load, store, view

@njit
def f(x, i):
    store(view(x), 0, load(view(x), i))

x = aligned_empty(64, np.float32)
f(x, 32)
try:
    f(x, 60)
except IndexError as error:
    print("refused:", error)
"""


def test_bounds_are_checked_on_demand():
    environment = {**os.environ, "NUMBA_BOUNDSCHECK": "1"}
    done = subprocess.run(
        [sys.executable, "-c", OUT_OF_BOUNDS], env=environment, capture_output=True, text=True, check=True
    )
    assert "refused: vector is out of the array's bounds" in done.stdout

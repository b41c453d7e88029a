"""Activation functions on vectors: largest errors over the whole range, and what becomes of NaN and infinity."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from neuroevo.kernels.activations import CODES, activate
from neuroevo.kernels.scratch import aligned_empty
from neuroevo.kernels.vectors import lanes, view
from neuroevo.networks.activations import ACTIVATIONS, OUTPUT_ACTIVATIONS


@njit
def activate_row(code, array):
    values = view(array)
    width = lanes(values)
    activate(code, values, 0, 1, array.size, array.size // width)


@njit
def activate_rows(code, array, n_rows):
    values = view(array)
    width = lanes(values)
    stride = array.size // n_rows
    activate(code, values, 0, n_rows, stride, stride // width)


def apply(name, x, dtype):
    padded = aligned_empty(-(-x.size // 16) * 16, dtype)
    padded[:] = 0
    padded[: x.size] = x
    activate_row(CODES[name], padded)
    return padded[: x.size].copy()


def whole_range(dtype, largest):
    """Numbers of all magnitudes up to `largest`, densest where functions bend, of both signs."""
    positive = np.concatenate([np.linspace(0, 20, 200_001), np.geomspace(np.finfo(dtype).tiny, largest, 50_000)])
    positive = positive[positive <= largest].astype(dtype)
    return np.concatenate([-positive, positive])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["tanh", "logistic", "softsign", "relu", "linear", "hard_step", "sign"])
def test_error_is_small_over_the_whole_range(name, dtype):
    x = whole_range(dtype, np.finfo(dtype).max / 4)
    expected = ACTIVATIONS[name](x.astype(np.float64))
    with np.errstate(over="ignore"):
        error = np.abs(apply(name, x, dtype).astype(np.float64) - expected)
    unit = np.spacing(np.abs(expected).astype(dtype)).astype(np.float64)
    allowed = np.maximum(4 * unit, 5e-7) if dtype == np.float32 else np.maximum(4 * unit, 1e-14)
    assert (error <= allowed).all()


@pytest.mark.parametrize(("dtype", "bound"), [(np.float32, 3.8e-7), (np.float64, 4e-16)])
def test_stated_error_of_tanh_holds(dtype, bound):
    x = whole_range(dtype, 1e30)
    assert np.abs(apply("tanh", x, dtype) - np.tanh(x.astype(np.float64))).max() <= bound


def test_single_tanh_is_close_for_every_exponent_and_keeps_its_sign():
    x = np.geomspace(1e-30, 1.0, 100_000).astype(np.float32)
    relative = apply("tanh", x, np.float32) / np.tanh(x.astype(np.float64)) - 1
    assert np.abs(relative).max() < 1e-6
    assert (apply("tanh", -x, np.float32) == -apply("tanh", x, np.float32)).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_tanh_never_leaves_its_interval(dtype):
    assert np.abs(apply("tanh", whole_range(dtype, np.finfo(dtype).max / 4), dtype)).max() <= 1.0


@pytest.mark.parametrize(("dtype", "bound"), [(np.float32, 2e-7), (np.float64, 1e-15)])
def test_sine_is_close_up_to_a_hundred_periods(dtype, bound):
    x = whole_range(dtype, 628.0)
    assert np.abs(apply("sine", x, dtype) - np.sin(x.astype(np.float64))).max() <= bound


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sine_stays_in_its_interval_for_huge_arguments(dtype):
    x = np.geomspace(1e3, np.finfo(dtype).max / 4, 10_000).astype(dtype)
    assert np.abs(apply("sine", x, dtype)).max() <= 1.0 + 1e-6


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["tanh", "logistic", "softsign", "relu", "linear", "sine", "hard_step", "sign"])
def test_nan_stays_nan_and_touches_no_other_lane(name, dtype):
    x = np.full(32, 0.5, dtype)
    x[[3, 17]] = np.nan
    result = apply(name, x, dtype)
    assert np.isnan(result[[3, 17]]).all()
    assert (np.delete(result, [3, 17]) == apply(name, np.full(32, 0.5, dtype), dtype)[0]).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["tanh", "logistic", "relu", "hard_step", "sign"])
def test_infinity_gives_the_limit(name, dtype):
    x = np.array([-np.inf, np.inf], dtype)
    np.testing.assert_allclose(apply(name, x, dtype), ACTIVATIONS[name](x.astype(float)), atol=5e-7)


@pytest.mark.parametrize(("dtype", "bound"), [(np.float32, 5e-7), (np.float64, 1e-15)])
@pytest.mark.parametrize("n_rows", [1, 2, 7])
def test_softmax_equals_its_definition_in_every_lane(n_rows, dtype, bound):
    rng = np.random.default_rng(4)
    x = (rng.normal(size=(n_rows, 32)) * 10.0 ** rng.integers(-3, 3, 32)).astype(dtype)
    values = aligned_empty(x.size, dtype)
    values[:] = x.ravel()
    activate_rows(CODES["softmax"], values, n_rows)
    expected = OUTPUT_ACTIVATIONS["softmax"](x.T.astype(np.float64)).T
    np.testing.assert_allclose(values.reshape(x.shape), expected, atol=bound, rtol=0)


def test_softmax_of_nan_is_nan():
    values = aligned_empty(64, np.float32)
    values[:] = 1.0
    values[5] = np.nan
    activate_rows(CODES["softmax"], values, 2)
    lane_5 = values.reshape(2, 32)[:, 5]
    assert np.isnan(lane_5).all()
    assert np.isfinite(np.delete(values.reshape(2, 32), 5, axis=1)).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_rows", [1, 2, 7])
def test_the_k_largest_rows_of_every_lane_win(n_rows, dtype):
    rng = np.random.default_rng(4)
    x = rng.choice([-np.inf, -1.5, 0.0, 0.5, 2.0, np.inf], size=(n_rows, 32)).astype(dtype)
    for k in range(1, n_rows + 1):
        values = aligned_empty(x.size, dtype)
        values[:] = x.ravel()
        activate_rows(CODES["k_winners"] + k, values, n_rows)
        last = np.sort(x, axis=0)[-k]  # equal ones win together
        np.testing.assert_array_equal(values.reshape(x.shape), x >= last)


def test_nan_wins_nothing_and_stays_nan():
    values = aligned_empty(3 * 32, np.float64)
    values[:] = np.repeat([1.0, 3.0, 2.0], 32)
    values[[5, 32 + 6]] = np.nan
    activate_rows(CODES["k_winners"] + 1, values, 3)
    rows = values.reshape(3, 32)
    np.testing.assert_array_equal(rows[:, 5], [np.nan, 1.0, 0.0])
    np.testing.assert_array_equal(rows[:, 6], [0.0, np.nan, 1.0])
    np.testing.assert_array_equal(rows[:, 7], [0.0, 1.0, 0.0])

"""Tiles, tuples of chains and opened bundles against numpy."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from numba import njit

from neuroevo.kernels.compilation import inlined
from neuroevo.kernels.processor import LANES
from neuroevo.kernels.scratch import aligned_empty
from neuroevo.kernels.tiles import count, each_fma, each_of, each_poke, tile_fma, tile_from, tile_over_columns
from neuroevo.kernels.vectors import lanes, opened, peek, store, view

TYPES = [np.float32, np.float64]


def whole_numbers(dtype, n_vectors, seed):
    """Small whole numbers, of which sums and products are exact in every order."""
    array = aligned_empty(n_vectors * LANES[np.dtype(dtype).name], dtype)
    array[:] = np.random.default_rng(seed).integers(-9, 9, array.size)
    return array


@inlined
def weigh(vectors, column, more):
    values, at = more
    place = at + column * lanes(values)
    store(values, place, vectors[0] - vectors[1] * vectors[2])


@njit
def three_by_four(weights, sources, out):
    w, s = view(weights), view(sources)
    tile = tile_fma(tile_from(w, 0, count(3), count(4)), w, 3 * lanes(w), s, 0)
    tile_over_columns(tile, weigh, (view(out), lanes(w)))


@pytest.mark.parametrize("dtype", TYPES)
def test_function_over_columns_sees_the_rows_of_each(dtype):
    weights, sources, out = (whole_numbers(dtype, n, n) for n in (6, 4, 6))
    before = out.copy()
    three_by_four(weights, sources, out)
    bias, weight = weights.reshape(2, 3, 1, -1)
    sums = bias + weight * sources.reshape(1, 4, -1)
    np.testing.assert_array_equal(out.reshape(6, -1)[1:5], sums[0] - sums[1] * sums[2])
    np.testing.assert_array_equal(out.reshape(6, -1)[[0, 5]], before.reshape(6, -1)[[0, 5]])


@njit
def four_chains(values, out):
    v = view(values)
    sums = each_of(peek(v, 0), count(4))
    for j in range(3):
        sums = each_fma(sums, peek(v, 1 + j), v, 2 + j, 5)
    each_poke(view(out), 3, sums)


@pytest.mark.parametrize("dtype", TYPES)
def test_chains_of_a_tuple_are_sums_of_their_own(dtype):
    values = np.random.default_rng(1).integers(-9, 9, 40).astype(dtype)
    out = np.zeros(8, dtype)
    four_chains(values, out)
    expected = [values[0] + sum(values[1 + j] * values[2 + j + 5 * k] for j in range(3)) for k in range(4)]
    np.testing.assert_array_equal(out, [0, 0, 0, *expected, 0])


class Bundle(NamedTuple):
    number: int
    floats: Any
    bytes: Any
    share: float


@njit
def read(bundle):
    shown = opened(bundle)
    return shown.number + peek(shown.floats, 2) * shown.share + peek(shown.bytes, 1)


def test_bundle_is_opened_field_by_field():
    assert read(Bundle(100, np.array([1.0, 2.0, 4.0]), np.array([3, 7], np.uint8), 0.25)) == 108.0
    frozen = np.array([1.0, 2.0, 4.0])
    frozen.flags.writeable = False
    assert read(Bundle(100, frozen, np.array([3, 7], np.uint8), 0.5)) == 109.0

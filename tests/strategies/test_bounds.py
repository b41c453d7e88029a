"""Bounds and the repairs that strategies share."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuroevo.strategies import Bounds


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=8), st.floats(-5, 5), st.floats(0.01, 5))
def test_repairs_keep_the_box_and_change_only_what_is_outside(genes, low, width):
    bounds = Bounds.of((low, low + width), len(genes))
    genomes = np.array([genes])
    inside = (genomes >= bounds.low) & (genomes <= bounds.high)
    for repaired in (bounds.clip(genomes), bounds.reflect(genomes)):
        assert bounds.contain(repaired)
        assert np.array_equal(repaired[inside], genomes[inside])


def test_reflection_mirrors_at_the_bound_that_was_crossed():
    bounds = Bounds.of((-1.0, 2.0), 4)
    assert bounds.reflect(np.array([[-1.5, 2.25, 0.5, 9.0]])).tolist() == [[-0.5, 1.75, 0.5, -1.0]]


def test_bounds_can_be_open():
    bounds = Bounds.of((-np.inf, 2.0), 2)
    assert bounds.reflect(np.array([[-1e9, 3.0]])).tolist() == [[-1e9, 1.0]]


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ((0.0, [1.0, 1.0, 0.0]), "gene 2"),
        ((np.nan, 1.0), "low must be below high"),
        (([0.0, 0.0], 1.0), r"shape \(2,\)"),
        (3.0, "pair"),
        ((1.0, 2.0, 3.0), "pair"),
    ],
)
def test_what_is_no_box_is_refused(bounds, message):
    with pytest.raises(ValueError, match=message):
        Bounds.of(bounds, 3)


def test_the_callers_arrays_are_copied():
    low = np.zeros(2)
    bounds = Bounds.of((low, 1.0), 2)
    low[:] = 5.0
    assert bounds.low.tolist() == [0.0, 0.0]

"""Checks of single arguments: what is taken, what is refused, and in which words."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from neuroevo import checks
from neuroevo.errors import BadInput, WrongType


@pytest.mark.parametrize("value", [3, np.int8(3), np.uint64(3)])
def test_whole_numbers_come_back_as_ints(value: object) -> None:
    found = checks.whole_number("n", value)
    assert (found, type(found)) == (3, int)
    assert checks.whole_number("n", 0, 0) == 0
    assert checks.whole_number("n", -5, -5) == -5


@pytest.mark.parametrize("value", [True, np.True_, 3.0, np.float64(3), "3", None, [3], np.array(3), Fraction(3), 3j])
def test_what_is_no_whole_number_is_of_the_wrong_type(value: object) -> None:
    with pytest.raises(WrongType, match="n must be a whole number, got "):
        checks.whole_number("n", value)


def test_whole_numbers_below_the_smallest_are_refused() -> None:
    for value, least in ((0, 1), (-1, 0), (10**30, 10**30 + 1)):
        with pytest.raises(BadInput, match=f"n must be at least {least}, got {value}$"):
            checks.whole_number("n", value, least)


@pytest.mark.parametrize("value", [2, 2.0, np.float32(2), np.int16(2), Fraction(2)])
def test_numbers_come_back_as_floats(value: object) -> None:
    found = checks.number("x", value, at_least=2)
    assert (found, type(found)) == (2.0, float)


@pytest.mark.parametrize("value", [True, "2", None, 2j, np.array([2.0]), Decimal(2)])
def test_what_is_no_number_is_of_the_wrong_type(value: object) -> None:
    for range_, words in (({}, ""), ({"above": 0}, " above 0"), ({"at_least": 0.5}, r" of at least 0\.5")):
        with pytest.raises(WrongType, match=f"x must be a number{words}, got "):
            checks.number("x", value, **range_)


def test_numbers_out_of_range_are_refused() -> None:
    assert checks.number("x", math.nextafter(0, 1), above=0) == 5e-324
    for value in (0.0, -1, math.inf, -math.inf, math.nan):
        with pytest.raises(BadInput, match="x must be a finite number above 0, got "):
            checks.number("x", value, above=0)
    with pytest.raises(BadInput, match=r"x must be a finite number of at least 2, got 1\.9"):
        checks.number("x", 1.9, at_least=2)
    with pytest.raises(BadInput, match="x must be a finite number, got nan"):
        checks.number("x", math.nan)
    assert checks.any_number("x", -math.inf) == -math.inf


def test_truth_values_are_no_numbers() -> None:
    assert checks.truth_value("b", np.False_) is False
    assert checks.truth_value("b", True) is True
    for value in (0, 1, "true", None):
        with pytest.raises(WrongType, match="b must be True or False, got "):
            checks.truth_value("b", value)

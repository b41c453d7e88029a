"""Checks of single arguments at the border: what was expected, and what came."""

from __future__ import annotations

import math
from numbers import Integral, Real

import numpy as np

from neuroevo.errors import BadInput, WrongType


def whole_number(name: str, value: object, at_least: float = 1) -> int:
    """`value` as an int; numpy's integers are whole numbers too, True is not 1.

    Raises:
        WrongType: It is no whole number.
        BadInput: It is below `at_least`.
    """
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise WrongType(f"{name} must be a whole number, got {value!r}")
    if value < at_least:
        raise BadInput(f"{name} must be at least {at_least}, got {value}")
    return int(value)


def number(name: str, value: object, *, at_least: float = -math.inf, above: float = -math.inf) -> float:
    """`value` as a finite float; True is not 1.

    Raises:
        WrongType: It is no real number.
        BadInput: It is not finite, below `at_least`, or not above `above`.
    """
    range_ = f" above {above:g}" if above > -math.inf else f" of at least {at_least:g}" if at_least > -math.inf else ""
    found = any_number(name, value, range_)
    if not (math.isfinite(found) and found >= at_least and found > above):
        raise BadInput(f"{name} must be a finite number{range_}, got {value!r}")
    return found


def any_number(name: str, value: object, words: str = "") -> float:
    """`value` as a float, which may be infinite or NaN; `words` follow in the message after "must be a number".

    Raises:
        WrongType: It is no real number.
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise WrongType(f"{name} must be a number{words}, got {value!r}")
    return float(value)


def truth_value(name: str, value: object) -> bool:
    """`value` as a bool.

    Raises:
        WrongType: It is neither True nor False.
    """
    if not isinstance(value, bool | np.bool_):
        raise WrongType(f"{name} must be True or False, got {value!r}")
    return bool(value)

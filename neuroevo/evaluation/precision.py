"""Precision of an evaluator's numbers."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from neuroevo.errors import BadInput

Precision = Literal["single", "double"]
_TYPES = {"single": np.float32, "double": np.float64}


def type_of(precision: Precision) -> Any:
    """The type of numbers of a precision."""
    if precision not in _TYPES:
        raise BadInput(f"precision must be single or double, got {precision!r}")
    return _TYPES[precision]

"""Long curves made short enough to draw, without losing a peak."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Points that a curve is drawn with at most, one a pixel or so.
MOST = 1200

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """A curve in stretches of equally many points; a short one has one point a stretch.

    Attributes:
        x: ``(n,)`` where each stretch begins.
        middle: ``(n,)`` median of each stretch.
        low: ``(n,)`` its smallest value.
        high: ``(n,)`` its largest value; NaN is passed over, and stays only where a whole stretch is NaN.
        stretch: Points in a stretch, rounded up.
    """

    x: Floats
    middle: Floats
    low: Floats
    high: Floats
    stretch: int


def thin(x: NDArray[Any], y: NDArray[Any], most: int = MOST) -> Curve:
    """A curve as at most `most` stretches: no peak is lost, and what is typical stays to be seen among the peaks.

    Args:
        x: ``(n,)``, rising.
        y: ``(n,)``.
        most: Stretches at most.
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if len(x) <= most:
        return Curve(x, y, y, y, 1)
    starts = _starts(len(x), most)
    middle = np.array([_median(part) for part in np.split(y, starts[1:])])
    low, high = np.fmin.reduceat(y, starts), np.fmax.reduceat(y, starts)
    return Curve(x[starts], middle, low, high, -(-len(x) // most))


def thin_band(
    x: NDArray[Any], low: NDArray[Any], high: NDArray[Any], most: int = MOST
) -> tuple[Floats, Floats, Floats]:
    """A band between two curves with at most `most` points along it, as wide everywhere as the band was."""
    below, above = thin(x, low, most), thin(x, high, most)
    return below.x, below.low, above.high


def _median(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else np.nan


def _starts(n: int, n_stretches: int) -> NDArray[np.int64]:
    return (np.arange(n_stretches) * n // n_stretches).astype(np.int64)

"""Long curves made short enough to draw, without losing a peak."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Points that a curve is drawn with at most, about two a pixel.
MOST = 3000

Floats = NDArray[np.float64]


def thin(x: NDArray[Any], y: NDArray[Any], most: int = MOST) -> tuple[Floats, Floats]:
    """A curve as at most `most` points: the smallest and the largest value of each of equally many stretches.

    Args:
        x: ``(n,)``, rising.
        y: ``(n,)``; NaN is passed over unless a whole stretch is NaN.
        most: Points kept.

    Returns:
        The points, x and y; the arguments themselves where they are short enough.
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if len(x) <= most:
        return x, y
    starts = _starts(len(x), most // 2)
    low, high = np.fmin.reduceat(y, starts), np.fmax.reduceat(y, starts)
    # First what the stretch begins near, so that a falling curve falls within the stretch and does not saw.
    falling = np.abs(y[starts] - high) <= np.abs(y[starts] - low)
    points = np.where(falling[:, None], np.stack([high, low], axis=1), np.stack([low, high], axis=1))
    return np.repeat(x[starts], 2), points.ravel()


def thin_band(
    x: NDArray[Any], low: NDArray[Any], high: NDArray[Any], most: int = MOST
) -> tuple[Floats, Floats, Floats]:
    """A band between two curves with at most `most` points along it, as wide everywhere as the band was."""
    x, low, high = (np.asarray(values, dtype=np.float64) for values in (x, low, high))
    if len(x) <= most:
        return x, low, high
    starts = _starts(len(x), most)
    return x[starts], np.fmin.reduceat(low, starts), np.fmax.reduceat(high, starts)


def _starts(n: int, n_stretches: int) -> NDArray[np.int64]:
    return (np.arange(n_stretches) * n // n_stretches).astype(np.int64)

"""Error curves of runs, and the middle of several of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from neuroevo.records import RunRecord

Floats = NDArray[np.float64]

#: Points at which the curves of trials are compared.
_GRID = 600


def error_curve(record: RunRecord) -> tuple[Floats, Floats]:
    """The evaluations that a run had spent after each generation, and its incumbent's error there, both `(n,)`.

    Raises:
        RecordError: The history is damaged.
    """
    history = record.history
    return history["evaluations"].astype(np.float64), history["incumbent_error"].astype(np.float64)


def trial_quartiles(curves: Sequence[tuple[Floats, Floats]]) -> tuple[Floats, Floats]:
    """Quartiles of several falling step curves on common points.

    A run that ended early keeps its last error to the end: it found no use for the rest.

    Args:
        curves: For each run the evaluations spent, rising, and the error held from then on.

    Returns:
        The evaluations ``(n,)`` and the lower quartile, median and upper quartile ``(3, n)``; NaN where a quartile is
        not finite, since most runs had no valid error by then.
    """
    first = max(float(x[0]) for x, _ in curves)
    last = max(float(x[-1]) for x, _ in curves)
    grid = np.linspace(first, max(last, first), _GRID)
    held = np.stack([y[np.searchsorted(x, grid, side="right") - 1] for x, y in curves])
    ordered = np.sort(held, axis=0)
    return grid, np.stack([_quantile(ordered, share) for share in (0.25, 0.5, 0.75)])


def _quantile(ordered: Floats, share: float) -> Floats:
    """Linear between neighbours; numpy's multiplies an infinite neighbour by 0 where a value is met exactly."""
    place = share * (len(ordered) - 1)
    below, rest = int(place), place % 1
    value = ordered[below] if rest == 0 else (1 - rest) * ordered[below] + rest * ordered[below + 1]
    return np.where(np.isfinite(value), value, np.nan)

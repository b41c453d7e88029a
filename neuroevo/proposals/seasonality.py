"""After how many rows a series repeats itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neuroevo.problems import SequenceProblem
from neuroevo.proposals.times import DAY, Times

_YEAR = 365.25 * DAY
_SPANS = ((DAY, "day"), (7 * DAY, "week"), (_YEAR, "year"))
_FEWEST = 12
_NEAR = 0.03
_REACH = 3.0


@dataclass(frozen=True)
class Season:
    """A season.

    Attributes:
        steps: Rows.
        reason: What it is, in words.
    """

    steps: int
    reason: str


def find_season(values: NDArray[np.float64], times: Times | None) -> Season | None:
    """The season that the training part of a series shows, by the rule by which reports name the last season repeated.

    Args:
        values: ``(n_rows,)`` of the training part, NaN where missing.
        times: When the rows are.
    """
    known = np.isfinite(values)
    if known.sum() < _FEWEST or np.ptp(values[known]) == 0:
        return None
    steps = np.arange(len(values), dtype=np.float64)
    level = values - np.polyval(np.polyfit(steps[known], values[known], 1), steps)
    low, high = np.quantile(level[known], (0.25, 0.75))
    if high > low:  # two values far out would make their distance a season
        known &= (level >= low - _REACH * (high - low)) & (level <= high + _REACH * (high - low))
    filled = np.where(known, values, values[known].mean())
    problem = SequenceProblem(
        filled[None, :-1, None],
        filled[None, 1:, None],
        target_mask=known[None, 1:, None],
        parts={"train": np.ones((1, len(filled) - 1), dtype=np.bool_)},
        tied=[0],
    )
    season = problem.known_season
    if season is None:
        return None
    span = _span_of(season, times)
    return Season(season, f"it repeats itself after {f'a {span}' if span else f'{season} rows'}")


def _span_of(steps: int, times: Times | None) -> str:
    if times is None or not times.are_dates:
        return ""
    seconds = steps * times.step * (7 / 5 if times.is_of_workdays else 1)
    return next((word for span, word in _SPANS if abs(seconds / span - 1) < _NEAR), "")

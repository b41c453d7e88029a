"""How the outputs of a problem come back as its inputs, as its columns tell."""

from __future__ import annotations

import re
from collections.abc import Sequence

from neuroevo.prediction.freerun import Loop
from neuroevo.problems import SequenceProblem
from neuroevo.problems.seasons import copies, horizon_of

_AHEAD = re.compile(r" \(t\+\d+\)$")


def loop_of(problem: SequenceProblem, horizons: Sequence[int] | None = None, n_calendar: int = 0) -> Loop:
    """The loop of a problem.

    Args:
        problem: In any units.
        horizons: How many rows ahead the targets lie; for each series the outputs stand in this order. None: one
            horizon, found from the data, or 0.
        n_calendar: Input columns, the last ones, that are made of the predicted row's time.
    """
    ahead = tuple(horizons or (horizon_of(problem) or 0,))
    n = len(ahead)
    outputs = tuple(tuple(range(start, start + n)) for start in range(0, problem.n_outputs, n))
    shifted = _lags(problem)
    tied = {problem.tied[its[0]]: series for series, its in enumerate(outputs)}
    fresh = {column: series for column, series in tied.items() if column >= 0}
    first_calendar = problem.n_inputs - n_calendar
    given = [c for c in range(first_calendar) if _AHEAD.search(problem.input_names[c])]
    given += range(first_calendar, problem.n_inputs)
    used = {*fresh, *shifted, *given}
    lacking = tuple(name for column, name in enumerate(problem.input_names) if column not in used)
    return Loop(ahead, outputs, fresh, shifted, tuple(given), lacking)


def _lags(problem: SequenceProblem) -> dict[int, int]:
    """Input columns to those that they repeat one row later: as the names say, or else the data."""
    names = problem.input_names
    shifted: dict[int, int] = {}
    for column, name in enumerate(names):
        lag = 1
        while column + lag < len(names) and names[column + lag] == f"{name} (t-{lag})":
            shifted[column + lag] = column + lag - 1
            lag += 1
    if shifted:
        return shifted
    return {column: column - 1 for column in copies(problem) if column not in problem.tied}

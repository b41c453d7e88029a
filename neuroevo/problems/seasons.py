"""What the data of a forecast say about themselves: how far ahead their targets lie, and after what they repeat."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from neuroevo.problems.rows import Rows
    from neuroevo.problems.sequence import SequenceProblem

LONGEST = 400
"""Seasons and horizons are looked for up to this many steps."""
_MOST = 0.5
"""Half the squared difference of values a season apart is below this share of their variance."""
_NOTHING = 1e-12
"""A straight line leaves this share of its variance, by rounding."""
_NEARLY = 0.15
"""Of the distances whose difference is above the least by this share of its range, the shortest is the season."""
_RISE = 1.3
"""It has risen by this factor above itself at some shorter distance."""


def horizon_of(problem: SequenceProblem) -> int | None:
    """How many steps later each target is seen as the input that it is tied to; None where that is not so.

    Judged by the training part.
    """
    original = problem.original
    if min(original.tied) < 0:
        return None
    return _horizon(original, list(range(original.n_outputs)))


def horizons_of(problem: SequenceProblem) -> list[int] | None:
    """For each target the same where they lie differently far ahead; None where it is not so for one of them."""
    original = problem.original
    if min(original.tied) < 0:
        return None
    alike = horizon_of(problem)
    found = [alike or _horizon(original, [output]) for output in range(original.n_outputs)]
    return None if None in found else [horizon for horizon in found if horizon]


def _horizon(original: SequenceProblem, outputs: list[int]) -> int | None:
    """How many steps later some targets are all seen as the inputs that they are tied to."""
    columns, train = [original.tied[output] for output in outputs], original.part_rows["train"]
    counted, targets = original.counted_rows("train")[:, outputs], original.target_rows[:, outputs]
    for horizon in range(1, min(original.n_steps, LONGEST + 1)):
        later = original.input_rows[horizon:][:, columns]
        known = counted[:-horizon] & (train[horizon:] & original.rows.together(horizon))[:, None]
        # A few steps at the ends would agree by chance.
        if 2 * known.sum() >= counted.sum() and (targets[:-horizon][known] == later[known]).all():
            return horizon
    return None


def copies(problem: SequenceProblem) -> list[int]:
    """The input columns that hold what the targets hold: those tied to one, and such columns of earlier steps."""
    original, found = problem.original, []
    for tied in dict.fromkeys(column for column in original.tied if column >= 0):
        lag = 0
        while tied + lag < original.n_inputs and _is_copy(original.input_rows, original.rows, tied, lag):
            found.append(tied + lag)
            lag += 1
    return found


def _is_copy(inputs: NDArray[np.float64], rows: Rows, column: int, lag: int) -> bool:
    if lag >= rows.n_steps:
        return False
    same = inputs[lag:, column + lag] == inputs[: rows.n_rows - lag, column]
    return bool((same | ~rows.together(lag)).all())


def seasonal(values: NDArray[np.float64], rows: Rows, season: int, horizon: int) -> NDArray[np.float64]:
    """The last value, known at each step, of the season's place that lies `horizon` steps ahead.

    Args:
        values: ``(n_rows, n)``, known at each step.
        rows: Where the sequences lie.
        season: Steps after which they repeat.
        horizon: Steps ahead.

    Returns:
        Like the values; the value of the step itself where no season has passed yet.
    """
    back = season * -(-horizon // season) - horizon
    at = np.arange(rows.n_rows)
    return values[np.where(rows.step >= back, at - back, at)]


def _without_trend(
    values: NDArray[np.float64], counted: NDArray[np.bool_], steps: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Values less the straight line over their steps through those that count, the same for all sequences."""
    known, its = steps[counted] - steps[counted].mean(), values[counted] - values[counted].mean()
    return np.asarray(values - (known @ its) / max(float(known @ known), 1.0) * steps)


def found_season(problem: SequenceProblem) -> int | None:
    """After how many steps the training targets, less their trend, repeat themselves, or None where they do not.

    The distance at which they differ least in the mean square, among those where that difference has a minimum; of
    nearly equal ones the shortest. It must be well below what values without a relation have, and below what shorter
    distances have: a series that drifts slowly has small differences, and no season.
    """
    original = problem.original
    rows, targets, counted = original.rows, original.target_rows[:, 0], original.counted_rows("train")[:, 0]
    values = np.where(counted, _without_trend(targets, counted, rows.step.astype(np.float64)), np.nan)
    largest = min(LONGEST, int(rows.sums(counted.astype(np.int64)).max()) // 2)
    whole, variance = (float(its[counted].var()) if counted.any() else 0.0 for its in (targets, values))
    if largest < 3 or variance <= _NOTHING * whole:
        return None
    differences = np.full(largest + 1, np.inf)
    for season in range(1, largest + 1):
        squares = (values[season:] - values[:-season]) ** 2
        known = np.isfinite(squares) & rows.together(season)
        if known.any():
            differences[season] = squares[known].mean() / (2 * variance)
    minima = [s for s in range(2, largest) if differences[s] < min(differences[s - 1], differences[s + 1])]
    good = [s for s in minima if differences[s] < min(_MOST, differences[1:s].max() / _RISE)]
    if not good:
        return None
    least = min(differences[s] for s in good)
    # Multiples of a season are about as good as it is itself.
    nearly = least + _NEARLY * (differences[1 : good[-1]].max() - least)
    return next(s for s in good if differences[s] <= nearly)

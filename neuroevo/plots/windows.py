"""Which stretch of a long series is shown, and what is said about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from neuroevo.plots import style
from neuroevo.plots.times import Labels

if TYPE_CHECKING:
    from neuroevo.problems import SequenceProblem

Floats = NDArray[np.float64]

#: A longer series is shown in one window a part.
_MOST_STEPS = 1500
_WINDOW = 400
_MOST_WINDOWS = 4


@dataclass(frozen=True)
class Window:
    """Rows of a series that are drawn together.

    Attributes:
        rows: Which.
        text: What they are of the whole; empty where they are all.
        part: The only part that they were chosen from; None: there may be several.
    """

    rows: slice
    text: str = ""
    part: str | None = None


def whole(rows: slice, labels: Labels | None, length: int) -> Window:
    """A window that somebody has asked for."""
    n = rows.stop - rows.start
    return Window(rows) if n == length else Window(rows, f"{_ends(rows, labels)}: {n:,} of {length:,} rows")


def windows(predicted: Floats, problem: SequenceProblem, labels: Labels | None) -> list[Window]:
    """All of a short series; of each part of a longer one the stretch whose error is the median over its stretches.

    Stretches in which the targets hardly move, or in which few of them count, are passed over.

    Args:
        predicted: ``(n_rows, n_outputs)``.
        problem: Of one sequence, in the same units.
        labels: ``(n_rows,)``: its times.
    """
    length = int(problem.lengths[0])
    if length <= _MOST_STEPS:
        return [Window(slice(0, length))]
    found = []
    for part in list(problem.parts)[:_MOST_WINDOWS]:
        counted = problem.counted_rows(part)
        steps = np.flatnonzero(counted.any(axis=1))
        rows = _typical(predicted, problem.target_rows, counted, int(steps[0]), int(steps[-1]) + 1)
        n_shown = int(counted[rows].any(axis=1).sum())
        what = f", {n_shown:,} of {len(steps):,} rows" if n_shown < len(steps) else ""
        found.append(Window(rows, f"{style.single_line(part, 30)}, {_ends(rows, labels)}{what}", part))
    return found


def _typical(predicted: Floats, targets: Floats, counted: NDArray[np.bool_], start: int, end: int) -> slice:
    starts = range(start, max(start + 1, end - _WINDOW + 1), _WINDOW // 2)
    stretches = [slice(first, min(first + _WINDOW, end)) for first in starts]
    variance = np.array(
        [values[known].var() if known.any() else 1.0 for values, known in zip(targets.T, counted.T, strict=True)]
    )
    scale = np.where(variance > 0, variance, 1.0)
    n_counted = np.array([counted[rows].sum() for rows in stretches])
    with np.errstate(all="ignore"):
        errors = np.array([((predicted - targets) ** 2 / scale)[rows][counted[rows]].mean() for rows in stretches])
        moves = np.array(
            [np.nanmean(np.nanvar(np.where(counted[r], targets[r], np.nan), axis=0) / scale) for r in stretches]
        )
    errors = np.where(np.isnan(errors), np.inf, errors)
    full = n_counted >= 0.9 * n_counted.max()
    lively = full & (np.nan_to_num(moves) >= 0.5 * np.nanmedian(moves[full]))
    chosen = np.flatnonzero(lively if lively.any() else full)
    order = chosen[np.argsort(errors[chosen], kind="stable")]
    return stretches[int(order[(len(order) - 1) // 2])]


def _ends(rows: slice, labels: Labels | None) -> str:
    if labels is None:
        return f"rows {rows.start + 1:,} to {rows.stop:,}"
    return f"{style.single_line(labels[rows.start], 22)} to {style.single_line(labels[rows.stop - 1], 22)}"

"""Where predictions miss their targets: by part, by sequence, by class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from neuroevo.problems import SequenceProblem

Floats = NDArray[np.float64]


def part_errors(predicted: Floats, problem: SequenceProblem) -> dict[str, float]:
    """The mean squared error of each part.

    Args:
        predicted: ``(n_rows, n_outputs)``, or ``(n_sequences, n_steps, n_outputs)``, in the problem's units.
        problem: Has the targets.
    """
    differences = problem.rows.of(predicted) - problem.target_rows
    misses = {part: differences[problem.counted_rows(part)] for part in problem.parts}
    return {part: float(np.mean(np.square(miss))) for part, miss in misses.items()}


def target_errors(predicted: Floats, problem: SequenceProblem) -> dict[str, Floats]:
    """``(n_outputs,)`` root mean squared errors of each part, in each target's own unit; NaN where none counts.

    Arguments as those of :func:`part_errors`.
    """
    squares = np.square(problem.rows.of(predicted) - problem.target_rows)
    return {
        part: np.array(
            [np.sqrt(np.mean(its[of])) if of.any() else np.nan for its, of in zip(squares.T, mask.T, strict=True)]
        )
        for part in problem.parts
        for mask in [problem.counted_rows(part)]
    }


def sequence_errors(predicted: Floats, problem: SequenceProblem, part: str, target: int | None = None) -> Floats:
    """``(n_sequences,)`` mean squared errors over the counted targets of a part; NaN where a sequence has none.

    Arguments as those of :func:`part_errors`, and the number of a target where only that one is meant.
    """
    which = slice(None) if target is None else slice(target, target + 1)
    counted, rows = problem.counted_rows(part)[:, which], problem.rows
    squares = np.where(counted, rows.of(predicted)[:, which] - problem.target_rows[:, which], 0.0) ** 2
    n_counted = rows.sums(counted.sum(axis=1))
    return np.where(n_counted > 0, rows.sums(squares.sum(axis=1)) / np.maximum(n_counted, 1), np.nan)


def coverage(interval: tuple[Floats, Floats], problem: SequenceProblem, part: str) -> float:
    """The share of a part's counted targets that lie in their intervals, ends included.

    Args:
        interval: Lower and upper ends, each of a shape as in :func:`part_errors`, original units.
        problem: Has the targets.
        part: One of its parts.
    """
    low, high = map(problem.rows.of, interval)
    targets = problem.original.target_rows
    return float(((low <= targets) & (targets <= high))[problem.counted_rows(part)].mean())


def mean_width(interval: tuple[Floats, Floats], problem: SequenceProblem, part: str) -> float:
    """The mean distance between the ends of the intervals of a part, original units; arguments as of `coverage`."""
    low, high = map(problem.rows.of, interval)
    return float((high - low)[problem.counted_rows(part)].mean())


def confusion(predicted: Floats, problem: SequenceProblem, part: str) -> NDArray[np.int64]:
    """``(n_classes, n_classes)``: how many counted steps of a part are of the row's class and were given the column's.

    Arguments as those of :func:`part_errors`; the problem has an output a class.
    """
    steps = problem.counted_rows(part).any(axis=1)
    table = np.zeros((problem.n_outputs, problem.n_outputs), dtype=np.int64)
    chosen = problem.rows.of(predicted)[steps].argmax(axis=1)
    np.add.at(table, (problem.target_rows[steps].argmax(axis=1), chosen), 1)
    return table

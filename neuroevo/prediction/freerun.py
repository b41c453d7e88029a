"""Beyond the end of a series: outputs come back as inputs, and intervals are as wide as such runs have missed before.

One step's misses say little of the fiftieth: errors that come back grow, and how fast no formula knows. So the same is
done from many places of the validation part, each with what was known there, and each step has the misses of its own
(split conformal prediction, as `conformal` has it, step by step). Of the ways to do it this is the one that assumes
nothing of the model: a bootstrap of one-step residuals takes it to be right.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neuroevo.prediction.conformal import VALIDATION, exact_level, least_targets
from neuroevo.prediction.predictor import Predictor
from neuroevo.prediction.stream import Stream
from neuroevo.problems import SequenceProblem
from neuroevo.problems.loops import Loop

Values = NDArray[np.float64]

MOST_STEPS = 20_000
"""Single steps of single networks that all runs from the validation part may take together: some seconds."""


@dataclass(frozen=True, eq=False)
class StepMisses:
    """How far such runs missed the targets of the validation part, step by step.

    Attributes:
        misses: For each step and each series the misses, rising, original units.
    """

    misses: tuple[tuple[Values, ...], ...]

    @property
    def n_misses(self) -> tuple[int, ...]:
        """For each step the misses of the series that has the fewest."""
        return tuple(min(map(len, its)) for its in self.misses)

    def half_widths(self, level: float) -> Values:
        """``(n_steps, n_series)``: how far the interval of each step reaches to either side; NaN where too few missed.

        Never less far than that of an earlier step: the later ones are judged by fewer runs, which begin earlier.

        Raises:
            ValueError: The level is not above 0 and below 1.
        """
        needed, share = least_targets(level), exact_level(level)
        widths = [
            [each[math.ceil((len(each) + 1) * share) - 1] if len(each) >= needed else math.nan for each in its]
            for its in self.misses
        ]
        return np.maximum.accumulate(np.array(widths), axis=0)


def step_misses(
    predictor: Predictor, problem: SequenceProblem, loop: Loop, n_steps: int, part: str = VALIDATION
) -> StepMisses | None:
    """What the validation part says of forecasts of so many steps; None where there is no such part.

    Every run begins at a row from which a validation target comes next, knows all before it, and is compared with the
    validation targets that follow. Where these are many, it is done from places that are spread evenly over them.

    Args:
        predictor: Of numbers, no classes.
        problem: Has the data; its units do not matter.
        loop: How outputs come back.
        n_steps: Of each run.
        part: Another part, to see how often its targets lie in the intervals.
    """
    if part not in problem.parts or predictor.by_class:
        return None
    misses: list[list[list[float]]] = [[[] for _ in loop.outputs] for _ in range(n_steps)]
    original, first = problem.original, [its[0] for its in loop.outputs]
    counted = original.counted_rows(part)[:, first]
    some = original.rows.some(counted.any(axis=1))
    n_runs = max(1, MOST_STEPS // (n_steps * len(predictor.champions) * max(int(some.sum()), 1)))
    truths = np.where(counted, original.target_rows[:, first], np.nan)
    sequences = zip(original.rows.split(original.input_rows), original.rows.split(truths), some, strict=True)
    for inputs, targets in ((inputs, targets) for inputs, targets, counts in sequences if counts):
        # By row: the target of a step lies the least horizon later.
        truth = np.concatenate([np.full((loop.horizons[0], len(first)), np.nan), targets])
        for row, run in _runs(predictor, inputs, loop, n_steps, _origins(truth, loop, len(inputs), n_runs)):
            its = truth[row + 1 : row + 1 + n_steps]
            for step, series in np.argwhere(np.isfinite(its)):
                misses[step][series].append(abs(its[step, series] - run[step, series]))
    return StepMisses(tuple(tuple(_rising(values) for values in its) for its in misses))


def _origins(truth: Values, loop: Loop, length: int, n_runs: int) -> list[int]:
    """Rows that are followed by a target, after the first `reach` of them."""
    followed = np.flatnonzero(np.isfinite(truth[1:]).any(axis=1))
    able = followed[(followed >= loop.reach - 1) & (followed < length)]
    if len(able) <= n_runs:
        return [int(row) for row in able]
    return [int(row) for row in able[np.linspace(0, len(able) - 1, n_runs).round().astype(np.int64)]]


def _runs(
    predictor: Predictor, inputs: Values, loop: Loop, n_steps: int, origins: Sequence[int]
) -> list[tuple[int, Values]]:
    """Each origin with its run ``(n_steps, n_series)``."""
    stream, said, found = predictor.stream(), [], []
    wanted = set(origins)
    for row in range(max(wanted, default=-1) + 1):
        said.append(stream.members(inputs[row : row + 1])[:, 0])
        if row in wanted:
            last = np.stack(said[-loop.reach :], axis=1)
            ahead = np.full((n_steps, inputs.shape[1]), np.nan)
            known = inputs[row + 1 : row + 1 + n_steps]
            ahead[: len(known)] = known
            members = _run(loop, stream.copy(), inputs[row], last, ahead)
            run = np.full((n_steps, len(loop.outputs)), np.nan)
            run[: members.shape[1]] = predictor.combined(members[:, None]).prediction[0]
            found.append((row, run))
    return found


def _run(loop: Loop, stream: Stream, row: Values, last: Values, ahead: Values) -> Values:
    """As far as what is known ahead of time goes."""
    n_steps = len(ahead)
    if loop.given:
        n_known = int(np.isfinite(ahead[:, list(loop.given)]).all(axis=1).sum())
        n_steps = min(n_steps, n_known + loop.reach)
    return loop.run(stream, row, last, n_steps, ahead)


def _rising(values: Sequence[float]) -> Values:
    """Sorted; a prediction that is no number misses by infinity."""
    misses = np.array(values, dtype=np.float64)
    return np.sort(np.where(np.isnan(misses), np.inf, misses))

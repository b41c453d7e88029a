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

from neuroevo.errors import BadInput
from neuroevo.prediction.conformal import VALIDATION, exact_level, least_targets
from neuroevo.prediction.predictor import Predictor
from neuroevo.prediction.stream import Stream
from neuroevo.problems import SequenceProblem

Values = NDArray[np.float64]

MOST_STEPS = 20_000
"""Single steps of single networks that all runs from the validation part may take together: some seconds."""


@dataclass(frozen=True)
class Loop:
    """Which outputs predict what, and how they come back.

    Attributes:
        horizons: ``(n_horizons,)``: how many rows ahead outputs lie, rising.
        outputs: For each series that is predicted its outputs, one a horizon.
        fresh: Input columns to the series whose newest value they are.
        shifted: Input columns to those, before them, that they repeat one row later.
        given: Input columns that are known ahead of time.
        lacking: Names of the inputs that are none of these.
    """

    horizons: tuple[int, ...]
    outputs: tuple[tuple[int, ...], ...]
    fresh: dict[int, int]
    shifted: dict[int, int]
    given: tuple[int, ...] = ()
    lacking: tuple[str, ...] = ()

    @property
    def reach(self) -> int:
        """The furthest horizon."""
        return self.horizons[-1]

    @property
    def max_lag(self) -> int:
        """Rows before the present one that a step sees."""
        depth = dict.fromkeys(self.shifted.values(), 0)
        for column, newer in sorted(self.shifted.items()):
            depth[column] = depth[newer] + 1
        return max(depth.values(), default=0)

    def check(self, n_steps: int) -> None:
        """Check that so many steps can be forecast.

        Raises:
            BadInput: The targets are not what comes later, or would have to come back as inputs that they are not.
        """
        if self.horizons[0] < 1:
            raise BadInput(
                "the targets are not what comes later, so nothing lies beyond the end of the data; predict answers "
                "rows whose inputs are known"
            )
        if n_steps > self.reach and self.lacking:
            names = ", ".join(map(repr, self.lacking))
            raise BadInput(
                f"beyond {self.reach} steps outputs must come back as inputs, and of these {names} is no target: ask "
                f"for {self.reach} steps at most, train with it among the targets, or name it as known ahead of time"
            )

    def horizon_for(self, step: int) -> int:
        """The place of the horizon that predicts a step: the least that needs no predicted input, or the furthest."""
        return next((i for i, horizon in enumerate(self.horizons) if horizon >= step), len(self.horizons) - 1)

    def run(self, stream: Stream, row: Values, said: Values, n_steps: int, ahead: Values | None = None) -> Values:
        """``(n_members, n_steps, n_series)``: what each member says of the next rows, fed with its own outputs.

        Args:
            stream: Has seen all rows that are known; it is used up.
            row: ``(n_inputs,)``: the last of them, original units.
            said: ``(n_members, reach, n_outputs)``: the members' predictions for the last rows, `row` at the end.
            n_steps: Rows to be predicted.
            ahead: ``(n_steps, n_inputs)``: of the next rows what is known ahead of time.
        """
        every = [said[:, i] for i in range(said.shape[1])]
        rows = np.repeat(row[None], len(said), axis=0)
        found: list[Values] = []
        for step in range(1, n_steps + 1):
            place = self.horizon_for(step)
            while len(every) < said.shape[1] + step - self.horizons[place]:
                n_made = len(every) - said.shape[1]
                rows = self.following(rows, found[n_made])
                if ahead is not None:
                    rows[:, list(self.given)] = ahead[n_made, list(self.given)]
                every.append(stream.members(rows[:, None])[:, 0])
            made = every[said.shape[1] - 1 + step - self.horizons[place]]
            found.append(made[:, [its[place] for its in self.outputs]])
        return np.stack(found, axis=1)

    def following(self, rows: Values, newest: Values) -> Values:
        """``(n, n_inputs)``: the inputs one row later; those that nobody can tell are left as they are.

        Args:
            rows: ``(n, n_inputs)``.
            newest: ``(n, n_series)``: what the series then are.
        """
        later = rows.copy()
        for column, before in self.shifted.items():
            later[:, column] = rows[:, before]
        for column, series in self.fresh.items():
            later[:, column] = newest[:, series]
        return later


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

"""Beyond the end of a series: outputs come back as inputs, and intervals are as wide as such runs have missed before.

One step's misses say little of the fiftieth: errors that come back grow, and how fast no formula knows. So the same is
done from many places of the validation part, each with what was known there, and each step has the misses of its own
(split conformal prediction, as `conformal` has it, step by step). Of the ways to do it this is the one that assumes
nothing of the model: a bootstrap of one-step residuals takes it to be right.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.prediction.conformal import VALIDATION, exact_level, least_targets
from neuroevo.prediction.logistic import LogisticMember
from neuroevo.prediction.predictor import Forecast, Predictor
from neuroevo.prediction.stream import Stream
from neuroevo.problems import Preparation, Scaling, SequenceProblem
from neuroevo.problems.free_running.loops import Loop
from neuroevo.problems.free_running.runs import FreeRuns

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


def warmed(predictor: Predictor, problem: SequenceProblem, inputs: Values, reach: int) -> tuple[Stream, Values]:
    """A stream that has seen all rows; where the problem asks for free runs, as many of them as there.

    Args:
        predictor: Of any members.
        problem: Of its training.
        inputs: ``(n, n_inputs)``, original units.
        reach: How many of the last predictions are wanted.

    Returns:
        The stream, and what each member says after the last rows, ``(n_members, reach, n_outputs)``.
    """
    stream, n_known = predictor.stream(), len(inputs)
    if problem.free_run is not None:
        n_known = min(max(problem.free_run.washout, reach), n_known)
        stream.look(inputs[None, : len(inputs) - n_known])
    said = [stream.members(row[None])[:, 0] for row in inputs[len(inputs) - n_known :]]
    return stream, np.stack(said[-reach:], axis=1)


def run_freely(predictor: Predictor, problem: SequenceProblem, part: str) -> Forecast:
    """What a predictor says in the free runs of a part, each member fed with its own outputs.

    Args:
        predictor: Of numbers, no classes; members may have units of their own.
        problem: Asks for free runs; its units do not matter.
        part: Whose.

    Returns:
        The forecast of the judged steps, as `FreeRuns.problem_of` has them: one axis, n_rows, in original units.
    """
    members = []
    for member in predictor.champions:
        if isinstance(member, LogisticMember):
            raise BadInput(f"the member {member.name!r} is of classes, which have no free runs")
        units = problem.original
        prepared = Preparation.from_arrays(member.scaling)
        units = units if prepared is None else units.with_preparation(prepared)
        units = units.with_scaling(Scaling.from_arrays(member.scaling)) if member.scaling else units
        runs = FreeRuns(units, problem.free_runs.origins)
        with np.errstate(over="ignore", invalid="ignore"):
            outputs = runs.outputs(member.network, member.genome, part)
            members.append(runs.problem_of(part).predictions(outputs))
    return predictor.combined(np.stack(members))


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
    n_each = n_steps + (0 if problem.free_run is None else problem.free_run.washout)
    n_runs = max(1, MOST_STEPS // (n_each * len(predictor.champions) * max(int(some.sum()), 1)))
    truths = np.where(counted, original.target_rows[:, first], np.nan)
    sequences = zip(original.rows.split(original.input_rows), original.rows.split(truths), some, strict=True)
    for inputs, targets in ((inputs, targets) for inputs, targets, counts in sequences if counts):
        # By row: the target of a step lies the least horizon later.
        truth = np.concatenate([np.full((loop.horizons[0], len(first)), np.nan), targets])
        for row, run in _runs(predictor, problem, inputs, loop, n_steps, _origins(truth, loop, len(inputs), n_runs)):
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
    predictor: Predictor,
    problem: SequenceProblem,
    inputs: Values,
    loop: Loop,
    n_steps: int,
    origins: Sequence[int],
) -> Iterator[tuple[int, Values]]:
    """Each origin with its run ``(n_steps, n_series)``."""
    for row, stream, last in _warmed(predictor, problem, inputs, loop.reach, origins):
        ahead = np.full((n_steps, inputs.shape[1]), np.nan)
        known = inputs[row + 1 : row + 1 + n_steps]
        ahead[: len(known)] = known
        members = _run(loop, stream, inputs[row], last, ahead)
        run = np.full((n_steps, len(loop.outputs)), np.nan)
        run[: members.shape[1]] = predictor.combined(members[:, None]).prediction[0]
        yield row, run


def _warmed(
    predictor: Predictor, problem: SequenceProblem, inputs: Values, reach: int, origins: Sequence[int]
) -> Iterator[tuple[int, Stream, Values]]:
    """Each origin with what `warmed` gives for the rows up to it."""
    if problem.free_run is not None:
        for row in origins:
            yield row, *warmed(predictor, problem, inputs[: row + 1], reach)
        return
    stream, said, wanted = predictor.stream(), [], set(origins)
    for row in range(max(wanted, default=-1) + 1):
        said.append(stream.members(inputs[row : row + 1])[:, 0])
        if row in wanted:
            yield row, stream.copy(), np.stack(said[-reach:], axis=1)


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

"""Rows that go on where the data of a run end: the two become one sequence, so that states are warmed up on what was.

A *row* here is one of the series; the step of number i is made at row i, and its outputs lie up to `reach` rows later.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.prediction import Loop
from neuroevo.problems import RightClass, SequenceProblem
from neuroevo.problems.observed import Observed
from neuroevo.problems.timeline import continued, moments_of

Values = NDArray[np.float64]
Labels = NDArray[Any]

_AFRESH = "or let the state begin anew with the file (--restart)"
_NEAR = 1e-9
"""Values that differ by a smaller share are the same, written with fewer digits."""


@dataclass(frozen=True, eq=False)
class Continued:
    """One sequence in original units: the steps of a run's data, where they are, and then those that are new.

    Attributes:
        inputs: ``(n_steps, n_inputs)``.
        targets: ``(n_steps, n_outputs)``, NaN where nobody knows them.
        n_old: Steps before the new ones.
        labels: ``(n_labels,)``: of the last rows, up to the one that the last step predicts furthest ahead.
        reach: Rows from a step to the one that it predicts furthest ahead.
        name: Of the file or the sequence.
        notes: What reading did to the data, in sentences.
    """

    inputs: Values
    targets: Values
    n_old: int
    labels: Labels
    reach: int
    name: str = ""
    notes: tuple[str, ...] = ()

    @property
    def n_steps(self) -> int:
        """All of them."""
        return len(self.inputs)

    def times(self, rows: NDArray[np.intp]) -> Labels:
        """The labels of rows; of those beyond all, in the usual step."""
        first = self.n_steps + self.reach - len(self.labels)
        more = int(rows.max(initial=0)) + 1 - first - len(self.labels)
        return continued(self.labels, max(more, 0))[rows - first]

    def past(self, loop: Loop, n_rows: int) -> tuple[Labels, Values]:
        """Labels and values ``(n, n_series)`` of the last rows, `n_rows` at most; NaN where they are not known."""
        first = self.n_steps + self.reach - len(self.labels)
        rows = np.arange(max(first, loop.horizons[0], self.n_steps - n_rows), self.n_steps)
        return self.times(rows), self.targets[rows - loop.horizons[0]][:, [its[0] for its in loop.outputs]]


def without_lags(problem: SequenceProblem, loop: Loop) -> SequenceProblem:
    """A problem of the same columns, but that each input stands there once, as a file has it."""
    targets = np.eye(1, problem.n_outputs)[None]
    columns = [c for c in range(problem.n_inputs) if c not in loop.shifted]
    return SequenceProblem(
        np.zeros((1, 1, len(columns))),
        targets,
        learned=RightClass() if problem.learned.by_class else None,
        input_names=[problem.input_names[c] for c in columns],
        target_names=problem.target_names,
    )


def alone(observed: Observed, loop: Loop) -> Continued:
    """The rows of a file by themselves, all steps new.

    Args:
        observed: As a problem `without_lags` sees them.
        loop: Which inputs are lags.

    Raises:
        BadInput: There are fewer rows than the lags need.
    """
    lag = loop.max_lag
    if len(observed.inputs) <= lag:
        raise BadInput(
            f"{observed.name} has {len(observed.inputs)} rows whose inputs are known, and a step needs {lag} rows "
            "before it: bring more"
        )
    inputs = _lagged(observed.inputs, loop, None)[lag:]
    labels, reach = _labels(observed), observed.horizons[-1]
    return Continued(inputs, observed.targets[lag:], 0, labels, reach, observed.name, observed.notes)


def without_more(problem: SequenceProblem, loop: Loop, file: str = "") -> Continued:
    """The data of a run up to the very last row; the last steps, whose targets lie beyond the data, are new.

    Args:
        problem: The run's, of one sequence.
        loop: Which of its inputs are targets or lags.
        file: That it was made of, for messages.

    Raises:
        BadInput: The data of the run lack the inputs of those.
    """
    stored = _Stored(problem, loop)
    last = stored.last_rows()
    if not np.isfinite(last).all():
        names = ", ".join(map(repr, loop.lacking)) or "what is known ahead of time"
        such = f", such as {file}" if file else ""
        lack = names if loop.lacking or loop.given else "a target that is an input"
        raise BadInput(
            f"the data of the run lack the last {loop.reach} rows of {lack}: give a file that has them{such}"
        )
    inputs = np.concatenate([stored.inputs, last])
    targets = np.concatenate([stored.targets, np.full((loop.reach, problem.n_outputs), np.nan)])
    return Continued(inputs, targets, len(stored.inputs), continued(stored.labels, loop.reach), loop.reach)


def joined(problem: SequenceProblem, loop: Loop, observed: Observed, *, numbered: bool) -> Continued:
    """The data of a run and the rows of a file that goes on with them, from before their end or right after it.

    Args:
        problem: The run's, of one sequence.
        loop: Which of its inputs are targets or lags.
        observed: The file, as a problem `without_lags` sees it.
        numbered: Whether there is no column of times, and rows are numbered from 1.

    Raises:
        BadInput: The file has other values at the same times, or there is a gap between the two.
    """
    stored, labels, name = _Stored(problem, loop), _labels(observed), observed.name
    n, its = len(stored.inputs), observed.inputs
    if numbered:
        same = _alike(stored.base, its[loop.max_lag :])
        labels = labels if same.size and same.all() else labels + stored.labels[-1]
    start = stored.place_of(labels[: len(its)], name)
    first, before = max(start, 0), max(-start, 0)
    last = stored.last_rows()
    alike = _alike(np.concatenate([stored.base, last[:, stored.columns]])[first:], its[before:])
    if not alike.all():
        raise BadInput(
            f"{name} has other values than the data of the run at {labels[before + int(np.argmin(alike))]}: bring the "
            f"rows that follow them, {_AFRESH}"
        )
    whole = stored.inputs
    if start > n:
        whole = np.concatenate([whole, last[: start - n]])
        if not np.isfinite(whole).all():
            raise BadInput(
                f"the data of the run hold all inputs only up to {stored.label(n - 1)}: let {name} begin at "
                f"{stored.label(n)} or before it, {_AFRESH}"
            )
    whole = np.concatenate([whole, _lagged(its[max(n - start, 0) :], loop, whole[-1])])
    n_rows = n + loop.reach
    rows = np.concatenate([stored.labels, labels[max(n_rows - start, 0) :]])
    return Continued(
        whole,
        stored.with_targets(_values(observed, loop), start, len(whole)),
        n,
        rows[: len(whole) + loop.reach],
        loop.reach,
        name,
        observed.notes,
    )


class _Stored:
    """The data of a run, row by row: what they hold of inputs, targets and times."""

    def __init__(self, problem: SequenceProblem, loop: Loop) -> None:
        original = problem.original
        if original.n_sequences != 1:
            raise BadInput(
                "the run has several sequences, and nobody knows which of them goes on: let the state begin anew with "
                "the file (--restart)"
            )
        self._loop = loop
        n = int(original.lengths[0])
        self.inputs: Values = original.inputs[0, :n]
        self.columns = [c for c in range(original.n_inputs) if c not in loop.shifted]
        self.base: Values = self.inputs[:, self.columns]
        self.targets: Values = np.where(original.target_mask[0, :n], original.targets[0, :n], np.nan)
        #: Of the rows from `reach` on; those before them have none.
        first = loop.max_lag + loop.reach + 1
        self.labels: Labels = np.arange(first, first + n) if original.times is None else original.times[0, :n]

    def label(self, row: int) -> str:
        """Of a row, for messages."""
        return str(self.labels[min(max(row - self._loop.reach, 0), len(self.labels) - 1)])

    def place_of(self, made: Labels, name: str) -> int:
        """The row of the run's data that a file's first row is, or would be.

        Args:
            made: ``(n,)``: labels of the file's rows.
            name: Of the file.
        """
        labels, reach = self.labels, self._loop.reach
        end = labels[-1]
        alike = (made.dtype.kind == "U") == (labels.dtype.kind == "U")
        moments = moments_of(np.concatenate([labels, made[:1]])) if alike else None
        if not alike or (moments is None and moments_of(labels) is not None):
            raise BadInput(
                f"{name} writes times such as {made[0]}, and the data of the run such as {end}: write them alike"
            )
        at, before = np.flatnonzero(labels == made[0]), np.flatnonzero(made == labels[0])
        if at.size:
            return reach + int(at[0])
        if before.size:
            return reach - int(before[0])
        if not made[0] > end:
            where = "lie before" if made[-1] < labels[0] else "are not those of"
            raise BadInput(
                f"the times of {name}, {made[0]} to {made[-1]}, {where} the data of the run, which end at {end}: bring "
                f"rows that follow them, {_AFRESH}"
            )
        steps = np.array([]) if moments is None else np.diff(moments)
        if steps.size > 1 and steps[-1] > steps[:-1].max() * (1 + _NEAR):
            raise BadInput(
                f"there is a gap: the data of the run end at {end}, and {name} begins at {made[0]}; put the rows "
                f"between them into the file, {_AFRESH}"
            )
        return reach + len(labels)

    def last_rows(self) -> Values:
        """``(reach, n_inputs)``: the inputs of the rows beyond the steps, as far as targets tell them."""
        loop, found, last = self._loop, [], self.inputs[-1:]
        untold = [c for c in range(self.inputs.shape[1]) if c not in loop.fresh and c not in loop.shifted]
        for targets in self.targets[len(self.targets) - loop.reach :]:
            last = loop.following(last, targets[None, [its[-1] for its in loop.outputs]])
            last[:, untold] = np.nan
            found.append(last[0])
        return np.array(found).reshape(loop.reach, self.inputs.shape[1])

    def with_targets(self, values: Values, start: int, n_steps: int) -> Values:
        """``(n_steps, n_outputs)``: the targets of the run's data, and for others those that a file tells.

        Args:
            values: ``(n_rows, n_series)`` of the file, NaN where they are not known.
            start: The row that the file begins with.
            n_steps: Of the whole.
        """
        targets = np.full((n_steps, self.targets.shape[1]), np.nan)
        targets[: len(self.targets)] = self.targets
        rows = np.full((n_steps + self._loop.reach, len(self._loop.outputs)), np.nan)
        its = values[max(-start, 0) :][: len(rows) - max(start, 0)]
        rows[max(start, 0) : max(start, 0) + len(its)] = its
        for series, outputs in enumerate(self._loop.outputs):
            for horizon, output in zip(self._loop.horizons, outputs, strict=True):
                later = rows[horizon : horizon + n_steps, series]
                targets[:, output] = np.where(np.isnan(targets[:, output]), later, targets[:, output])
        return targets


def _lagged(base: Values, loop: Loop, before: Values | None) -> Values:
    """``(n, n_inputs)``: each row with its lags; NaN where nobody knows them.

    Args:
        base: ``(n, n_base)``.
        loop: Which inputs are lags.
        before: ``(n_inputs,)``: the row before the first.
    """
    n_inputs = base.shape[1] + len(loop.shifted)
    inputs = np.full((len(base), n_inputs), np.nan)
    inputs[:, [c for c in range(n_inputs) if c not in loop.shifted]] = base
    for column, newer in sorted(loop.shifted.items()) if len(base) else ():
        inputs[1:, column] = inputs[:-1, newer]
        if before is not None:
            inputs[0, column] = before[newer]
    return inputs


def _alike(stored: Values, given: Values) -> NDArray[np.bool_]:
    """For each row that both have, whether they hold the same, as far as it is known."""
    n = min(len(stored), len(given))
    same = np.isclose(stored[:n], given[:n], rtol=_NEAR, atol=0.0) | np.isnan(stored[:n])
    return np.asarray(same.all(axis=1))


def _labels(observed: Observed) -> Labels:
    """``(n_steps + reach,)``: of all rows that the steps of a file are made at or predict."""
    n = len(observed.times)
    labels = continued(observed.times, observed.horizons[-1]).tolist()
    for place, horizon in enumerate(observed.horizons):
        labels[horizon : horizon + n] = observed.target_times[:, place].tolist()
    labels[:n] = observed.times.tolist()
    return np.array(labels)


def _values(observed: Observed, loop: Loop) -> Values:
    """``(n_steps + reach, n_series)``: the series as a file tells them; NaN where it does not."""
    n = len(observed.inputs)
    values = np.full((n + loop.reach, len(loop.outputs)), np.nan)
    base = [c for c in range(observed.inputs.shape[1] + len(loop.shifted)) if c not in loop.shifted]
    for column, series in loop.fresh.items():
        values[:n, series] = observed.inputs[:, base.index(column)]
    for series, outputs in enumerate(loop.outputs):
        for horizon, output in zip(loop.horizons, outputs, strict=True):
            its = observed.targets[:, output]
            values[horizon : horizon + n, series] = np.where(np.isnan(its), values[horizon : horizon + n, series], its)
    return values

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
from neuroevo.problems.tables.observed import Observed
from neuroevo.problems.tables.timeline import continued
from neuroevo.records.stored_rows import AFRESH, StoredRows, alike_rows

Values = NDArray[np.float64]
Labels = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Continued:
    """One sequence in original units: the steps of a run's data, where they are, and then those that are new.

    Attributes:
        inputs: ``(n_steps, n_inputs)``.
        targets: ``(n_steps, n_outputs)``, NaN where nobody knows them.
        n_old: Steps before the new ones.
        labels: ``(n_labels,)``: of the last rows, up to the one that the last step predicts furthest ahead.
        reach: Rows from a step to the one that it predicts furthest ahead.
        n_read: Rows of the file up to the last step; 0 where there is no file.
        name: Of the file or the sequence.
        notes: What reading did to the data, in sentences.
    """

    inputs: Values
    targets: Values
    n_old: int
    labels: Labels
    reach: int
    n_read: int = 0
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
    n_read = len(observed.inputs)
    return Continued(inputs, observed.targets[lag:], 0, labels, reach, n_read, observed.name, observed.notes)


def without_more(problem: SequenceProblem, loop: Loop, file: str = "") -> Continued:
    """The data of a run up to the very last row; the last steps, whose targets lie beyond the data, are new.

    Args:
        problem: The run's, of one sequence.
        loop: Which of its inputs are targets or lags.
        file: That it was made of, for messages.

    Raises:
        BadInput: The data of the run lack the inputs of those.
    """
    stored = StoredRows(problem, loop)
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
    stored, labels, name = StoredRows(problem, loop), _labels(observed), observed.name
    n, its = len(stored.inputs), observed.inputs
    if numbered:
        same = alike_rows(stored.base, its[loop.max_lag :])
        labels = labels if same.size and same.all() else labels + stored.labels[-1]
    start = stored.place_of(labels[: len(its)], name)
    first, before = max(start, 0), max(-start, 0)
    last = stored.last_rows()
    alike = alike_rows(np.concatenate([stored.base, last[:, stored.columns]])[first:], its[before:])
    if not alike.all():
        raise BadInput(
            f"{name} has other values than the data of the run at {labels[before + int(np.argmin(alike))]}: bring the "
            f"rows that follow them, {AFRESH}"
        )
    whole = stored.inputs
    if start > n:
        whole = np.concatenate([whole, last[: start - n]])
        if not np.isfinite(whole).all():
            raise BadInput(
                f"the data of the run hold all inputs only up to {stored.label(n - 1)}: let {name} begin at "
                f"{stored.label(n)} or before it, {AFRESH}"
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
        len(its),
        name,
        observed.notes,
    )


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

"""The data of a run, row by row, and where the rows of a file lie among them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.prediction import Loop
from neuroevo.problems import SequenceProblem
from neuroevo.problems.tables.timeline import moments_of

Values = NDArray[np.float64]
Labels = NDArray[Any]

AFRESH = "or let the state begin anew with the file (--restart)"
"""What else to do, for messages."""
_NEAR = 1e-9
"""Values that differ by a smaller share are the same, written with fewer digits."""


class StoredRows:
    """The data of a run, row by row: what they hold of inputs, targets and times.

    Args:
        problem: The run's.
        loop: Which of its inputs are targets or lags.

    Attributes:
        inputs: ``(n_steps, n_inputs)``, original units.
        columns: The inputs that are no lags.
        base: ``(n_steps, n_columns)``: those.
        targets: ``(n_steps, n_outputs)``, NaN where they are not known.
        labels: ``(n_steps,)``: of the rows from `reach` on; those before them have none.

    Raises:
        BadInput: There are several sequences.
    """

    def __init__(self, problem: SequenceProblem, loop: Loop) -> None:
        original = problem.original
        if original.n_sequences != 1:
            raise BadInput(
                "the run has several sequences, and nobody knows which of them goes on: let the state begin anew with "
                "the file (--restart)"
            )
        self._loop = loop
        self.inputs: Values = original.input_rows
        self.columns = [c for c in range(original.n_inputs) if c not in loop.shifted]
        self.base: Values = self.inputs[:, self.columns]
        self.targets: Values = np.where(original.mask_rows, original.target_rows, np.nan)
        first, times = loop.max_lag + loop.reach + 1, original.time_rows
        self.labels: Labels = np.arange(first, first + len(self.inputs)) if times is None else times

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
                f"rows that follow them, {AFRESH}"
            )
        steps = np.array([]) if moments is None else np.diff(moments)
        if steps.size > 1 and steps[-1] > steps[:-1].max() * (1 + _NEAR):
            raise BadInput(
                f"there is a gap: the data of the run end at {end}, and {name} begins at {made[0]}; put the rows "
                f"between them into the file, {AFRESH}"
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


def alike_rows(stored: Values, given: Values) -> NDArray[np.bool_]:
    """For each row that both have, whether they hold the same, as far as it is known."""
    n = min(len(stored), len(given))
    same = np.isclose(stored[:n], given[:n], rtol=_NEAR, atol=0.0) | np.isnan(stored[:n])
    return np.asarray(same.all(axis=1))

"""How the outputs of a problem come back as its inputs, as its columns tell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.problems.seasons import copies, horizon_of

if TYPE_CHECKING:
    from neuroevo.problems.sequence import SequenceProblem

Values = NDArray[np.float64]

_AHEAD = re.compile(r" \(t\+\d+\)$")


class Speakers(Protocol):
    """Networks that are asked row by row, such as `prediction.Stream`."""

    def members(self, inputs: Values) -> Values:
        """``(n_members, n_sequences, n_outputs)`` from ``(n_members, n_sequences, n_inputs)``, original units."""


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

    def run(self, stream: Speakers, row: Values, said: Values, n_steps: int, ahead: Values | None = None) -> Values:
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

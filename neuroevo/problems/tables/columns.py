"""A stretch of rows as columns of numbers, and the steps of a sequence that are made of them: lags and horizons."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neuroevo.problems.tables.timeline import Labels


@dataclass(frozen=True)
class Columns:
    """A series as read or generated, in original units.

    Attributes:
        inputs: ``(n_rows, n_inputs)`` float64, what is known at each row.
        targets: ``(n_rows, n_outputs)`` float64, what is to be predicted.
        input_names: One name an input.
        target_names: One name a target.
        tied: For each target the input column that is the same quantity, or -1.
        labels: Where each row lies in time; None: the row's number, from 1.
        ignored: ``(n_rows,)`` bool: rows that do not count as targets; None: no row.
        weights: ``(n_rows,)`` float64, above 0: how much each row counts as a target; None: all alike.
        bases: For each input the column of the file that it is made of; None: its own name.
        known: ``(n_rows, n_known)`` float64: inputs of the row that is to be predicted; None: there are none.
        known_names: One name a column of `known`.
        calendar: ``(n_rows, n_calendar)`` float64: likewise, but only of the nearest of several rows; None: none.
        calendar_names: One name a column of `calendar`.
        counts: ``(n_rows, n_outputs)`` bool: targets that are known; None: all of them.
        parts: Part names to ``(n_rows,)`` bool; None: by the settings.
        name: What messages call the series where there are several.
    """

    inputs: NDArray[np.float64]
    targets: NDArray[np.float64]
    input_names: Sequence[str]
    target_names: Sequence[str]
    tied: Sequence[int]
    labels: Labels | None = None
    ignored: NDArray[np.bool_] | None = None
    weights: NDArray[np.float64] | None = None
    bases: Sequence[str] | None = None
    known: NDArray[np.float64] | None = None
    known_names: Sequence[str] = ()
    calendar: NDArray[np.float64] | None = None
    calendar_names: Sequence[str] = ()
    counts: NDArray[np.bool_] | None = None
    parts: Mapping[str, NDArray[np.bool_]] | None = None
    name: str = ""

    @property
    def n_rows(self) -> int:
        """Rows whose inputs are known."""
        return len(self.inputs)

    def counted(self) -> NDArray[np.bool_]:
        """``(n_rows, n_outputs)`` bool: targets that are known and not ignored."""
        counts = np.ones(self.targets.shape, dtype=np.bool_) if self.counts is None else self.counts
        return counts if self.ignored is None else counts & ~self.ignored[:, None]

    def taken(self, rows: slice) -> Columns:
        """Some of the rows, with all that belongs to them."""
        own = ("inputs", "targets", "labels", "ignored", "weights", "known", "calendar", "counts")
        arrays = {name: getattr(self, name)[rows] for name in own if getattr(self, name) is not None}
        return dataclasses.replace(self, **arrays)


@dataclass(frozen=True)
class Windows:
    """Which rows a step sees and predicts.

    Attributes:
        lags: For each input column, the values of it that a step sees: the present one and those before it.
        horizons: How many rows ahead the targets lie, rising.
    """

    lags: tuple[int, ...]
    horizons: tuple[int, ...]

    @property
    def first(self) -> int:
        """The first row that all lags are known at."""
        return max(self.lags) - 1

    @property
    def reach(self) -> int:
        """Rows from a step to its furthest target."""
        return self.horizons[-1]

    def inputs(self, columns: Columns, n_steps: int) -> NDArray[np.float64]:
        """``(n_steps, n)``: for each column its lags, the newest first, then what is known of the targets' rows."""

        def ahead(values: NDArray[np.float64], rows: int) -> NDArray[np.float64]:
            return values[self.first + rows : self.first + rows + n_steps]

        pairs = ((columns.inputs[:, i], lag) for i, lags in enumerate(self.lags) for lag in range(lags))
        found = [ahead(values, -lag) for values, lag in pairs]
        if columns.known is not None:
            found += [ahead(values, h) for values in columns.known.T for h in self.horizons]
        if columns.calendar is not None:
            found += [ahead(values, self.horizons[0]) for values in columns.calendar.T]
        return np.column_stack(found)

    def input_names(self, columns: Columns) -> list[str]:
        """Their names, such as "load", "load (t-1)" and "plan (t+24)"."""
        names = [
            name if lag == 0 else f"{name} (t-{lag})"
            for name, lags in zip(columns.input_names, self.lags, strict=True)
            for lag in range(lags)
        ]
        names += [name if h == 0 else f"{name} (t+{h})" for name in columns.known_names for h in self.horizons]
        return [*names, *columns.calendar_names]

    def targets(self, values: NDArray[np.generic], n_steps: int) -> NDArray[np.generic]:
        """``(n_steps, n_columns * n_horizons)``: of ``(n_rows, n_columns)``, for each column all horizons."""
        rows = [self.first + h for h in self.horizons]
        if not values.shape[1]:
            return values[:n_steps]
        return np.column_stack([column[row : row + n_steps] for column in values.T for row in rows])

    def target_names(self, columns: Columns) -> list[str]:
        """Their names: those of the columns, or "load +1" and "load +24" where there are several horizons."""
        if len(self.horizons) == 1:
            return list(columns.target_names)
        return [f"{name} +{h}" for name in columns.target_names for h in self.horizons]

    def tied(self, columns: Columns) -> list[int]:
        """For each target the input that holds its quantity at the step, or -1."""
        starts = np.concatenate([[0], np.cumsum(self.lags)])
        return [int(starts[i]) if i >= 0 else -1 for i in columns.tied for _ in self.horizons]

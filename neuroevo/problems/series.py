"""The problem kind "series": forecast columns of one's own CSV or NPZ file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neuroevo.problems.chronology import Labels, row_labels, rows_between
from neuroevo.problems.errors import DataError
from neuroevo.problems.sequence import SequenceProblem
from neuroevo.problems.table import Column, Table, read_table
from neuroevo.problems.windows import Columns, Forecast
from neuroevo.settings import Mistake, SettingsError


@dataclass(frozen=True, kw_only=True)
class Series(Forecast):
    """A series from a CSV or NPZ file, forecast one or more steps ahead, in the order of time.

    It is one sequence: the state of the network runs through from part to part.

    Columns are given by name, or by number from 1.

    Attributes:
        file: CSV or NPZ, relative to the scenario.
        input: The columns that the network sees; left out, the only column that is not `time`, `ignore` or
            `weight`.
        target: The columns that it predicts; left out, the inputs themselves.
        time: The column of time labels, numbers or dates with the year first, or several such as ["year", "month"];
            left out, rows are numbered from 1.
        ignore: A column of 0 and 1; where it is 1, the row does not count as a target.
        weight: A column of numbers above 0: how much the row counts as a target; left out, all count alike.
        span: [first, last] in time labels: the rows that are used; left out, all of them.
    """

    file: str
    input: Column | tuple[Column, ...] | None = None
    target: Column | tuple[Column, ...] | None = None
    time: Column | tuple[Column, ...] | None = None
    ignore: Column | None = None
    weight: Column | None = None
    span: tuple[int | float | str, int | float | str] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        empty = [name for name in ("input", "target", "time") if getattr(self, name) == ()]
        if empty:
            raise SettingsError([Mistake(name, "must name a column at least", "[]") for name in empty])

    def build(self, folder: Path) -> SequenceProblem:
        """Read the file and make the problem, in scaled units.

        Args:
            folder: What `file` is relative to.

        Raises:
            DataError: The file, or what the settings say about it, can't be used.
        """
        table = read_table(folder / self.file)
        inputs = [table.find(column) + 1 for column in _several(self.input)] or [self._only_column(table)]
        targets = [table.find(column) + 1 for column in _several(self.target)] or inputs
        _refuse_repeats(table, "input", inputs)
        _refuse_repeats(table, "target", targets)
        if self.horizon == 0 and set(inputs) & set(targets):
            raise DataError(
                "horizon = 0 asks for the target of the same row, so no target may be among the inputs: it would be "
                "handed the answer; set horizon = 1 or more, or other columns"
            )
        return self.forecast(self._columns(table, inputs, targets))

    def _columns(self, table: Table, inputs: list[int], targets: list[int]) -> Columns:
        labels = self._labels(table)
        inside = np.ones(table.n_rows, dtype=np.bool_) if self.span is None else rows_between(labels, self.span, "span")
        rows = np.flatnonzero(inside)
        ignored = self._ignored(table, rows)
        seen = {column: table.numbers(column, rows) for column in inputs}
        wanted = {
            column: seen[column] if column in seen else table.numbers(column, rows, ignored) for column in targets
        }
        return Columns(
            inputs=np.column_stack([seen[column][rows] for column in inputs]),
            targets=np.column_stack([wanted[column][rows] for column in targets]),
            input_names=[table.name(column) for column in inputs],
            target_names=[table.name(column) for column in targets],
            tied=[inputs.index(column) if column in inputs else -1 for column in targets],
            labels=labels[rows],
            ignored=None if ignored is None else ignored[rows],
            weights=self._weights(table, rows, ignored),
        )

    def _only_column(self, table: Table) -> int:
        used = [table.find(column) for column in (*_several(self.time), *_several(self.ignore), *_several(self.weight))]
        free = [place for place in range(len(table.names)) if place not in used]
        if len(free) != 1:
            names = ", ".join(repr(table.name(place + 1)) for place in free) or "no column is left"
            raise DataError(f"say which column of {table.path} is the input, input = ...: {names}")
        return free[0] + 1

    def _labels(self, table: Table) -> Labels:
        columns = _several(self.time)
        if not columns:
            return np.arange(1, table.n_rows + 1)
        return row_labels([table.texts(column) for column in columns], lambda row: table.place(row, columns[0]))

    def _ignored(self, table: Table, rows: NDArray[np.intp]) -> NDArray[np.bool_] | None:
        if self.ignore is None:
            return None
        flags = table.numbers(self.ignore, rows)
        wrong = [row for row in rows if flags[row] not in (0, 1)]
        if wrong:
            raise DataError(f"{table.place(wrong[0], self.ignore)}: must be 0 or 1, got {flags[wrong[0]]:g}")
        return np.asarray(flags == 1)

    def _weights(
        self, table: Table, rows: NDArray[np.intp], ignored: NDArray[np.bool_] | None
    ) -> NDArray[np.float64] | None:
        if self.weight is None:
            return None
        weights = table.numbers(self.weight, rows, ignored)
        if ignored is not None:
            weights = np.where(ignored, 1.0, weights)
        wrong = [row for row in rows if not weights[row] > 0]
        if wrong:
            place = table.place(wrong[0], self.weight)
            raise DataError(f"{place}: must be above 0, got {weights[wrong[0]]:g}; ignore says what does not count")
        return np.asarray(weights[rows])


def _several(columns: Column | tuple[Column, ...] | None) -> tuple[Column, ...]:
    if columns is None:
        return ()
    return columns if isinstance(columns, tuple) else (columns,)


def _refuse_repeats(table: Table, key: str, columns: list[int]) -> None:
    repeated = [table.name(column) for column in columns if columns.count(column) > 1]
    if repeated:
        raise DataError(f"{key} names the column {repeated[0]!r} twice; each column can be used once")

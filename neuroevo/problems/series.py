"""The problem kind "series": forecast columns of one's own files or data frames, or label their rows."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from neuroevo.problems.errors import DataError
from neuroevo.problems.learned import RightClass
from neuroevo.problems.objective_settings import Weight
from neuroevo.problems.sequence import SequenceProblem
from neuroevo.problems.tables.chronology import file_parts, part_rows, rows_between
from neuroevo.problems.tables.classes import classes_of
from neuroevo.problems.tables.columns import Columns
from neuroevo.problems.tables.features import Notes
from neuroevo.problems.tables.files import matching
from neuroevo.problems.tables.missing import Gaps
from neuroevo.problems.tables.observed import Observed, as_table, observed, restored_plan
from neuroevo.problems.tables.reading import (
    Plan,
    ReadingSettings,
    Rows,
    Several,
    learnt_features,
    name_of_times,
    refuse_known_targets,
    several,
    zones_of,
)
from neuroevo.problems.tables.table import Column, Table, read_table
from neuroevo.problems.tables.timeline import Timeline
from neuroevo.problems.tables.windows import Forecast
from neuroevo.settings import Mistake, SettingsError

_NAMELESS = re.compile(r"column \d+")


@dataclass(frozen=True, kw_only=True)
class Series(ReadingSettings, Forecast):
    """A series from a CSV, NPZ or Parquet file, forecast one or more steps ahead, in the order of time.

    It is one sequence: the state of the network runs through from part to part. Several files are as many sequences.

    Columns are given by name, or by number from 1.

    Attributes:
        file: CSV, NPZ or Parquet, relative to the scenario; a pattern such as "machine_*.csv", or a list, for several.
        input: The columns that the network sees; left out, the only column that is not `time`, `ignore`, `weight`,
            `known` or `labels`. A column of texts becomes an input for each text that the training part has.
        target: The columns that it predicts; left out, the inputs themselves. A column of texts is one of classes.
        labels: Instead of `target`: a column of classes, texts or whole numbers.
        time: The column of time labels, numbers or dates, or several such as ["year", "month"]; left out, rows are
            numbered from 1.
        ignore: A column of 0 and 1; where it is 1, the row does not count as a target.
        weight: A column of numbers above 0: how much the row counts as a target; left out, all count alike.
        span: [first, last] in time labels: the rows that are used; left out, all of them.
        class_weights: The weight of each class in the error, or "balanced"; left out, rows weigh alike.
    """

    file: str | tuple[str, ...]
    input: Column | tuple[Column, ...] | None = None
    target: Column | tuple[Column, ...] | None = None
    labels: Column | None = None
    time: Column | tuple[Column, ...] | None = None
    ignore: Column | None = None
    weight: Column | None = None
    span: tuple[int | float | str, int | float | str] | None = None
    class_weights: Literal["balanced"] | tuple[Weight, ...] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        empty = [name for name in ("file", "input", "target", "time") if getattr(self, name) == ()]
        if empty:
            raise SettingsError([Mistake(name, "must name a column at least", "[]") for name in empty])
        if self.labels is not None and self.target is not None:
            raise SettingsError([Mistake("labels", "give either labels (classes) or target (numbers)")])

    def build(self, folder: Path) -> SequenceProblem:
        """Read the files and make the problem, in scaled units.

        Args:
            folder: What `file` is relative to.

        Raises:
            DataError: A file, or what the settings say about it, can't be used.
        """
        return self.of_tables([read_table(path, self.dialect) for path in matching(folder, several(self.file))])

    def of_tables(self, tables: Sequence[Table]) -> SequenceProblem:
        """The problem of tables that have been read already.

        Raises:
            DataError: One of them, or what the settings say about it, can't be used.
        """
        lines = [self.timeline(table, self.time) for table in tables]
        inside = [self._until_known(table, _inside(line, self.span)) for table, line in zip(tables, lines, strict=True)]
        lines = [line.taken(rows) for line, rows in zip(lines, inside, strict=True)]
        parts = self._parts(tables, lines)
        used = [(t, line, rows, p) for t, line, rows, p in zip(tables, lines, inside, parts, strict=True) if p]
        training = [rows[p["train"]] if "train" in p else rows[:0] for _, _, rows, p in used]
        plan = self.plan([table for table, *_ in used], [rows for _, _, rows, _ in used], training)
        notes, columns = Notes(), []
        for table, line, rows, its in used:
            zones, names = zones_of(its, len(rows))
            groups = np.zeros(len(rows), dtype=np.int64)
            gaps = Gaps(self.missing, groups, zones, line.moments if self.missing == "interpolate" else None)
            given = Rows(table, rows, line, gaps, names, self._ignored(table, rows))
            columns.append(self._columns(plan, given, its, notes))
        arguments: dict[str, Any] = {"time_name": name_of_times(self.time)}
        if plan.classes is not None:
            arguments |= {"learned": RightClass(), "class_weights": self.class_weights}
        elif self.class_weights is not None:
            raise SettingsError([Mistake("class_weights", "needs classes, and the targets are numbers")])
        problem = self.forecast(columns, **arguments)
        problem.__dict__["notes"] = tuple(notes.sentences(self.missing))
        return problem

    def _until_known(self, table: Table, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        """The rows without those at the end that hold nothing yet but what is known ahead of time."""
        columns = [*several(self.input), *several(self.target), *several(self.labels)]
        if self.known is None or not columns:
            return rows
        given = np.flatnonzero(np.any([table.given(column, rows) for column in columns], axis=0))
        return rows[: given[-1] + 1] if given.size else rows

    def plan(
        self, tables: Sequence[Table], rows: Sequence[NDArray[np.intp]], training: Sequence[NDArray[np.intp]]
    ) -> Plan:
        """What is made of which column.

        Args:
            tables: All files that are used.
            rows: The rows of each that are used.
            training: Those of them in the training part.

        Raises:
            DataError: A column is missing or can't be used so.
        """
        first = tables[0]
        inputs = list(several(self.input)) or [self._only_column(first)]
        label = self.labels
        targets = list(several(self.target)) or ([label] if label is not None else inputs)
        _refuse_repeats(first, "input", inputs)
        _refuse_repeats(first, "target", targets)
        if label is None and len(targets) == 1 and _is_text(targets[0], tables, training):
            label = targets[0]
        if self.horizons[0] == 0 and {first.find(c) for c in inputs} & {first.find(c) for c in targets}:
            raise DataError(
                "horizon = 0 asks for the target of the same row, so no target may be among the inputs: it would be "
                "handed the answer; set horizon = 1 or more, or other columns"
            )
        refuse_known_targets(first, several(self.known), targets)
        if label is not None and len(self.horizons) > 1:
            raise DataError("classes have one horizon: write a scenario for each")
        return Plan(
            learnt_features(inputs, tables, training, self.missing),
            learnt_features(several(self.known), tables, training, self.missing),
            tuple(targets),
            None if label is None else classes_of(label, tables, rows),
            several(self.calendar),
        )

    def read_inputs(self, data: Any, problem: SequenceProblem) -> list[Observed]:
        """Other data, read exactly as those of a problem that these settings have made.

        Texts become the same categories, and missing values are filled in the same way. All rows are read, whatever
        `span` and `parts` say, up to the last whose inputs are known; columns of targets that are no inputs may lack.

        Args:
            data: A file, a data frame (pandas, polars) or a mapping from names to columns.
            problem: Its units do not matter.

        Returns:
            One sequence.

        Raises:
            DataError: A column is missing, or a cell that is needed.
        """
        table = as_table(data, self.dialect)
        own = [int(name[7:]) if _NAMELESS.fullmatch(name) else name for name in problem.input_names[:1]]
        inputs = several(self.input) or tuple(own)
        known, targets = several(self.known), several(self.target) or several(self.labels) or inputs
        calendar = several(self.calendar)
        plan = restored_plan(problem, table, inputs, known, targets, calendar, self.lags, self.horizons)
        line, rows = self.timeline(table, self.time), np.arange(table.n_rows)
        return [observed(plan, table, line, rows, self.missing, self.lags, self.horizons, table.path.name)]

    def _columns(self, plan: Plan, rows: Rows, parts: Mapping[str, NDArray[np.bool_]], notes: Notes) -> Columns:
        columns = plan.columns(rows, notes)
        ignored = rows.ignored
        return dataclasses.replace(
            columns,
            ignored=None if ignored is None else ignored[rows.places],
            weights=self._weights(rows.table, rows.places, ignored),
            parts=parts,
        )

    def _parts(self, tables: Sequence[Table], lines: Sequence[Timeline]) -> list[dict[str, NDArray[np.bool_]]]:
        """For each table the rows of its parts."""
        by_file = file_parts(self.parts, [table.path for table in tables])
        if by_file is None:
            return [part_rows(self.parts, line.labels) for line in lines]
        return [part_rows(parts, line.labels) if parts else {} for parts, line in zip(by_file, lines, strict=True)]

    def _only_column(self, table: Table) -> int:
        named: list[Several] = [self.time, self.ignore, self.weight, self.known, self.labels]
        used = [table.find(column) for columns in named for column in several(columns)]
        free = [place for place in range(len(table.names)) if place not in used]
        if len(free) != 1:
            names = ", ".join(repr(table.name(place + 1)) for place in free) or "no column is left"
            raise DataError(f"say which column of {table.path} is the input, input = ...: {names}")
        return free[0] + 1

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


def _inside(line: Timeline, span: Sequence[Any] | None) -> NDArray[np.intp]:
    """The rows that are used."""
    if span is None:
        return np.arange(len(line.labels))
    return np.flatnonzero(rows_between(line.labels, span, "span"))


def _is_text(column: Column, tables: Sequence[Table], rows: Sequence[NDArray[np.intp]]) -> bool:
    return any(table.holds_text(column, its) for table, its in zip(tables, rows, strict=True))


def _refuse_repeats(table: Table, key: str, columns: Sequence[Column]) -> None:
    places = [table.find(column) for column in columns]
    repeated = [table.name(column) for column, place in zip(columns, places, strict=True) if places.count(place) > 1]
    if repeated:
        raise DataError(f"{key} names the column {repeated[0]!r} twice; each column can be used once")

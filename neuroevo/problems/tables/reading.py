"""The keys of [problem] that say how files are written and read, and the plan that reads them all alike."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from neuroevo.problems.errors import DataError
from neuroevo.problems.generators.base import one_hot
from neuroevo.problems.tables.classes import class_texts, whole
from neuroevo.problems.tables.columns import Columns
from neuroevo.problems.tables.features import Feature, Notes, learn
from neuroevo.problems.tables.missing import Gaps, Missing
from neuroevo.problems.tables.table import Column, Table
from neuroevo.problems.tables.text_files import Dialect
from neuroevo.problems.tables.timeline import Timeline, calendar_inputs, calendar_names, timeline
from neuroevo.settings import Mistake, SettingsError, shown

Calendar: TypeAlias = Literal["hour", "weekday", "month", "day_of_year"]
Several: TypeAlias = Column | tuple[Column, ...] | None


@dataclass(frozen=True, kw_only=True)
class ReadingSettings:
    """How files are written, and what is made of their columns.

    Attributes:
        decimal: CSV: the decimal mark, "." or ",".
        separator: CSV: what stands between cells; left out, the comma, semicolon or tab that the first lines show.
        encoding: CSV: of its text, such as "utf-8", "cp1252" or "utf-16".
        date_format: How times are written, as for Python's strptime: "%d.%m.%Y %H:%M"; left out, ISO dates and the
            usual orders are understood.
        missing: What stands in for missing values: "refuse" none may be missing; "forward" the last known one;
            "interpolate" a straight line in time to the next one; "mask" the last known one, with another input that
            says so. Missing targets never count.
        known: Columns that are known ahead of time: their value in the row that is predicted is an input.
        calendar: Inputs made of that row's time: "hour", "weekday", "month", "day_of_year", each as sine and cosine.
    """

    decimal: Literal[".", ","] = "."
    separator: str | None = None
    encoding: str = "utf-8"
    date_format: str | None = None
    missing: Missing = "refuse"
    known: Column | tuple[Column, ...] | None = None
    calendar: Calendar | tuple[Calendar, ...] | None = None

    def __post_init__(self) -> None:
        mistakes = []
        try:
            codecs.lookup(self.encoding)
        except LookupError:
            expected = 'must be the name of an encoding, such as "utf-8", "cp1252", "latin-1" or "utf-16"'
            mistakes.append(Mistake("encoding", expected, shown(self.encoding)))
        if self.separator is not None and (len(self.separator) != 1 or self.separator in '"\r\n'):
            mistakes.append(Mistake("separator", 'must be one character, such as ";"', shown(self.separator)))
        elif self.separator == self.decimal:
            mistakes.append(Mistake("separator", "must differ from decimal", shown(self.separator)))
        mistakes += [
            Mistake(name, "must name a column at least", "[]")
            for name in ("known", "calendar")
            if getattr(self, name) == ()
        ]
        if mistakes:
            raise SettingsError(mistakes)
        super().__post_init__()  # type: ignore[misc]

    @property
    def dialect(self) -> Dialect:
        """How CSV files are written."""
        return Dialect(self.decimal, self.separator, self.encoding)

    def timeline(self, table: Table, time: Several, starts: Sequence[int] = (0,)) -> Timeline:
        """The times of a table's rows; numbers from 1 where there is no time column.

        Args:
            table: The file.
            time: The column or columns.
            starts: The first rows of sequences.

        Raises:
            DataError: A time is missing or can't be read, or they fall.
        """
        columns = several(time)
        if not columns:
            return Timeline(np.arange(1, table.n_rows + 1))
        texts = [table.texts(column) for column in columns]
        return timeline(texts, lambda row: table.place(row, columns[0]), self.date_format, starts)


def name_of_times(time: Several) -> str | None:
    """What the times are called: their column's name; None where there are none, or several columns make them."""
    columns = several(time)
    return columns[0] if len(columns) == 1 and isinstance(columns[0], str) else None


def several(columns: Any) -> tuple[Any, ...]:
    """What a key names: nothing, one thing or several."""
    if columns is None:
        return ()
    return columns if isinstance(columns, tuple) else (columns,)


@dataclass(frozen=True)
class Plan:
    """What is made of which column, the same for all files.

    Attributes:
        inputs: Seen at each step.
        known: Seen of the row that is predicted.
        targets: To be predicted: numbers, or the one column of classes.
        classes: The classes in the order of the outputs; None where targets are numbers.
        calendar: Seen of the time that is predicted.
    """

    inputs: tuple[Feature, ...]
    known: tuple[Feature, ...]
    targets: tuple[Column, ...]
    classes: tuple[str, ...] | None
    calendar: tuple[str, ...]

    def bases(self) -> list[str]:
        """For each input the column that it is made of."""
        return [feature.name for feature in self.inputs for _ in feature.names]

    def columns(self, rows: Rows, notes: Notes, *, may_lack: bool = False) -> Columns:
        """The columns of some rows of a table.

        Args:
            rows: Of one table.
            notes: What is told of missing and unseen values.
            may_lack: Whether targets may be missing, or their columns, whatever the rule: nobody knows them yet.

        Raises:
            DataError: A cell is missing and may not be, or is no number.
        """
        notes.n_rows += len(rows.places)
        read = {feature.name: rows.read(feature, notes) for feature in self.inputs}
        ahead = [rows.read(feature, notes)[0] for feature in self.known]
        n_rows, names = len(rows.places), self.bases()
        targets, counts, tied = [np.zeros((n_rows, 0))], [np.zeros((n_rows, 0), dtype=np.bool_)], list[int]()
        for column in self.targets:
            name = rows.name(column)
            shared = self.classes is None and name in read
            if shared:
                values, known = read[name][0][:, :1], read[name][1]
            else:
                values, known = self._target(rows, column, may_lack=may_lack)
                notes.masked[name] += int((~known).sum()) if rows.ignored is None and not may_lack else 0
            targets.append(values)
            counts.append(np.repeat(known[:, None], values.shape[1], axis=1))
            tied += [names.index(name)] if shared else [-1] * values.shape[1]
        return Columns(
            inputs=np.column_stack([np.zeros((n_rows, 0)), *(values for values, _ in read.values())]),
            targets=np.column_stack(targets),
            input_names=[name for feature in self.inputs for name in feature.names],
            target_names=[rows.name(column) for column in self.targets] if self.classes is None else self.classes,
            tied=tied,
            labels=rows.timeline.labels,
            bases=names,
            known=np.column_stack(ahead) if ahead else None,
            known_names=[name for feature in self.known for name in feature.names],
            calendar=self.calendar_of(rows.timeline, rows.table),
            calendar_names=calendar_names(self.calendar),
            counts=np.column_stack(counts),
            name=rows.table.path.name,
        )

    def _target(self, rows: Rows, column: Column, *, may_lack: bool) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """``(n_rows, n)`` values and ``(n_rows,)`` bool: which are known."""
        width = 1 if self.classes is None else len(self.classes)
        if may_lack and column not in rows:
            return np.full((len(rows.places), width), np.nan), np.zeros(len(rows.places), dtype=np.bool_)
        lenient = may_lack or rows.gaps.rule != "refuse"
        if self.classes is None:
            missing_allowed = np.ones(rows.table.n_rows, dtype=np.bool_) if lenient else rows.ignored
            values = rows.table.numbers(column, rows.places, missing_allowed)[rows.places, None]
            return values, ~np.isnan(values[:, 0])
        codes = np.array(list(rows.codes(column, self.classes, may_lack=lenient)))
        known = codes >= 0
        return one_hot(np.where(known, codes, 0), width) * known[:, None], known

    def calendar_of(self, line: Timeline, table: Table) -> NDArray[np.float64] | None:
        """``(n_rows, n)``: the calendar inputs of some times; None where there are none.

        Raises:
            DataError: The times are no dates.
        """
        if not self.calendar:
            return None
        if line.clock is None:
            raise DataError(
                f"{table.path}: calendar needs dates, such as 2021-03-29 or 2021-03-29 14:00, in the column that "
                f"`time` names; its first label is {line.labels[0]!s}"
            )
        return calendar_inputs(line.clock, self.calendar)


@dataclass(frozen=True)
class Rows:
    """Some rows of a table that are read alike.

    Attributes:
        table: The file.
        places: ``(n_rows,)``: of the table.
        timeline: Of these rows.
        gaps: Where values come from that stand in for missing ones.
        parts: Names of `gaps.zones`.
        ignored: ``(n_rows of the table,)`` bool: rows whose targets do not count; None: no row.
    """

    table: Table
    places: NDArray[np.intp]
    timeline: Timeline
    gaps: Gaps
    parts: Sequence[str] = ()
    ignored: NDArray[np.bool_] | None = None

    def __contains__(self, column: Column) -> bool:
        return column in self.table.names if isinstance(column, str) else 1 <= column <= len(self.table.names)

    def name(self, column: Column) -> str:
        """The column's name; that of one that the table lacks as it is."""
        return self.table.name(column) if column in self else str(column)

    def read(self, feature: Feature, notes: Notes) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """As `Feature.read`."""
        return feature.read(self.table, self.places, self.gaps, notes, self.parts)

    def codes(self, column: Column, classes: Sequence[str], *, may_lack: bool) -> Iterator[int]:
        """The class of each row, from 0; -1 where it is missing.

        Raises:
            DataError: It is missing and may not be.
        """
        places = {whole(name): i for i, name in enumerate(classes)}
        for row, text in zip(self.places.tolist(), class_texts(self.table, column, self.places), strict=True):
            if text in places:
                yield places[text]
            elif may_lack or (self.ignored is not None and self.ignored[row]):
                yield -1
            else:
                raise DataError(
                    f'{self.table.place(row, column)}: the class is missing; fill it in, or set missing = "mask": '
                    "such a row then does not count"
                )


def refuse_known_targets(table: Table, known: Sequence[Column], targets: Sequence[Column]) -> None:
    """Refuse targets that are handed over as known ahead of time.

    Raises:
        DataError: There is one.
    """
    places = {table.find(column) for column in targets}
    for column in known:
        if table.find(column) in places:
            raise DataError(
                f"known names the target {table.name(column)!r}: it would be handed the answer; known is for what is "
                "certain before, such as plans and holidays"
            )


def learnt_features(
    columns: Sequence[Column], tables: Sequence[Table], training: Sequence[NDArray[np.intp]], rule: Missing
) -> tuple[Feature, ...]:
    """How columns become inputs, as the training rows tell."""
    return tuple(learn(column, tables, training, rule, may_flag=True) for column in columns)


def zones_of(parts: Mapping[str, NDArray[np.bool_]], n_rows: int) -> tuple[NDArray[np.int64], list[str]]:
    """For each row the number of its part, -1 for none, and the names by number; "" is none."""
    zones = np.full(n_rows, -1, dtype=np.int64)
    for i, mask in enumerate(parts.values()):
        zones[mask] = i
    return zones, [*parts, ""]

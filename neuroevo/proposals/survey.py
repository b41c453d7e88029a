"""What a file of data holds: its rows in time, and a column at a time what stands in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.problems.tables.archive import is_archive
from neuroevo.problems.tables.cells import MISSING, is_missing_text, is_text, number
from neuroevo.problems.tables.files import read_bytes
from neuroevo.problems.tables.frames import is_parquet
from neuroevo.problems.tables.table import Table, table_of_content
from neuroevo.problems.tables.text_files import Dialect
from neuroevo.proposals.dialect import dialect_of, first_rows, is_told
from neuroevo.proposals.times import Times, find_times
from neuroevo.registry import nearest

Kind = Literal["time", "numbers", "classes", "text", "constant", "empty", "mixed"]
MOST_CLASSES = 30
"""Text with more different entries than this is no category."""
_MOSTLY = 0.8


@dataclass(frozen=True, eq=False)
class ColumnSurvey:
    """What a column holds.

    Attributes:
        place: From 0.
        name: Its name, or "column 3" where it has none.
        key: What a scenario calls it: its name, or its number from 1.
        kind: "numbers"; "classes", text with few different entries; "text", any other; "mixed", numbers with something
            else among them; "constant", "empty"; "time".
        values: ``(n_rows,)`` float64, NaN where missing; of numbers only.
        entries: The different texts and how often each occurs; of classes only.
        n_missing: Missing cells.
        note: A stranger among the numbers and its line; of mixed columns only.
    """

    place: int
    name: str
    key: str | int
    kind: Kind
    values: NDArray[np.float64] | None = None
    entries: Counter[str] | None = None
    n_missing: int = 0
    note: str = ""

    @property
    def is_flag(self) -> bool:
        """Whether it holds 0 and 1 alone."""
        return self.values is not None and set(np.unique(self.values).tolist()) == {0.0, 1.0}

    def __str__(self) -> str:
        missing = f", {self.n_missing} missing" if self.n_missing else ""
        if self.kind == "numbers" and self.values is not None:
            return f"numbers, {np.nanmin(self.values):.6g} to {np.nanmax(self.values):.6g}{missing}"
        if self.kind == "classes" and self.entries is not None:
            shown = ", ".join(name for name, _ in self.entries.most_common(4))
            return f"text of {len(self.entries)} kinds: {shown}{', ...' if len(self.entries) > 4 else ''}{missing}"
        return {"mixed": f"numbers, but for {self.note}"}.get(self.kind, self.kind) + missing


@dataclass(frozen=True)
class Survey:
    """What a file holds.

    Attributes:
        path: The file, or the first of several.
        dialect: How it is written; None where it is no text.
        table: As the reader gives it.
        cells: For each column its cells as text, blanks around them removed.
        times: When the rows are; None where no column says.
        columns: One a column; of several files together.
        others: Other files with the same columns, each a series of its own.
        n_other_rows: The rows of those.
    """

    path: Path
    dialect: Dialect | None
    table: Table
    cells: tuple[list[str], ...]
    times: Times | None
    columns: tuple[ColumnSurvey, ...]
    others: tuple[Path, ...] = ()
    n_other_rows: int = 0

    @property
    def n_rows(self) -> int:
        """Number of rows, of several files in the first."""
        return self.table.n_rows

    def find(self, name: str) -> ColumnSurvey:
        """The column of a name, or of a number from 1.

        Raises:
            BadInput: There is none.
        """
        for column in self.columns:
            if name == column.name or (name == str(column.place + 1) and name not in self.table.names):
                return column
        names = [column.name for column in self.columns]
        near = nearest(name, names)
        hint = f"did you mean {near!r}?" if near else f"its columns are {', '.join(map(repr, names[:12]))}"
        raise BadInput(f"{self.path} has no column {name!r}; {hint}")

    def of(self, *kinds: Kind) -> list[ColumnSurvey]:
        """The columns of some kinds, in the order of the file."""
        return [column for column in self.columns if column.kind in kinds]

    def runs(self, column: ColumnSurvey) -> list[int]:
        """The rows at which the entry of a column changes, the first included."""
        cells = self.cells[column.place]
        return [row for row in range(len(cells)) if row == 0 or cells[row] != cells[row - 1]]


def survey(path: Path, time: Sequence[str] = ()) -> Survey:
    """Look at a file of data.

    Args:
        path: A text file with a line for each row.
        time: Columns that say when, by name or number; empty: they are looked for.

    Raises:
        BadInput: It is no table, or the columns do not say when.
    """
    content = read_bytes(path)
    dialect = None if is_archive(content) or is_parquet(content) else dialect_of(content)
    if dialect is not None:
        _refuse_titles(path, content, dialect)
        if is_told(content, dialect):
            dialect = replace(dialect, separator=None)
    table = table_of_content(path, content, dialect)
    cells = tuple(table.texts(place + 1) for place in range(len(table.names)))
    decimal = "." if dialect is None else dialect.decimal
    columns = tuple(_column(table, place, cells[place], decimal) for place in range(len(cells)))
    plain = Survey(path, dialect, table, cells, None, columns)
    asked = [plain.find(name).place for name in time]
    times = find_times(table.names, cells, asked)
    if asked and times is None:
        cell = next((cell for cell in cells[asked[0]] if cell), "")
        raise BadInput(f"{path}: column {time[0]!r} does not say when: it holds {cell!r}; name one of dates or numbers")
    if times is not None:
        when = {place: ColumnSurvey(place, columns[place].name, columns[place].key, "time") for place in times.columns}
        columns = tuple(when.get(column.place, column) for column in columns)
    return Survey(path, dialect, table, cells, times, columns)


def survey_together(paths: Sequence[Path], time: Sequence[str] = ()) -> Survey:
    """Look at files with the same columns: the first closely, the others for what they lack.

    Raises:
        BadInput: One of them is no table, or has other columns.
    """
    first, *others = [survey(path, time) for path in paths]
    columns = list(first.columns)
    for its in others:
        if its.table.names != first.table.names or its.dialect != first.dialect:
            raise BadInput(
                f"{its.path} has other columns than {first.path}, or is written in another way: several files need the "
                "same columns; make a scenario for each"
            )
        for place, column in enumerate(its.columns):
            n_missing = columns[place].n_missing + column.n_missing
            worse = column.kind in ("mixed", "text") and columns[place].kind != "time"
            columns[place] = replace(column if worse else columns[place], n_missing=n_missing)
    n_rows = sum(its.n_rows for its in others)
    paths = tuple(its.path for its in others)
    return replace(first, columns=tuple(columns), others=paths, n_other_rows=n_rows)


def _refuse_titles(path: Path, content: bytes, dialect: Dialect) -> None:
    """Say so where the first line has fewer cells than those below it."""
    rows = first_rows(content, dialect)
    width = max(map(len, rows), default=0)
    if len(rows) > 2 and len(rows[0]) < width and sum(len(row) == width for row in rows) > len(rows) / 2:
        raise BadInput(
            f"{path}: the first line ({', '.join(rows[0])[:40]!r}) has fewer cells than the {width} of most: "
            "if it is a title, put # before it or take it out"
        )


def _column(table: Table, place: int, cells: Sequence[str], decimal: str) -> ColumnSurvey:
    name = table.names[place]
    key: str | int = name or place + 1
    shown = name or f"column {place + 1}"
    missing = sum(cell.lower() in MISSING for cell in cells)
    if missing == len(cells):
        return ColumnSurvey(place, shown, key, "empty")
    values, strangers = _numbers(cells, decimal)
    if not strangers:
        known = values[np.isfinite(values)]
        kind: Kind = "constant" if float(np.ptp(known)) == 0 else "numbers"
        return ColumnSurvey(place, shown, key, kind, values, n_missing=missing)
    of_texts = is_text(cells[strangers[0]], decimal)
    if len(strangers) < (1 - _MOSTLY) * (len(cells) - missing) or not of_texts:
        others = f" and {len(strangers) - 1} more cells" if len(strangers) > 1 else ""
        where = f"line {table.lines[strangers[0]]}" if table.lines is not None else f"row {strangers[0] + 1}"
        odd = "" if of_texts else "; numbers need no thousands separators, and one decimal mark in the whole file"
        note = f"{cells[strangers[0]]!r} in {where}{others}{odd}"
        return ColumnSurvey(place, shown, key, "mixed", n_missing=missing, note=note)
    entries = Counter(cell for cell in cells if not is_missing_text(cell))
    kind = "constant" if len(entries) == 1 else "text"
    if 1 < len(entries) <= MOST_CLASSES and 2 * len(entries) <= entries.total():
        kind = "classes"
    return ColumnSurvey(place, shown, key, kind, entries=entries, n_missing=len(cells) - entries.total())


def _numbers(cells: Sequence[str], decimal: str) -> tuple[NDArray[np.float64], list[int]]:
    """``(n_rows,)`` numbers, NaN where missing, and the rows that hold something else."""
    values, strangers = np.full(len(cells), np.nan), []
    for row, cell in enumerate(cells):
        try:
            values[row] = number(cell, decimal)
        except ValueError:
            strangers.append(row)
    return values, strangers

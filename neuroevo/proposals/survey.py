"""What a file of data holds: its rows in time, and a column at a time what stands in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.proposals.file_format import TextTable, is_missing, read_text_table, to_number
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
        path: The file.
        table: Its cells.
        times: When the rows are; None where no column says.
        columns: One a column.
    """

    path: Path
    table: TextTable
    times: Times | None
    columns: tuple[ColumnSurvey, ...]

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
        cells = self.table.cells[column.place]
        return [row for row in range(len(cells)) if row == 0 or cells[row] != cells[row - 1]]


def survey(path: Path, time: Sequence[str] = ()) -> Survey:
    """Look at a file of data.

    Args:
        path: A text file with a line for each row.
        time: Columns that say when, by name or number; empty: they are looked for.

    Raises:
        BadInput: It is no table, or the columns do not say when.
    """
    table = read_text_table(path)
    columns = tuple(_column(table, place) for place in range(len(table.names)))
    plain = Survey(path, table, None, columns)
    asked = [plain.find(name).place for name in time]
    times = find_times(table, asked)
    if asked and times is None:
        cell = next((cell for cell in table.cells[asked[0]] if cell), "")
        raise BadInput(f"{path}: column {time[0]!r} does not say when: it holds {cell!r}; name one of dates or numbers")
    if times is not None:
        when = {place: ColumnSurvey(place, columns[place].name, columns[place].key, "time") for place in times.columns}
        columns = tuple(when.get(column.place, column) for column in columns)
    return Survey(path, table, times, columns)


def _column(table: TextTable, place: int) -> ColumnSurvey:
    cells, name = table.cells[place], table.names[place]
    key: str | int = name or place + 1
    shown = name or f"column {place + 1}"
    known = [row for row, cell in enumerate(cells) if not is_missing(cell)]
    n_missing = len(cells) - len(known)
    if not known:
        return ColumnSurvey(place, shown, key, "empty")
    numbers = {row: to_number(cells[row], table.decimal) for row in known}
    strangers = [row for row, number in numbers.items() if number is None]
    if not strangers:
        values = np.full(len(cells), np.nan)
        values[known] = list(numbers.values())
        kind: Kind = "constant" if float(np.ptp(values[known])) == 0 else "numbers"
        return ColumnSurvey(place, shown, key, kind, values, n_missing=n_missing)
    if len(strangers) < (1 - _MOSTLY) * len(known):
        note = f"{cells[strangers[0]]!r} in line {table.lines[strangers[0]]}"
        if len(strangers) > 1:
            note += f" and {len(strangers) - 1} more cells"
        return ColumnSurvey(place, shown, key, "mixed", n_missing=n_missing, note=note)
    entries = Counter(cells[row] for row in known)
    kind = "constant" if len(entries) == 1 else "text"
    if 1 < len(entries) <= MOST_CLASSES and 2 * len(entries) <= len(known):
        kind = "classes"
    return ColumnSurvey(place, shown, key, kind, entries=entries, n_missing=n_missing)

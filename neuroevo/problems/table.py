"""Tables of named columns, from CSV or NPZ files; every refusal names the file, the place and the remedy."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.problems.archive import is_archive, parse_archive
from neuroevo.problems.errors import DataError
from neuroevo.problems.files import read_bytes
from neuroevo.registry import nearest

Column = int | str
"""A column by its name, or by its place counted from 1."""

_MISSING = frozenset(("", "na", "n/a", "nan", "null", "none", "?", "-", "."))
_DELIMITERS = ("\t", ";", ",")
_SHOWN = 40


@dataclass(frozen=True)
class Table:
    """Columns of equal length, not yet read as numbers: what no scenario uses may hold anything.

    Attributes:
        path: The file.
        names: One name a column; empty where it has none.
        cells: For each column its cells, as text (CSV) or as a numpy array (NPZ).
        lines: For each row its line in the file; None where the file has no lines.
    """

    path: Path
    names: tuple[str, ...]
    cells: tuple[Sequence[str] | NDArray[Any], ...]
    lines: tuple[int, ...] | None = None

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.cells[0])

    def find(self, column: Column) -> int:
        """The place of a column, from 0.

        Raises:
            DataError: There is none of that name or number.
        """
        if isinstance(column, str):
            if column in self.names:
                return self.names.index(column)
            known = [name for name in self.names if name]
            if not known:
                hint = f"it has no header line, so name columns by number, 1 to {len(self.names)}"
            else:
                near = nearest(column, known)
                hint = f"did you mean {near!r}?" if near else f"its columns are {_listed(known)}"
            raise DataError(f"{self.path} has no column {column!r}; {hint}")
        if not 1 <= column <= len(self.names):
            raise DataError(
                f"{self.path} has no column {column}: its columns are numbered from 1 to {len(self.names)}"
                + (f" ({_listed(self.names)})" if any(self.names) else "")
            )
        return column - 1

    def name(self, column: Column) -> str:
        """The column's name, or "column 3" where it has none."""
        place = self.find(column)
        return self.names[place] or f"column {place + 1}"

    def place(self, row: int, column: Column) -> str:
        """Where a cell is, for messages."""
        line = f"line {self.lines[row]}" if self.lines is not None else f"row {row + 1}"
        return f"{self.path}, {line}, column {self.name(column)!r}"

    def numbers(
        self, column: Column, rows: NDArray[np.intp] | None = None, may_lack: NDArray[np.bool_] | None = None
    ) -> NDArray[np.float64]:
        """``(n_rows,)`` float64: a column read as finite numbers.

        Args:
            column: Its name or number.
            rows: The rows that are read, from 0; the others are NaN. None: all of them.
            may_lack: ``(n_rows,)`` bool: where a missing value is NaN instead of an error. None: nowhere.

        Raises:
            DataError: A cell is missing, is no number, or is not finite.
        """
        cells = self.cells[self.find(column)]
        values = np.full(self.n_rows, np.nan)
        wanted = range(self.n_rows) if rows is None else rows.tolist()
        quick = _finite(cells, wanted)
        if quick is not None:
            values[wanted] = quick
            return values
        for row in wanted:
            try:
                value = _number(cells[row])
            except ValueError as error:
                raise DataError(f"{self.place(row, column)}: {error}") from error
            if math.isnan(value) and not (may_lack is not None and may_lack[row]):
                raise DataError(
                    f"{self.place(row, column)}: the value is missing; fill it in, leave the row out, or mark it by "
                    "a 1 in a column of 0s that the setting `ignore` names (then it does not count as a target)"
                )
            values[row] = value
        return values

    def texts(self, column: Column) -> list[str]:
        """A column as text, blanks around it removed."""
        return [str(cell).strip() for cell in self.cells[self.find(column)]]


def _finite(cells: Sequence[str] | NDArray[Any], rows: Sequence[int]) -> NDArray[np.float64] | None:
    """Cells as numbers, or None where one of them is not finite; which one, the reading cell by cell finds out."""
    chosen = [cells[row] for row in rows]
    try:
        values = np.array([float(cell) for cell in chosen])
    except (ValueError, TypeError):
        return None
    underscored = any(isinstance(cell, str) and "_" in cell for cell in chosen)
    return None if underscored or not np.isfinite(values).all() else values


def _number(cell: Any) -> float:
    """A cell as a finite number, or NaN where it is missing.

    Raises:
        ValueError: It is something else; the message says what, and what to do.
    """
    if not isinstance(cell, str):
        value = float(cell)
        if math.isinf(value):
            raise BadInput(f"{value} is not a finite number")
        return value
    text = cell.strip()
    if text.lower() in _MISSING:
        return math.nan
    try:
        value = float(text)
    except ValueError:
        value = math.inf
    if "_" in text or not math.isfinite(value):
        raise BadInput(f"{_shortened(text)!r} is not a finite number{_numeric_hint(text)}")
    return value


def _numeric_hint(text: str) -> str:
    bare = text.replace(",", "").replace(" ", "").lstrip("+-")
    if "," in text and bare.replace(".", "").isdigit():
        return "; write a decimal point, not a comma, and no thousands separators"
    if " " in text and all(_is_number(part) for part in text.split()):
        return "; columns are separated by commas, semicolons or tabs, not by blanks"
    return "; only columns of numbers can be inputs or targets"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _listed(names: Sequence[str], limit: int = 12) -> str:
    shown = ", ".join(repr(name) for name in names[:limit])
    return shown + (f" and {len(names) - limit} more" if len(names) > limit else "")


def read_table(path: Path) -> Table:
    """The table of a CSV or NPZ file.

    CSV: UTF-8, separated by commas, semicolons or tabs (found out from the first line); a header line where no cell of
    the first line is a number; lines that start with ``#`` and blank lines are skipped. NPZ: each array ``(n,)`` is a
    column of its name, each ``(n, d)`` gives the columns name_1 to name_d.

    Raises:
        DataError: It can't be used; with file, place and remedy.
    """
    content = read_bytes(path)
    if is_archive(content):
        return _table_of_arrays(path, parse_archive(content, path))
    return table_of_text(path, content)


def _decoded(content: bytes, path: Path) -> str:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise DataError(f"{path} is encoded as UTF-16; save it again as CSV in UTF-8")
    if b"\0" in content:
        raise DataError(f"{path} is not a text file; save the data as CSV in UTF-8, or as NPZ with numpy.savez")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path}, line {line}: the text is not encoded as UTF-8; save the file again as UTF-8"
        ) from error


def table_of_text(path: Path, content: bytes) -> Table:
    """The table of a CSV file that has been read already; see `read_table`."""
    text = _decoded(content, path)
    kept = [(i, line) for i, line in enumerate(io.StringIO(text, newline=None), 1) if _is_data(line)]
    if not kept:
        raise DataError(f"{path} holds no data, only blank lines or comments")
    delimiter = max(_DELIMITERS, key=lambda mark: len(_first_row(kept[0][1], mark)))
    rows: list[list[str]] = []
    lines: list[int] = []
    for line, row in _rows(path, kept, delimiter):
        if rows and len(row) != len(rows[0]):
            raise DataError(
                f"{path}, line {line}: it has {len(row)} cells where line {lines[0]} has {len(rows[0])}; every line "
                "needs a cell for every column (quote cells that contain the separator)"
            )
        rows.append([cell.strip() for cell in row])
        lines.append(line)
    names: tuple[str, ...] = ("",) * len(rows[0])
    if not any(_is_number(cell) for cell in rows[0]):
        names = tuple(rows.pop(0))
        _refuse_doubles(path, lines.pop(0), names)
    if not rows:
        raise DataError(f"{path} holds a header line ({_listed(names)}) and no data under it")
    return Table(path, names, tuple(zip(*rows, strict=True)), tuple(lines))


def _is_data(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _first_row(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def _rows(path: Path, kept: Sequence[tuple[int, str]], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader((line for _, line in kept), delimiter=delimiter, strict=True)
    start = 0
    try:
        for row in reader:
            yield kept[start][0], row
            start = reader.line_num
    except csv.Error as error:
        hint = "a quotation mark is not closed, or stands inside a cell"
        raise DataError(f"{path}, line {kept[min(start, len(kept) - 1)][0]}: {error}; {hint}") from error


def _refuse_doubles(path: Path, line: int, names: Sequence[str]) -> None:
    doubles = sorted({name for name in names if name and names.count(name) > 1})
    if doubles:
        raise DataError(
            f"{path}, line {line}: the header names {_listed(doubles)} twice; give every column its own name"
        )


def _table_of_arrays(path: Path, arrays: dict[str, NDArray[Any]]) -> Table:
    columns: dict[str, NDArray[Any]] = {}
    for name, array in arrays.items():
        if array.ndim == 1:
            columns[name] = array
        elif array.ndim == 2:
            columns.update({f"{name}_{i + 1}": array[:, i] for i in range(array.shape[1])})
        else:
            raise DataError(
                f"{path}, array {name!r}: a series has one or two axes, (n_steps, n_columns); got {array.shape}"
            )
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) != 1 or 0 in lengths.values():
        raise DataError(f"{path}: the columns of a series need the same length, at least 1; got {lengths}")
    return Table(path, tuple(columns), tuple(columns.values()))

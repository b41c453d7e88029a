"""Tables of named columns, from files or data frames; every refusal names the file, the place and the remedy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.problems.errors import DataError
from neuroevo.problems.tables.archive import is_archive, parse_archive
from neuroevo.problems.tables.cells import (
    MISSING,
    MISSING_TEXTS,
    finite,
    is_missing_text,
    is_number,
    is_text,
    listed,
    number,
)
from neuroevo.problems.tables.files import read_bytes
from neuroevo.problems.tables.frames import columns_of_frame, columns_of_parquet, is_parquet
from neuroevo.problems.tables.text_files import Dialect, columns_of_text
from neuroevo.registry import nearest

Column = int | str
"""A column by its name, or by its place counted from 1."""


@dataclass(frozen=True)
class Table:
    """Columns of equal length, not yet read as numbers: what no scenario uses may hold anything.

    Attributes:
        path: The file, or what stands for one in messages.
        names: One name a column; empty where it has none.
        cells: For each column its cells, as a list of texts without blanks around them (CSV) or an array (others).
        lines: For each row its line in the file; None where the file has no lines.
        decimal: The decimal mark of numbers that are text.
    """

    path: Path
    names: tuple[str, ...]
    cells: tuple[Sequence[str] | NDArray[Any], ...]
    lines: Sequence[int] | None = None
    decimal: str = "."

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
                hint = f"did you mean {near!r}?" if near else f"its columns are {listed(known)}"
            raise DataError(f"{self.path} has no column {column!r}; {hint}")
        if not 1 <= column <= len(self.names):
            raise DataError(
                f"{self.path} has no column {column}: its columns are numbered from 1 to {len(self.names)}"
                + (f" ({listed(self.names)})" if any(self.names) else "")
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
        quick = finite(cells, wanted, self.decimal)
        if quick is not None:
            values[wanted] = quick
            return values
        for row in wanted:
            try:
                value = number(cells[row], self.decimal)
            except ValueError as error:
                raise DataError(f"{self.place(row, column)}: {error}") from error
            if math.isnan(value) and not (may_lack is not None and may_lack[row]):
                raise DataError(
                    f"{self.place(row, column)}: the value is missing; fill it in, or set missing = "
                    '"forward" (the last known value stands in), "interpolate" or "mask"'
                )
            values[row] = value
        return values

    def given(self, column: Column, rows: NDArray[np.intp], *, texts: bool = False) -> NDArray[np.bool_]:
        """``(n,)`` bool: the rows whose cell is not missing, as a number or as a text."""
        cells = self.cells[self.find(column)]
        if isinstance(cells, np.ndarray) and cells.dtype.kind in "fiub":
            return ~np.isnan(cells[rows].astype(np.float64))
        missing = MISSING_TEXTS if texts else MISSING
        return np.array([str(cells[row]).strip().lower() not in missing for row in rows.tolist()], dtype=np.bool_)

    def texts(self, column: Column) -> list[str]:
        """A column as text, blanks around it removed."""
        cells = self.cells[self.find(column)]
        return list(cells) if isinstance(cells, list) else [str(cell).strip() for cell in cells]

    def holds_text(self, column: Column, rows: NDArray[np.intp]) -> bool:
        """Whether a column has texts in these rows, and no number."""
        cells = self.cells[self.find(column)]
        if isinstance(cells, np.ndarray) and cells.dtype.kind in "fiub":
            return False
        given = (cell for cell in (cells[row] for row in rows.tolist()) if not is_missing_text(cell))
        first = next(given, None)
        return is_text(first, self.decimal) and not any(is_number(cell, self.decimal) for cell in given)


def read_table(path: Path, dialect: Dialect | None = None) -> Table:
    """The table of a CSV, NPZ or Parquet file.

    CSV: lines of cells (`Dialect`); a header line where no cell of the first line is a number; lines that start with
    ``#`` and blank lines are skipped. NPZ: each array ``(n,)`` is a column of its name, each ``(n, d)`` gives the
    columns name_1 to name_d.

    Args:
        path: The file.
        dialect: How a CSV file is written; None: UTF-8, decimal points, and the separator that its first lines show.

    Raises:
        DataError: It can't be used; with file, place and remedy.
    """
    return table_of_content(path, read_bytes(path), dialect)


def table_of_content(path: Path, content: bytes, dialect: Dialect | None = None) -> Table:
    """The table of a file that has been read already; see `read_table`."""
    if is_archive(content):
        if b"xl/" in content or b"[Content_Types].xml" in content:
            raise DataError(f"{path} is an Excel workbook; save its sheet as CSV (UTF-8), and name that file")
        return _table_of_arrays(path, parse_archive(content, path))
    if is_parquet(content):
        return _table_of_columns(path, columns_of_parquet(path, content))
    dialect = dialect or Dialect()
    columns = columns_of_text(path, content, dialect)
    return Table(path, columns.names, columns.cells, columns.lines, dialect.decimal)


def table_of_frame(data: Any, name: str = "the data") -> Table:
    """The table of a data frame (pandas, polars), or of a mapping from names to columns.

    Raises:
        DataError: Its columns are of different lengths, or there are no rows.
    """
    return _table_of_columns(Path(name), columns_of_frame(data))


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
    return _table_of_columns(path, columns)


def _table_of_columns(path: Path, columns: dict[str, NDArray[Any]]) -> Table:
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) != 1 or 0 in lengths.values():
        raise DataError(f"{path}: the columns of a series need the same length, at least 1; got {lengths}")
    return Table(path, tuple(columns), tuple(columns.values()))

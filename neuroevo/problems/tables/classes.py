"""The classes of rows: texts, or whole numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from neuroevo.problems.errors import DataError
from neuroevo.problems.tables.cells import is_missing_text, is_number, listed
from neuroevo.problems.tables.table import Column, Table


def class_texts(table: Table, column: Column, rows: NDArray[np.intp]) -> list[str]:
    """The class of each row as text; whole numbers without decimals."""
    cells = table.cells[table.find(column)]
    return [whole(str(cells[row]).strip()) for row in rows.tolist()]


def whole(text: str) -> str:
    """A class as text, without the decimals of a whole number."""
    return text[:-2] if text.endswith(".0") and text[:-2].lstrip("-").isdecimal() else text


def classes_of(column: Column, tables: Sequence[Table], rows: Sequence[NDArray[np.intp]]) -> tuple[str, ...]:
    """The classes of all rows, numbers in their order.

    Raises:
        DataError: There is one only, or there are too many.
    """
    texts = [text for table, its in zip(tables, rows, strict=True) for text in class_texts(table, column, its)]
    found = {text for text in texts if not is_missing_text(text)}
    if len(found) < 2:
        only = f"all rows have the class {next(iter(found))!r}" if found else "no row has a class"
        raise DataError(f"{tables[0].path}, column {tables[0].name(column)!r}: {only}; two at least are needed")
    if len(found) > max(12, len(texts) // 4):
        raise DataError(
            f"{tables[0].path}, column {tables[0].name(column)!r}: {len(found)} different entries in {len(texts)} rows "
            f"({listed(sorted(found), 3)}) are no classes; numbers to be predicted are named by `target`"
        )
    numbers = all(is_number(text) for text in found)
    return tuple(sorted(found, key=lambda text: (float(text), text) if numbers else (0.0, text)))

"""Columns of data frames (pandas, polars) and of Parquet files, which one of the two packages reads."""

from __future__ import annotations

import importlib
import importlib.util
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.problems.errors import DataError

_READERS = ("polars", "pandas")


def is_frame(data: object) -> bool:
    """Whether it is a data frame, of whatever package, or a mapping from names to columns."""
    return isinstance(data, Mapping) or (hasattr(data, "columns") and hasattr(data, "__getitem__"))


def is_parquet(content: bytes) -> bool:
    """Whether a file's content is Parquet."""
    return content[:4] == b"PAR1"


def columns_of_frame(data: Any) -> dict[str, NDArray[Any]]:
    """The columns of a data frame, or of a mapping, by name: arrays of numbers, or of text.

    Times become ISO text, categories text, True and False 1 and 0, null NaN or an empty text. An index of times is a
    column of its name, or "index".
    """
    if isinstance(data, Mapping):
        return {str(name): _array(column) for name, column in data.items()}
    index: Any = getattr(data, "index", None)
    times = {str(index.name or "index"): index} if getattr(getattr(index, "dtype", None), "kind", "") == "M" else {}
    return {name: _array(column) for name, column in times.items()} | {str(n): _array(data[n]) for n in data.columns}


def columns_of_parquet(path: Path, content: bytes) -> dict[str, NDArray[Any]]:
    """The columns of a Parquet file.

    Raises:
        DataError: Neither polars nor pandas is installed, or they can't read it.
    """
    found = [name for name in _READERS if importlib.util.find_spec(name)]
    if not found:
        raise DataError(
            f'{path} is a Parquet file, which polars or pandas reads: pip install "neuroevo-rnn[frames]", or save the '
            "data as CSV"
        )
    try:
        frame = importlib.import_module(found[0]).read_parquet(io.BytesIO(content))
    except Exception as error:  # whatever the package raises on a damaged file
        raise DataError(f"{path} can't be read as Parquet: {' '.join(str(error).split())[:200]}") from error
    return columns_of_frame(frame)


def _array(column: Any) -> NDArray[Any]:
    """A column as numbers or as text."""
    values = np.asarray(column.to_numpy() if hasattr(column, "to_numpy") else column)
    if values.dtype.kind in "fiub":
        return values
    if values.dtype.kind == "M":
        if np.datetime_data(values.dtype)[0] != "D":
            values = values.astype("datetime64[us]")
        return _iso(values)
    cells = values.tolist()
    lacking = [_is_null(cell) for cell in cells]
    given = [cell for cell, null in zip(cells, lacking, strict=True) if not null]
    if given and all(isinstance(cell, bool | int | float) for cell in given):
        return np.array([np.nan if null else float(cell) for cell, null in zip(cells, lacking, strict=True)])
    return np.array(["" if null else _text(cell) for cell, null in zip(cells, lacking, strict=True)], dtype=np.str_)


def _is_null(cell: Any) -> bool:
    """Whether a cell is None, NaN, or what pandas has instead: nothing else differs from itself, or can't tell."""
    try:
        return cell is None or bool(cell != cell)  # noqa: PLR0124
    except TypeError:
        return True


def _iso(values: NDArray[np.datetime64]) -> NDArray[np.str_]:
    from neuroevo.problems.tables.dates import iso_labels

    missing = np.isnat(values)
    texts = np.full(len(values), "", dtype="<U26")
    texts[~missing] = iso_labels(values[~missing])
    return texts


def _text(cell: Any) -> str:
    # Times with a zone and calendar days come as Python's own objects.
    return str(cell.isoformat(" ") if hasattr(cell, "hour") and hasattr(cell, "isoformat") else cell)

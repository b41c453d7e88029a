"""history.csv: one row a generation, appended; numbers as Python's ``repr``, so that they are read back bit for bit."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np

from neuroevo.errors import BadInput, OutOfMemory
from neuroevo.records.errors import RecordError, writing
from neuroevo.records.files import open_to_append, open_to_read
from neuroevo.stopping import COUNTS, History, columns_of

HISTORY_FILE = "history.csv"

_CHUNK = 4 * 2**20
_LINE_LIMIT = 64 * 2**10


class HistoryWriter:
    """Appends rows to history.csv. Every row is with the operating system when :meth:`append` returns.

    Args:
        path: The file; an existing one is continued after its last row, which must be whole.
        columns: The names of the columns that it has; None for a new one, whose first row fixes them.
        n_rows: How many rows the file has.
    """

    def __init__(self, path: Path, columns: tuple[str, ...] | None = None, n_rows: int = 0) -> None:
        self.path = path
        self._columns = columns
        self.n_rows = n_rows
        self._handle = open_to_append(path)
        self._size = os.fstat(self._handle).st_size

    def append(self, row: Mapping[str, float]) -> None:
        """Write the row of the next generation, the first one with the names of the columns before it.

        As in a :class:`History`, what a later row lacks beside the columns of every history is nan, and what it has
        beyond the first is left out.

        Raises:
            ValueError: It is not the row of the next generation, or its keys are not the columns.
            RecordUnwritable: The machine refused; the rows before stay whole.
        """
        given = columns_of(row)
        if row["generation"] != self.n_rows + 1:
            raise BadInput(f"expected the row of generation {self.n_rows + 1}, got that of {row['generation']}")
        columns = self._columns or given
        # Conversion first: the repr of numpy's numbers has their type in it.
        cells = [repr((int if name in COUNTS else float)(row.get(name, math.nan))) for name in columns]
        lines = [cells] if self._columns else [columns, cells]
        self._write("".join(f"{','.join(line)}\n" for line in lines))
        self._columns = columns
        self.n_rows += 1

    def sync(self) -> None:
        """Put the rows on the disk."""
        with writing(self.path):
            os.fsync(self._handle)

    def close(self) -> None:
        """Close the file; calling it again does nothing."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def _write(self, text: str) -> None:
        data = text.encode("ascii")
        with writing(self.path):
            try:
                written = os.write(self._handle, data)
                if written < len(data):
                    # The second try has nothing but the error to give, mostly that the disk is full.
                    os.write(self._handle, data[written:])
            except OSError:
                os.ftruncate(self._handle, self._size)
                raise
        self._size += len(data)


def read_history(path: Path, *, at_work: bool = False) -> History:
    """The rows of a history.csv; a last line without its end, from a crash or a run at work, is left out.

    Args:
        path: The file.
        at_work: Whether there may be no line yet, not even the names of the columns.

    Raises:
        RecordError: It is missing, or not a history.
    """
    with open_to_read(path) as file:
        history = History(_header(file, path, at_work))
        for block in _blocks(file, path):
            _add_rows(history, block, path)
    return history


def salvage_history(path: Path) -> tuple[History, str]:
    """The rows before the first damage, and what the damage is; an empty text where there is none."""
    if not path.exists() and not path.is_symlink():
        return History(), ""
    history = History()
    try:
        with open_to_read(path) as file:
            history = History(_header(file, path, at_work=True))
            for block in _blocks(file, path):
                n_before = history.n_generations
                try:
                    _add_rows(history, block, path)
                except RecordError:
                    history.truncate(n_before)
                    for line in block.splitlines(keepends=True):
                        _add_rows(history, line, path)
    except RecordError as error:
        return history, str(error)
    return history, ""


def cut_history(path: Path, n_rows: int) -> None:
    """Take back all rows after the first `n_rows`, and an unfinished last line.

    Raises:
        RecordError: There are fewer rows.
        RecordUnwritable: The machine refused.
    """
    with open_to_read(path) as file:
        size = _offset_after(file, n_rows + 1)
    if size is None:
        raise RecordError(f"{path} has fewer than {n_rows} rows")
    handle = open_to_append(path)
    with writing(path):
        try:
            os.ftruncate(handle, size)
            os.fsync(handle)
        finally:
            os.close(handle)


def cut_back(file: Path, history: History, generation: int) -> History:
    """Take back the rows after a generation, in the file and in the history, which is given back."""
    if generation == 0:
        # Whatever lies there, link or damaged file, a new history replaces it.
        with writing(file):
            file.unlink(missing_ok=True)
        return History()
    cut_history(file, generation)
    history.truncate(generation)
    return history


def _header(file: BinaryIO, path: Path, at_work: bool) -> tuple[str, ...] | None:
    """The names of the columns; None where their line has not been written to its end, and need not have been."""
    line = file.readline(_LINE_LIMIT)
    if at_work and len(line) < _LINE_LIMIT and not line.endswith(b"\n"):
        return None
    try:
        names = line.decode("ascii").rstrip("\n").split(",")
        if len(set(names)) != len(names) or not line.endswith(b"\n"):
            raise BadInput("a name stands there twice, or their line has no end")
        columns_of(names)
        return tuple(names)
    except ValueError as error:
        raise RecordError(f"{path} does not begin with the names of its columns: {error}") from error


def _blocks(file: BinaryIO, path: Path) -> Iterator[bytes]:
    """The whole lines of a file in blocks of a few megabytes."""
    rest = b""
    while chunk := file.read(_CHUNK):
        end = chunk.rfind(b"\n") + 1
        if not end and len(chunk) + len(rest) > _LINE_LIMIT:
            raise RecordError(f"{path} is damaged: it has a line of more than {_LINE_LIMIT} bytes")
        if end:
            yield rest + chunk[:end]
            rest = b""
        rest += chunk[end:]


def _add_rows(history: History, block: bytes, path: Path) -> None:
    columns = tuple(history)
    first = history.n_generations + 1
    try:
        if not block.strip():
            raise BadInput("empty lines")
        rows = np.loadtxt(io.BytesIO(block), delimiter=",", comments=None, ndmin=2, encoding="ascii")
        if rows.shape[1] != len(columns):
            raise BadInput(f"rows of {rows.shape[1]} instead of {len(columns)} numbers")
        if not np.array_equal(rows[:, columns.index("generation")], np.arange(first, first + len(rows))):
            raise BadInput("the generations do not run 1, 2, 3, ...")
        counts = rows[:, [columns.index(name) for name in columns if name in COUNTS]]
        if not (np.abs(counts) < 2**63).all():
            raise BadInput("a count is not a whole number")
        history.extend({name: rows[:, index] for index, name in enumerate(columns)})
    except (ValueError, OverflowError) as error:
        message = str(error).partition("\n")[0][:200]
        raise RecordError(f"{path} is damaged after generation {first - 1}: {message}") from error
    except MemoryError as error:
        raise OutOfMemory(f"out of memory while {path} was read") from error


def _offset_after(file: BinaryIO, n_lines: int) -> int | None:
    """Where the first `n_lines` lines end, in bytes; None where there are fewer."""
    offset = 0
    while chunk := file.read(_CHUNK):
        n_here = chunk.count(b"\n")
        if n_here < n_lines:
            n_lines -= n_here
            offset += len(chunk)
            continue
        position = -1
        for _ in range(n_lines):
            position = chunk.index(b"\n", position + 1)
        return offset + position + 1
    return None

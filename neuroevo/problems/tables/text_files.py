"""The rows of a text file (CSV): its encoding, its separator, its header line."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from neuroevo.problems.errors import DataError
from neuroevo.problems.tables.cells import is_number, listed

DELIMITERS = ("\t", ";", ",")
_LOOKED_AT = 20
"""Lines that tell which separator a file has."""

_OTHER_BLANKS = [chr(code) for code in range(1, 0x3001) if chr(code).isspace() and chr(code) not in " \n"]


@dataclass(frozen=True)
class Dialect:
    """How a text file is written.

    Attributes:
        decimal: The decimal mark.
        separator: What stands between cells, one character; None: found out from the first lines.
        encoding: Of its bytes.
    """

    decimal: Literal[".", ","] = "."
    separator: str | None = None
    encoding: str = "utf-8"


@dataclass(frozen=True)
class TextColumns:
    """What a text file holds: a name (or ""), the cells of each column, and the line of each row."""

    names: tuple[str, ...]
    cells: tuple[Sequence[str], ...]
    lines: Sequence[int]


def columns_of_text(path: Path, content: bytes, dialect: Dialect) -> TextColumns:
    """The columns of a text file.

    Raises:
        DataError: It is none; with line and remedy.
    """
    text = _decoded(content, path, dialect.encoding)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    kept: list[str] = text.rstrip("\n").split("\n")
    numbers: Sequence[int] = range(1, len(kept) + 1)
    if "#" in text or not all(kept) or "\n " in text or any(mark in text for mark in _OTHER_BLANKS):
        numbers = [i for i, line in enumerate(kept, 1) if _is_data(line)]
        kept = [kept[i - 1] for i in numbers]
    if not kept:
        raise DataError(f"{path} holds no data, only blank lines or comments")
    delimiter = dialect.separator or _delimiter(kept[:_LOOKED_AT])
    # Most files need no parser, which takes ten times as long.
    simple = '"' not in text and delimiter != " " and len({line.count(delimiter) for line in kept}) == 1
    if simple:
        columns, lines = _split(kept, delimiter, stripped=not _has_margins(text, delimiter)), numbers
    else:
        columns, lines = _parsed(path, kept, delimiter, numbers)
    first = [column[0] for column in columns]
    names = ("",) * len(first)
    if not any(is_number(cell, dialect.decimal) for cell in first):
        names = tuple(first)
        _refuse_doubles(path, lines[0], names)
        columns, lines = [column[1:] for column in columns], lines[1:]
    if not lines:
        raise DataError(f"{path} holds a header line ({listed(names)}) and no data under it")
    return TextColumns(names, tuple(columns), lines)


def _has_margins(text: str, delimiter: str) -> bool:
    """Whether there may be blanks around a cell."""
    pairs = (f"{delimiter} ", f" {delimiter}", "\n ", " \n")
    others = (mark for mark in _OTHER_BLANKS if mark != delimiter)
    return any(pair in f"\n{text}\n" for pair in pairs) or any(mark in text for mark in others)


def _split(kept: Sequence[str], delimiter: str, *, stripped: bool) -> list[list[str]]:
    """The columns of lines without quotation marks that have as many cells each."""
    n_columns = kept[0].count(delimiter) + 1
    flat = delimiter.join(kept).split(delimiter)
    columns = [flat[i::n_columns] for i in range(n_columns)]
    return columns if stripped else [[cell.strip() for cell in column] for column in columns]


def _parsed(
    path: Path, kept: Sequence[str], delimiter: str, numbers: Sequence[int]
) -> tuple[list[list[str]], Sequence[int]]:
    """The columns of any lines, and the line that each row begins on.

    Raises:
        DataError: A line has more or fewer cells than the first, or a quotation mark is not closed.
    """
    rows: list[list[str]] = []
    lines: list[int] = []
    for line, row in _rows(path, kept, delimiter, numbers):
        if rows and len(row) != len(rows[0]):
            raise DataError(
                f"{path}, line {line}: it has {len(row)} cells where line {lines[0]} has {len(rows[0])}; every line "
                "needs a cell for every column (quote cells that contain the separator)"
            )
        rows.append(row)
        lines.append(line)
    return [[cell.strip() for cell in column] for column in zip(*rows, strict=True)], lines


def _decoded(content: bytes, path: Path, encoding: str) -> str:
    utf_8 = codecs.lookup(encoding).name == "utf-8"
    if utf_8 and content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise DataError(f'{path} is encoded as UTF-16; set encoding = "utf-16", or save it again as CSV in UTF-8')
    if utf_8 and b"\0" in content:
        raise DataError(f"{path} is not a text file; save the data as CSV in UTF-8, or as NPZ with numpy.savez")
    try:
        return content.decode("utf-8-sig" if utf_8 else encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        if not utf_8:
            raise DataError(f"{path}, line {line}: the text is not encoded as {encoding}") from error
        raise DataError(
            f"{path}, line {line}: the text is not encoded as UTF-8; it may be {_likely(content)}: set encoding = "
            f'"{_likely(content)}", or save the file again as UTF-8'
        ) from error


def _likely(content: bytes) -> str:
    """What a text that is not UTF-8 probably is: Windows' encoding, or Latin-1 where it has bytes unknown there."""
    try:
        content.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1"
    return "cp1252"


def _is_data(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _delimiter(lines: Sequence[str]) -> str:
    """The mark that gives most cells in the first line; if possible one that gives as many in the lines after it."""
    first = {mark: len(_first_row(lines[0], mark)) for mark in DELIMITERS}
    even = [mark for mark in DELIMITERS if all(len(_first_row(line, mark)) == first[mark] for line in lines)]
    split = [mark for mark in even if first[mark] > 1]
    return max(split or DELIMITERS, key=first.__getitem__)


def _first_row(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def _rows(path: Path, kept: Sequence[str], delimiter: str, numbers: Sequence[int]) -> Iterator[tuple[int, list[str]]]:
    blank = delimiter == " "
    # Runs of blanks separate as one does.
    text = (line.strip() + "\n" if blank else line + "\n" for line in kept)
    reader = csv.reader(text, delimiter=delimiter, strict=True, skipinitialspace=blank)
    start = 0
    try:
        for row in reader:
            yield numbers[start], row
            start = reader.line_num
    except csv.Error as error:
        hint = "a quotation mark is not closed, or stands inside a cell"
        raise DataError(f"{path}, line {numbers[min(start, len(kept) - 1)]}: {error}; {hint}") from error


def _refuse_doubles(path: Path, line: int, names: Sequence[str]) -> None:
    doubles = sorted({name for name in names if name and names.count(name) > 1})
    if doubles:
        raise DataError(
            f"{path}, line {line}: the header names {listed(doubles)} twice; give every column its own name"
        )

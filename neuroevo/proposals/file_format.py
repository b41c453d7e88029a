"""How a text file writes a table: encoding, separator, decimal mark and header, found out from the file itself."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from neuroevo.errors import BadInput
from neuroevo.problems.files import read_bytes

SEPARATORS = ("\t", ";", "|", ",")
"""The first that divides all lines alike is taken: commas stand inside numbers and text more often than the others."""
MISSING = frozenset(("", "na", "n/a", "nan", "null", "none", "?", "-", "."))
_SAMPLE = 100
_MOSTLY = 0.9
_WITH_COMMA = re.compile(r"[+-]?\d+,\d+(?:[eE][+-]?\d+)?")
_EXCEL = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


@dataclass(frozen=True)
class TextTable:
    """A text file as a table of cells, blanks around them removed.

    Attributes:
        encoding: As Python names it; "utf-8" with or without a byte order mark.
        separator: Between the cells of a line.
        decimal: "." or ",".
        has_header: Whether the first line names the columns.
        names: One name a column, "" where it has none.
        cells: For each column its cells.
        lines: For each row its line in the file, from 1.
    """

    encoding: str
    separator: str
    decimal: str
    has_header: bool
    names: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]

    @property
    def n_rows(self) -> int:
        """Number of rows, the header not counted."""
        return len(self.lines)


def read_text_table(path: Path) -> TextTable:
    """The table of a text file.

    Raises:
        BadInput: It is no table of text; with what to do.
    """
    content = read_bytes(path)
    _refuse_other_files(path, content)
    encoding = _encoding(content)
    text = content.decode(encoding)
    kept = [(i, line) for i, line in enumerate(io.StringIO(text, newline=None), 1) if _is_data(line)]
    if not kept:
        raise BadInput(f"{path} holds no data, only blank lines or comments")
    separator = _separator([line for _, line in kept[:_SAMPLE]])
    rows, lines = _rows(path, kept, separator)
    decimal = "," if separator != "," and _has_decimal_commas(rows) else "."
    has_header = not any(is_number(cell, decimal) for cell in rows[0])
    names = tuple(rows.pop(0)) if has_header else ("",) * len(rows[0])
    if has_header:
        lines.pop(0)
    if not rows:
        raise BadInput(f"{path} holds one line and no data under it: a table needs a line for each point in time")
    return TextTable(
        encoding.removesuffix("-sig"), separator, decimal, has_header, names, tuple(zip(*rows, strict=True)), tuple(lines)
    )


def is_missing(cell: str) -> bool:
    """Whether a cell says that its value is not known."""
    return cell.lower() in MISSING


def is_number(cell: str, decimal: str) -> bool:
    """Whether a cell is a number, missing ones not."""
    return to_number(cell, decimal) is not None


def to_number(cell: str, decimal: str) -> float | None:
    """A cell as a finite number, or None."""
    if decimal == ",":
        if "." in cell:
            return None
        cell = cell.replace(",", ".")
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if value - value == 0 and "_" not in cell else None


def _refuse_other_files(path: Path, content: bytes) -> None:
    if not content.strip():
        raise BadInput(f"{path} is empty")
    if content.startswith(_EXCEL) and path.suffix.lower() != ".npz":
        raise BadInput(f"{path} is no text file but a workbook or an archive: save the sheet as CSV in UTF-8")
    utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if b"\0" in content and not utf16:
        raise BadInput(f"{path} is not a text file; save the data as CSV in UTF-8")


def _encoding(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    return "latin-1"


def _is_data(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _separator(sample: Sequence[str]) -> str:
    """What divides lines into the same number of cells, two at least; a comma where nothing does."""
    widths = {mark: Counter(map(len, csv.reader(sample, delimiter=mark))) for mark in SEPARATORS}
    for least in (1.0, _MOSTLY):
        for mark, counts in widths.items():
            width, n = counts.most_common(1)[0]
            if width > 1 and n >= least * counts.total():
                return mark
    if len({len(line.split()) for line in sample}) == 1 and len(sample[0].split()) > 1:
        numbers = sum(is_number(cell, ".") for line in sample for cell in line.split())
        if numbers > len(sample) / 2:
            return " "
    return ","


def _rows(path: Path, kept: Sequence[tuple[int, str]], separator: str) -> tuple[list[list[str]], list[int]]:
    if separator == " ":
        split = [line.split() for _, line in kept]
        starts = [number for number, _ in kept]
    else:
        reader = csv.reader((line for _, line in kept), delimiter=separator)
        split, starts, at = [], [], 0
        for row in reader:
            split.append([cell.strip() for cell in row])
            starts.append(kept[at][0])
            at = min(reader.line_num, len(kept) - 1)
    width = Counter(map(len, split[:_SAMPLE])).most_common(1)[0][0]
    uneven = next((i for i, row in enumerate(split) if len(row) != width), None)
    if uneven is not None:
        raise BadInput(
            f"{path}, line {starts[uneven]}: it has {len(split[uneven])} cells where most lines have {width}: is this a "
            "table? Take lines above the header out or begin them with #, and quote cells that contain the separator"
        )
    return split, starts


def _has_decimal_commas(rows: Sequence[Sequence[str]]) -> bool:
    for column in zip(*rows[: 10 * _SAMPLE], strict=True):
        known = [cell for cell in column if not is_missing(cell)]
        with_comma = sum(_WITH_COMMA.fullmatch(cell) is not None for cell in known)
        numbers = sum(is_number(cell, ",") for cell in known)
        if with_comma and numbers >= _MOSTLY * (len(known) - 1):
            return True
    return False

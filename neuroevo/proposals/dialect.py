"""How a text file writes a table: encoding, separator and decimal mark, found out from the file itself."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from neuroevo.problems.errors import DataError
from neuroevo.problems.tables.cells import MISSING, is_number
from neuroevo.problems.tables.text_files import DELIMITERS, Dialect, columns_of_text

_SEPARATORS = (*DELIMITERS[:2], "|", *DELIMITERS[2:])
"""The first that divides all lines alike is taken: commas stand inside numbers and text more often than the others."""
_SAMPLE = 200
_WITH_COMMA = re.compile(r"[+-]?\d+,\d+(?:[eE][+-]?\d+)?")
_MOSTLY = 0.9


def dialect_of(content: bytes) -> Dialect:
    """How a text file is written, as far as its first lines tell."""
    encoding = _encoding(content)
    sample = _sample(content, encoding)
    separator = _separator(sample) if sample else None
    has_commas = separator != "," and _has_decimal_commas(_split(sample, separator))
    return Dialect("," if has_commas else ".", separator, encoding)


def first_rows(content: bytes, dialect: Dialect) -> list[list[str]]:
    """The cells of the first lines."""
    return _split(_sample(content, dialect.encoding), dialect.separator)


def is_told(content: bytes, dialect: Dialect) -> bool:
    """Whether the reader finds the separator by itself, as far as the first lines tell."""
    if dialect.separator in (None, *DELIMITERS):
        sample = "".join(_sample(content, dialect.encoding)).encode()
        read = [_names(sample, separator, dialect.decimal) for separator in (None, dialect.separator)]
        return read[0] == read[1]
    return False


def _names(sample: bytes, separator: str | None, decimal: Literal[".", ","]) -> tuple[str, ...]:
    try:
        return columns_of_text(Path(), sample, Dialect(decimal, separator)).names
    except DataError:
        return ()


def _encoding(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for encoding in ("utf-8", "cp1252"):
        try:
            content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    return "latin-1"


def _sample(content: bytes, encoding: str) -> list[str]:
    """The first lines that are neither blank nor comments."""
    text = io.StringIO(content.decode("utf-8-sig" if encoding == "utf-8" else encoding, "replace"), newline=None)
    data = (line for line in text if line.strip() and not line.lstrip().startswith("#"))
    return list(itertools.islice(data, _SAMPLE))


def _split(lines: Sequence[str], mark: str | None) -> list[list[str]]:
    if mark is None:
        return [[line] for line in lines]
    if mark == " ":
        return [line.split() for line in lines]
    try:
        return list(csv.reader(lines, delimiter=mark))
    except csv.Error:
        return [line.split(mark) for line in lines]


def _separator(sample: Sequence[str]) -> str | None:
    """What divides lines into the same number of cells, two at least; None where nothing does."""
    # The first line may be a title.
    for lines, least in ((sample, 1.0), (sample[1:] or sample, _MOSTLY)):
        for mark in _SEPARATORS:
            counts = Counter(map(len, _split(lines, mark)))
            width, n = counts.most_common(1)[0]
            if width > 1 and n >= least * counts.total():
                return mark
    blank = {len(line.split()) for line in sample}
    numbers = sum(is_number(cell) for line in sample for cell in line.split())
    return " " if len(blank) == 1 and max(blank) > 1 and numbers > len(sample) / 2 else None


def _has_decimal_commas(rows: Sequence[Sequence[str]]) -> bool:
    """Whether a column, but for its name and a stranger or two, holds numbers and one of them has a decimal comma."""
    for column in itertools.zip_longest(*rows, fillvalue=""):
        known = [cell.strip() for cell in column if cell.strip().lower() not in MISSING]
        numbers = sum(is_number(cell, ",") for cell in known)
        if any(map(_WITH_COMMA.fullmatch, known)) and numbers >= _MOSTLY * (len(known) - 1):
            return True
    return False

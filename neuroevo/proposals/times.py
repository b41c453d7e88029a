"""Which columns say when, how they write it, and what lies between two rows."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from neuroevo.proposals.file_format import TextTable, is_missing, to_number

_DAYS = (
    "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%y", "%d/%m/%y", "%m/%d/%y",
    "%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y", "%Y%m%d",
)  # fmt: skip
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p", " %H", "T%H:%M", "T%H:%M:%S")
_MONTHS = ("%Y-%m", "%m.%Y", "%m/%Y", "%b %Y", "%B %Y", "%b-%y", "%Y %b", "%Y %B")
FORMATS = (*("".join(pair) for pair in itertools.product(_DAYS, _CLOCKS)), *_MONTHS)
"""Orders other than ISO 8601 that are tried, the likelier of two that both fit first."""
PARTS_OF_DATES = ("year", "month", "day", "hour", "minute")
"""Columns of these names, from year on, are times together."""
NAMES = frozenset(
    ("time", "t", "date", "datetime", "timestamp", "ds", "day", "month", "year", "hour", "step", "index", "datum", "zeit", "jahr", "")
)  # fmt: skip
"""A rising column of numbers with such a name, or none, says when."""
DAY = 86_400.0
_UNITS = ((604_800, "week"), (86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))
_GAP = 1.5


@dataclass(frozen=True)
class Times:
    """When the rows are.

    Attributes:
        columns: Places of the columns, from 0.
        format: How one column writes dates, for `strptime`; "" for ISO 8601, numbers, and several columns.
        ambiguous: Whether day and month could be meant the other way round.
        seconds: ``(n_rows,)`` float64: since some moment, or the numbers themselves.
        are_dates: Whether they are dates.
        first: The first time as the file writes it.
        last: The last one.
        word: What a step of numbers is called; "" where nobody knows.
    """

    columns: tuple[int, ...]
    format: str
    ambiguous: bool
    seconds: NDArray[np.float64]
    are_dates: bool
    first: str
    last: str
    word: str = ""

    @property
    def step(self) -> float:
        """What lies between two rows mostly, in the units of `seconds`."""
        steps = np.diff(self.seconds)
        steps = steps[steps > 0]
        return float(np.median(steps)) if steps.size else 0.0

    @property
    def unit(self) -> str:
        """The usual step in words: "hour", "15 minutes", "month"; "row" where nobody knows."""
        return unit_words(self.step) if self.are_dates and self.step else self.word or "row"

    @property
    def n_falling(self) -> int:
        """Rows that lie before the row above them."""
        return int((np.diff(self.seconds) < 0).sum())

    @property
    def n_doubles(self) -> int:
        """Rows that lie where the row above them does."""
        return int((np.diff(self.seconds) == 0).sum())

    @property
    def gaps(self) -> NDArray[np.float64]:
        """Distances between neighbouring rows that are longer than usual, in usual steps."""
        if not self.step:
            return np.empty(0)
        steps = np.diff(self.seconds) / self.step
        if self.are_dates and self.is_of_workdays:
            steps = steps[steps > 3 + _GAP]
        return np.asarray(steps[steps > _GAP])

    @property
    def is_of_workdays(self) -> bool:
        """Whether rows are days from which weekends are left out."""
        steps = np.diff(self.seconds) / DAY
        return self.are_dates and self.step == DAY and float((steps == 3).mean()) > 0.1


def unit_words(step: float) -> str:
    """Seconds between two rows in words, for one of them: "hour", "15 minutes", "month"."""
    for days, word in ((365.25, "year"), (91.3, "quarter"), (30.4, "month")):
        if abs(step / DAY - days) < 0.05 * days:
            return word
    for seconds, word in _UNITS:
        if step >= seconds and step % seconds == 0:
            n = int(step // seconds)
            return word if n == 1 else f"{n} {word}s"
    return f"{step:g} seconds"


def find_times(table: TextTable, asked: Sequence[int] = ()) -> Times | None:
    """The column that says when, or several; None where no column does.

    Args:
        table: The file.
        asked: Places of the columns that a user names; empty: they are looked for.
    """
    if len(asked) > 1:
        return _together(table, asked)
    if not asked:
        lowered = [name.lower() for name in table.names]
        parts = [lowered.index(name) for name in PARTS_OF_DATES if name in lowered]
        if "year" in lowered and len(parts) > 1:
            found = _together(table, parts)
            if found is not None:
                return found
    for place in asked or range(len(table.names)):
        found = _dates(table, place)
        if found is not None:
            return found
    for place in asked or range(len(table.names)):
        found = _numbers(table, place, named=bool(asked))
        if found is not None:
            return found
    return None


def _together(table: TextTable, places: Sequence[int]) -> Times | None:
    rows = list(zip(*(table.cells[place] for place in places), strict=True))
    try:
        numbers = [[int(float(cell)) for cell in row] for row in rows]
        moments = [datetime(row[0], row[1], *(row[2:] or (1,))) for row in numbers]  # noqa: DTZ001
    except (ValueError, TypeError, IndexError):
        return None
    return _made(places, "", moments, ["-".join(row) for row in rows])


def _dates(table: TextTable, place: int) -> Times | None:
    cells = table.cells[place]
    known = [cell for cell in cells[:100] if not is_missing(cell)]
    if not known or not any(mark in known[0] for mark in "-./ :") and not _is_day_number(known):
        return None
    if not _is_day_number(known):
        moments = _parsed(cells, "")
        if moments is not None:
            return _made([place], "", moments, cells)
    fitting = [each for each in FORMATS if _parsed(known, each) is not None]
    read = {each: moments for each in fitting[:4] if (moments := _parsed(cells, each)) is not None}
    if not read:
        return None
    best = min(read, key=lambda each: _unevenness(read[each]))
    swapped = {best.replace("%d", "%x").replace("%m", "%d").replace("%x", "%m")} & read.keys()
    ambiguous = any(_unevenness(read[each]) == _unevenness(read[best]) for each in swapped - {best})
    return _made([place], best, read[best], cells, ambiguous=ambiguous)


def _is_day_number(cells: Sequence[str]) -> bool:
    """Whether they are dates such as 20210317."""
    return all(len(cell) == 8 and cell.isdecimal() and cell[:2] in ("18", "19", "20") for cell in cells)


def _parsed(cells: Sequence[str], form: str) -> list[datetime] | None:
    try:
        if not form:
            return [datetime.fromisoformat(cell) for cell in cells]
        return [datetime.strptime(cell, form) for cell in cells]  # noqa: DTZ007 - as the file writes them
    except (ValueError, TypeError):
        return None


def _unevenness(moments: Sequence[datetime]) -> tuple[int, int]:
    """Rows that lie before the row above them, and rows with another distance to it than most; least where read right."""
    steps = np.diff(_seconds(moments))
    if not steps.size:
        return 0, 0
    return int((steps < 0).sum()), len(steps) - Counter(steps.tolist()).most_common(1)[0][1]


def _seconds(moments: Sequence[datetime]) -> NDArray[np.float64]:
    zero = datetime(1970, 1, 1, tzinfo=moments[0].tzinfo)
    return np.array([(moment - zero).total_seconds() for moment in moments])


def _made(
    places: Sequence[int], form: str, moments: Sequence[datetime], cells: Sequence[str], *, ambiguous: bool = False
) -> Times | None:
    try:
        seconds = _seconds(moments)
    except TypeError:  # some have a time zone and some have none
        return None
    return Times(tuple(places), form, ambiguous, seconds, True, cells[0], cells[-1])


def _numbers(table: TextTable, place: int, *, named: bool) -> Times | None:
    cells = table.cells[place]
    values = [to_number(cell, table.decimal) for cell in cells]
    if any(value is None for value in values):
        return None
    seconds = np.array(values, dtype=np.float64)
    steps = np.diff(seconds)
    if not steps.size:
        return None
    even = bool((steps > 0).all() and np.ptp(steps) <= 1e-6 * abs(float(steps[0])))
    rises = bool((steps >= 0).all() and (steps > 0).any())
    if named or (even and place == 0) or (rises and table.has_header and table.names[place].lower() in NAMES):
        name = table.names[place].lower()
        word = name if name in PARTS_OF_DATES and float(np.median(steps)) == 1 else ""
        return Times((place,), "", False, seconds, False, cells[0], cells[-1], word)
    return None

"""Which columns say when, how they write it, and what lies between two rows."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from neuroevo.problems.errors import DataError
from neuroevo.problems.tables.cells import MISSING
from neuroevo.problems.tables.timeline import timeline

_DAYS = (
    "%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y",
    "%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%d-%m-%y", "%y-%m-%d",
    "%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y", "%a, %d %b %Y",
)  # fmt: skip
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p", " %H")
_COMPACT = ("%Y%m%d", "%Y%m%d%H", "%Y%m%d%H%M", "%Y%m%d%H%M%S", "%Y%m%d %H:%M", "%Y%m%d %H:%M:%S")
_MONTHS = ("%m.%Y", "%m/%Y", "%b %Y", "%B %Y", "%b-%y", "%b-%Y", "%Y %b", "%Y %B", "%Y/%m")
FORMATS = (*("".join(pair) for pair in itertools.product(_DAYS, _CLOCKS)), *_COMPACT, *_MONTHS)
"""What is tried where the reader does not know a date by itself, the likelier of two that both fit first."""
PARTS_OF_DATES = ("year", "month", "day", "hour", "minute")
"""Columns of these names, from year on, are times together."""
NAMES = frozenset(
    ("time", "t", "date", "datetime", "timestamp", "ds", "day", "month", "year", "hour", "step", "index",
     "datum", "zeit", "jahr")
)  # fmt: skip
"""A rising column of numbers with such a name says when."""
DAY = 86_400.0
_UNITS = ((604_800, "week"), (86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))
_CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2})?( [AaPp][Mm])?")
_EPOCH = (3e8, 4e9)
"""Rising whole numbers between these are seconds since 1970, of the years 1979 to 2096."""
_GAP = 1.5
_TRIED = 100


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


def find_times(names: Sequence[str], cells: Sequence[Sequence[str]], asked: Sequence[int] = ()) -> Times | None:
    """The column that says when, or several; None where no column does.

    Args:
        names: Of the columns, "" where they have none.
        cells: Of each column.
        asked: Places of the columns that a user names; empty: they are looked for.
    """
    if not asked:
        lowered = [name.lower() for name in names]
        parts = [lowered.index(name) for name in PARTS_OF_DATES if name in lowered]
        if "year" in lowered and len(parts) > 1 and (found := _dates(cells, parts)) is not None:
            return found
        for place in range(len(names)):
            clock = next((other for other in range(len(names)) if _are_clocks(cells[other])), None)
            if clock is not None and clock != place and (found := _dates(cells, [place, clock])) is not None:
                return found
    groups = [list(asked)] if asked else [[place] for place in range(len(names))]
    found = next((found for group in groups if (found := _dates(cells, group)) is not None), None)
    if found is not None or len(asked) > 1:
        return found
    return next((found for group in groups if (found := _numbers(names, cells, group[0], bool(asked)))), None)


def _are_clocks(cells: Sequence[str]) -> bool:
    return all(map(_CLOCK.fullmatch, cells))


def _dates(cells: Sequence[Sequence[str]], places: Sequence[int]) -> Times | None:
    joined = [" ".join(row) for row in zip(*(cells[place] for place in places), strict=True)]
    known = [cell for cell in joined[:_TRIED] if cell.lower() not in MISSING]
    if not known or not all(any(char.isdecimal() for char in cell) for cell in known):
        return None
    if any(mark in known[0] for mark in "-./: ") and not _is_decimal(known[0]):
        for starts in ((0,), range(len(joined))):
            try:
                clock = timeline([cells[place] for place in places], str, starts=starts).clock
            except DataError:
                continue
            if clock is not None:
                seconds = clock.astype("datetime64[us]").astype(np.int64) / 1e6
                return Times(tuple(places), "", False, seconds, True, joined[0], joined[-1])
    elif not _is_day_number(known):
        return None
    return _in_format(joined, places, known)


def _in_format(joined: Sequence[str], places: Sequence[int], known: Sequence[str]) -> Times | None:
    """Dates in the format in which the rows are the most regular."""
    fitting = [form for form in FORMATS if _parsed(known, form) is not None]
    read = {form: seconds for form in fitting[:4] if (seconds := _parsed(joined, form)) is not None}
    if not read:
        return None
    best = min(read, key=lambda form: _unevenness(read[form]))
    swapped = best.replace("%d", "%x").replace("%m", "%d").replace("%x", "%m")
    alike = swapped != best and swapped in read and not np.array_equal(read[swapped], read[best])
    ambiguous = alike and _unevenness(read[swapped]) == _unevenness(read[best])
    return Times(tuple(places), best, ambiguous, read[best], True, joined[0], joined[-1])


def _is_decimal(cell: str) -> bool:
    return cell.lstrip("+-").replace(".", "", 1).isdecimal()


def _is_day_number(cells: Sequence[str]) -> bool:
    """Whether they are dates such as 20210317, or times such as 2021031708."""
    return all(len(cell) in (8, 10, 12, 14) and cell.isdecimal() and cell[:2] in ("18", "19", "20") for cell in cells)


def _parsed(cells: Sequence[str], form: str) -> NDArray[np.float64] | None:
    """``(n_rows,)`` seconds, or None where a cell does not fit."""
    zero = datetime(1970, 1, 1)
    try:
        return np.array([(datetime.strptime(cell, form) - zero).total_seconds() for cell in cells])
    except ValueError:
        return None


def _unevenness(seconds: NDArray[np.float64]) -> tuple[int, int]:
    """Rows before the row above them, and rows at an unusual distance to it; least where dates are read right."""
    steps = np.diff(seconds)
    if not steps.size:
        return 0, 0
    return int((steps < 0).sum()), len(steps) - Counter(steps.tolist()).most_common(1)[0][1]


def _numbers(names: Sequence[str], cells: Sequence[Sequence[str]], place: int, asked: bool) -> Times | None:
    try:
        seconds = np.array(list(map(float, cells[place])))
    except ValueError:
        return None
    steps = np.diff(seconds)
    if not np.isfinite(seconds).all() or not steps.size:
        return None
    even = bool((steps > 0).all() and np.ptp(steps) <= 1e-6 * abs(float(steps[0])))
    rises = bool((steps >= 0).all() and (steps > 0).any())
    name = names[place].lower()
    if asked or (even and place == 0 and len(cells) > 1) or (rises and name in NAMES):
        step = float(np.median(steps))
        word = name if name in PARTS_OF_DATES and step == 1 else ""
        if seconds.min() > _EPOCH[0] and seconds.max() < _EPOCH[1] and step > 0:
            word = unit_words(step)
        return Times((place,), "", False, seconds, False, cells[place][0], cells[place][-1], word)
    return None

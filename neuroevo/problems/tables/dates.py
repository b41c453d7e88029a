"""Dates and times of day as people write them, read as times and written again as ISO text."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from neuroevo.problems.errors import DataError

Times = NDArray[np.datetime64]
"""Microseconds."""
Unit: TypeAlias = Literal["D", "m", "s", "us"]
Place = Callable[[int], str]
"""Tells where a row stands, for messages."""

_STAMP = re.compile(
    r"(?P<date>\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{1,4}[-/. ]+[A-Za-z]{3,9}\.?[-/., ]+\d{2,4}"
    r"|[A-Za-z]{3,9}\.? +\d{1,2},? +\d{4})"
    r"(?:(?:T|,? +)(?P<time>\d.*))?"
)
_TIME = re.compile(
    r"(?P<h>\d{1,2})(?::(?P<m>\d{2}))?(?::(?P<s>\d{2})(?:[.,](?P<f>\d{1,9}))?)? *(?P<half>[AaPp]\.?[Mm]\.?)?"
    r" *(?P<zone>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?"
)
_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: i for i, name in enumerate(_NAMES, 1)}
_ORDERS = {"dmy": (2, 1, 0), "mdy": (2, 0, 1), "ymd": (0, 1, 2)}
_WORDS = {"dmy": "%d{0}%m{0}%Y", "mdy": "%m{0}%d{0}%Y", "ymd": "%Y{0}%m{0}%d"}
_PIVOT = 69
"""Years of two digits from here on are of the last century, as for strptime."""
_DAY = 86_400_000_000
_MINUTE = 60_000_000


@dataclass(frozen=True)
class Stamps:
    """Times as read.

    Attributes:
        wall: As written, without time zone.
        order: By which rows are sorted: in UTC where rows have different time zones, otherwise the wall's.
    """

    wall: Times
    order: Times


def iso_labels(times: Times) -> NDArray[np.str_]:
    """Times as text: days, minutes, seconds or microseconds, as far as they tell anything."""
    microseconds = times.astype("datetime64[us]").astype(np.int64)
    units: tuple[tuple[Unit, int], ...] = (("D", _DAY), ("m", _MINUTE), ("s", 1_000_000), ("us", 1))
    unit = next(unit for unit, length in units if not (microseconds % length).any())
    return np.char.replace(np.datetime_as_string(times, unit=unit), "T", " ")


def strict_stamps(cells: Sequence[str], date_format: str, place: Place) -> Stamps:
    """Times in a format of `datetime.strptime`.

    Raises:
        DataError: A cell does not fit it.
    """
    known: dict[str, tuple[int, int | None]] = {}
    for row, cell in enumerate(cells):
        if cell in known:
            continue
        try:
            moment = datetime.datetime.strptime(cell, date_format)
        except ValueError as error:
            raise DataError(f"{place(row)}: {cell!r} does not fit date_format = {date_format!r}") from error
        offset = moment.utcoffset()
        wall = moment.replace(tzinfo=None) - datetime.datetime(1970, 1, 1)
        known[cell] = (
            wall // datetime.timedelta(microseconds=1),
            None if offset is None else offset // datetime.timedelta(microseconds=1),
        )
    return _stamps([known[cell] for cell in cells], place)


def falls(values: NDArray[Any], starts: Sequence[int] = (0,)) -> NDArray[np.intp]:
    """The rows whose value is below that of the row before, but for those that begin a sequence."""
    falling = np.flatnonzero(values[1:] < values[:-1]) + 1
    return falling[~np.isin(falling, starts)]


def stamps(cells: Sequence[str], place: Place, starts: Sequence[int] = (0,)) -> Stamps | None:
    """Times in one of the usual orders, the same in all cells; None where they are no dates.

    Raises:
        DataError: Some are dates and others not, a date is none of the calendar, or day and month can't be told apart.
    """
    parts = [_STAMP.fullmatch(cell) for cell in cells]
    if parts[0] is None:
        return None
    dates, clocks = [], []
    for row, match in enumerate(parts):
        if match is None:
            if cells[0][:4].isdecimal():
                return None
            raise DataError(f"{place(row)}: {cells[row]!r} is no date such as {cells[0]!r} above it")
        dates.append(match["date"])
        clocks.append(match["time"])
    times = {text: _clock(text) for text in dict.fromkeys(clocks)}
    unreadable = next((row for row, text in enumerate(clocks) if times[text] is None), None)
    if unreadable is not None:
        raise DataError(f"{place(unreadable)}: {clocks[unreadable]!r} is no time of day")
    clock = [times[text] or (0, None) for text in clocks]
    return _in_order(dates, clock, place, starts)


def _in_order(dates: list[str], clock: list[tuple[int, int | None]], place: Place, starts: Sequence[int]) -> Stamps:
    """The stamps of the one order of day, month and year in which all dates are of the calendar and rise."""
    distinct = dict.fromkeys(dates)
    found: dict[str, Stamps] = {}
    for order in _orders(distinct):
        days = {date: _day(date, order) for date in distinct}
        if None not in days.values():
            moments = [((days[d] or 0) * _DAY + time, offset) for d, (time, offset) in zip(dates, clock, strict=True)]
            found[order] = _stamps(moments, place)
    if not found:
        row = next((row for row, date in enumerate(dates) if all(_day(date, o) is None for o in _orders([date]))), 0)
        raise DataError(f"{place(row)}: {dates[row]!r} is no date of the calendar like those of the other rows")
    rising = {order: its for order, its in found.items() if not falls(its.order, starts).size}
    candidates = list((rising or found).items())
    first_order, first = candidates[0]
    others = [order for order, its in candidates[1:] if (its.wall != first.wall).any()]
    if others:
        mark = next(iter(re.findall(r"[-/.]", dates[0])), "/")
        year = "%Y" if re.search(r"\d{4}", dates[0]) else "%y"
        written = " or ".join(
            repr(_WORDS[order].format(mark).replace("%Y", year) + (" %H:%M" if any(time for time, _ in clock) else ""))
            for order in (first_order, *others)
        )
        raise DataError(
            f"{place(0)}: in all rows, day and month of dates such as {dates[0]!r} could be taken for one another; "
            f"say which, date_format = {written}"
        )
    return first


def _orders(dates: Iterable[str]) -> list[str]:
    """The orders that a column's first date allows."""
    date = next(iter(dates))
    tokens = _tokens(date)
    if tokens[0].isalpha():
        return ["mdy"]
    if len(tokens[0]) > 2:
        return ["ymd"]
    if tokens[1].isalpha() or "." in date:
        return ["dmy"]
    return ["dmy", "mdy"] + (["ymd"] if len(tokens[2]) == 2 and "-" in date else [])


def _tokens(date: str) -> list[str]:
    return re.findall(r"[A-Za-z]+|\d+", date)


def _day(date: str, order: str) -> int | None:
    """Days since 1970-01-01; None where the calendar has no such day."""
    tokens = _tokens(date)
    year, month, day = (tokens[i] for i in _ORDERS[order])
    if month.isalpha():
        month = str(_MONTHS.get(month[:3].lower(), 0))
    if not (day.isdecimal() and year.isdecimal() and month.isdecimal()) or len(year) not in (2, 4):
        return None
    number = int(year)
    if len(year) == 2:
        number += 1900 if number >= _PIVOT else 2000
    try:
        return datetime.date(number, int(month), int(day)).toordinal() - datetime.date(1970, 1, 1).toordinal()
    except ValueError:
        return None


def _clock(text: str | None) -> tuple[int, int | None] | None:
    """Microseconds of the day and those of the time zone's offset; None where the text is no time of day."""
    if text is None:
        return 0, None
    match = _TIME.fullmatch(text.strip())
    if match is None:
        return None
    hour, minute, second = (int(match[name] or 0) for name in ("h", "m", "s"))
    if match["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match["half"][0] in "pP" else 0)
    if minute > 59 or second > 59 or hour > 24 or (hour == 24 and minute + second):
        return None
    fraction = int((match["f"] or "0")[:6].ljust(6, "0"))
    return ((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction, _offset(match["zone"])


def _offset(zone: str | None) -> int | None:
    if zone is None:
        return None
    if zone[0] not in "+-":
        return 0
    minutes = int(zone[1:3]) * 60 + int(zone[3:].lstrip(":") or 0)
    return (-minutes if zone[0] == "-" else minutes) * _MINUTE


def _stamps(moments: Sequence[tuple[int, int | None]], place: Place) -> Stamps:
    wall = np.array([time for time, _ in moments], dtype=np.int64)
    offsets = {offset for _, offset in moments}
    order = wall
    if len(offsets) > 1:
        if None in offsets:
            row = next(row for row, (_, offset) in enumerate(moments) if offset is None)
            raise DataError(f"{place(row)}: this time has no time zone, and others have one; write all alike")
        order = wall - np.array([offset for _, offset in moments], dtype=np.int64)
    return Stamps(wall.astype("datetime64[us]"), order.astype("datetime64[us]"))

"""Times beside axes, dates at round years, months, days and hours; and the rows that lie in a span of times."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.plots import style
from neuroevo.problems.tables.timeline import Timeline

Labels = NDArray[Any]
Bound: TypeAlias = str | float | dt.date | np.datetime64 | None
"""An end of a span: a time as the column writes it, or the number of a step; None: open."""
Span: TypeAlias = tuple[Bound, Bound]

#: Letters that fit side by side below a panel of usual width.
LETTERS = 84
_MOST = 7
#: Distances of ticks in dates: units of numpy and how many of them.
_DISTANCES = (
    *((unit, n) for unit in "sm" for n in (1, 2, 5, 10, 15, 30)),
    *(("h", n) for n in (1, 2, 3, 6, 12)), *(("D", n) for n in (1, 2, 3)), ("W", 1), ("W", 2),
    *(("M", n) for n in (1, 2, 3, 6)),
    *(("Y", n * size) for size in (1, 10, 100, 1000) for n in (1, 2, 5)),
)  # fmt: skip
_NICE = [n * 10**power for power in range(12) for n in (1, 2, 5)]
_WRITTEN = ("Y", "M", "D", "m", "s", "us")


def time_ticks(labels: Sequence[Any] | Labels, letters: int = LETTERS) -> tuple[list[int], list[str]]:
    """Rows to be labelled on an axis along which rows lie evenly, and their labels.

    Dates get the first row of each year, month, week, day, hour and so on; numbers those that are round where there are
    such; other texts are labelled evenly.

    Args:
        labels: ``(n,)``, at least one, numbers or text.
        letters: How many fit side by side below the axis.
    """
    found = np.asarray(labels)
    clock = Timeline(found).clock if found.dtype.kind == "U" else None
    if clock is not None:
        for unit, n in _DISTANCES:
            rows = _beginnings(clock, unit, n)
            if len(rows) > _MOST:
                continue
            texts = _written(clock[rows], unit)
            width = max((len(line) for text in texts for line in text.split("\n")), default=0) + 2
            if len(rows) * width <= letters and (len(rows) > 1 or len(found) == 1):
                return rows, texts
    return _even(found.tolist(), letters)


def _beginnings(clock: NDArray[np.datetime64], unit: str, n: int) -> list[int]:
    """Rows at which a new stretch of `n` units begins."""
    # What lies just before the first row tells whether a stretch begins with it.
    moments = np.concatenate([clock[:1] - np.timedelta64(1, "us"), clock])
    if unit == "W":  # 1970-01-01 was a Thursday; weeks begin on Mondays.
        count = (moments.astype("datetime64[D]").astype(np.int64) + 3) // (7 * n)
    else:
        count = (moments.astype(f"datetime64[{unit}]").astype(np.int64) + 1970 * (unit == "Y")) // n
    return np.flatnonzero(np.diff(count)).tolist()


def _written(moments: NDArray[np.datetime64], unit: str) -> list[str]:
    """ISO 8601, as short as is exact or as the distance of the ticks allows; the time of day in a second line."""
    known = _WRITTEN.index({"W": "D", "h": "m"}.get(unit, unit))
    for place, size in enumerate(_WRITTEN):
        if place >= known or (moments.astype(f"datetime64[{size}]") == moments).all():
            return [text.replace("T", "\n") for text in moments.astype(f"datetime64[{size}]").astype(str).tolist()]
    raise AssertionError("the last of them is exact")  # pragma: no cover


def _even(labels: list[Any], letters: int) -> tuple[list[int], list[str]]:
    room = max(2, min(_MOST, letters // (max(len(str(label)) for label in labels) + 2)))
    step = next(size for size in _NICE if size * room >= len(labels))
    numbers = not isinstance(labels[0], str)
    start = next((i for i, label in enumerate(labels) if numbers and float(label) % step == 0), 0)
    rows = list(range(start % step, len(labels), step))
    return rows, [style.single_line(labels[row], 22) for row in rows]


def rows_between(labels: Labels | None, n_rows: int, span: Span) -> slice:
    """The rows whose times lie in a span, both ends included; "2016-07" as an end is all of July.

    Args:
        labels: ``(n_rows,)``: the times; None: rows are steps, counted from 1.
        n_rows: How many there are.
        span: Both ends.

    Raises:
        BadInput: An end is no time of that kind, or no row lies between them.
    """
    times = np.arange(1, n_rows + 1) if labels is None else labels
    clock = Timeline(times).clock if times.dtype.kind == "U" else None
    inside = np.ones(n_rows, dtype=np.bool_)
    for place, bound in enumerate(span):
        if bound is None:
            continue
        if clock is not None:
            moment = _moment(bound, str(times[0]))
            inside &= clock >= moment if place == 0 else clock < moment + 1
        elif times.dtype.kind == "U":
            row = np.flatnonzero(times == str(bound))
            if not row.size:
                raise BadInput(f"no row has the time {str(bound)!r}; times are written as {str(times[0])!r}")
            inside &= np.arange(n_rows) >= row[0] if place == 0 else np.arange(n_rows) <= row[-1]
        else:
            inside &= times >= _number(bound) if place == 0 else times <= _number(bound)
    rows = np.flatnonzero(inside)
    if not rows.size:
        first, last = ("the beginning" if span[0] is None else span[0]), ("the end" if span[1] is None else span[1])
        what = "steps" if labels is None else "times"
        raise BadInput(f"no row lies from {first} to {last}: the {what} go from {times[0]} to {times[-1]}")
    return slice(int(rows[0]), int(rows[-1]) + 1)


def _number(bound: Bound) -> float:
    try:
        number = float(str(bound))
    except (TypeError, ValueError):
        number = np.nan
    if np.isnan(number):
        raise BadInput(f"an end of the span must be a number as the times are, got {bound!r}")
    return number


def _moment(bound: Bound, model: str) -> np.datetime64:
    given = bound.strip().replace(" ", "T") if isinstance(bound, str) else bound
    try:
        moment = np.datetime64(str(int(given)) if isinstance(given, int | float) else given)
    except (ValueError, OverflowError):
        moment = np.datetime64("NaT")
    if np.isnat(moment):
        raise BadInput(f"an end of the span must be a date such as {model!r} or a part of it, got {bound!r}")
    return moment

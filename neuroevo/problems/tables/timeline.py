"""Where the rows of a table lie in time: labels that rise, and what can be computed from them."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.problems.errors import DataError
from neuroevo.problems.tables.dates import Place, Times, falls, iso_labels, stamps, strict_stamps

Labels = NDArray[Any]
"""``(n_rows,)`` int64, float64 or text, rising: where each row lies in time."""

_ZONE = re.compile(r":\d\d.*(?:[+-]\d\d|Z|UTC|GMT)|[AaPp]\.?[Mm]\.?$")
_YEAR = 365.25
_DAY = np.timedelta64(1, "D")
CALENDAR = ("hour", "weekday", "month", "day_of_year")


@dataclass(frozen=True, eq=False)
class Timeline:
    """The times of rows.

    Attributes:
        labels: Of all rows.
        wall: The times on the wall's clock, where they were read from text in another order or with time zones.
    """

    labels: Labels
    wall: Times | None = None

    @cached_property
    def clock(self) -> Times | None:
        """``(n_rows,)`` datetime64: the wall's clock; None where the labels are no dates."""
        return self.wall if self.wall is not None else _moments_of(self.labels)

    @cached_property
    def moments(self) -> NDArray[np.float64] | None:
        """As `moments_of` gives them."""
        return moments_of(self.labels)

    def taken(self, rows: Any) -> Timeline:
        """Some of the rows."""
        return Timeline(self.labels[rows], None if self.wall is None else self.wall[rows])

    def continued(self, n: int) -> Timeline:
        """The same rows and `n` more, in the usual step."""
        return Timeline(continued(self.labels, n), None if self.clock is None else _later(self.clock, n))


def timeline(
    columns: Sequence[Sequence[str]],
    place: Place,
    date_format: str | None = None,
    starts: Sequence[int] = (0,),
) -> Timeline:
    """The times of the cells of one time column, or of several as in year and month ("1749-01").

    Numbers stay numbers. Text with the year first stays as it is where it rises as text. Other dates become ISO text;
    so do those with different time zones, in UTC.

    Args:
        columns: The cells of each column as text.
        place: Tells where a row stands, for messages.
        date_format: Of `datetime.strptime`; several columns are joined by blanks. None: found out.
        starts: The first rows of sequences, where times may begin anew.

    Raises:
        DataError: A label is missing or can't be read, or they fall.
    """
    for cells in columns:
        if "" in cells:
            raise DataError(f"{place(cells.index(''))}: the time is missing; every row needs one")
    joined = columns[0] if len(columns) == 1 else [" ".join(cells) for cells in zip(*columns, strict=True)]
    if date_format is not None:
        found = strict_stamps(joined, date_format, place)
        return _rising(Timeline(iso_labels(found.order), found.wall), place, starts)
    labels = _numeric(columns[0]) if len(columns) == 1 else None
    if labels is not None:
        if not np.isfinite(labels).all():
            row = int(np.flatnonzero(~np.isfinite(labels))[0])
            raise DataError(f"{place(row)}: the time is missing; every row needs one")
        return _rising(Timeline(labels), place, starts)
    padded = [[_padded(cell) for cell in cells] for cells in columns]
    labels = np.array(padded[0] if len(padded) == 1 else ["-".join(cells) for cells in zip(*padded, strict=True)])
    year_first = all(cell[:4].isdecimal() and len(cell) >= 4 for cell in (labels[0], labels[-1]))
    if not (year_first and not falls(labels, starts).size):
        given = stamps(joined, place, starts)
        if given is not None:
            return _rising(Timeline(iso_labels(given.order), given.wall), place, starts)
    return _rising(Timeline(labels), place, starts)


def _rising(found: Timeline, place: Place, starts: Sequence[int]) -> Timeline:
    labels = found.labels
    falling = falls(labels, starts)
    if falling.size:
        row = int(falling[0])
        hint = "" if found.clock is not None else ", or say how dates are written, such as date_format = '%d.%m.%Y'"
        raise DataError(
            f"{place(row)}: the time {labels[row]} comes before {labels[row - 1]} of the row above it; sort the rows "
            f"by time{hint}"
        )
    return found


def _numeric(cells: Sequence[str]) -> Labels | None:
    try:
        numbers = np.array([float(cell) for cell in cells])
    except ValueError:
        return None
    whole = np.isfinite(numbers).all() and (numbers == np.round(numbers)).all() and np.abs(numbers).max() < 2**53
    return numbers.astype(np.int64) if whole else numbers


def _padded(cell: str) -> str:
    """Whole numbers with two digits at least, so that text sorts as time does."""
    return cell.zfill(2) if cell.isdecimal() else cell.removesuffix(".0").zfill(2) if cell.endswith(".0") else cell


def moments_of(labels: Labels) -> NDArray[np.float64] | None:
    """Labels as numbers that rise evenly where they do so in time, or None where they are other texts."""
    if labels.dtype.kind in "fiu":
        return labels.astype(np.float64)
    if not _zoned(labels):
        lengths = set(map(len, labels.tolist()))
        # Months and years are counted as such: they are of unequal lengths in days.
        unit = {4: "Y", 7: "M", 10: "D"}.get(lengths.pop(), "s") if len(lengths) == 1 else "s"
        with contextlib.suppress(ValueError):
            return labels.astype(f"datetime64[{unit}]").astype(np.float64)
    times = _moments_of(labels)
    return None if times is None else times.astype(np.int64) / 1e6


def _zoned(labels: Labels) -> bool:
    """Whether they tell a time zone or half of the day, which numpy does not read."""
    return any(_ZONE.search(label) for label in labels[[0, -1]].tolist())


def _moments_of(labels: Labels) -> Times | None:
    if labels.dtype.kind != "U" or not len(labels):
        return None
    if not _zoned(labels):
        with contextlib.suppress(ValueError):
            return labels.astype("datetime64[us]")
    try:
        found = stamps(labels.tolist(), str)
    except DataError:
        return None
    return None if found is None else found.wall


def _step(times: Times) -> int | np.timedelta64 | None:
    """The usual step, months as a number; None where there is a single time."""
    if len(times) < 2:
        return None
    months = times.astype("datetime64[M]")
    steps = np.diff(months).astype(np.int64)
    days = times.astype("datetime64[D]")
    if (np.diff(days - months.astype("datetime64[D]")).astype(np.int64) == 0).all() and (steps > 0).all():
        return int(np.median(steps))
    return np.timedelta64(int(np.median(np.diff(times.astype("datetime64[us]")).astype(np.int64))), "us")


def _later(times: Times, n: int) -> Times:
    """The times and `n` more."""
    step, more = _step(times), np.arange(1, n + 1)
    if step is None:
        step = _DAY
    if isinstance(step, int):
        months = times[-1:].astype("datetime64[M]")
        later = (months + step * more).astype("datetime64[us]") + (times[-1] - months[0].astype("datetime64[us]"))
    else:
        later = times[-1] + step * more
    return np.concatenate([times.astype("datetime64[us]"), later.astype("datetime64[us]")])


def continued(labels: Labels, n: int) -> Labels:
    """Labels and `n` more, in the usual step; texts that are no dates go on as "last +1", "last +2" ..."""
    if n <= 0:
        return labels
    more = np.arange(1, n + 1)
    if labels.dtype.kind != "U":
        step = np.median(np.diff(labels)) if len(labels) > 1 else 1
        later = labels[-1] + step * more
        whole = labels.dtype.kind in "iu" and (later == np.round(later)).all()
        return np.concatenate([labels, later.astype(labels.dtype) if whole else later])
    clock = _moments_of(labels)
    if clock is None:
        return np.concatenate([labels, np.array([f"{labels[-1]} +{k}" for k in more])])
    later = np.datetime_as_string(_later(clock, n)[-n:], unit="us")
    return np.concatenate([labels, _like(later, str(labels[-1]))])


def _like(texts: NDArray[np.str_], model: str) -> NDArray[np.str_]:
    """ISO texts cut and marked as another label is; in full where that one is in no such form."""
    if len(model) in (4, 7, 10) or (len(model) > 10 and model[10] in " T" and len(model) in (16, 19)):
        texts = np.array([text[: len(model)] for text in texts.tolist()])
    return np.char.replace(texts, "T", " ") if "T" not in model else texts


def calendar_inputs(clock: Times, names: Sequence[str]) -> NDArray[np.float64]:
    """``(n_rows, 2 n_names)``: sine and cosine of where each time lies in its day, week or year.

    "hour" goes on with minutes and seconds; "weekday", "month" and "day_of_year" stay the same all day.
    """
    days, months, years = (clock.astype(f"datetime64[{unit}]") for unit in "DMY")
    shares: dict[str, Callable[[], NDArray[np.float64]]] = {
        "hour": lambda: (clock - days).astype("timedelta64[us]").astype(np.float64) / 86_400e6,
        # 1970-01-01 was a Thursday.
        "weekday": lambda: ((days.astype(np.int64) + 3) % 7) / 7,
        "month": lambda: (months.astype(np.int64) % 12) / 12,
        "day_of_year": lambda: (days - years.astype("datetime64[D]")).astype(np.float64) / _YEAR,
    }
    angles = [2 * np.pi * shares[name]() for name in names]
    return np.column_stack([function(angle) for angle in angles for function in (np.sin, np.cos)])


def calendar_names(names: Sequence[str]) -> list[str]:
    """Names of the columns of `calendar_inputs`."""
    return [f"{name} {function}" for name in names for function in ("sin", "cos")]

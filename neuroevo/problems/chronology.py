"""Parts of a series by time: limits in time labels, numbers of rows, or shares of them."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.problems.checks import PART_NAME
from neuroevo.problems.errors import DataError
from neuroevo.settings import Mistake, SettingsError, joined, shown

REST = "rest"
_EXPECTED = 'must be [first, last] in time labels, a whole number of rows, a share between 0 and 1, or "rest"'

Labels = NDArray[Any]
"""``(n_rows,)`` int64, float64 or text, rising: where each row lies in time."""


def checked_parts(parts: Mapping[str, object], path: str = "parts") -> dict[str, Any]:
    """The parts as settings hold them: limits as tuples, dates as text.

    Raises:
        SettingsError: With every mistake in them.
    """
    mistakes: list[Mistake] = []
    checked = {name: _checked_part(name, value, path, mistakes) for name, value in parts.items()}
    if "train" not in parts:
        mistakes.append(Mistake(path, "one part must be called train", ", ".join(parts) or "no part"))
    by_limits = {isinstance(value, tuple) for value in checked.values()}
    if not mistakes and len(by_limits) > 1:
        mistakes.append(Mistake(path, "either all parts have limits in time labels, or none has", shown(dict(parts))))
    order = [name for name, value in checked.items() if value == REST]
    if order and order != list(checked)[-1:]:
        mistakes.append(Mistake(joined(path, order[0]), 'only the last part can be "rest"'))
    shares = sum(value for value in checked.values() if isinstance(value, float))
    if not mistakes and shares > 1 + 1e-9:
        mistakes.append(Mistake(path, "the shares must not exceed 1 together", f"{shares:g}"))
    if mistakes:
        raise SettingsError(mistakes)
    return checked


def _checked_part(name: str, value: object, path: str, mistakes: list[Mistake]) -> Any:
    where = joined(path, name)
    if not PART_NAME.fullmatch(name):
        mistakes.append(Mistake(where, "a part's name must be a letter and then letters, digits, _ or -"))
    if isinstance(value, list | tuple):
        limits = tuple(item.isoformat() if isinstance(item, datetime.date) else item for item in value)
        if len(limits) == 2 and all(
            isinstance(item, int | float | str) and not isinstance(item, bool) for item in limits
        ):
            if {type(item) is str for item in limits} != {True, False} and limits[0] > limits[1]:
                mistakes.append(Mistake(where, "the first limit must not lie after the last", shown(value)))
            return limits
    elif value == REST or _is_amount(value):
        return value
    mistakes.append(Mistake(where, _EXPECTED, shown(value)))
    return value


def _is_amount(value: object) -> bool:
    """Whether it is a number of rows or a share of them."""
    if isinstance(value, float):
        return 0 < value <= 1
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def row_labels(columns: Sequence[Sequence[str]], place: Callable[[int], str]) -> Labels:
    """Rising labels from the cells of one time column, or of several as in year and month ("1749-01").

    Args:
        columns: The cells of each column as text.
        place: Tells where a row stands, for messages.

    Raises:
        DataError: A label is missing, or they fall.
    """
    labels = _numeric(columns[0]) if len(columns) == 1 else None
    if labels is None:
        labels = np.array(["-".join(_padded(cell) for cell in cells) for cells in zip(*columns, strict=True)])
    blank = np.flatnonzero(labels == "") if labels.dtype.kind == "U" else np.flatnonzero(~np.isfinite(labels))
    if blank.size:
        raise DataError(f"{place(int(blank[0]))}: the time is missing; every row needs one")
    falling = np.flatnonzero(labels[1:] < labels[:-1])
    if falling.size:
        row = int(falling[0]) + 1
        raise DataError(
            f"{place(row)}: the time {labels[row]} comes before {labels[row - 1]} of the row above it; sort the rows "
            "by time, and write dates with the year first, such as 1958-03-29"
        )
    return labels


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


def rows_between(labels: Labels, limits: Sequence[Any], what: str) -> NDArray[np.bool_]:
    """``(n_rows,)`` bool: rows from the first limit to the last, both included.

    Text is compared by its beginning: with labels such as 1958-03-29, the limits "1958" and "1959" take two years.

    Raises:
        DataError: The limits aren't of the labels' kind, or no row lies between them.
    """
    first, last = limits
    if labels.dtype.kind == "U":
        first, last = str(first), str(last)
        ends = np.array([label[: len(last)] for label in labels.tolist()])
        inside = (labels >= first) & (ends <= last)
    else:
        if isinstance(first, str) or isinstance(last, str):
            raise DataError(
                f"{what} = {list(limits)}: the times are numbers ({labels[0]} ...), so its limits must be too"
            )
        inside = (labels >= first) & (labels <= last)
    if not inside.any():
        raise DataError(f"{what} = {list(limits)} holds no row: the times run from {labels[0]} to {labels[-1]}")
    return np.asarray(inside)


def part_rows(parts: Mapping[str, Any], labels: Labels) -> dict[str, NDArray[np.bool_]]:
    """For each part ``(n_rows,)`` bool: the rows in it.

    Args:
        parts: As `checked_parts` returns them.
        labels: Of all rows.

    Raises:
        DataError: A part holds no row, two parts share one, or there are fewer rows than the parts need.
    """
    if any(isinstance(value, tuple) for value in parts.values()):
        rows = {name: rows_between(labels, limits, f"parts.{name}") for name, limits in parts.items()}
        for (one, mask), (other, its) in itertools.combinations(rows.items(), 2):
            if (mask & its).any():
                shared = labels[mask & its][0]
                raise DataError(f"the parts {one!r} and {other!r} share the time {shared}; parts must not overlap")
        return rows
    n_rows, start = len(labels), 0
    rows = {}
    for name, value in parts.items():
        left = n_rows - start
        n_part = left if value == REST else value if isinstance(value, int) else min(round(value * n_rows), left)
        if n_part > left or not n_part:
            raise DataError(
                f"parts.{name} = {value!r} cannot be had: of {n_rows} rows, {left} are left after the parts before it"
            )
        rows[name] = np.zeros(n_rows, dtype=np.bool_)
        rows[name][start : start + n_part] = True
        start += n_part
    return rows

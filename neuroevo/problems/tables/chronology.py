"""Parts of a series by time: limits in time labels, numbers of rows, or shares of them."""

from __future__ import annotations

import datetime
import fnmatch
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.problems.checks import PART_NAME
from neuroevo.problems.errors import DataError
from neuroevo.problems.tables.timeline import Labels
from neuroevo.settings import Mistake, SettingsError, joined, shown

REST = "rest"
_EXPECTED = (
    'must be [first, last] in time labels, a whole number of rows, a share between 0 and 1, "rest", or a list of files'
)
_ENDINGS = (".csv", ".npz", ".parquet", ".txt", ".tsv", ".dat")


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
    if any(map(names_files, checked.values())):
        return _checked_by_file(checked, path, mistakes)
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


def names_files(value: object) -> bool:
    """Whether a part is a list of files or patterns of their names."""
    return isinstance(value, tuple) and any(
        isinstance(item, str) and (any(mark in item for mark in "*?") or item.lower().endswith(_ENDINGS))
        for item in value
    )


def _checked_by_file(parts: dict[str, Any], path: str, mistakes: list[Mistake]) -> dict[str, Any]:
    for name, value in parts.items():
        if not names_files(value) and (name == "train" or not isinstance(value, float)):
            expected = "must be a list of files, or a share of the training files' rows, since other parts are files"
            mistakes.append(Mistake(joined(path, name), expected, shown(value)))
    if sum(value for value in parts.values() if isinstance(value, float)) >= 1:
        mistakes.append(Mistake(path, "the shares must leave something of the training files"))
    if mistakes:
        raise SettingsError(mistakes)
    return parts


def file_parts(parts: Mapping[str, Any], paths: Sequence[Path]) -> list[dict[str, Any]] | None:
    """For each file its own parts, as `part_rows` takes them; None where parts are no lists of files.

    A file that no part names has none. Shares are taken from the ends of the training files.

    Raises:
        DataError: Two parts name one file, or a part names none that there is.
    """
    listed = {name: value for name, value in parts.items() if names_files(value)}
    if not listed:
        return None
    found: list[dict[str, Any]] = []
    used: set[str] = set()
    for path in paths:
        names = [name for name, patterns in listed.items() if any(_fits(path, pattern) for pattern in patterns)]
        if len(names) > 1:
            raise DataError(f"the parts {names[0]!r} and {names[1]!r} both name {path.name}; parts must not overlap")
        used |= {*names}
        shares = {name: value for name, value in parts.items() if isinstance(value, float)} if "train" in names else {}
        own = [*names, *shares]
        amounts = [1.0 - sum(shares.values()), *shares.values()][: len(own)]
        found.append(dict(zip(own, [*amounts[:-1], REST], strict=True)) if own else {})
    for name, patterns in listed.items():
        if name not in used:
            raise DataError(
                f"parts.{name} = {list(patterns)} names none of the files, "
                f"{', '.join(path.name for path in paths[:5])}{' ...' if len(paths) > 5 else ''}"
            )
    return found


def _fits(path: Path, pattern: str) -> bool:
    return fnmatch.fnmatchcase(path.name, pattern) or fnmatch.fnmatchcase(path.as_posix(), f"*/{pattern}")


def _checked_part(name: str, value: object, path: str, mistakes: list[Mistake]) -> Any:
    where = joined(path, name)
    if not PART_NAME.fullmatch(name):
        mistakes.append(Mistake(where, "a part's name must be a letter and then letters, digits, _ or -"))
    if isinstance(value, list | tuple):
        limits = tuple(item.isoformat() if isinstance(item, datetime.date) else item for item in value)
        if names_files(limits) and all(isinstance(item, str) for item in limits):
            return limits
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


def rows_between(labels: Labels, limits: Sequence[Any], what: str) -> NDArray[np.bool_]:
    """``(n_rows,)`` bool: rows from the first limit to the last, both included.

    Text is compared by its beginning: with labels such as 1958-03-29, the limits "1958" and "1959" take two years.

    Raises:
        DataError: The limits aren't of the labels' kind, or no row lies between them.
    """
    first, last = limits
    if labels.dtype.kind == "U":
        if labels[0][:4].isdecimal() and not all(str(limit)[:4].isdecimal() for limit in limits):
            raise DataError(
                f"{what} = {list(limits)}: the times begin with the year ({labels[0]} ...), so limits must "
                f"too, such as [{str(labels[0])!r}, {str(labels[-1])!r}]"
            )
        first, last = (_as_labelled(str(limit), str(labels[0])) for limit in limits)
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


def _as_labelled(limit: str, label: str) -> str:
    """A limit with the labels' mark between day and time of day, and without zeros where they end before."""
    rest = limit[len(label) :]
    if len(label) in (10, 16, 19) and label[:4].isdecimal() and rest and not rest.strip("T :0."):
        limit = limit[: len(label)]
    if len(limit) > 10 and len(label) > 10 and {limit[10], label[10]} == {" ", "T"}:
        return f"{limit[:10]}{label[10]}{limit[11:]}"
    return limit


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

"""Many runs in one table, and what they have in common: medians, quartiles, the share that reached its target."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neuroevo.records.errors import RecordError
from neuroevo.records.files import write_atomically, write_json
from neuroevo.records.record import RunRecord
from neuroevo.stopping import StopReason

#: Criteria that a run ends by when it has found what it was looking for.
TARGETS = ("error", "fitness", "learned", "validation_error")

_TEXTS = ("folder", "status", "stop_criterion")
_FIGURES = ("generations", "evaluations", "seconds")


def summary_row(record: RunRecord) -> dict[str, Any]:
    """A run as a row: what it is, how it ended, what it cost, and the champion's figures by part.

    Figures that are missing are NaN; `success` is 1 or 0, and NaN where the scenario has no target to reach.
    """
    row: dict[str, Any] = {"seed": _number(record.run.get("seed")), "folder": record.path.name, "status": record.status}
    try:
        reason = record.stop_reason
    except RecordError:
        reason = None
    row["stop_criterion"] = reason.criterion if reason else ""
    row["success"] = _success(record, reason)
    row |= {name: _number(record.run.get(name)) for name in _FIGURES}
    champion = record.run.get("champion")
    if isinstance(champion, Mapping):
        row |= {f"champion.{name}": _number(value) for name, value in champion.items()}
    for part, measures in _parts(record.run.get("results")):
        row |= {f"{part}.{name}": _number(value) for name, value in measures.items()}
    return row


def summarised(trials: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the finished ones among runs have in common.

    Args:
        trials: The runs as `summary_row` gives them.

    Returns:
        Plain values: `n_trials`, `n_finished`, `success` (share, or None without a target), and `figures`: for each
        column of numbers the median, lower and upper quartile, their distance, smallest, largest and how many there
        are.
    """
    rows = [row for row in trials if row["status"] == "finished"]
    success = np.array([row["success"] for row in rows], dtype=np.float64)
    known = success[np.isfinite(success)]
    figures = {}
    for name in _columns(rows):
        if name not in _TEXTS and name not in ("seed", "success"):
            values = np.array([row.get(name, math.nan) for row in rows], dtype=np.float64)
            figures[name] = _quartiles(values[np.isfinite(values)])
    return {
        "n_trials": len(trials),
        "n_finished": len(rows),
        "success": float(known.mean()) if len(known) else None,
        "figures": figures,
    }


def write_summary(folder: Path, trials: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Write summary.csv, one row a run, and summary.json, and give the contents of the latter.

    Raises:
        RecordUnwritable: The machine refused.
    """
    summary = summarised(trials)
    write_table(folder / "summary.csv", trials)
    write_json(folder / "summary.json", summary)
    return summary


def write_table(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows as CSV, with all columns that any of them has; what a row lacks is nan.

    Raises:
        RecordUnwritable: The machine refused.
    """
    text = io.StringIO()
    table = csv.DictWriter(text, list(_columns(rows)), restval="nan", lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    write_atomically(path, text.getvalue().encode("utf-8", "replace"))


def _success(record: RunRecord, reason: StopReason | None) -> float:
    if record.status != "finished":
        return math.nan
    try:
        stop = record.scenario.get("stop")
    except RecordError:
        stop = None
    if not isinstance(stop, Mapping):
        return math.nan
    conjunctions = stop.get("all")
    tables = [stop, *(conjunctions if isinstance(conjunctions, list) else ())]
    if not any(name in table for table in tables if isinstance(table, Mapping) for name in TARGETS):
        return math.nan
    return float(reason is not None and any(name in TARGETS for name in _criteria(reason)))


def _criteria(reason: StopReason) -> Iterable[str]:
    yield reason.criterion
    for detail in reason.details:
        yield from _criteria(detail)


def _parts(results: object) -> Iterable[tuple[str, Mapping[str, Any]]]:
    contestants = results.get("contestants") if isinstance(results, Mapping) else None
    parts = contestants.get("champion") if isinstance(contestants, Mapping) else None
    for part, measures in parts.items() if isinstance(parts, Mapping) else ():
        if isinstance(measures, Mapping):
            yield part, measures


def _columns(rows: Iterable[Mapping[str, Any]]) -> dict[str, None]:
    """The columns of all rows, each once, in the order in which they first come."""
    return {name: None for row in rows for name in row}


def _number(value: object) -> float | int:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else math.nan


def _quartiles(values: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, float | int | None]:
    names = ("median", "lower_quartile", "upper_quartile", "iqr", "min", "max")
    if not len(values):
        return {"n": 0, **dict.fromkeys(names)}
    lower, median, upper = (float(value) for value in np.quantile(values, [0.25, 0.5, 0.75]))
    found = (median, lower, upper, upper - lower, float(values.min()), float(values.max()))
    return {"n": len(values), **dict(zip(names, found, strict=True))}

"""What many runs have in common: medians, quartiles, the share that reached its target."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neuroevo.records import RecordError, RunRecord, SweepSet, TrialSet
from neuroevo.records.files import write_json, write_table
from neuroevo.stopping import StopReason

#: Criteria that a run ends by when it has found what it was looking for.
TARGETS = ("error", "fitness", "learned", "validation_error")

_TEXTS = ("folder", "status", "stop_criterion", "fold.measure")
_FIGURES = ("generations", "evaluations", "seconds")
_VALIDATION = "champion.validation_error"
_FOLD, _MEASURE = "fold.validation_error", "fold.measure"
_IN_ORIGINAL_UNITS = "validation.nmse"


def summary_row(record: RunRecord) -> dict[str, Any]:
    """A run as a row: what it is, how it ended, what it cost, and the champion's figures by part.

    Figures that are missing are NaN; `success` is 1 or 0, and NaN where the scenario has no target to reach.
    """
    row: dict[str, Any] = {"seed": _number(record.run.get("seed")), "folder": record.path.name, "status": record.status}
    try:
        reason = record.stop_reason
    except RecordError:
        reason = None
    if isinstance(fold := record.run.get("fold"), int):
        row["fold"] = fold
    row["stop_criterion"] = reason.criterion if reason else ""
    row["success"] = _success(record, reason)
    row |= {name: _number(record.run.get(name)) for name in _FIGURES}
    champion = record.run.get("champion")
    if isinstance(champion, Mapping):
        row |= {f"champion.{name}": _number(value) for name, value in champion.items()}
    for part, measures in _parts(record.run.get("results")):
        row |= {f"{part}.{name}": _number(value) for name, value in measures.items()}
    if "fold" in row:
        row |= _in_common_units(record, row)
    for part, measures in _parts(_final_results(record)):
        row |= {f"final.{part}.{name}": _number(value) for name, value in measures.items()}
    return row


def _final_results(record: RunRecord) -> object:
    """The results of a final fit; None where there is none, or one that is damaged."""
    try:
        return None if record.final is None else record.final.run.get("results")
    except RecordError:
        return None


def _in_common_units(record: RunRecord, row: Mapping[str, Any]) -> dict[str, Any]:
    """The validation error of a fold's champion, as it can be compared with that of another fold.

    Each fold has a scaling of its own, so that the mean squared error of a single target is in original units; other
    errors are as they were minimised.
    """
    single = record.run["network"].get("n_outputs") == 1
    if single and record.error_name.startswith("mean squared error") and "validation.mse" in row:
        return {_FOLD: row["validation.mse"], _MEASURE: "mean squared error (original units)"}
    return {_FOLD: row.get(_VALIDATION, math.nan), _MEASURE: record.error_name}


def over_folds(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The champions' validation errors over the folds of a set.

    Args:
        rows: Finished runs as `summary_row` gives them.

    Returns:
        `measure`, what the errors are; `n` folds; `each` fold's mean over its seeds; and over these `mean` and
        `deviation` (standard, of a sample), null where there are too few.
    """
    of_fold: dict[int, list[float]] = {}
    for row in rows:
        error = row.get(_FOLD, math.nan)
        if math.isfinite(error):
            of_fold.setdefault(row["fold"], []).append(error)
    each = {str(number): float(np.mean(of_fold[number])) for number in sorted(of_fold)}
    means = list(each.values())
    return {
        "measure": next((row[_MEASURE] for row in rows if _MEASURE in row), ""),
        "n": len(means),
        "each": each,
        "mean": float(np.mean(means)) if means else None,
        "deviation": float(np.std(means, ddof=1)) if len(means) > 1 else None,
    }


def summarised(trials: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the finished ones among runs have in common.

    Args:
        trials: The runs as `summary_row` gives them.

    Returns:
        Plain values: `n_trials`, `n_finished`, `success` (share, or None without a target), and `figures`: for each
        column of numbers the median, lower and upper quartile, their distance, smallest, largest and how many there
        are. Of runs of folds also `folds`, what :func:`over_folds` gives.
    """
    rows = [row for row in trials if row["status"] == "finished"]
    success = np.array([row["success"] for row in rows], dtype=np.float64)
    known = success[np.isfinite(success)]
    figures = {}
    for name in dict.fromkeys(name for row in rows for name in row):
        if name not in _TEXTS and name not in ("seed", "fold", "success"):
            values = np.array([row.get(name, math.nan) for row in rows], dtype=np.float64)
            figures[name] = _quartiles(values[np.isfinite(values)])
    return {
        "n_trials": len(trials),
        "n_finished": len(rows),
        "success": float(known.mean()) if len(known) else None,
        **({"folds": over_folds(rows)} if any("fold" in row for row in trials) else {}),
        "figures": figures,
    }


def summary(found: TrialSet | SweepSet) -> dict[str, Any]:
    """What the finished runs of a set of trials have in common, or those of each point of a sweep.

    Returns:
        Plain values. Of a set of trials what :func:`summarised` gives. Of a sweep: `keys`; `points`: for each its
        `folder`, its `values` and what :func:`summarised` gives; and `chosen_by`, the figure that ranks the points: the
        champion's validation error where there is one (normalised, in original units, where the points differ in what
        is prepared or scaled, and so in units), otherwise its training error; where there are folds, their mean ranks.
        Never the test error, which would no longer be one.
    """
    if isinstance(found, TrialSet):
        return summarised(rows_of(found))
    return _of_points(found, [(trials, summary(trials)) for trials in found.points()])


def write_summaries(found: TrialSet | SweepSet) -> dict[str, Any]:
    """Write summary.csv and summary.json of a set of trials; those of a sweep and of its points, and its runs.csv.

    Returns:
        The contents of summary.json, as :func:`summary` gives them.

    Raises:
        RecordUnwritable: The machine refused.
    """
    if isinstance(found, TrialSet):
        return _write(found.path, summarised(rows := rows_of(found)), rows)
    points, runs = [], []
    for trials in found.points():
        rows = rows_of(trials)
        points.append((trials, _write(trials.path, summarised(rows), rows)))
        runs += _of_point(found, trials, rows)
    write_table(found.path / "runs.csv", runs)
    whole = _of_points(found, points)
    return _write(found.path, whole, [dict(_row(found.keys, point)) for point in whole["points"]])


def rows_of(trials: TrialSet) -> list[dict[str, Any]]:
    """All trials of a set as rows of a table, as :func:`summary_row` gives them."""
    return [summary_row(record) for record in trials.trials()]


def run_rows(found: TrialSet | SweepSet) -> list[dict[str, Any]]:
    """All runs of a set as rows: the summary.csv of a set of trials, the runs.csv of a sweep."""
    if isinstance(found, TrialSet):
        return rows_of(found)
    return [row for trials in found.points() for row in _of_point(found, trials, rows_of(trials))]


def point_rows(sweep: SweepSet) -> list[dict[str, Any]]:
    """The points of a sweep as rows: its summary.csv."""
    return [dict(_row(sweep.keys, point)) for point in summary(sweep)["points"]]


def _of_point(sweep: SweepSet, trials: TrialSet, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    named = {"point": trials.path.name, **_cells(sweep.keys, trials.values)}
    return [{**named, **row} for row in rows]


def _of_points(sweep: SweepSet, found: Sequence[tuple[TrialSet, Mapping[str, Any]]]) -> dict[str, Any]:
    points = [{"folder": each.path.name, "values": dict(each.values), **figures} for each, figures in found]

    def known(name: str) -> bool:
        return any(point["figures"].get(name, {}).get("n") for point in points)

    chosen_by = _VALIDATION if known(_VALIDATION) else "champion.error"
    if known(_VALIDATION) and known(_IN_ORIGINAL_UNITS) and _units_differ(trials for trials, _ in found):
        chosen_by = _IN_ORIGINAL_UNITS
    return {"keys": list(sweep.keys), "chosen_by": chosen_by, "points": points}


def _units_differ(points: Iterable[TrialSet]) -> bool:
    """Whether runs of the points were trained on data that are not the same, scaling included."""
    return len({record.run["data"].get("sha256") for trials in points for record in trials.trials()[:1]}) > 1


def _write(folder: Path, contents: dict[str, Any], rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    write_table(folder / "summary.csv", rows)
    write_json(folder / "summary.json", contents)
    return contents


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


def _row(keys: Sequence[str], point: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from _cells(keys, point["values"]).items()
    for name in ("folder", "n_trials", "n_finished", "success"):
        yield name, math.nan if point[name] is None else point[name]
    for name in ("mean", "deviation") if "folds" in point else ():
        value = point["folds"][name]
        yield f"folds.validation_error.{name}", math.nan if value is None else value
    for name, figures in point["figures"].items():
        for column, value in (
            (name, "median"),
            (f"{name}.lower", "lower_quartile"),
            (f"{name}.upper", "upper_quartile"),
        ):
            yield column, math.nan if figures[value] is None else figures[value]


def _cells(keys: Sequence[str], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a point as cells of a table: lists and tables as JSON."""
    cells = {key: values.get(key, "") for key in keys}
    return {key: json.dumps(cell) if isinstance(cell, list | dict) else cell for key, cell in cells.items()}


def _number(value: object) -> float | int:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else math.nan


def _quartiles(values: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, float | int | None]:
    names = ("median", "lower_quartile", "upper_quartile", "iqr", "min", "max")
    if not len(values):
        return {"n": 0, **dict.fromkeys(names)}
    lower, median, upper = (float(value) for value in np.quantile(values, [0.25, 0.5, 0.75]))
    found = (median, lower, upper, upper - lower, float(values.min()), float(values.max()))
    return {"n": len(values), **dict(zip(names, found, strict=True))}

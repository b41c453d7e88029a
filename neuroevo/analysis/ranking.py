"""Which points of a sweep are best, which figures tell them apart, and whether they can be compared.

A *point* is an entry of the summary of a sweep; the summary of a set of trials is one too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Point = Mapping[str, Any]

_UNEQUAL = 1.2
"""Medians of the evaluations further apart than this factor make points hard to compare."""


def finished(summary: Mapping[str, Any]) -> list[Point]:
    """The points of a sweep that have at least one finished run."""
    return [point for point in summary["points"] if point["n_finished"]]


def ranked(summary: Mapping[str, Any]) -> list[Point]:
    """The points of a sweep with finished runs, by their medians of the error that chooses, the smallest first.

    Of folds it is the mean over them, and points with fewer finished folds come last.
    """

    def rank(point: Point) -> tuple[float, float]:
        folds = point.get("folds")
        if folds is None:
            return 0.0, median(point, summary["chosen_by"])
        return -folds["n"], math.inf if folds["mean"] is None else folds["mean"]

    return sorted(finished(summary), key=rank)


def median(point: Point, name: str) -> float:
    """The median of a figure; infinite where no run has it, so that it ranks last."""
    value = point["figures"].get(name, {}).get("median")
    return math.inf if value is None else float(value)


def quartiles_of(point: Point, name: str) -> tuple[float, float, float] | None:
    """Lower quartile, median and upper quartile of a figure; None where no run has it."""
    figures = point["figures"].get(name)
    if not figures or not figures["n"]:
        return None
    return figures["lower_quartile"], figures["median"], figures["upper_quartile"]


def shown_figures(points: Sequence[Point], chosen_by: str = "champion.validation_error") -> list[str]:
    """The figures that say most: the champion's errors, and of each part that had no say what was missed and learnt."""
    names = dict.fromkeys(name for point in points for name in point["figures"])
    own = chosen_by.startswith("champion.")
    wanted = ["champion.error", "champion.validation_error"] if own else ["train.nmse", chosen_by]
    for part in dict.fromkeys(name.rpartition(".")[0] for name in names if name.endswith(".nmse")):
        if part.rpartition(".")[2] not in ("train", "validation"):
            relative = f"{part}.arv" if _any_has(points, f"{part}.arv") else f"{part}.nmse"
            wanted += [relative, f"{part}.learned"]
    return [name for name in wanted if _any_has(points, name)]


def unequal_costs(points: Iterable[Point]) -> bool:
    """Whether points spent so different numbers of evaluations that their errors are hard to compare."""
    spent = [median(point, "evaluations") for point in points]
    return bool(spent) and max(spent) > _UNEQUAL * min(spent)


def n_runs(summary: Mapping[str, Any], key: str = "n_trials") -> int:
    """Runs in a set of trials or in all points of a sweep; with the key "n_finished", those that have finished."""
    return sum(point[key] for point in summary.get("points", [summary]))


def _any_has(points: Iterable[Point], name: str) -> bool:
    return any(math.isfinite(median(point, name)) for point in points)

"""SweepSet: one folder for the points of a sweep, each a set of trials."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from neuroevo.records.errors import RecordError
from neuroevo.records.files import write_json
from neuroevo.records.sets import Marker, RunSet
from neuroevo.records.summary import write_summary, write_table
from neuroevo.records.trials import TrialSet

_VALIDATION = "champion.validation_error"


class SweepSet(RunSet):
    """The folder of a sweep. Points and trials that have ended stay; asking for more of them adds to it."""

    MARKER = Marker("sweep.json", "neuroevo-sweep", "sweep")

    @classmethod
    def open(cls, results: str | Path, name: str, *, identity: str, keys: Sequence[str], title: str = "") -> SweepSet:
        """The sweep of that name, made where there is none; one of another scenario gets a number and is left alone.

        Args:
            results: The folder of all runs.
            name: The name of the sweep's folder.
            identity: A text that is equal for sweeps that belong together: of the same keys over the same scenario.
            keys: Paths of what varies from point to point.
            title: What people call it.

        Raises:
            RecordUnwritable: The machine refused.
        """
        contents = {"title": title, "keys": list(keys)}
        return cls(cls.MARKER.open_folder(results, name, identity=identity, contents=contents))

    @property
    def keys(self) -> tuple[str, ...]:
        """Paths of what varies from point to point."""
        keys = self._says.get("keys")
        return tuple(map(str, keys)) if isinstance(keys, list) else ()

    def points(self) -> list[TrialSet]:
        """The sets of trials, in the order of their values."""
        found, keys = [], self.keys
        for path in self.path.iterdir():
            if path.is_symlink() or not path.is_dir():
                continue
            try:
                found.append(TrialSet.read(path))
            except RecordError:
                continue
        return sorted(found, key=lambda trials: [_rank(trials.values.get(key)) for key in keys])

    def summary(self) -> dict[str, Any]:
        """What the points came to.

        Returns:
            Plain values: `keys`; `points`: for each its `folder`, its `values` and what `summarised` gives; and
            `chosen_by`, the figure that ranks the points: the champion's validation error where there is one, otherwise
            its training error. Never the test error, which would no longer be one.
        """
        return self._summary([(trials, trials.summary()) for trials in self.points()])

    def summarise(self) -> dict[str, Any]:
        """Write the summary of each point, summary.csv and summary.json over the points, and runs.csv over all runs.

        Returns:
            The contents of summary.json.

        Raises:
            RecordUnwritable: The machine refused.
        """
        found, runs = [], []
        for trials in self.points():
            rows = trials.rows()
            found.append((trials, write_summary(trials.path, rows)))
            named = {"point": trials.path.name, **_cells(self.keys, trials.values)}
            runs += [named | row for row in rows]
        summary = self._summary(found)
        write_table(self.path / "runs.csv", runs)
        write_table(self.path / "summary.csv", [dict(_row(self.keys, point)) for point in summary["points"]])
        write_json(self.path / "summary.json", summary)
        return summary

    def _summary(self, found: Sequence[tuple[TrialSet, Mapping[str, Any]]]) -> dict[str, Any]:
        points = [{"folder": each.path.name, "values": dict(each.values), **figures} for each, figures in found]
        validated = any(point["figures"].get(_VALIDATION, {}).get("n") for point in points)
        chosen_by = _VALIDATION if validated else "champion.error"
        return {"keys": list(self.keys), "chosen_by": chosen_by, "points": points}


def set_in(path: str | Path) -> TrialSet | SweepSet | None:
    """The set of trials or the sweep in a folder; None where it is something else."""
    for kind in (SweepSet, TrialSet):
        if kind.MARKER.read(Path(path)) is not None:
            return kind(Path(path))
    return None


def _row(keys: Sequence[str], point: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from _cells(keys, point["values"]).items()
    for name in ("folder", "n_trials", "n_finished", "success"):
        yield name, "nan" if point[name] is None else point[name]
    for name, figures in point["figures"].items():
        for column, value in (
            (name, "median"),
            (f"{name}.lower", "lower_quartile"),
            (f"{name}.upper", "upper_quartile"),
        ):
            yield column, "nan" if figures[value] is None else figures[value]


def _cells(keys: Sequence[str], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a point as cells of a table: lists and tables as JSON."""
    cells = {key: values.get(key, "") for key in keys}
    return {key: json.dumps(cell) if isinstance(cell, list | dict) else cell for key, cell in cells.items()}


def short_value(value: Any) -> str:
    """A swept value as tables and plots show it."""
    if isinstance(value, dict):
        inside = ", ".join(f"{key} = {short_value(item)}" for key, item in value.items() if key != "kind")
        return f"{value['kind']} {inside}".strip() if "kind" in value else inside
    if isinstance(value, list):
        return f"[{', '.join(map(short_value, value))}]"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _rank(value: Any) -> tuple[int, float, str]:
    """Numbers by size, then everything else by its letters."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return (0, float(value), "")
    return (1, 0.0, json.dumps(value, sort_keys=True))

"""SweepSet: one folder for the points of a sweep, each a set of trials."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from neuroevo.records.errors import RecordError
from neuroevo.records.sets import Marker, RunSet
from neuroevo.records.trials import TrialSet


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


def set_in(path: str | Path) -> TrialSet | SweepSet | None:
    """The set of trials or the sweep in a folder; None where it is something else."""
    for kind in (SweepSet, TrialSet):
        if kind.MARKER.read(Path(path)) is not None:
            return kind(Path(path))
    return None


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

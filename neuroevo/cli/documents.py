"""What the commands print as JSON, for programs: the figures of their texts, unrounded."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neuroevo.records import RunRecord
    from neuroevo.scenario import Scenario


def as_json(document: object) -> str:
    """A document as text; numbers that are not finite are null, since JSON has no such numbers."""
    return json.dumps(_plain(document), indent=2, ensure_ascii=False, allow_nan=False, default=str)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):  # NumPy's arrays and numbers
        return _plain(value.tolist())
    return None if isinstance(value, float) and not math.isfinite(value) else value


def record_document(record: RunRecord) -> dict[str, Any]:
    """A run: its folder, and what run.json says."""
    return {"path": str(record.path), "altered": list(record.altered), **record.run}


def folder_document(path: Path) -> dict[str, Any]:
    """A run, a set of trials or a sweep.

    Raises:
        RecordError: The folder is none of them, or damaged.
    """
    from neuroevo.analysis import summary
    from neuroevo.records import RunRecord, saved_ensemble, set_in

    found = set_in(path)
    if found is None:
        return record_document(RunRecord.open(path))
    ensemble = saved_ensemble(path)
    more = {} if ensemble is None else {"ensemble": ensemble.contents}
    return {"path": str(path), "title": found.title, **summary(found), **more}


def front_document(path: Path) -> dict[str, Any]:
    """The front of a run: its goals, and the members as front.csv has them.

    Raises:
        BadInput: It has none.
        RecordError: The folder is no run, or damaged.
    """
    from neuroevo.records import front_in

    front = front_in(path)
    return {"path": str(path), "goals": dict(zip(front.goals, front.titles, strict=True)), "members": front.rows()}


def scenario_document(scenario: Scenario) -> dict[str, Any]:
    """What a scenario would do: its resolved tables, problem, network, and warnings."""
    described = scenario.problem.describe()
    return {
        "path": str(scenario.source),
        "scenario": scenario.table,
        "problem": dataclasses.asdict(described) if dataclasses.is_dataclass(described) else str(described),  # type: ignore[arg-type]
        "n_genes": scenario.network.n_genes,
        "warnings": scenario.warnings(),
    }


def catalogue_document(folder: Path) -> dict[str, Any]:
    """The names that a scenario can use, with a line on each, and the scenarios in a folder."""
    from neuroevo.cli.texts import catalogue

    return {title: dict(rows) for title, rows in catalogue(folder).items()}

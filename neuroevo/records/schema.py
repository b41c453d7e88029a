"""What run.json must hold. Checked once, when a record is opened, so that nobody who shows it has to doubt it again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from neuroevo.records.errors import RecordError
from neuroevo.stopping import StopReason

#: The format that this package writes, and the versions of it that it reads. docs/file-formats.md lists what changed.
FORMAT = "neuroevo-run"
FORMAT_VERSION = 3
READABLE_VERSIONS = (1, 2, 3)

STATUSES = ("running", "finished", "interrupted", "failed")

_TEXT, _COUNT, _NUMBER, _TABLE, _LIST = "a text", "a whole number from 0 on", "a number", "an object", "a list"
_NEEDED = {"name": _TEXT, "status": _TEXT, "created": _TEXT, "network": _TABLE, "data": _TABLE}
_KNOWN = {
    "title": _TEXT,
    "seed": _COUNT,
    "fold": _COUNT,
    "scenario_file": _TEXT,
    "updated": _TEXT,
    "resumed": _LIST,
    "versions": _TABLE,
    "machine": _TABLE,
    "champion": _TABLE,
    "digests": _TABLE,
    "results": _TABLE,
    "remarks": _LIST,
}
_COSTS = {"generations": _COUNT, "evaluations": _COUNT, "seconds": _NUMBER}


def check_run(path: Path, run: Mapping[str, Any]) -> None:
    """Check the contents of a run.json; keys that nobody knows are left alone.

    Raises:
        RecordError: It is of another format or version, or a key is missing or of the wrong type.
    """
    _check_version(path, run)
    where = str(path)
    check_keys(where, run, _NEEDED, needed=True)
    check_keys(where, run, _KNOWN)
    # A run that has ended says what it cost.
    check_keys(where, run, _COSTS, needed=run.get("stop_reason") is not None)
    if run["status"] not in STATUSES:
        raise RecordError(f"{where}: status should be one of {', '.join(STATUSES)}; got {shown(run['status'])}")
    stop_reason_of(path, run)
    check_figures(f"{where}: champion", run.get("champion", {}))
    if run.get("final_fit") is not None:
        check_keys(where, run, {"final_fit": _TABLE})
    if "results" in run:
        check_results(f"{where}: results", run["results"])


def stop_reason_of(path: Path, run: Mapping[str, Any]) -> StopReason | None:
    """The stop reason in a run.json, None where there is none.

    Raises:
        RecordError: It is something else.
    """
    values = run.get("stop_reason")
    if values is None:
        return None
    try:
        return StopReason.from_dict(values)
    except (TypeError, AttributeError, RecursionError) as error:
        raise RecordError(f"{path}: stop_reason: {line(error)}") from error


def line(error: object) -> str:
    """A message on one line of bearable length."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 300 else f"{text[:299]}…"


def shown(value: object) -> str:
    """A value as a message shows it, on one line and shortened."""
    text = line(repr(value))
    return text if len(text) <= 60 else f"{text[:59]}…"


def _check_version(path: Path, run: Mapping[str, Any]) -> None:
    if run.get("format") != FORMAT:
        raise RecordError(f"{path} is not of the format {FORMAT!r}")
    version = run.get("format_version")
    if isinstance(version, int) and not isinstance(version, bool) and version in READABLE_VERSIONS:
        return
    known = ", ".join(map(str, READABLE_VERSIONS))
    raise RecordError(
        f"{path} has format version {shown(version)}; this version of neuroevo reads {known}. "
        f"Read it with the neuroevo that wrote it ({line(repr(run.get('versions')))})"
    )


def check_keys(where: str, values: Mapping[str, Any], kinds: Mapping[str, str], *, needed: bool = False) -> None:
    """Check that the values of these keys are of their kinds, as in "a text".

    Raises:
        RecordError: One is not, or a needed one is missing.
    """
    for key, kind in kinds.items():
        if key not in values and not needed:
            continue
        value = values.get(key)
        if not _is(value, kind):
            raise RecordError(f"{where}: {key} should be {kind}, got {shown(value)}")


def _is(value: object, kind: str) -> bool:
    if isinstance(value, bool):
        return False
    if kind == _COUNT:
        return isinstance(value, int) and value >= 0
    types: dict[str, Any] = {_TEXT: str, _NUMBER: int | float, _TABLE: dict, _LIST: list}
    return isinstance(value, types[kind])


def check_figures(where: str, figures: Mapping[str, Any]) -> None:
    """Check that all values are numbers or null.

    Raises:
        RecordError: One is not.
    """
    for name, value in figures.items():
        if value is not None and not _is(value, _NUMBER):
            raise RecordError(f"{where}: {shown(name)} should be a number or null, got {shown(value)}")


def check_results(where: str, results: Mapping[str, Any]) -> None:
    """Check the table of a finished run, as `Results.to_dict` gives it.

    Raises:
        RecordError: It is something else.
    """
    check_keys(where, results, {"measures": _TABLE, "contestants": _TABLE}, needed=True)
    check_keys(where, results, {"verdict": _TEXT})
    for name, title in results["measures"].items():
        if not isinstance(title, str):
            raise RecordError(f"{where}.measures: {shown(name)} should be a text, got {shown(title)}")
    contestants = results["contestants"]
    if not contestants:
        raise RecordError(f"{where}.contestants is empty")
    check_keys(f"{where}.contestants", contestants, dict.fromkeys(contestants, _TABLE))
    first = next(iter(contestants.values())).keys()
    for name, parts in contestants.items():
        here = f"{where}.contestants.{shown(name)}"
        if parts.keys() != first:
            raise RecordError(f"{here} has other parts than the first: {shown(list(parts))}")
        check_keys(here, parts, dict.fromkeys(parts, _TABLE))
        for part, figures in parts.items():
            check_figures(f"{here}.{shown(part)}", figures)

"""Which keys the tables with a `kind` understand, and overrides that choose another kind."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator, Mapping
from typing import Any

from neuroevo.networks import NETWORKS
from neuroevo.problems import PROBLEMS
from neuroevo.registry import Registry
from neuroevo.scenario.islands import BESIDE_SETTINGS
from neuroevo.scenario.reader import with_overrides
from neuroevo.spaces import SPACES
from neuroevo.strategies import STRATEGIES

REGISTRIES: Mapping[str, Registry[Any]] = {
    "problem": PROBLEMS,
    "network": NETWORKS,
    "space": SPACES,
    "strategy": STRATEGIES,
}
"""The tables whose key `kind` names a member, and where it is found."""

_SIZES = ("n_inputs", "n_outputs")
_log = logging.getLogger("neuroevo")


def settings_class(table: str, kind: str) -> type[Any] | None:
    """The dataclass of a kind's keys; None where a network of one's own is no dataclass.

    Raises:
        UnknownName: There is no such kind.
    """
    member = REGISTRIES[table][kind]
    cls: type[Any] = member.Settings if table == "strategy" else member
    return cls if dataclasses.is_dataclass(cls) else None


def keys_of(table: str, kind: str) -> tuple[str, ...] | None:
    """The keys beside `kind` that a table of that kind understands; None where that is not known beforehand.

    Raises:
        UnknownName: There is no such kind.
    """
    cls = settings_class(table, kind)
    if cls is None:
        return None
    own = [field.name for field in dataclasses.fields(cls) if field.init]
    if table == "network":
        own = [name for name in own if name not in _SIZES]
    return (*own, *(BESIDE_SETTINGS if table == "strategy" else ()))


def overridden(table: Mapping[str, Any], overrides: Mapping[str, Any], *, quiet: bool = False) -> dict[str, Any]:
    """A copy with values replaced as `with_overrides` does; another kind takes away what only the old one knows.

    Args:
        table: A scenario's tables.
        overrides: Values at dotted key paths.
        quiet: Whether nothing is said of what was taken away.

    Raises:
        ScenarioError: A path leads through something that is no table.
    """
    result = with_overrides(table, overrides)
    for place, name in _places(result):
        registry, kind, old = REGISTRIES[name], overrides.get(f"{place}.kind"), _table_at(table, place)
        if old is None or old.get("kind") == kind or not isinstance(kind, str) or kind not in registry:
            continue
        known = keys_of(name, kind)
        given = {path.removeprefix(f"{place}.").split(".")[0] for path in overrides if path.startswith(f"{place}.")}
        strange = [key for key in old if known is not None and key not in (*known, "kind", *given)]
        for key in strange:
            del _table_at(result, place)[key]  # type: ignore[union-attr]
        if strange and not quiet:
            _log.warning(
                "%s = %s: left out what only %s has: %s", f"{place}.kind", kind, old.get("kind"), ", ".join(strange)
            )
    return result


def _places(table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Where tables with a `kind` stand, as key paths, each with the name of its registry."""
    yield from ((name, name) for name in REGISTRIES)
    kind = (_table_at(table, "strategy") or {}).get("kind")
    if isinstance(kind, str) and kind in STRATEGIES:
        yield from ((f"strategy.{inner}", "strategy") for inner in STRATEGIES[kind].Settings.INNER)


def _table_at(table: Mapping[str, Any], path: str) -> dict[str, Any] | None:
    """The table at a key path, None where there is none."""
    for key in path.split("."):
        found = table.get(key)
        if not isinstance(found, dict):
            return None
        table = found
    return table  # type: ignore[return-value]

"""Which keys the tables with a `kind` understand, and overrides that choose another kind."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping
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
    for name, registry in REGISTRIES.items():
        kind, old = overrides.get(f"{name}.kind"), table.get(name)
        if not isinstance(old, Mapping) or old.get("kind") == kind or not isinstance(kind, str) or kind not in registry:
            continue
        known = keys_of(name, kind)
        given = {path.split(".")[1] for path in overrides if path.startswith(f"{name}.")}
        strange = [key for key in old if known is not None and key not in (*known, "kind", *given)]
        for key in strange:
            del result[name][key]
        if strange and not quiet:
            _log.warning(
                "%s = %s: left out what only %s has: %s", f"{name}.kind", kind, old.get("kind"), ", ".join(strange)
            )
    return result

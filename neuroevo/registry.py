"""A registry maps the names used in scenarios to the things that carry them out.

Built-in members are written as ``"module:attribute"``, the notation of entry points, and imported only when asked for:
listing names costs nothing, and no member pays for another one's imports. Members from other packages come in through
the entry-point group of the registry; members of one's own from Python through :meth:`Registry.register`.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Generic, TypeVar

from neuroevo.errors import BadInput

T = TypeVar("T")


class UnknownName(BadInput):
    """A name that no member of a registry has; the message gives the nearest name and all known ones."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like `name`, or None where nothing comes near."""
    matches = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return matches[0] if matches else None


class Registry(Generic[T]):
    """Names to members of one kind.

    Args:
        noun: What a member is, for messages ("strategy").
        group: The entry-point group that other packages use ("neuroevo.strategies").
        builtin: Names of the package's own members to ``"module:attribute"``.
        check: Raises `BadInput` where a member from elsewhere does not fit its name.
    """

    def __init__(
        self, noun: str, group: str, builtin: Mapping[str, str], check: Callable[[str, T], None] | None = None
    ) -> None:
        self.noun = noun
        self.group = group
        self._check = check or (lambda _name, _member: None)
        self._targets: dict[str, str] = dict(builtin)
        self._members: dict[str, T] = {}
        self._registered: dict[str, T] = {}
        self._foreign: dict[str, EntryPoint] | None = None

    def register(self, name: str, member: T) -> None:
        """Add a member of one's own.

        Raises:
            BadInput: The name is taken, or the member does not fit it.
        """
        if name in self.names():
            raise BadInput(f"the {self.noun} name {name!r} is taken; choose another one")
        self._check(name, member)
        self._members[name] = self._registered[name] = member

    @property
    def registered(self) -> Mapping[str, T]:
        """The members of one's own: another process knows the package's and those of entry points, but not these."""
        return MappingProxyType(self._registered)

    def names(self) -> tuple[str, ...]:
        """All names: the package's own in their order, then those of others by name."""
        own = list(self._targets)
        rest = sorted({*self._members, *self._entry_points()} - set(own))
        return (*own, *rest)

    def __contains__(self, name: object) -> bool:
        return name in self.names()

    def __getitem__(self, name: str) -> T:
        """The member of that name.

        Raises:
            UnknownName: No member has it.
            BadInput: The member from another package does not fit it.
        """
        if name not in self._members:
            if name in self._targets:
                module, _, attribute = self._targets[name].partition(":")
                self._members[name] = getattr(importlib.import_module(module), attribute)
            elif name in self._entry_points():
                member = self._entry_points()[name].load()
                self._check(name, member)
                self._members[name] = member
            else:
                raise UnknownName(self._unknown(name))
        return self._members[name]

    def summary(self, name: str) -> str:
        """The first line of the member's docstring."""
        doc = inspect.getdoc(self[name]) or ""
        return doc.partition("\n")[0].rstrip(".")

    def _entry_points(self) -> dict[str, EntryPoint]:
        if self._foreign is None:
            found = entry_points(group=self.group)
            self._foreign = {point.name: point for point in found if point.name not in self._targets}
        return self._foreign

    def _unknown(self, name: str) -> str:
        near = nearest(name, self.names())
        guess = f"; did you mean {near!r}?" if near else ""
        return f"there is no {self.noun} {name!r}{guess} Known: {', '.join(self.names())}"

"""The contract of stopping criteria, and how two of them become one."""

from __future__ import annotations

import dataclasses
import functools
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, get_type_hints

import annotated_types

from neuroevo.checks import any_number, whole_number
from neuroevo.errors import BadInput, WrongType
from neuroevo.stopping.progress import Progress


@dataclass(frozen=True)
class StopReason:
    """Why a run ended.

    Attributes:
        criterion: The key of the criterion that held, as in ``[stop]``; "all" where several had to hold together.
        value: The figure that met it (a number of generations, an error, ...).
        message: A sentence for people.
        details: The reasons that this one is made of, where it is made of several.
    """

    criterion: str
    value: float
    message: str
    details: tuple[StopReason, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; a value that is not finite becomes None, since JSON has no such numbers."""
        return {
            "criterion": self.criterion,
            "value": self.value if math.isfinite(self.value) else None,
            "message": self.message,
            "details": [detail.to_dict() for detail in self.details],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> StopReason:
        """The inverse of :meth:`to_dict`; None is read as NaN.

        Raises:
            TypeError: A key is missing or of the wrong type.
        """
        criterion, value, message = values.get("criterion"), values.get("value"), values.get("message")
        details = values.get("details", [])
        if not isinstance(criterion, str) or not isinstance(message, str) or not isinstance(details, list):
            raise WrongType("a stop reason needs the texts criterion and message, and a list of details")
        if value is None:
            value = math.nan
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise WrongType("the value of a stop reason must be a number or null")
        if not all(isinstance(detail, Mapping) for detail in details):
            raise WrongType("the details of a stop reason must be stop reasons")
        return cls(criterion, value, message, tuple(cls.from_dict(detail) for detail in details))


class StoppingCriterion(ABC):
    """Says after each generation whether the run has ended, and why; ``a | b`` and ``a & b`` make one of two.

    A subclass is a frozen dataclass whose fields carry their ranges (``Annotated[int, Ge(1)]``); they are checked here.
    It keeps no state of its own: what it needs of the past is in ``progress.history``, so that a resumed run stops
    where the uninterrupted one does.
    """

    #: The key in ``[stop]``.
    name: ClassVar[str] = "custom"
    #: Columns of the history without which the criterion can never hold.
    columns: ClassVar[tuple[str, ...]] = ()
    #: Whether it holds sooner or later whatever the search does.
    certain: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Check the fields against the ranges that they declare."""
        for name, kind, constraints in _number_fields(type(self)):
            _check_number(f"{type(self).__name__}.{name}", getattr(self, name), kind, constraints)

    @abstractmethod
    def check(self, progress: Progress) -> StopReason | None:
        """The reason to stop after this generation, or None to go on."""

    def standing(self, progress: Progress) -> str:  # noqa: ARG002 - a criterion of one's own need not say it
        """How near it is, in a few words ("generations 31/60"); empty where that cannot be said."""
        return ""

    def leaves(self) -> tuple[StoppingCriterion, ...]:
        """The single criteria that this one is made of."""
        return (self,)

    def surely_ends(self) -> bool:
        """Whether the run ends even if the search makes no progress at all."""
        return self.certain

    def __or__(self, other: StoppingCriterion) -> StoppingCriterion:
        return AnyOf((self, other)) if isinstance(other, StoppingCriterion) else NotImplemented

    def __and__(self, other: StoppingCriterion) -> StoppingCriterion:
        return AllOf((self, other)) if isinstance(other, StoppingCriterion) else NotImplemented


class _Composite(StoppingCriterion):
    """Several criteria as one; those of its own kind are taken apart, so that ``a | b | c`` is flat."""

    criteria: tuple[StoppingCriterion, ...]

    def __init__(self, criteria: Iterable[StoppingCriterion]) -> None:
        parts: list[StoppingCriterion] = []
        for criterion in criteria:
            parts.extend(criterion.criteria if isinstance(criterion, type(self)) else (criterion,))
        if not parts:
            raise BadInput(f"{type(self).__name__} needs at least one criterion")
        self.criteria = tuple(parts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Composite) and type(other) is type(self) and self.criteria == other.criteria

    def __hash__(self) -> int:
        return hash((type(self), self.criteria))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.criteria))})"

    def leaves(self) -> tuple[StoppingCriterion, ...]:
        return tuple(leaf for criterion in self.criteria for leaf in criterion.leaves())


class AnyOf(_Composite):
    """Holds when one of its criteria holds; the reason is that of the first one, `details` has all that hold."""

    def check(self, progress: Progress) -> StopReason | None:
        reasons = [reason for criterion in self.criteria if (reason := criterion.check(progress)) is not None]
        if len(reasons) < 2:
            return reasons[0] if reasons else None
        return dataclasses.replace(reasons[0], details=tuple(reasons))

    def surely_ends(self) -> bool:
        return any(criterion.surely_ends() for criterion in self.criteria)


class AllOf(_Composite):
    """Holds when all of its criteria hold in one generation; the reason's value is their number."""

    def check(self, progress: Progress) -> StopReason | None:
        reasons = [criterion.check(progress) for criterion in self.criteria]
        held = tuple(reason for reason in reasons if reason is not None)
        if len(held) < len(reasons):
            return None
        return StopReason("all", float(len(held)), " and ".join(reason.message for reason in held), held)

    def surely_ends(self) -> bool:
        return all(criterion.surely_ends() for criterion in self.criteria)


@functools.cache
def _number_fields(cls: type[Any]) -> tuple[tuple[str, type, tuple[Any, ...]], ...]:
    """Name, type and constraints of each field that is a number."""
    if not dataclasses.is_dataclass(cls):
        return ()
    hints = get_type_hints(cls, include_extras=True)
    rules = []
    for field in dataclasses.fields(cls):
        hint = hints[field.name]
        constraints: list[Any] = []
        for item in getattr(hint, "__metadata__", ()):
            constraints.extend(item if isinstance(item, annotated_types.GroupedMetadata) else (item,))
        kind = getattr(hint, "__origin__", hint)
        if kind in (int, float):
            rules.append((field.name, kind, tuple(constraints)))
    return tuple(rules)


def _check_number(where: str, value: object, kind: type, constraints: Iterable[Any]) -> None:
    found = whole_number(where, value, -math.inf) if kind is int else any_number(where, value)
    for constraint in constraints:
        for attribute, holds, words in _BOUNDS:
            bound = getattr(constraint, attribute, None)
            if bound is not None and not holds(found, bound):
                raise BadInput(f"{where} must be {words} {bound}, got {value!r}")


_BOUNDS: tuple[tuple[str, Any, str], ...] = (
    ("ge", lambda value, bound: value >= bound, "at least"),
    ("gt", lambda value, bound: value > bound, "greater than"),
    ("le", lambda value, bound: value <= bound, "at most"),
    ("lt", lambda value, bound: value < bound, "less than"),
)

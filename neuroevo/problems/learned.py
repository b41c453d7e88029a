"""When a step counts as learnt: the two rules a `SequenceProblem` can have."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from neuroevo.checks import number
from neuroevo.errors import BadInput


class Learned(ABC):
    """A rule that says which steps are right, and all that others must know about it to treat its problem rightly.

    Attributes:
        name: The rule's name in stored data.
        by_class: Whether a step is judged by its largest output. Its targets are then one-hot, and are never scaled.
        measures: The measures that tell most about a network, fields of `PartMetrics`.
    """

    name: ClassVar[str]
    by_class: ClassVar[bool]
    measures: ClassVar[tuple[str, ...]]

    @property
    @abstractmethod
    def tolerance(self) -> float:
        """The largest ``|output - target|`` that is right, in scaled units; 0 for a rule that has none."""

    @abstractmethod
    def words(self, scaled: bool) -> str:
        """The rule for people; `scaled` says whether targets are in units of their own."""

    @abstractmethod
    def right(
        self, outputs: NDArray[np.float64], targets: NDArray[np.float64], counted: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """``(...)`` bool: steps with a counted target that are right.

        All three arrays are ``(..., n_outputs)``.
        """


@dataclass(frozen=True)
class Within(Learned):
    """A step is learnt where every counted output lies within `tolerance` of its target, in scaled units.

    Attributes:
        tolerance: The largest ``|output - target|`` that is right, itself included; above 0.
    """

    name: ClassVar[str] = "within"
    by_class: ClassVar[bool] = False
    measures: ClassVar[tuple[str, ...]] = ("nmse", "rmse", "learned")
    tolerance: float = 0.1

    def __post_init__(self) -> None:
        object.__setattr__(self, "tolerance", number("tolerance", self.tolerance, above=0))

    def words(self, scaled: bool) -> str:
        """As in `Learned`."""
        return f"within {self.tolerance:g} of the target" + (", in scaled units" if scaled else "")

    def right(
        self, outputs: NDArray[np.float64], targets: NDArray[np.float64], counted: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """As in `Learned`."""
        near = np.abs(outputs - targets) <= self.tolerance
        return np.asarray((near | ~counted).all(axis=-1) & counted.any(axis=-1))


@dataclass(frozen=True)
class RightClass(Learned):
    """A step is learnt where the largest output is the one of the right class (the first of equals, as in argmax)."""

    name: ClassVar[str] = "right_class"
    by_class: ClassVar[bool] = True
    measures: ClassVar[tuple[str, ...]] = ("learned", "rmse")

    @property
    def tolerance(self) -> float:
        """There is none."""
        return 0.0

    def words(self, scaled: bool) -> str:  # noqa: ARG002 - classes have no units
        """As in `Learned`."""
        return "the largest output is the right class"

    def right(
        self, outputs: NDArray[np.float64], targets: NDArray[np.float64], counted: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """As in `Learned`; NaN outputs never are right."""
        same = outputs.argmax(axis=-1) == targets.argmax(axis=-1)
        return np.asarray(same & counted.any(axis=-1) & ~np.isnan(outputs).any(axis=-1))


def rule_of(name: str, tolerance: float) -> Learned:
    """The rule that stored data name.

    Raises:
        ValueError: There is no such rule, or its tolerance is not above 0.
    """
    if name not in (Within.name, RightClass.name):
        raise BadInput(f"the array 'learned' must be 'within' or 'right_class', got {name!r}")
    return RightClass() if name == RightClass.name else Within(tolerance)

"""When a step counts as learnt: the two rules a `SequenceProblem` can have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neuroevo.checks import number


@dataclass(frozen=True)
class Within:
    """A step is learnt where every counted output lies within `tolerance` of its target, in scaled units.

    Attributes:
        tolerance: The largest ``|output - target|`` that is right, itself included; above 0.
    """

    tolerance: float = 0.1

    def __post_init__(self) -> None:
        object.__setattr__(self, "tolerance", number("tolerance", self.tolerance, above=0))

    def right(
        self, outputs: NDArray[np.float64], targets: NDArray[np.float64], counted: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """``(n_sequences, n_steps)`` bool: steps with a counted target that are right.

        All three arrays are ``(n_sequences, n_steps, n_outputs)``.
        """
        near = np.abs(outputs - targets) <= self.tolerance
        return np.asarray((near | ~counted).all(axis=2) & counted.any(axis=2))


@dataclass(frozen=True)
class RightClass:
    """A step is learnt where the largest output is the one of the right class (the first of equals, as in argmax)."""

    def right(
        self, outputs: NDArray[np.float64], targets: NDArray[np.float64], counted: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """``(n_sequences, n_steps)`` bool: steps with a counted target that are right; NaN outputs never are.

        All three arrays are ``(n_sequences, n_steps, n_outputs)``.
        """
        same = outputs.argmax(axis=2) == targets.argmax(axis=2)
        return np.asarray(same & counted.any(axis=2) & ~np.isnan(outputs).any(axis=2))


Learned = Within | RightClass

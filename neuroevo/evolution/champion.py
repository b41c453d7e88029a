"""Champion: what a run delivers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

VALIDATION = "validation"
"""The part that, where a problem has it, chooses the champion."""


@dataclass(frozen=True, eq=False)
class Champion:
    """What a run delivers.

    Attributes:
        genome: `(network.n_genes,)` float64, a genome of the network.
        error: On the training part.
        learned: Share of the training targets that it gets right.
        validation_error: On the validation part; NaN where there is none.
        generation: The generation that found it.
    """

    genome: NDArray[np.float64]
    error: float
    learned: float
    validation_error: float
    generation: int

    def figures(self) -> dict[str, float]:
        """All but the genome, by name."""
        return {name: value for name, value in vars(self).items() if name != "genome"}

    def state(self) -> dict[str, Any]:
        """Its entries in the state of a search, each called "champion.…"."""
        return {f"champion.{name}": value for name, value in vars(self).items()}

    @classmethod
    def of_state(cls, state: Mapping[str, Any]) -> Champion:
        """The champion that a search's state holds; the inverse of `state`."""
        return cls(
            np.array(state["champion.genome"], dtype=np.float64),
            float(state["champion.error"]),
            float(state["champion.learned"]),
            float(state["champion.validation_error"]),
            int(state["champion.generation"]),
        )

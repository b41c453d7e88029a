"""Champion: what a run delivers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.evolution.states import numbers_of

VALIDATION = "validation"
"""The part that, where a problem has it, chooses the champion."""


_NUMBERS = {"error": float, "learned": float, "validation_error": float, "generation": int}


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
    def of_state(cls, state: Mapping[str, Any]) -> Champion | None:
        """The champion that a search's state holds, None where it has none; the inverse of `state`.

        Raises:
            BadInput: An entry is missing, or of another kind or shape.
        """
        if "champion.error" not in state:
            return None
        genome = np.asarray(state.get("champion.genome"))
        if genome.ndim != 1 or genome.dtype != np.float64:
            raise BadInput("champion.genome in the state must be a vector of float64 numbers")
        return cls(np.array(genome), **numbers_of(state, _NUMBERS, "champion."))

"""What a search's state must hold: read from a checkpoint it may be anybody's, so its numbers are checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from neuroevo.errors import BadInput
from neuroevo.stopping import History

FIGURES = {
    "generation": int,
    "evaluations": int,
    "seconds": float,
    "incumbent_error": float,
    "incumbent_learned": float,
    "validation_error": float,
}
"""What a logbook counts and keeps beside the champion."""


def numbers_of(state: Mapping[str, Any], kinds: Mapping[str, type], prefix: str = "") -> dict[str, Any]:
    """Numbers of a state, by their names without the prefix.

    Raises:
        BadInput: One is missing, or of another kind.
    """
    found = {}
    for name, kind in kinds.items():
        value = np.asarray(state.get(f"{prefix}{name}"))
        if value.shape or value.dtype.kind not in ("iu" if kind is int else "iuf"):
            raise BadInput(f"{prefix}{name} in the state must be a number ({kind.__name__})")
        found[name] = kind(value)
    return found


def figures_of(state: Mapping[str, Any], history: History) -> dict[str, Any]:
    """Generation, evaluations and seconds; error and learned share of the incumbent, and its validation error.

    Raises:
        BadInput: One is missing or of another kind, or the history ends with another generation.
    """
    found = numbers_of(state, FIGURES)
    if found["generation"] != history.n_generations:
        raise BadInput(f"the state is of generation {found['generation']}, the history of {history.n_generations}")
    return found


def below(state: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """The entries whose names begin with the prefix, by the rest of their names."""
    return {name[len(prefix) :]: value for name, value in state.items() if name.startswith(prefix)}

"""The arrays of a member by the names that the readers of numpy and torch use."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.export.plan import Cell, Part

_REGRESSORS = ("columns", "lags", "low", "high", "offset", "factor", "weights")


def starts(cell: Cell) -> dict[str, NDArray[Any]]:
    """The state before the first step: a layer's vectors as the rows of one array."""
    named = {f"start_l{k}": np.stack(layer) for k, layer in enumerate(cell.start)}
    return {**named, "n_layers": np.array(cell.n_layers)}


def part_arrays(part: Part, *, prepared: bool) -> dict[str, NDArray[Any]]:
    """Scaling and, where any member has one, preparation of a member; empty where this one has none."""
    scaling = part.scaling
    names = ("input_offset", "input_factor", "target_offset", "target_factor")
    arrays: dict[str, NDArray[Any]] = {name: getattr(scaling, name) for name in names}
    if not prepared:
        return arrays
    n_inputs, n_outputs = len(scaling.input_offset), len(scaling.target_offset)
    preparation = part.preparation
    linear = None if preparation is None else preparation.linear
    is_copy, is_log = np.zeros(n_inputs, dtype=bool), preparation is not None and "log" in preparation.transform
    is_copy[[] if preparation is None else list(preparation.columns)] = True
    arrays |= {
        "log": is_copy & is_log,
        "copies": is_copy,
        "log_target": np.array(is_log),
        "differences": np.array(part.differences, dtype=int),
        "tied": np.array([0] * n_outputs if preparation is None else preparation.tied, dtype=int),
        "horizon": np.array(0 if preparation is None else preparation.horizon),
        "takes_last": np.array(part.takes_last),
        "seasons_back": np.array(part.seasons_back),
        "intercept": np.zeros(n_outputs) if linear is None else linear.intercept,
    }
    for name in _REGRESSORS:
        dtype = int if name in ("columns", "lags") else float
        empty = np.zeros((0, n_outputs) if name == "weights" else 0, dtype)
        arrays[f"linear_{name}"] = empty if linear is None else getattr(linear, name)
    return arrays

"""A problem as plain arrays, as a record stores it, and the fingerprint that tells whether two data sets are equal."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.problems.free_running.runs import FreeRun
from neuroevo.problems.learned import rule_of
from neuroevo.problems.objectives import restored, stored

Arrays = dict[str, NDArray[Any]]

_NEEDED = (
    "inputs", "targets", "lengths", "target_mask", "washout", "learned", "tolerance", "weight_decay", "part_names",
    "part_masks", "input_names", "target_names", "tied",
)  # fmt: skip
_OPTIONAL = (
    "times", "time_name", "reference_variance", "season", "gradient_boosting", "target_weights", "class_weights",
)  # fmt: skip


def pack(fields: Mapping[str, Any]) -> Arrays:
    """The arguments of a `SequenceProblem` in original units as plain arrays."""
    arrays: Arrays = {name: np.array(fields[name]) for name in ("inputs", "targets", "lengths", "target_mask")}
    arrays["washout"] = np.array(fields["washout"], dtype=np.int64)
    arrays["learned"] = np.array(fields["learned"].name)
    arrays["tolerance"] = np.array(fields["learned"].tolerance)
    arrays["weight_decay"] = np.array(fields["weight_decay"], dtype=np.float64)
    arrays["part_names"] = np.array(list(fields["parts"]))
    arrays["part_masks"] = np.stack(list(fields["parts"].values()))
    arrays["input_names"] = np.array(fields["input_names"])
    arrays["target_names"] = np.array(fields["target_names"])
    arrays["tied"] = np.array(fields["tied"], dtype=np.int64)
    arrays |= {name: np.array(value) for name, value in stored(fields["objective"]).items()}
    if fields["free_run"] is not None:
        arrays |= fields["free_run"].to_arrays()
    given = [name for name in _OPTIONAL if fields[name] is not None and fields[name] is not False]
    return arrays | {name: np.array(fields[name]) for name in given}


def unpack(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """The arguments that `pack` wrote; other keys are ignored.

    Raises:
        ValueError: An array is missing or is not what `pack` writes.
    """
    missing = [name for name in _NEEDED if name not in arrays]
    if missing:
        raise BadInput(f"the arrays of a problem lack {', '.join(missing)}")
    fields: dict[str, Any] = {name: arrays[name] for name in ("inputs", "targets", "lengths", "target_mask")}
    fields["washout"] = int(arrays["washout"])
    fields["learned"] = rule_of(str(arrays["learned"]), float(arrays["tolerance"]))
    fields["weight_decay"] = float(arrays["weight_decay"])
    names, masks = arrays["part_names"].tolist(), arrays["part_masks"]
    if len(names) != len(masks):
        raise BadInput(f"part_names and part_masks must have the same length, got {len(names)} and {len(masks)}")
    fields["parts"] = dict(zip(names, masks, strict=True))
    fields["input_names"] = tuple(arrays["input_names"].tolist())
    fields["target_names"] = tuple(arrays["target_names"].tolist())
    fields["tied"] = tuple(arrays["tied"].tolist())
    fields |= {name: arrays.get(name) for name in ("times", "target_weights", "class_weights")}
    if "objective" in arrays:
        parameter = arrays.get("objective_parameter")
        fields["objective"] = restored(
            str(arrays["objective"]),
            None if parameter is None else float(parameter),
            bool(arrays.get("per_step", False)),
        )
    if "reference_variance" in arrays:
        fields["reference_variance"] = float(arrays["reference_variance"])
    if "time_name" in arrays:
        fields["time_name"] = str(arrays["time_name"])
    if "season" in arrays:
        fields["season"] = int(arrays["season"])
    fields["gradient_boosting"] = bool(arrays.get("gradient_boosting", False))
    fields["free_run"] = FreeRun.from_arrays(arrays)
    return fields


def fingerprint(arrays: Mapping[str, NDArray[Any]]) -> str:
    """SHA-256, in hexadecimal, over names, types, shapes and contents; the order of the names does not matter.

    Equal on every platform: bytes are taken in little-endian C order.
    """
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.asarray(arrays[name])
        little = array.astype(array.dtype.newbyteorder("<"), order="C", copy=False)
        digest.update(f"{name}\0{little.dtype.str}\0{array.shape}\0".encode())
        digest.update(little.tobytes())
    return digest.hexdigest()

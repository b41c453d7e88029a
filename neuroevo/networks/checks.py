"""Checks at the border of the networks: what a caller may pass, said once and in one voice."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroevo.errors import BadInput, WrongType
from neuroevo.registry import nearest

GENE = "gene"
"""What stands for a gene in the plain form of `fixed`, as scenarios and records write it."""


def known_name(name: str, value: object, known: Iterable[str]) -> str:
    """`value` if it is one of the known names.

    Raises:
        ValueError: It is not; the message gives the nearest one.
    """
    known = tuple(known)
    if not isinstance(value, str) or value not in known:
        near = nearest(value, known) if isinstance(value, str) else None
        guess = f"; did you mean {near!r}?" if near else ""
        raise BadInput(f"{name} must be one of {', '.join(known)}, got {value!r}{guess}")
    return value


def fixed_arrays(
    fixed: object, names: Sequence[str], shapes: Sequence[tuple[int, ...]]
) -> dict[str, NDArray[np.float64]]:
    """`fixed` as read-only float64 arrays with NaN where there is a gene.

    Args:
        fixed: Array names to arrays of that shape, to nested lists with ``"gene"`` or NaN where there is a gene, or to
            one number for the whole array.
        names: Of the network's arrays.
        shapes: Of the network's arrays.

    Raises:
        TypeError: It is no mapping.
        ValueError: An array is unknown, of another shape, or holds an infinite value.
    """
    if not isinstance(fixed, Mapping):
        raise WrongType(f"fixed must map array names to arrays, got {type(fixed).__name__}")
    known = dict(zip(names, shapes, strict=True))
    arrays = {}
    for name, value in fixed.items():
        known_name("a key of fixed", name, names)
        array = _fixed_array(name, value)
        if array.ndim == 0:
            array = np.full(known[name], float(array))
        if array.shape != known[name]:
            raise BadInput(f"fixed[{name!r}] must have shape {known[name]}, got {array.shape}")
        if np.isinf(array).any():
            raise BadInput(f"fixed[{name!r}] must hold finite numbers, or NaN where there is a gene; got an infinity")
        array.flags.writeable = False
        arrays[name] = array
    return arrays


def plain_fixed(fixed: Mapping[str, NDArray[np.float64]]) -> dict[str, object]:
    """`fixed` as TOML and JSON can hold it: nested lists with ``"gene"`` where there is a gene."""
    return {name: _nested(array.tolist()) for name, array in fixed.items()}


def sequences(
    inputs: ArrayLike, lengths: ArrayLike | None, n_inputs: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Inputs and lengths as `Network.predict` needs them.

    Raises:
        ValueError: Shapes, lengths, or values within the lengths are not as they should be.
    """
    array = np.array(inputs, dtype=np.float64, order="C")
    if array.ndim != 3 or array.shape[2] != n_inputs:
        remedy = "; a single sequence needs a leading axis: inputs[None]" if array.ndim == 2 else ""
        raise BadInput(f"inputs must have shape (n_sequences, n_steps, {n_inputs}), got {array.shape}{remedy}")
    n_sequences, n_steps, _ = array.shape
    lengths = np.full(n_sequences, n_steps) if lengths is None else np.asarray(lengths)
    if lengths.shape != (n_sequences,) or not np.issubdtype(lengths.dtype, np.integer):
        raise BadInput(
            f"lengths must be {n_sequences} whole numbers, one a sequence, got {lengths.dtype} of shape {lengths.shape}"
        )
    if ((lengths < 1) | (lengths > n_steps)).any():
        raise BadInput(f"lengths must lie between 1 and {n_steps} (n_steps), got {lengths.min()} to {lengths.max()}")
    padding = np.arange(n_steps) >= lengths[:, None]
    array[padding] = 0.0
    if not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise BadInput(f"inputs must be finite, got {array[where]} at [sequence, step, input] = {list(where)}")
    return array, lengths.astype(np.int64)


def rows(inputs: ArrayLike, lengths: ArrayLike, n_inputs: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Rows and lengths as `Network.predict_rows` needs them.

    Raises:
        ValueError: Shapes, lengths or values are not as they should be.
    """
    array, counts = np.asarray(inputs, dtype=np.float64), np.asarray(lengths)
    if array.ndim != 2 or array.shape[1] != n_inputs:
        raise BadInput(f"rows must have shape (n_rows, {n_inputs}), got {array.shape}")
    whole = counts.ndim == 1 and len(counts) > 0 and np.issubdtype(counts.dtype, np.integer)
    if not whole or (counts < 1).any() or int(counts.sum()) != len(array):
        raise BadInput(f"lengths must be whole numbers above 0, one a sequence, that sum up to the {len(array)} rows")
    if not np.isfinite(array).all():
        where = np.argwhere(~np.isfinite(array))[0].tolist()
        raise BadInput(f"inputs must be finite, got {array[tuple(where)]} at [row, input] = {where}")
    return array, counts.astype(np.int64)


def _fixed_array(name: str, value: object) -> NDArray[np.float64]:
    try:
        return np.array(_numbers(value), dtype=np.float64)
    except (TypeError, ValueError):
        raise BadInput(
            f"fixed[{name!r}] must hold numbers, and NaN or {GENE!r} where there is a gene, in rows of equal length"
        ) from None


def _numbers(value: object) -> object:
    if isinstance(value, list | tuple):
        return [_numbers(item) for item in value]
    return np.nan if isinstance(value, str) and value == GENE else value


def _nested(value: object) -> object:
    if isinstance(value, list):
        return [_nested(item) for item in value]
    return GENE if isinstance(value, float) and math.isnan(value) else value

"""Sequences as NPZ files hold them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.problems.errors import DataError
from neuroevo.problems.tables.missing import Gaps, Missing
from neuroevo.registry import nearest


@dataclass(frozen=True)
class Recorded:
    """Sequences as read, without padding.

    Attributes:
        inputs: For each sequence ``(n_steps, n_inputs)`` float64.
        targets: For each sequence ``(n_steps, n_outputs)`` float64, or ``(1, n_outputs)`` where one row holds for all
            steps; empty where there are labels.
        labels: ``(n_sequences,)`` whole numbers or text, or None.
        parts: ``(n_sequences,)`` text, or None where the file does not say.
        class_names: One name a class, or None.
        n_missing: Values of inputs that were missing, and for which others stand in.
    """

    inputs: list[NDArray[np.float64]]
    targets: list[NDArray[np.float64]]
    labels: NDArray[Any] | None
    parts: NDArray[np.str_] | None
    class_names: Sequence[str] | None = None
    n_missing: int = 0


def from_arrays(
    path: Path,
    arrays: Mapping[str, NDArray[Any]],
    names: Mapping[str, str],
    suffixes: Sequence[str] = (),
    class_names: str | None = None,
    missing: Missing = "refuse",
) -> Recorded:
    """Sequences of an NPZ file.

    Args:
        path: For messages.
        arrays: Of the file.
        names: "inputs", and "labels" or "targets", and "lengths" where there are any, to names of arrays.
        suffixes: Parts with arrays of their own: the name, an underscore, the part.
        class_names: Name of the array of class names.
        missing: What stands in for inputs that are NaN; such targets then do not count.

    Raises:
        DataError: An array is missing, or its type or shape does not fit.
    """
    inputs: list[NDArray[np.float64]] = []
    targets: list[NDArray[np.float64]] = []
    labels, parts, n_missing = [], [], 0
    for part in suffixes or ("",):
        places = {key: f"{name}_{part}" if part else name for key, name in names.items()}
        own = {key: _array(path, arrays, name) for key, name in places.items()}
        steps = _sequences(path, places["inputs"], own["inputs"])
        lengths = _lengths(path, places, own, steps)
        given = [sequence[:length] for sequence, length in zip(steps, lengths, strict=True)]
        _refuse_unusable(path, places["inputs"], given, missing)
        n_missing += sum(int(np.isnan(sequence).sum()) for sequence in given)
        inputs += given if missing == "refuse" else [_filled(sequence, missing) for sequence in given]
        parts += [part] * len(steps)
        if "labels" in own:
            labels.append(_labels(path, places["labels"], own["labels"], len(steps)))
        elif "targets" in own:
            targets += _targets(path, places["targets"], own["targets"], lengths, steps.shape[1], missing)
    widths = {sequence.shape[1] for sequence in inputs}
    if len(widths) > 1 or len({target.shape[1] for target in targets}) > 1:
        raise DataError(f"{path}: the parts {', '.join(suffixes)} have different numbers of inputs or targets")
    return Recorded(
        inputs=inputs,
        targets=targets,
        labels=np.concatenate(labels) if labels else None,
        parts=np.array(parts) if suffixes else None,
        n_missing=n_missing,
        class_names=None if class_names is None else _array(path, arrays, class_names).astype(str).ravel().tolist(),
    )


def _array(path: Path, arrays: Mapping[str, NDArray[Any]], name: str) -> NDArray[Any]:
    if name not in arrays:
        near = nearest(name, arrays)
        hint = f"did you mean {near!r}?" if near else f"it holds {', '.join(map(repr, arrays))}"
        raise DataError(f"{path} has no array {name!r}; {hint}")
    return arrays[name]


def _sequences(path: Path, name: str, array: NDArray[Any]) -> NDArray[np.float64]:
    """``(n, n_steps, n_inputs)`` float64."""
    if array.dtype.kind not in "fiub" or array.ndim not in (2, 3) or 0 in array.shape:
        raise DataError(
            f"{path}, array {name!r}: must hold numbers in the shape (n_sequences, n_steps, n_inputs), got "
            f"{array.dtype} of {array.shape}"
        )
    return np.asarray(array if array.ndim == 3 else array[:, :, None], dtype=np.float64)


def _lengths(
    path: Path, places: Mapping[str, str], own: Mapping[str, NDArray[Any]], steps: NDArray[np.float64]
) -> NDArray[np.int64]:
    """``(n,)`` int64: as given, or up to the last step that is not NaN altogether; nothing before it may be missing."""
    n_sequences, n_steps = steps.shape[:2]
    if "lengths" in own:
        lengths = own["lengths"]
        if lengths.dtype.kind not in "iu" or lengths.shape != (n_sequences,):
            raise DataError(
                f"{path}, array {places['lengths']!r}: must be {n_sequences} whole numbers, one a sequence, got "
                f"{lengths.dtype} of {lengths.shape}"
            )
        wrong = np.flatnonzero((lengths < 1) | (lengths > n_steps))
        if wrong.size:
            raise DataError(
                f"{path}, array {places['lengths']!r}: sequence {wrong[0] + 1} has the length {lengths[wrong[0]]}; it "
                f"must lie in 1 ... {n_steps}, the steps of {places['inputs']!r}"
            )
    else:
        absent = np.asarray(np.isnan(steps).all(axis=2))
        lengths = n_steps - np.argmin(absent[:, ::-1], axis=1)
    return np.asarray(lengths, dtype=np.int64)


def _refuse_unusable(path: Path, name: str, sequences: Sequence[NDArray[np.float64]], missing: Missing) -> None:
    """Refuse infinite values, missing ones where nothing stands in, and columns of which a sequence has none at all."""
    for i, steps in enumerate(sequences):
        bad = np.argwhere(~np.isfinite(steps) if missing == "refuse" else np.isinf(steps))
        if bad.size:
            step, column = (int(k) for k in bad[0])
            raise DataError(
                f"{path}, array {name!r}, sequence {i + 1}, step {step + 1}, column {column + 1}: the value is "
                f'{steps[step, column]}; fill missing values in, set missing = "forward", or leave the sequence out'
            )
        empty = np.flatnonzero(np.isnan(steps).all(axis=0))
        if empty.size:
            raise DataError(
                f"{path}, array {name!r}, sequence {i + 1}: no value of column {empty[0] + 1} is known, so nothing can "
                "stand in; leave the sequence or the column out"
            )


def _filled(steps: NDArray[np.float64], missing: Missing) -> NDArray[np.float64]:
    alike = np.zeros(len(steps), dtype=np.int64)
    gaps = Gaps(missing, alike, alike)
    return np.column_stack([gaps.filled(column, ~np.isnan(column))[0] for column in steps.T])


def _labels(path: Path, name: str, array: NDArray[Any], n_sequences: int) -> NDArray[Any]:
    if array.dtype.kind not in "iubU" or array.shape != (n_sequences,):
        raise DataError(
            f"{path}, array {name!r}: must be {n_sequences} whole numbers or texts, one a sequence, got {array.dtype} "
            f"of {array.shape}; numbers to be given back are named by the setting `targets`"
        )
    return array


def _targets(
    path: Path, name: str, array: NDArray[Any], lengths: NDArray[np.int64], n_steps: int, missing: Missing
) -> list[NDArray[np.float64]]:
    """For each sequence ``(length, n_outputs)`` or ``(1, n_outputs)`` float64."""
    n_sequences = len(lengths)
    shapes = f"({n_sequences},), ({n_sequences}, n_outputs) or ({n_sequences}, {n_steps}, n_outputs)"
    fits = array.ndim in (1, 2, 3) and len(array) == n_sequences and (array.ndim < 3 or array.shape[1] == n_steps)
    if array.dtype.kind not in "fiub" or not fits:
        raise DataError(f"{path}, array {name!r}: must hold numbers in one of the shapes {shapes}, got {array.shape}")
    values = np.asarray(array, dtype=np.float64)
    each = [values[i, :length] if array.ndim == 3 else values[i].reshape(1, -1) for i, length in enumerate(lengths)]
    for i, target in enumerate(each):
        if not (np.isfinite(target).all() if missing == "refuse" else not np.isinf(target).any()):
            raise DataError(
                f"{path}, array {name!r}, sequence {i + 1}: a target is missing or infinite; fill it in, or set "
                'missing = "forward": such a target then does not count'
            )
    return each

"""The forms in which scikit-learn's users give sequences and their targets, and how each becomes rows and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_array

from neuroevo.errors import BadInput

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Inputs:
    """Sequences, one after the other.

    Attributes:
        rows: ``(n_rows, n_features)``.
        lengths: ``(n_sequences,)`` whole numbers that sum up to n_rows.
        form: How they came: one "series", a "padded" array or a list ("listed").
    """

    rows: Values
    lengths: NDArray[np.int64]
    form: Literal["series", "padded", "listed"]

    @property
    def last(self) -> NDArray[np.int64]:
        """``(n_sequences,)``: the last row of each sequence."""
        return np.asarray(self.lengths.cumsum() - 1, dtype=np.int64)

    def given_back(self, values: NDArray[Any], *, whole: bool) -> Any:
        """``(n_rows, ...)`` in the form of the inputs; of `whole` sequences the last rows, ``(n_sequences, ...)``."""
        if self.form == "series":
            return values
        if whole:
            return values[self.last]
        if self.form == "listed":
            return np.split(values, self.lengths.cumsum()[:-1])
        return values.reshape(len(self.lengths), -1, *values.shape[1:])


def is_many(X: Any) -> bool:  # noqa: N803 - scikit-learn's name
    """Whether these are many sequences: three axes, or a list (an array of objects) of arrays with two."""
    if isinstance(X, np.ndarray) and X.dtype != object:
        return X.ndim == 3
    if isinstance(X, list | tuple) or (isinstance(X, np.ndarray) and X.ndim == 1):
        return len(X) > 0 and all(getattr(each, "ndim", 0) == 2 or _is_table(each) for each in X)
    return False


def _is_table(each: Any) -> bool:
    return isinstance(each, list | tuple) and len(each) > 0 and isinstance(each[0], list | tuple | np.ndarray)


def many(X: Any) -> Inputs:  # noqa: N803
    """The rows of many sequences.

    Raises:
        ValueError: The sequences differ in their features, are empty, or hold what is no finite number.
    """
    padded = isinstance(X, np.ndarray) and X.ndim == 3
    each = [check_array(own, dtype=np.float64, input_name="X") for own in X]
    if not each:
        raise BadInput(f"X must hold at least one sequence, got the shape {np.shape(X)}")
    if len({own.shape[1] for own in each}) > 1:
        raise BadInput(f"the sequences of X have different numbers of features: {sorted({o.shape[1] for o in each})}")
    lengths = np.array([len(own) for own in each], dtype=np.int64)
    return Inputs(np.concatenate(each), lengths, "padded" if padded else "listed")


@dataclass(frozen=True, eq=False)
class Targets:
    """What is to be learnt of sequences.

    Attributes:
        values: ``(n_rows, ...)``, or ``(n_sequences, ...)`` where they are of whole sequences.
        whole: Whether each sequence has one target, at its last row.
    """

    values: NDArray[Any]
    whole: bool


def targets_of(inputs: Inputs, y: Any) -> Targets:
    """The targets of many sequences: of rows where each sequence has as many as rows, else one for each sequence.

    Raises:
        ValueError: Their number is another one.
    """
    if y is None:
        raise BadInput("the estimator requires y to be passed, but the target y is None")
    n_sequences = len(inputs.lengths)
    if not isinstance(y, Sequence | np.ndarray):
        y = np.asarray(y)
    if np.ndim(y) == 0 if isinstance(y, np.ndarray) else isinstance(y, str):
        raise BadInput(f"y must hold a target for each of the {n_sequences} sequences, got {y!r}")
    if len(y) != n_sequences:
        raise BadInput(f"X has {n_sequences} sequences, y has targets of {len(y)}")
    each = [np.asarray(own) for own in y]
    if all(own.ndim > 0 for own in each) and [len(own) for own in each] == inputs.lengths.tolist():
        return Targets(np.concatenate(each), whole=False)
    if len({own.shape for own in each}) > 1 or each[0].ndim > 1:
        shapes = ", ".join(str(own.shape) for own in each[:3])
        raise BadInput(
            f"y must have one target for each row of a sequence, or one for each sequence; the first sequences have "
            f"{', '.join(map(str, inputs.lengths[:3].tolist()))} rows, their targets the shapes {shapes}"
        )
    return Targets(np.asarray(y) if isinstance(y, np.ndarray) else np.array(each), whole=True)


def flat(y: Any) -> NDArray[Any]:
    """Targets or predictions of any form as ``(n,)`` or ``(n, n_outputs)``, for scores."""
    if isinstance(y, list | tuple) and any(np.ndim(own) > 0 for own in y):
        return np.concatenate([np.asarray(own) for own in y])
    values = np.asarray(y)
    return values.reshape(-1, values.shape[-1]) if values.ndim == 3 else values

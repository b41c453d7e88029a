"""Weights of targets and classes in the error of a `SequenceProblem`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroevo.errors import BadInput, WrongType

if TYPE_CHECKING:
    from neuroevo.problems.given import Given

Floats = NDArray[np.float64]


def checked_target_weights(weights: ArrayLike | None, given: Given) -> Floats | None:
    """``(n_rows, n)`` or ``(n,)``, an own read-only copy, which broadcasts to targets of rows.

    Raises:
        WrongType: They are not real numbers.
        BadInput: They do not broadcast, or one is not finite and above 0.
    """
    return None if weights is None else _positive("target_weights", given.weights(weights))


def checked_class_weights(
    weights: ArrayLike | str | None, targets: Floats, counted: NDArray[np.bool_], by_class: bool
) -> Floats | None:
    """``(n_outputs,)``, read-only: the weight of each class; "balanced" weighs the classes of the training part alike.

    "balanced" is ``n_steps / (n_classes * n_steps_of_class)`` (G. King and L. Zeng, "Logistic regression in rare events
    data", Political Analysis 9:137-163, 2001), as in scikit-learn; 1 for a class that does not occur.

    Args:
        weights: As given.
        targets: ``(n_rows, n_outputs)``, one-hot.
        counted: bool of that shape, of the training part.
        by_class: Whether the problem has classes.

    Raises:
        WrongType: They are not real numbers.
        BadInput: The problem has no classes, the shape is wrong, or one is not finite and above 0.
    """
    if weights is None:
        return None
    if not by_class:
        raise BadInput("class_weights need classes (learned=RightClass()); target_weights weigh targets and steps")
    n_classes = targets.shape[1]
    if isinstance(weights, str):
        if weights != "balanced":
            raise BadInput(f'class_weights must be {n_classes} numbers or "balanced", got {weights!r}')
        found = np.bincount(targets[counted.any(axis=1)].argmax(axis=1), minlength=n_classes)
        alike = found.sum() / ((found > 0).sum() * np.maximum(found, 1))
        return _positive("class_weights", np.where(found > 0, alike, 1.0))
    array = _positive("class_weights", weights)
    if array.shape != (n_classes,):
        raise BadInput(f"class_weights must have the shape ({n_classes},), one a class; got {array.shape}")
    return array


def _positive(name: str, weights: ArrayLike) -> Floats:
    given = np.asarray(weights)
    if given.dtype.kind not in "fiu":
        raise WrongType(f"{name} must be real numbers, got an array of type {given.dtype}")
    array = np.array(given, dtype=np.float64, order="C")
    if not (np.isfinite(array).all() and (array > 0).all()):
        raise BadInput(
            f"{name} must be finite and above 0, got {array.min():g} to {array.max():g}; target_mask says what does "
            "not count at all"
        )
    array.setflags(write=False)
    return array


def combined(target_weights: Floats | None, class_weights: Floats | None, targets: Floats) -> Floats | None:
    """``(n_rows, n_outputs)``: the weight of each target; None where all are equal."""
    if target_weights is None and class_weights is None:
        return None
    weights = np.ones(targets.shape) if target_weights is None else np.broadcast_to(target_weights, targets.shape)
    return weights if class_weights is None else weights * class_weights[targets.argmax(axis=1)][:, None]

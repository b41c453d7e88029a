"""Weights of targets and classes in the error of a `SequenceProblem`."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroevo.errors import BadInput, WrongType

Floats = NDArray[np.float64]


def checked_target_weights(weights: ArrayLike | None, shape: tuple[int, ...]) -> Floats | None:
    """An own read-only copy of weights that broadcast to the shape of the targets.

    Raises:
        WrongType: They are not real numbers.
        BadInput: They do not broadcast, or one is not finite and above 0.
    """
    if weights is None:
        return None
    array = _positive("target_weights", weights)
    try:
        np.broadcast_to(array, shape)
    except ValueError as error:
        raise BadInput(
            f"target_weights must broadcast to the shape of the targets, {shape} (n_sequences, n_steps, n_outputs), "
            f"got {array.shape}; one a target column is ({shape[2]},), one a step (n_sequences, n_steps, 1)"
        ) from error
    return array


def checked_class_weights(
    weights: ArrayLike | str | None, targets: Floats, counted: NDArray[np.bool_], by_class: bool
) -> Floats | None:
    """``(n_outputs,)``, read-only: the weight of each class; "balanced" weighs the classes of the training part alike.

    "balanced" is ``n_steps / (n_classes * n_steps_of_class)`` (G. King and L. Zeng, "Logistic regression in rare events
    data", Political Analysis 9:137-163, 2001), as in scikit-learn; 1 for a class that does not occur.

    Args:
        weights: As given.
        targets: ``(n_sequences, n_steps, n_outputs)``, one-hot.
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
    n_classes = targets.shape[2]
    if isinstance(weights, str):
        if weights != "balanced":
            raise BadInput(f'class_weights must be {n_classes} numbers or "balanced", got {weights!r}')
        found = np.bincount(targets[counted.any(axis=2)].argmax(axis=1), minlength=n_classes)
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
    """``(n_sequences, n_steps, n_outputs)``: the weight of each target; None where all are equal."""
    if target_weights is None and class_weights is None:
        return None
    weights = np.ones(targets.shape) if target_weights is None else np.broadcast_to(target_weights, targets.shape)
    return weights if class_weights is None else weights * class_weights[targets.argmax(axis=2)][:, :, None]

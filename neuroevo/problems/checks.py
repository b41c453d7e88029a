"""The checks at the border of a `SequenceProblem`: whatever passes them needs no check further inside."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroevo.errors import BadInput, WrongType

PART_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


def frozen(array: NDArray[np.generic]) -> NDArray[np.generic]:
    """The array itself, read-only."""
    array.setflags(write=False)
    return array


def sequence_array(name: str, values: ArrayLike, last: str) -> NDArray[np.float64]:
    """An own float64 copy in C order of an array with three axes.

    Raises:
        TypeError: The values aren't real numbers.
        ValueError: There are not three axes, or one of them is empty.
    """
    try:
        given = np.asarray(values)
    except ValueError as error:
        message = f"{name} is ragged: all sequences need the same number of steps; pad the short ones and give lengths="
        raise BadInput(message) from error
    if given.dtype.kind not in "fiub":
        raise WrongType(f"{name} must hold real numbers, got an array of type {given.dtype}")
    if given.ndim != 3:
        remedy = {
            1: f"{name}[None, :, None] makes one sequence of one column of it",
            2: f"{name}[None] makes one sequence",
        }
        hint = f"; {remedy[given.ndim]}" if given.ndim in remedy else ""
        raise BadInput(f"{name} must have the shape (n_sequences, n_steps, {last}), got {given.shape}{hint}")
    if 0 in given.shape:
        raise BadInput(f"{name} has the shape {given.shape}: at least one sequence, one step and one column are needed")
    return np.array(given, dtype=np.float64, order="C")


def checked_lengths(lengths: ArrayLike | None, n_sequences: int, n_steps: int) -> NDArray[np.int64]:
    """``(n_sequences,)`` int64, each in 1 ... n_steps.

    Raises:
        TypeError: They are not whole numbers.
        ValueError: Wrong shape, or out of range.
    """
    if lengths is None:
        return np.full(n_sequences, n_steps, dtype=np.int64)
    given = np.asarray(lengths)
    if given.dtype.kind not in "iu":
        raise WrongType(f"lengths must be whole numbers, one a sequence; got an array of type {given.dtype}")
    if given.shape != (n_sequences,):
        raise BadInput(f"lengths must have the shape ({n_sequences},), one a sequence; got {given.shape}")
    wrong = np.flatnonzero((given < 1) | (given > n_steps))
    if wrong.size:
        first = int(wrong[0])
        raise BadInput(
            f"lengths must lie in 1 ... {n_steps} (the number of steps); sequence {first} has {int(given[first])}"
        )
    return given.astype(np.int64)


def checked_mask(target_mask: ArrayLike | None, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """``(n_sequences, n_steps, n_outputs)`` bool copy; all true where None is given.

    Raises:
        TypeError: It is not bool.
        ValueError: Wrong shape.
    """
    if target_mask is None:
        return np.ones(shape, dtype=np.bool_)
    given = np.asarray(target_mask)
    if given.dtype != np.bool_:
        raise WrongType(
            f"target_mask must be bool, got an array of type {given.dtype}; .astype(bool) turns 0/1 into it"
        )
    if given.shape != shape:
        raise BadInput(f"target_mask must have the shape of the targets, {shape}; got {given.shape}")
    return np.array(given, order="C")


def checked_parts(
    parts: Mapping[str, ArrayLike] | None, n_sequences: int, n_steps: int
) -> dict[str, NDArray[np.bool_]]:
    """Part names to ``(n_sequences, n_steps)`` bool; a mask ``(n_sequences,)`` takes whole sequences.

    Raises:
        TypeError: A mask is not bool, or a name is not text.
        ValueError: Wrong shape, a name that cannot be a column name, or no part "train".
    """
    if parts is None:
        return {"train": np.ones((n_sequences, n_steps), dtype=np.bool_)}
    checked: dict[str, NDArray[np.bool_]] = {}
    for name, mask in parts.items():
        if not isinstance(name, str) or not PART_NAME.fullmatch(name):
            raise BadInput(f"a part's name must be a letter and then letters, digits, _ or -; got {name!r}")
        given = np.asarray(mask)
        if given.dtype != np.bool_:
            raise WrongType(f"the mask of part {name!r} must be bool, got an array of type {given.dtype}")
        if given.shape == (n_sequences,) and given.ndim == 1:
            given = np.repeat(given[:, None], n_steps, axis=1)
        if given.shape != (n_sequences, n_steps):
            expected = f"({n_sequences}, {n_steps}) or ({n_sequences},)"
            raise BadInput(f"the mask of part {name!r} must have the shape {expected}, got {given.shape}")
        checked[name] = np.array(given, order="C")
    if "train" not in checked:
        raise BadInput(f"one part must be called 'train'; got {', '.join(map(repr, checked)) or 'no part'}")
    return checked


def refuse_non_finite(name: str, values: NDArray[np.float64], relevant: NDArray[np.bool_]) -> None:
    """Replace NaN and infinity by 0 where nothing depends on them (padding, masked targets), in place.

    Raises:
        ValueError: One is where it would be used.
    """
    bad = ~np.isfinite(values)
    if not bad.any():
        return
    used = np.argwhere(bad & relevant)
    if used.size:
        sequence, step, column = (int(i) for i in used[0])
        raise BadInput(
            f"{name}[{sequence}, {step}, {column}] is {values[sequence, step, column]} ({len(used)} such in all); "
            "only finite numbers can be used: fill or leave out missing values"
            + (", or set target_mask to False there" if name == "targets" else "")
        )
    values[bad] = 0.0


def checked_times(times: ArrayLike | None, n_sequences: int, n_steps: int) -> NDArray[np.generic] | None:
    """``(n_sequences, n_steps)`` labels, numbers or text, or None.

    Raises:
        TypeError: Neither numbers nor text.
        ValueError: Wrong shape.
    """
    if times is None:
        return None
    given = np.asarray(times)
    if given.dtype.kind == "M":
        given = np.datetime_as_string(given)
    if given.dtype.kind not in "fiuU":
        raise WrongType(f"times must be numbers or text, got an array of type {given.dtype}")
    if given.shape == (n_steps,):
        given = np.repeat(given[None], n_sequences, axis=0)
    if given.shape != (n_sequences, n_steps):
        raise BadInput(f"times must have the shape ({n_steps},) or ({n_sequences}, {n_steps}), got {given.shape}")
    return np.array(given, order="C")


def checked_names(argument: str, names: Sequence[str] | None, n_columns: int) -> tuple[str, ...]:
    """One name a column; ``input_names=None`` gives "input 1", "input 2" ...

    Raises:
        ValueError: Not one name a column.
    """
    if names is None:
        return tuple(f"{argument.partition('_')[0]} {i + 1}" for i in range(n_columns))
    if isinstance(names, str) or len(names) != n_columns:
        raise BadInput(f"{argument} must be {n_columns} names, one a column; got {names!r}")
    return tuple(str(name) for name in names)


def checked_tied(tied: Sequence[int] | None, n_inputs: int, n_outputs: int) -> tuple[int, ...]:
    """One input column, or -1, for each target column.

    Raises:
        ValueError: Not one a target, or no such input.
    """
    if tied is None:
        return (-1,) * n_outputs
    columns = tuple(int(column) for column in tied)
    if len(columns) != n_outputs or not all(-1 <= column < n_inputs for column in columns):
        raise BadInput(f"tied must be {n_outputs} input columns in -1 ... {n_inputs - 1}, one a target; got {columns}")
    return columns


def refuse_unclassifiable(targets: NDArray[np.float64], counts: NDArray[np.bool_]) -> None:
    """Check that targets can be judged by the class with the largest output.

    Raises:
        ValueError: A single output, a counted target that isn't one-hot, or a step of which only some outputs count.
    """
    if targets.shape[2] < 2:
        raise BadInput("RightClass needs two outputs or more, one a class; a single output is judged by Within")
    some, every = counts.any(axis=2), counts.all(axis=2)
    if (some & ~every).any():
        raise BadInput("RightClass compares all outputs of a step: target_mask must be the same for all of them")
    one_hot = ((targets == 0) | (targets == 1)).all(axis=2) & (targets.sum(axis=2) == 1)
    wrong = np.argwhere(some & ~one_hot)
    if wrong.size:
        sequence, step = (int(i) for i in wrong[0])
        raise BadInput(
            f"RightClass needs one-hot targets, a single 1 among 0s; targets[{sequence}, {step}] is "
            f"{targets[sequence, step].tolist()}"
        )

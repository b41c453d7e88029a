"""The three forms in which callers give sequences, and how each becomes rows, one sequence after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroevo.errors import BadInput, WrongType
from neuroevo.problems.rows import Rows


class Given:
    """Sequences as they were given: padded arrays, lists of arrays (one a sequence), or rows with lengths.

    Args:
        inputs: ``(n_sequences, n_steps, n_inputs)``; or a list of ``(n_steps, n_inputs)``; or ``(n_rows, n_inputs)``.
        targets: In the same form, with `n_outputs` columns.
        lengths: ``(n_sequences,)`` whole numbers; without them padded arrays have no padding. Rows need them.

    Attributes:
        rows: Where the sequences lie.
        inputs: ``(n_rows, n_inputs)`` float64, of its own.
        targets: ``(n_rows, n_outputs)`` likewise.

    Raises:
        TypeError, ValueError: With the argument, what was expected, what came, and the remedy.
    """

    def __init__(self, inputs: ArrayLike, targets: ArrayLike, lengths: ArrayLike | None) -> None:
        seen, wanted = _arrays("inputs", inputs, "n_inputs"), _arrays("targets", targets, "n_outputs")
        self.is_listed = isinstance(seen, list)
        self.are_rows = not isinstance(seen, list) and seen.ndim == 2
        if not isinstance(seen, list) and seen.ndim == 2 and lengths is None:
            remedy = "inputs[None] makes one sequence, lengths= says which rows are one of several"
            raise BadInput(f"inputs must have the shape (n_sequences, n_steps, n_inputs), got {seen.shape}; {remedy}")
        if type(seen) is not type(wanted) or _steps(seen) != _steps(wanted):
            raise BadInput(
                "inputs and targets must have the same number of sequences and steps, "
                f"got {_shown(seen)} and {_shown(wanted)}"
            )
        if isinstance(seen, list):
            found = np.array([len(own) for own in seen], dtype=np.int64)
            if lengths is not None and not np.array_equal(lengths, found):
                raise BadInput("lengths of sequences that are given one by one are known: leave lengths out")
            self.n_steps = int(found.max())
        elif self.are_rows:
            found = _checked_lengths(lengths, None, len(seen))
            self.n_steps = int(found.max())
        else:
            self.n_steps = seen.shape[1]
            found = _checked_lengths(lengths, len(seen), self.n_steps)
        self.rows = Rows(found)
        self.inputs, self.targets = (np.array(self._flat(each), np.float64, order="C") for each in (seen, wanted))

    def mask(self, values: ArrayLike) -> NDArray[np.bool_]:
        """``(n_rows, n_outputs)`` bool of its own: a target mask.

        Raises:
            TypeError: It is not bool.
            ValueError: Wrong shape.
        """
        wanted = self._shape_of(self.targets.shape[1])
        given = self._taken("target_mask", values, 2, wanted)
        if given.dtype != np.bool_:
            raise WrongType(
                f"target_mask must be bool, got an array of type {given.dtype}; .astype(bool) turns 0/1 into it"
            )
        if given.shape != self.targets.shape:
            raise BadInput(f"target_mask must have the shape of the targets, {wanted}; got {np.shape(values)}")
        return _own(given, np.bool_)

    def part(self, name: str, values: ArrayLike) -> NDArray[np.bool_]:
        """``(n_rows,)`` bool of its own; a mask ``(n_sequences,)`` takes whole sequences.

        Raises:
            TypeError: It is not bool.
            ValueError: Wrong shape.
        """
        what, expected = f"the mask of part {name!r}", f"{self._shape_of()} or ({self.rows.n_sequences},)"
        given = self._taken(what, values, 1, expected)
        if given.dtype != np.bool_:
            raise WrongType(f"{what} must be bool, got an array of type {given.dtype}")
        if given.shape == (self.rows.n_sequences,) != (self.rows.n_rows,):
            given = np.repeat(given, self.rows.lengths)
        if given.shape != (self.rows.n_rows,):
            raise BadInput(f"{what} must have the shape {expected}, got {np.shape(values)}")
        return _own(given, np.bool_)

    def times(self, values: ArrayLike) -> NDArray[np.generic]:
        """``(n_rows,)`` of its own: labels, numbers or text.

        Raises:
            TypeError: Neither numbers nor text.
            ValueError: Wrong shape.
        """
        expected = f"({self.n_steps},) or {self._shape_of()}"
        given = self._taken("times", values, 1, expected)
        if given.dtype.kind == "M":
            given = np.datetime_as_string(given)
        if given.dtype.kind not in "fiuU":
            raise WrongType(f"times must be numbers or text, got an array of type {given.dtype}")
        if given.shape == (self.n_steps,) != (self.rows.n_rows,):
            given = given[self.rows.step]
        if given.shape != (self.rows.n_rows,):
            raise BadInput(f"times must have the shape {expected}, got {np.shape(values)}")
        return _own(given, given.dtype)

    def weights(self, values: ArrayLike) -> NDArray[np.generic]:
        """``(n_rows, n)`` or ``(n,)``, which broadcast to targets of rows, from what broadcasts to those given.

        Raises:
            BadInput: They do not broadcast.
        """
        n_outputs = self.targets.shape[1]
        expected = self._shape_of(n_outputs)
        given = self._taken("target_weights", values, 2, expected)
        padded = (self.rows.n_sequences, self.n_steps, n_outputs)
        is_whole = given.shape[:-1] == (self.rows.n_rows,)
        try:
            np.broadcast_to(given, self.targets.shape if is_whole or self.are_rows else padded)
        except ValueError as error:
            raise BadInput(
                f"target_weights must broadcast to the shape of the targets, {expected} (n_sequences, n_steps, "
                f"n_outputs), got {np.shape(values)}; one a target column is ({n_outputs},), one a step "
                f"{self._shape_of(1)}"
            ) from error
        if given.ndim < 2 or is_whole or self.are_rows:
            return given
        return self.rows.of(np.broadcast_to(given, (*padded[:2], given.shape[-1])))

    def _shape_of(self, *last: int) -> str:
        """The shape in which something for each step is expected, for messages."""
        if self.is_listed:
            return f"[{', '.join(['n_steps', *map(str, last)])}] for each sequence"
        steps = (self.rows.n_rows,) if self.are_rows else (self.rows.n_sequences, self.n_steps)
        return str((*steps, *last))

    def _taken(self, what: str, values: Any, n_axes: int, expected: str) -> NDArray[Any]:
        """Values of all steps as rows with so many axes; of another shape they stay as they are."""
        if self.is_listed and isinstance(values, list | tuple) and len(values) == self.rows.n_sequences:
            each = [np.asarray(own) for own in values]
            if all(own.ndim == n_axes for own in each):
                if [len(own) for own in each] != self.rows.lengths.tolist():
                    raise BadInput(f"{what} must have the shape {expected}; its lengths are not those of the inputs")
                return np.concatenate(each)
        given = np.asarray(values)
        padded = (self.rows.n_sequences, self.n_steps)
        return self.rows.of(given, n_axes) if given.ndim == n_axes + 1 and given.shape[:2] == padded else given

    def _flat(self, array: list[NDArray[Any]] | NDArray[Any]) -> NDArray[Any]:
        if isinstance(array, list):
            return np.concatenate(array)
        return array if self.are_rows else self.rows.of(array, array.ndim - 1)


def _arrays(name: str, values: ArrayLike, last: str) -> list[NDArray[Any]] | NDArray[Any]:
    """Padded arrays or rows as an array; arrays of unequal lengths, or listed as such, as a list."""
    each = _each(values) if isinstance(values, list | tuple) else []
    if len({len(own) for own in each}) > 1:
        if len({own.shape[1] for own in each}) > 1:
            raise BadInput(f"{name} must have as many columns in every sequence, got {_shown(each)}")
        for own in each:
            _check(name, own, last)
        return each
    try:
        given = np.asarray(values)
    except ValueError as error:
        raise BadInput(
            f"{name} is ragged: give sequences of unequal length as a list of arrays (n_steps, {last})"
        ) from error
    _check(name, given, last)
    if given.ndim == 1:
        shape = f"(n_sequences, n_steps, {last})"
        remedy = f"{name}[None, :, None] makes one sequence of one column of it"
        raise BadInput(f"{name} must have the shape {shape}, got {given.shape}; {remedy}")
    if given.ndim not in (2, 3):
        raise BadInput(f"{name} must have the shape (n_sequences, n_steps, {last}), got {given.shape}")
    return given


def _each(values: Sequence[Any]) -> list[NDArray[Any]]:
    """The arrays of a list, one a sequence; none where it is no list of such."""
    try:
        each = [np.asarray(own) for own in values]
    except ValueError:
        return []
    return each if all(own.ndim == 2 for own in each) else []


def _check(name: str, array: NDArray[Any], last: str) -> None:
    if array.dtype.kind not in "fiub":
        raise WrongType(f"{name} must hold real numbers, got an array of type {array.dtype}")
    if 0 in array.shape:
        raise BadInput(
            f"{name} has the shape {array.shape}: at least one sequence, one step and one column ({last}) are needed"
        )


def _checked_lengths(lengths: ArrayLike | None, n_sequences: int | None, n_steps: int) -> NDArray[np.int64]:
    """``(n_sequences,)`` int64, each in 1 ... n_steps; of rows, where `n_sequences` is None, they sum up to n_steps.

    Raises:
        TypeError: They are not whole numbers.
        ValueError: Wrong shape, or out of range.
    """
    if lengths is None:
        return np.full(n_sequences or 1, n_steps, dtype=np.int64)
    given = np.asarray(lengths)
    if given.dtype.kind not in "iu":
        raise WrongType(f"lengths must be whole numbers, one a sequence; got an array of type {given.dtype}")
    if given.ndim != 1 or len(given) != (len(given) or 1 if n_sequences is None else n_sequences):
        shape = f"({'n_sequences' if n_sequences is None else n_sequences},)"
        raise BadInput(f"lengths must have the shape {shape}, one a sequence; got {given.shape}")
    wrong = np.flatnonzero((given < 1) | (given > n_steps))
    if wrong.size:
        first = int(wrong[0])
        raise BadInput(
            f"lengths must lie in 1 ... {n_steps} (the number of steps); sequence {first} has {int(given[first])}"
        )
    if n_sequences is None and sum(given.tolist()) != n_steps:
        raise BadInput(f"lengths must sum up to the {n_steps} rows, got {sum(given.tolist())}")
    return given.astype(np.int64)


def _own(array: NDArray[Any], dtype: Any) -> NDArray[Any]:
    own = np.array(array, dtype=dtype, order="C")
    own.setflags(write=False)
    return own


def _steps(array: list[NDArray[Any]] | NDArray[Any]) -> tuple[int, ...]:
    """What inputs and targets must agree in."""
    return tuple(map(len, array)) if isinstance(array, list) else array.shape[:-1]


def _shown(array: list[NDArray[Any]] | NDArray[Any]) -> str:
    if not isinstance(array, list):
        return str(array.shape)
    shapes = ", ".join(str(own.shape) for own in array[:3])
    return f"{len(array)} sequences ({shapes}{', ...' if len(array) > 3 else ''})"

"""Prediction of rows that arrive one at a time: what a step costs does not depend on how many came before it."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroevo.checks import whole_number
from neuroevo.errors import BadInput, WrongType
from neuroevo.prediction.logistic import LogisticMember
from neuroevo.problems import Preparation, Scaling
from neuroevo.problems.rows import Rows

if TYPE_CHECKING:
    from neuroevo.prediction.predictor import Member, Predictor

Values = NDArray[np.float64]


class Stream:
    """A predictor at work: it holds the states of its networks, and the rows that its preparation looks back to.

    What it gives for one row after another is, to the bit, what ``predict`` gives for all of them at once.

    Args:
        predictor: Whose networks they are.
        n_sequences: Sequences that run side by side, each with a state of its own.

    Attributes:
        n_sequences: As given.
        n_seen: Rows that have come since the beginning, or the last `reset`.

    Raises:
        BadInput: A network sees whole sequences alone and has no single steps.
    """

    def __init__(self, predictor: Predictor, n_sequences: int = 1) -> None:
        self.n_sequences = whole_number("n_sequences", n_sequences)
        self._predictor = predictor
        self._steppers = [
            _LogisticStepper(member) if isinstance(member, LogisticMember) else _Stepper(member)
            for member in predictor.champions
        ]
        self.reset()

    def reset(self) -> None:
        """Begin anew: each network is in its first state, and no row has come."""
        self.n_seen = 0
        for stepper in self._steppers:
            stepper.reset(self.n_sequences)

    def copy(self) -> Stream:
        """Another one in the same state; the two go on independently."""
        other = copy.copy(self)
        other._steppers = [stepper.copy() for stepper in self._steppers]  # noqa: SLF001 - of the same class
        return other

    def look(self, inputs: Values) -> None:
        """Rows before the first one, which a preparation looks back to and no network sees; unchecked.

        Args:
            inputs: ``(n_sequences, n, n_inputs)``, original units.
        """
        for stepper in self._steppers:
            stepper.look(inputs)

    def members(self, inputs: Values) -> Values:
        """``(n_members, n_sequences, n_outputs)``: what each member says of the next rows, unchecked.

        Args:
            inputs: ``(n_sequences, n_inputs)``, or ``(n_members, n_sequences, n_inputs)`` with rows of each member's
                own; original units.
        """
        self.n_seen += 1
        rows = inputs if inputs.ndim == 3 else [inputs] * len(self._steppers)
        return np.stack([stepper.step(row) for stepper, row in zip(self._steppers, rows, strict=True)])

    def step(self, inputs: ArrayLike) -> Values:
        """The prediction for the next row of each sequence, in original units.

        Args:
            inputs: ``(n_inputs,)`` for one sequence, or ``(n_sequences, n_inputs)``; original units.

        Returns:
            ``(n_outputs,)`` or ``(n_sequences, n_outputs)``, as the inputs have it.

        Raises:
            ValueError: The shape is wrong, or a value is not finite or too large to be scaled; the stream is then as it
                was before.
        """
        given = np.asarray(inputs)
        if given.dtype.kind not in "fiub":
            raise WrongType(f"inputs must be real numbers, got an array of type {given.dtype}")
        n_inputs = self._predictor.n_inputs
        single = given.ndim == 1 and self.n_sequences == 1
        rows = np.ascontiguousarray(given[None] if single else given, dtype=np.float64)
        if rows.shape != (self.n_sequences, n_inputs):
            wanted = f"({n_inputs},) or (1, {n_inputs})" if self.n_sequences == 1 else f"{(self.n_sequences, n_inputs)}"
            raise BadInput(f"a step takes one row of each sequence, of shape {wanted}; got {given.shape}")
        if not np.isfinite(rows).all():
            raise BadInput("inputs must be finite; fill in what is missing, as with the value before it")
        kept = self.copy()
        try:
            said = self._predictor.combined(self.members(rows)[:, :, None])
        except BadInput:
            self._steppers, self.n_seen = kept._steppers, kept.n_seen  # noqa: SLF001 - of the same class
            raise
        prediction = said.prediction[:, 0]
        return prediction[0] if single else prediction


class _LogisticStepper:
    """A logistic regression: the last rows that it sees."""

    def __init__(self, member: LogisticMember) -> None:
        if member.model.of_whole:
            raise BadInput(f"the member {member.name!r} sees whole sequences alone: predict them as wholes")
        self._member = member
        self._rows = np.empty((0, 0, 0))

    def reset(self, n_sequences: int) -> None:
        """Begin anew."""
        self._rows = np.empty((n_sequences, 0, self._member.n_inputs))

    def copy(self) -> Self:
        """Another one in the same state; rows are never altered in place."""
        return copy.copy(self)

    def look(self, rows: Values) -> None:
        """As of `Stream`."""
        self._rows = rows

    def step(self, row: Values) -> Values:
        """``(n_sequences, n_outputs)`` from ``(n_sequences, n_inputs)``."""
        earlier = self._rows[:, max(self._rows.shape[1] - self._member.model.reach, 0) :]
        self._rows = np.concatenate([earlier, row[:, None]], axis=1)
        return self._member.predict(self._rows)[:, -1]


class _Stepper:
    """One member: its network's state, and the last rows of inputs in original units."""

    def __init__(self, member: Member) -> None:
        self._network = member.network
        self._arrays = member.network.layout.decode(member.genome)
        self._scaling = Scaling.from_arrays(member.scaling) if member.scaling else None
        self._preparation = Preparation.from_arrays(member.scaling)
        self.reach = 0 if self._preparation is None else self._preparation.reach
        self._state: Any = None
        self._rows = np.empty((0, 0, 0))
        self._lie: Rows | None = None

    def reset(self, n_sequences: int) -> None:
        """Begin anew."""
        self._state = self._network.start(self._arrays, n_sequences)
        self._rows = np.empty((n_sequences, 0, self._network.n_inputs))

    def copy(self) -> Self:
        """Another one in the same state; neither states nor rows are ever altered in place."""
        return copy.copy(self)

    def look(self, rows: Values) -> None:
        """As of `Stream`."""
        self._rows = rows[:, max(rows.shape[1] - self.reach, 0) :]

    def step(self, row: Values) -> Values:
        """``(n_sequences, n_outputs)`` from ``(n_sequences, n_inputs)``, both in original units."""
        with np.errstate(over="ignore", invalid="ignore"):
            inputs, references = row, None
            if self._preparation is not None:
                earlier = self._rows[:, max(self._rows.shape[1] - self.reach, 0) :]
                self._rows = np.concatenate([earlier, row[:, None]], axis=1)
                n, n_rows = self._rows.shape[:2]
                if self._lie is None or self._lie.n_rows != n * n_rows:
                    self._lie = Rows(np.full(n, n_rows, dtype=np.int64))
                inputs, references = self._preparation.latest(self._rows.reshape(n * n_rows, -1), self._lie)
            if self._scaling is not None:
                inputs = self._scaling.scale_inputs(inputs)
            if not np.isfinite(inputs).all():
                raise BadInput("an input lies too far from those of the training part to be scaled")
            outputs, self._state = self._network.advance(self._arrays, self._state, inputs)
            values = outputs if self._scaling is None else self._scaling.unscale_targets(outputs)
            if self._preparation is None or references is None:
                return values
            return self._preparation.restored(values, references)

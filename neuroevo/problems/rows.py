"""Rows: sequences of unequal lengths that lie one after the other in one array, without padding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput

AnyType = TypeVar("AnyType", bound=np.generic)


class Rows:
    """Where the sequences lie: sequence i is the rows from ``offsets[i]`` up to ``offsets[i + 1]``.

    Args:
        lengths: ``(n_sequences,)`` int64, each at least 1.

    Attributes:
        lengths: As given, read-only.
        offsets: ``(n_sequences + 1,)`` int64, read-only, from 0 to `n_rows`.
    """

    def __init__(self, lengths: NDArray[np.int64]) -> None:
        self.lengths = lengths
        self.offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
        for array in (self.lengths, self.offsets):
            array.setflags(write=False)

    @property
    def n_sequences(self) -> int:
        """How many sequences there are."""
        return len(self.lengths)

    @property
    def n_rows(self) -> int:
        """Steps of all sequences together."""
        return int(self.offsets[-1])

    @cached_property
    def n_steps(self) -> int:
        """Steps of the longest sequence."""
        return int(self.lengths.max())

    @cached_property
    def is_uniform(self) -> bool:
        """Whether all sequences are of one length, so that a padded array is but a view of the rows."""
        return self.n_rows == self.n_sequences * self.n_steps

    @cached_property
    def sequence(self) -> NDArray[np.int64]:
        """``(n_rows,)``: the sequence of each row."""
        return np.asarray(np.repeat(np.arange(self.n_sequences), self.lengths))

    @cached_property
    def step(self) -> NDArray[np.int64]:
        """``(n_rows,)``: the step of each row in its sequence, from 0."""
        return np.asarray(np.arange(self.n_rows) - np.repeat(self.offsets[:-1], self.lengths))

    def split(self, values: NDArray[AnyType]) -> Iterator[NDArray[AnyType]]:
        """The rows ``(n_rows, ...)`` of one sequence after the other, as views."""
        for start, end in zip(self.offsets[:-1].tolist(), self.offsets[1:].tolist(), strict=True):
            yield values[start:end]

    def padded(self, values: NDArray[AnyType], fill: Any = 0) -> NDArray[AnyType]:
        """``(n_sequences, n_steps, ...)``, read-only: a view where all lengths are equal, otherwise a copy."""
        shape = (self.n_sequences, self.n_steps, *values.shape[1:])
        if self.is_uniform:
            array = values.reshape(shape)
        else:
            array = np.full(shape, fill, dtype=values.dtype)
            array[np.arange(self.n_steps) < self.lengths[:, None]] = values
        array.setflags(write=False)
        return array

    def of(self, values: NDArray[AnyType], n_axes: int = 2) -> NDArray[AnyType]:
        """``(n_rows, ...)`` with `n_axes` axes, from these or from a padded array, which has one more.

        Raises:
            BadInput: It is neither.
        """
        if values.ndim == n_axes and len(values) == self.n_rows:
            return values
        n_steps = values.shape[1] if values.ndim == n_axes + 1 else 0
        if len(values) != self.n_sequences or n_steps < self.n_steps:
            raise BadInput(
                f"expected rows ({self.n_rows}, ...) or an array ({self.n_sequences}, {self.n_steps}, ...), got the "
                f"shape {values.shape}"
            )
        if self.is_uniform and n_steps == self.n_steps:
            return values.reshape(self.n_rows, *values.shape[2:])
        return np.asarray(values[np.arange(n_steps) < self.lengths[:, None]])

    def lagged(self, values: NDArray[AnyType], lag: int) -> NDArray[AnyType]:
        """``(n_rows, ...)``: the values of `lag` steps before; before the first step lies the first value."""
        return values[self.before(np.arange(self.n_rows), lag)]

    def before(self, rows: NDArray[np.int64], lag: int | NDArray[np.int64]) -> NDArray[np.int64]:
        """The rows that lie `lag` steps before these, or the first ones of their sequences; the two broadcast."""
        return np.asarray(np.maximum(rows - lag, rows - self.step[rows]))

    def together(self, lag: int) -> NDArray[np.bool_]:
        """``(n_rows - lag,)``: whether a row and the one `lag` rows later are of the same sequence."""
        return np.asarray(self.step[lag:] >= lag)

    def sums(self, values: Any) -> NDArray[Any]:
        """``(n_sequences, ...)``: the sum of ``values (n_rows, ...)`` over each sequence."""
        return np.asarray(np.add.reduceat(values, self.offsets[:-1], axis=0))

    def some(self, mask: Any) -> NDArray[np.bool_]:
        """``(n_sequences,)``: whether any row of ``mask (n_rows,)`` is true."""
        return np.asarray(np.logical_or.reduceat(mask, self.offsets[:-1]))

    def ends(self, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        """``(n_sequences,)``: steps of each sequence up to the last row of ``mask (n_rows,)`` that is true, or 0."""
        return np.asarray(np.maximum.reduceat(np.where(mask, self.step + 1, 0), self.offsets[:-1]))


class Padded(Mapping[str, NDArray[np.bool_]]):
    """Masks of rows by name, each padded when it is asked for."""

    def __init__(self, rows: Rows, masks: Mapping[str, NDArray[np.bool_]]) -> None:
        self._rows, self._masks = rows, masks

    def __getitem__(self, name: str) -> NDArray[np.bool_]:
        return self._rows.padded(self._masks[name], False)

    def __contains__(self, name: object) -> bool:
        return name in self._masks

    def __iter__(self) -> Iterator[str]:
        return iter(self._masks)

    def __len__(self) -> int:
        return len(self._masks)

    def __repr__(self) -> str:
        return f"<parts {', '.join(self._masks)}>"


def ranges(starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """``(lengths.sum(),)``: the numbers from each start on, as many as its length says, one after the other."""
    before = np.cumsum(lengths) - lengths
    return np.asarray(np.arange(int(lengths.sum())) + np.repeat(starts - before, lengths))

"""How far a run has come: the figures of one generation, and those of all generations so far.

The columns are those of ``history.csv``; docs/file-formats.md gives their units.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: The columns of every history, in their order in the file.
COLUMNS: tuple[str, ...] = (
    "generation",
    "evaluations",
    "seconds",
    "best_error",
    "median_error",
    "mean_error",
    "worst_error",
    "incumbent_error",
    "incumbent_fitness",
    "incumbent_learned",
    "validation_error",
    "n_failed",
    "diversity",
)

#: The columns that count something: int64, all others are float64.
COUNTS: frozenset[str] = frozenset({"generation", "evaluations", "n_failed"})

_FIRST_CAPACITY = 256


class History(Mapping[str, NDArray[Any]]):
    """The columns of all generations so far: ``history["best_error"]`` is a read-only ``(n_generations,)`` array.

    Memory is one row a generation (and up to as much again in reserve, since the arrays grow by doubling).

    Args:
        columns: The names of the columns; every one of :data:`COLUMNS` should be there, more may be.
    """

    def __init__(self, columns: Sequence[str] = COLUMNS) -> None:
        if len(set(columns)) != len(columns):
            raise ValueError(f"columns must differ from each other, got {tuple(columns)}")
        self._n_rows = 0
        self._columns: dict[str, NDArray[Any]] = {
            name: np.empty(_FIRST_CAPACITY, np.int64 if name in COUNTS else np.float64) for name in columns
        }
        self._minima: dict[str, tuple[int, NDArray[np.float64]]] = {}

    @property
    def n_generations(self) -> int:
        """How many rows there are."""
        return self._n_rows

    def __len__(self) -> int:
        return len(self._columns)

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __getitem__(self, name: str) -> NDArray[Any]:
        view = self._columns[name][: self._n_rows]
        view.flags.writeable = False
        return view

    def append(self, row: Mapping[str, float]) -> None:
        """Add the row of one generation.

        Raises:
            ValueError: The row's keys are not the columns.
        """
        if row.keys() != self._columns.keys():
            missing, unknown = self._columns.keys() - row.keys(), row.keys() - self._columns.keys()
            raise ValueError(f"a row needs exactly the columns; missing {sorted(missing)}, unknown {sorted(unknown)}")
        self._reserve(self._n_rows + 1)
        for name, value in row.items():
            self._columns[name][self._n_rows] = value
        self._n_rows += 1

    def extend(self, rows: Mapping[str, NDArray[Any]]) -> None:
        """Add many rows at once, given as columns of equal length."""
        lengths = {len(values) for values in rows.values()}
        if rows.keys() != self._columns.keys() or len(lengths) > 1:
            raise ValueError(f"expected the columns {tuple(self)}, all of one length; got {tuple(rows)}")
        end = self._n_rows + lengths.pop()
        self._reserve(end)
        for name, values in rows.items():
            self._columns[name][self._n_rows : end] = values
        self._n_rows = end

    def truncate(self, n_generations: int) -> None:
        """Forget all rows after the first `n_generations`."""
        if not 0 <= n_generations <= self._n_rows:
            raise ValueError(f"n_generations must be in 0 ... {self._n_rows}, got {n_generations}")
        self._n_rows = n_generations
        self._minima.clear()

    def best_so_far(self, name: str) -> NDArray[np.float64]:
        """The smallest value of a column up to each generation, ``(n_generations,)``, read-only; NaN is passed over.

        Kept from call to call, so that asking every generation costs one comparison and not a pass over the history.
        """
        n_known, minima = self._minima.get(name, (0, np.empty(0)))
        if len(minima) < self._n_rows:
            grown = np.empty(len(self._columns[name]))
            grown[:n_known] = minima[:n_known]
            minima = grown
        if n_known < self._n_rows:
            fresh = minima[n_known : self._n_rows]
            np.fmin.accumulate(self._columns[name][n_known : self._n_rows], out=fresh)
            if n_known:
                np.fmin(fresh, minima[n_known - 1], out=fresh)
            self._minima[name] = (self._n_rows, minima)
        view = minima[: self._n_rows]
        view.flags.writeable = False
        return view

    def _reserve(self, n_rows: int) -> None:
        capacity = len(next(iter(self._columns.values()), np.empty(n_rows)))
        if n_rows <= capacity:
            return
        for name, values in self._columns.items():
            grown = np.empty(max(n_rows, 2 * capacity), values.dtype)
            grown[: self._n_rows] = values[: self._n_rows]
            self._columns[name] = grown


@dataclass(frozen=True, slots=True)
class Progress:
    """What a stopping criterion is shown after a generation: the figures of that generation and all before it.

    Attributes:
        generation: The generation just told, from 1.
        evaluations: Genomes evaluated since the run began.
        seconds: Wall-clock seconds since the run began, without the pauses between an interruption and its resume.
        best_error: Smallest error of the generation (mean squared error in scaled units, as all errors here).
        median_error: Median over its finite errors; NaN where all failed.
        mean_error: Mean over its finite errors.
        worst_error: Largest finite error.
        incumbent_error: Smallest error since the run began.
        incumbent_fitness: Fitness of the incumbent.
        incumbent_learned: Share of the training targets that the incumbent gets right, in 0 ... 1.
        validation_error: Error on the validation part; NaN where there is none, or none was computed.
        n_failed: Failed evaluations in the generation.
        diversity: Mean over the genes of their standard deviation in the population.
        population_size: Genomes in the generation.
        history: The columns so far, this generation included.
        signals: Names of the signals that the process has received ("SIGTERM").
    """

    generation: int
    evaluations: int
    seconds: float
    best_error: float
    median_error: float
    mean_error: float
    worst_error: float
    incumbent_error: float
    incumbent_fitness: float
    incumbent_learned: float
    validation_error: float
    n_failed: int
    diversity: float
    population_size: int
    history: History = field(repr=False)
    signals: frozenset[str] = frozenset()

    def row(self) -> dict[str, float]:
        """The generation's row of the history, by column."""
        return {name: getattr(self, name) for name in COLUMNS}

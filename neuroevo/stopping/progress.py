"""How far a run has come: the figures of one generation, and those of all generations so far.

The columns are those of ``history.csv``; docs/file-formats.md gives their units. A strategy's own figures, such as its
step size, are further columns after them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput

#: The first columns of every history, in their order in the file.
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
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


def columns_of(row: Iterable[str]) -> tuple[str, ...]:
    """The columns of a history with such a row (or header): :data:`COLUMNS`, then the others in their order.

    Raises:
        BadInput: One of :data:`COLUMNS` is missing, or another one's name is not of the form ``step_size``.
    """
    names = tuple(row)
    further = [name for name in names if name not in COLUMNS]
    bad = [name for name in further if not _NAME.fullmatch(name)]
    missing = [name for name in COLUMNS if name not in names]
    if missing or bad:
        raise BadInput(f"a row needs all columns; missing {missing}, further ones not named as in 'step_size': {bad}")
    return (*COLUMNS, *further)


class History(dict[str, NDArray[Any]]):
    """The columns of all generations so far: ``history["best_error"]`` is a read-only ``(n_generations,)`` array.

    It is a dict that only :meth:`append`, :meth:`extend` and :meth:`truncate` change, so that ``pandas.DataFrame`` and
    ``polars.DataFrame`` take it as it is. Memory is one row a generation (and up to as much again in reserve, since the
    arrays grow by doubling).

    Args:
        columns: The names of the columns, every one of :data:`COLUMNS` among them; left out, the first row says which
            there are beside these.
    """

    def __init__(self, columns: Sequence[str] | None = None) -> None:
        super().__init__()
        if columns is not None and len(set(columns)) != len(columns):
            raise BadInput(f"columns must differ from each other, got {tuple(columns)}")
        self._n_rows = 0
        self._fixed = columns is not None
        self._columns: dict[str, NDArray[Any]] = {}
        self._minima: dict[str, tuple[int, NDArray[np.float64]]] = {}
        self._add_columns(COLUMNS if columns is None else columns)
        self._show()

    def __reduce__(self) -> tuple[Any, ...]:
        return _history_of, (dict(self), self._fixed)

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("the columns of a history are not set: it grows by append() and extend()")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    @property
    def n_generations(self) -> int:
        """How many rows there are."""
        return self._n_rows

    def append(self, row: Mapping[str, float]) -> None:
        """Add the row of one generation.

        The first row fixes the columns: what a later one lacks beside :data:`COLUMNS` is NaN, what it has beyond them
        is left out.

        Raises:
            BadInput: One of :data:`COLUMNS` is missing, or a name is not of the form ``step_size``.
        """
        columns = columns_of(row)
        if not self._fixed:
            self._add_columns(columns)
            self._fixed = True
        self._reserve(self._n_rows + 1)
        for name, values in self._columns.items():
            values[self._n_rows] = row.get(name, math.nan)
        self._n_rows += 1
        self._show()

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
        self._show()

    def truncate(self, n_generations: int) -> None:
        """Forget all rows after the first `n_generations`."""
        if not 0 <= n_generations <= self._n_rows:
            raise ValueError(f"n_generations must be in 0 ... {self._n_rows}, got {n_generations}")
        self._n_rows = n_generations
        self._minima.clear()
        self._show()

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

    def _add_columns(self, names: Iterable[str]) -> None:
        for name in names:
            self._columns[name] = np.empty(_FIRST_CAPACITY, np.int64 if name in COUNTS else np.float64)

    def _reserve(self, n_rows: int) -> None:
        capacity = len(next(iter(self._columns.values()), np.empty(n_rows)))
        if n_rows <= capacity:
            return
        for name, values in self._columns.items():
            grown = np.empty(max(n_rows, 2 * capacity), values.dtype)
            grown[: self._n_rows] = values[: self._n_rows]
            self._columns[name] = grown

    def _show(self) -> None:
        """Give the dict the columns as they are at present."""
        for name, values in self._columns.items():
            view = values[: self._n_rows]
            view.flags.writeable = False
            super().__setitem__(name, view)


def _history_of(columns: Mapping[str, NDArray[Any]], fixed: bool) -> History:
    history = History(tuple(columns) if fixed else None)
    history.extend(columns)
    return history


@dataclass(frozen=True, slots=True)
class Progress:
    """What a stopping criterion is shown after a generation: the figures of that generation and all before it.

    Attributes:
        generation: The generation just told, from 1.
        evaluations: Genomes evaluated since the run began.
        seconds: Wall-clock seconds since the run began, without the pauses between an interruption and its resume.
        best_error: Smallest error of the generation; all errors here are the `error_name`.
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
        figures: Further ones of this generation, by their columns: a strategy's step size, temperature, ...
        error_name: What the problem's error is, its unit in brackets.
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
    figures: Mapping[str, float] = field(default_factory=dict)
    error_name: str = "error"

    @classmethod
    def of_row(
        cls, row: Mapping[str, float], *, population_size: int, history: History, error_name: str = "error"
    ) -> Progress:
        """The progress whose row of the history is given; the inverse of :meth:`row`."""
        columns: dict[str, Any] = {name: row[name] for name in COLUMNS}
        figures = {name: value for name, value in row.items() if name not in COLUMNS}
        return cls(**columns, population_size=population_size, history=history, figures=figures, error_name=error_name)

    @classmethod
    def last_of(cls, history: History, error_name: str = "error") -> Progress | None:
        """The progress of the last generation of a history; None where it has none."""
        n = history.n_generations
        if n == 0:
            return None
        row = {name: column[-1].item() for name, column in history.items()}
        before = int(history["evaluations"][-2]) if n > 1 else 0
        size = int(row["evaluations"]) - before
        return cls.of_row(row, population_size=size, history=history, error_name=error_name)

    def row(self) -> dict[str, float]:
        """The generation's row of the history, by column."""
        return {name: getattr(self, name) for name in COLUMNS} | dict(self.figures)

"""Ridge regression of targets on present and past inputs: the linear model that residuals and competitors share.

Arthur E. Hoerl and Robert W. Kennard, "Ridge regression: biased estimation for nonorthogonal problems", Technometrics
12(1):55-67, 1970. Of standardised regressors x it minimises ``mean((y - b - w x)^2) + penalty |w|^2`` for each target,
with the penalty of `PENALTIES` that has the smallest squared error on rows that were held out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.machine import one_blas_thread

if TYPE_CHECKING:
    from neuroevo.problems.rows import Rows

Values = NDArray[np.float64]
Mask: TypeAlias = NDArray[np.bool_]

REACH = 1.0
"""Regressors are clipped to the training range widened by this many of its widths at either end.

A trend then goes on for as long again as training has seen it, and a column that breaks out (a sensor that fails, other
units) can't take the model with it.
"""
PENALTIES = tuple(10.0 ** (place / 2) for place in range(4, -17, -1))
"""Candidates, the largest first: of equally good ones the largest is taken."""
_CHUNK = 2**21
"""Numbers in memory at once while a model is fitted."""


def distinct(inputs: Values, rows: Rows, lags: int) -> list[tuple[int, int]]:
    """Pairs of a column of ``inputs (n_rows, n_inputs)`` and a lag below `lags`.

    Without those that repeat an earlier one value by value wherever all lags are known.
    """
    lags = min(lags, rows.n_steps)
    at = np.flatnonzero(rows.step >= lags - 1)
    found: dict[bytes, tuple[int, int]] = {}
    for column in range(inputs.shape[1]):
        for lag in range(lags):
            found.setdefault(inputs[at - lag, column].tobytes(), (column, lag))
    return list(found.values())


@dataclass(frozen=True, eq=False)
class Ridge:
    """A fitted model.

    Attributes:
        columns: ``(n,)`` int64: the input column of each regressor.
        lags: ``(n,)`` int64: how many steps before it is read.
        low: ``(n,)``: smaller values are raised to it.
        high: ``(n,)``: larger values are lowered to it.
        offset: ``(n,)``: the training mean.
        factor: ``(n,)``: the training deviation, infinite where that is 0.
        weights: ``(n, n_outputs)`` of standardised regressors.
        intercept: ``(n_outputs,)``.
        penalty: ``(n_outputs,)``: what was chosen for each target.
    """

    columns: NDArray[np.int64]
    lags: NDArray[np.int64]
    low: Values
    high: Values
    offset: Values
    factor: Values
    weights: Values
    intercept: Values
    penalty: Values

    def __post_init__(self) -> None:
        for field in fields(self):
            whole = field.name in ("columns", "lags")
            given = np.asarray(getattr(self, field.name))
            if given.dtype.kind not in ("iu" if whole else "fiu"):
                raise BadInput(f"{field.name} of a linear model must be numbers, got an array of type {given.dtype}")
            values = np.array(given, dtype=np.int64 if whole else np.float64)
            values.setflags(write=False)
            object.__setattr__(self, field.name, values)
        n, n_outputs = self.weights.shape if self.weights.ndim == 2 else (-1, -1)
        shapes = {getattr(self, name).shape for name in ("columns", "lags", "low", "high", "offset", "factor")}
        finite = all(np.isfinite(values).all() for values in (self.low, self.high, self.offset, self.weights))
        if (
            shapes != {(n,)}
            or {self.intercept.shape, self.penalty.shape} != {(n_outputs,)}
            or not (finite and np.isfinite(self.intercept).all() and (self.factor > 0).all())
            or min(self.columns.min(initial=0), self.lags.min(initial=0)) < 0
        ):
            raise BadInput("the arrays of a linear model do not fit together, or are not finite")

    def __call__(self, inputs: Values, rows: Rows) -> Values:
        """``(n_rows, n_outputs)`` from ``(n_rows, n_inputs)``; no step sees a later one.

        Summed one regressor after another, so that the bits do not depend on a library's order of sums.
        """
        outputs = np.broadcast_to(self.intercept, (len(inputs), len(self.intercept))).copy()
        for i, weights in enumerate(self.weights):
            values = np.clip(rows.lagged(inputs[:, self.columns[i]], int(self.lags[i])), self.low[i], self.high[i])
            outputs += ((values - self.offset[i]) / self.factor[i])[:, None] * weights
        return outputs

    def latest(self, inputs: Values, rows: Rows) -> Values:
        """``(n_sequences, n_outputs)``: for the last step of each sequence, to the bit."""
        at = rows.before(rows.offsets[1:, None] - 1, self.lags)
        values = np.clip(inputs[at, self.columns], self.low, self.high)
        terms = ((values - self.offset) / self.factor)[:, :, None] * self.weights
        start = np.broadcast_to(self.intercept, (len(at), 1, len(self.intercept)))
        # A sum would add in an order of its own.
        return np.asarray(np.add.accumulate(np.concatenate([start, terms], axis=1), axis=1)[:, -1])

    def to_arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """Plain arrays; `from_arrays` reads them back bit for bit."""
        return {f"{prefix}{field.name}": getattr(self, field.name).copy() for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], prefix: str) -> Ridge:
        """The model that `to_arrays` wrote.

        Raises:
            ValueError: An array is missing or is not what `to_arrays` writes.
        """
        missing = [f"{prefix}{field.name}" for field in fields(cls) if f"{prefix}{field.name}" not in arrays]
        if missing:
            raise BadInput(f"the arrays of a linear model lack {', '.join(missing)}")
        return cls(**{field.name: arrays[f"{prefix}{field.name}"] for field in fields(cls)})


def fit(inputs: Values, targets: Values, rows: Rows, fitted: Mask, chosen: Mask, lags: int) -> Ridge:
    """Fit a model on some rows, its penalties chosen on others.

    Args:
        inputs: ``(n_rows, n_inputs)``.
        targets: ``(n_rows, n_outputs)``.
        rows: Where the sequences lie.
        fitted: ``(n_rows, n_outputs)`` bool: the training targets.
        chosen: Likewise: those that choose, none of them or all of them training targets, which are held out meanwhile.
        lags: Values of each input that the model sees: the present one and those before it.
    """
    pairs = np.array(distinct(inputs, rows, lags), dtype=np.int64)
    steps, choosing = np.asarray(fitted.any(axis=1)), np.asarray(chosen.any(axis=1))
    regressors = _Regressors(inputs, rows, pairs[:, 0], pairs[:, 1], np.flatnonzero(steps))
    if (fitted.all(axis=1) == steps).all() and (chosen.all(axis=1) == choosing).all():
        groups = [slice(None)]
    else:
        groups = [slice(o, o + 1) for o in range(targets.shape[1])]
    with one_blas_thread():
        found = [
            _solve(regressors, targets[:, o], *(np.asarray(mask[:, o].any(axis=1)) for mask in (fitted, chosen)))
            for o in groups
        ]
    weights, intercepts, penalties = (np.concatenate(parts, axis=-1) for parts in zip(*found, strict=True))
    width = REACH * (regressors.high - regressors.low)
    return Ridge(
        pairs[:, 0], pairs[:, 1], regressors.low - width, regressors.high + width, regressors.offset,
        regressors.factor, weights, intercepts, penalties,
    )  # fmt: skip


class _Regressors:
    """The standardised regressors of chosen rows, a chunk at a time."""

    def __init__(
        self, inputs: Values, rows: Rows, columns: NDArray[np.int64], lags: NDArray[np.int64], at: NDArray[np.int64]
    ) -> None:
        """Learn range, mean and deviation of each regressor from the rows `at`."""
        self._inputs, self._rows, self._columns, self._lags = inputs, rows, columns, lags
        figures = []
        for column, lag in zip(columns, lags, strict=True):
            values = inputs[rows.before(at, int(lag)), column]
            figures.append((values.min(), values.max(), values.mean(), values.std()))
        self.low, self.high, self.offset, deviation = np.array(figures).T
        self.factor = np.where(deviation > 1e-12 * (1 + np.abs(self.offset)), deviation, np.inf)

    def triangle(self, targets: Values, rows: Mask) -> Values:
        """The triangular factor of the rows of (1, regressors, targets), which holds all that least squares needs."""
        width = 1 + len(self.offset) + targets.shape[1]
        factor = np.zeros((width, width))
        for chunk in self._chunks(targets, rows, max(width, _CHUNK // width)):
            factor = _joined(factor, chunk)
        return factor

    def _chunks(self, targets: Values, rows: Mask, size: int) -> Iterator[Values]:
        wanted = np.flatnonzero(rows)
        for start in range(0, len(wanted), size):
            at = wanted[start : start + size]
            values = self._inputs[self._rows.before(at[:, None], self._lags), self._columns]
            standardised = (values - self.offset) / self.factor
            yield np.hstack([np.ones((len(at), 1)), standardised, targets[at]])


def _solve(regressors: _Regressors, targets: Values, fitted: Mask, chosen: Mask) -> tuple[Values, Values, Values]:
    """Weights ``(n, n_targets)``, intercepts and penalties ``(n_targets,)``."""
    n_targets = targets.shape[1]
    held, tried = regressors.triangle(targets, chosen), regressors.triangle(targets, fitted & ~chosen)
    n_tried = int((fitted & ~chosen).sum())
    errors = np.empty((len(PENALTIES), n_targets))
    for place, (weights, intercepts) in enumerate(_paths(tried, n_targets, n_tried)):
        solution = np.vstack([intercepts, weights, -np.eye(n_targets)])
        errors[place] = ((held @ solution) ** 2).sum(axis=0)
    best = errors.argmin(axis=0)
    whole = _joined(tried, held) if (fitted & chosen).any() else tried
    path = list(_paths(whole, n_targets, int(fitted.sum())))
    columns = range(n_targets)
    weights = np.stack([path[best[o]][0][:, o] for o in columns], axis=1)
    return weights, np.array([path[best[o]][1][o] for o in columns]), np.array(PENALTIES)[best]


def _joined(triangle: Values, rows: Values) -> Values:
    """The triangular factor of the rows of both."""
    return np.asarray(np.linalg.qr(np.vstack([triangle, rows]), mode="r"))


def _paths(triangle: Values, n_targets: int, n_rows: int) -> Iterator[tuple[Values, Values]]:
    """Weights and intercepts for each of the penalties."""
    n = triangle.shape[1] - n_targets
    corner = triangle[0, 0] if triangle[0, 0] else 1.0
    u, s, vt = np.linalg.svd(triangle[1:, 1:n])
    seen = (u.T @ triangle[1:, n:])[: len(s)]
    for penalty in PENALTIES:
        weights = vt[: len(s)].T @ ((s / (s * s + max(n_rows, 1) * penalty))[:, None] * seen)
        yield weights, (triangle[0, n:] - triangle[0, 1:n] @ weights) / corner

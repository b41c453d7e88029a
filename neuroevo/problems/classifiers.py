"""Logistic regression of classes: the linear competitor of networks that classify.

Multinomial, with an L2 penalty that is chosen on rows that are held out. Fitted by Nesterov's accelerated gradient,
preconditioned by the fixed bound of the curvature in Dankmar Böhning, "Multinomial logistic regression algorithm",
Annals of the Institute of Statistical Mathematics 44:197-200, 1992.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.machine import one_blas_thread
from neuroevo.networks.activations import softmax
from neuroevo.problems.preparing import choosing
from neuroevo.problems.ridge import distinct

if TYPE_CHECKING:
    from neuroevo.problems.rows import Rows
    from neuroevo.problems.sequence import SequenceProblem

Values = NDArray[np.float64]

PENALTIES = tuple(10.0**power for power in range(1, -6, -1))
STRETCHES = 8
_STEPS = 300
_SETTLED = 1e-4
"""Steps end where no weight moves further than this."""


@dataclass(frozen=True, eq=False)
class Logistic:
    """A fitted model.

    Attributes:
        columns: ``(n,)`` int64: the input column of each regressor; empty where it sees what `of_sequences` gives.
        lags: ``(n,)`` int64: how many steps before it is read.
        offset: ``(n_regressors,)``: the training mean.
        factor: ``(n_regressors,)``: the training deviation, infinite where that is 0.
        weights: ``(1 + n_regressors, n_classes)`` of standardised regressors, the intercepts first.
    """

    columns: NDArray[np.int64]
    lags: NDArray[np.int64]
    offset: Values
    factor: Values
    weights: Values

    def __post_init__(self) -> None:
        for name in ("columns", "lags"):
            if getattr(self, name).dtype != np.int64 or getattr(self, name).ndim != 1:
                raise BadInput(f"{name} of a logistic regression must be whole numbers (int64)")
        n = len(self.offset)
        if (
            not (self.offset.shape == self.factor.shape == (n,) and self.columns.shape == self.lags.shape)
            or (self.weights.ndim, len(self.weights)) != (2, n + 1)
            or len(self.columns) not in (0, n)
            or not (np.isfinite(self.offset).all() and np.isfinite(self.weights).all() and (self.factor > 0).all())
            or min(self.columns.min(initial=0), self.lags.min(initial=0)) < 0
        ):
            raise BadInput("the arrays of a logistic regression do not fit together, or are not finite")

    @property
    def of_whole(self) -> bool:
        """Whether it sees whole sequences, and says the same at each of their steps."""
        return not len(self.columns)

    def __call__(self, inputs: Values, rows: Rows) -> Values:
        """``(n_rows, n_classes)`` probabilities from ``(n_rows, n_inputs)``."""
        features = (self._features(inputs, rows) - self.offset) / self.factor
        sums = np.tile(self.weights[0], (len(features), 1))
        # Added one by one: a library's product may round in other ways for other numbers of rows.
        for column, weights in zip(features.T, self.weights[1:], strict=True):
            sums += column[:, None] * weights
        return softmax(sums)

    @property
    def reach(self) -> int:
        """How many rows before the present one it sees."""
        return int(self.lags.max(initial=0))

    def _features(self, inputs: Values, rows: Rows) -> Values:
        if self.of_whole:
            return of_sequences(inputs, rows)[rows.sequence]
        pairs = zip(self.columns.tolist(), self.lags.tolist(), strict=True)
        return np.stack([rows.lagged(inputs[:, column], lag) for column, lag in pairs], axis=1)

    def to_arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """Plain arrays; `from_arrays` reads them back bit for bit."""
        return {f"{prefix}{field.name}": getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], prefix: str) -> Logistic:
        """The model that `to_arrays` wrote.

        Raises:
            ValueError: An array is missing or is not what `to_arrays` writes.
        """
        names = [field.name for field in fields(cls)]
        missing = [prefix + name for name in names if prefix + name not in arrays]
        if missing:
            raise BadInput(f"the arrays of a logistic regression lack {', '.join(missing)}")
        return cls(**{name: arrays[prefix + name] for name in names})


def fitted(problem: SequenceProblem, lags: int) -> Logistic:
    """The model of a problem's training part, on what `class_features` gives."""
    pairs = np.zeros((0, 2), dtype=np.int64)
    if not _only_ends_count(problem):
        pairs = np.array(distinct(problem.input_rows, problem.rows, lags), dtype=np.int64)
    return Logistic(pairs[:, 0].copy(), pairs[:, 1].copy(), *_fitted(problem, class_features(problem, lags)))


def class_features(problem: SequenceProblem, lags: int) -> Values:
    """``(n_rows, n)``: what tells the class at a step.

    Where only the last step of each sequence counts, the means of each input over eighths of its sequence and its
    deviation; else the last inputs.
    """
    rows, inputs = problem.rows, problem.input_rows
    if _only_ends_count(problem):
        return of_sequences(inputs, rows)[rows.sequence]
    return np.stack([rows.lagged(inputs[:, c], lag) for c, lag in distinct(inputs, rows, lags)], axis=1)


def _only_ends_count(problem: SequenceProblem) -> bool:
    before_end = np.any([problem.counted_rows(part).any(axis=1) for part in problem.parts], axis=0)
    before_end[problem.rows.offsets[1:] - 1] = False
    return not before_end.any()


def logistic_outputs(problem: SequenceProblem, rows: Values) -> Values:
    """``(n_rows, n_outputs)``: probabilities of the classes, fitted on the training part.

    Args:
        problem: Of classes.
        rows: ``(n_rows, n)``.
    """
    with one_blas_thread():
        return _probabilities(rows, *_fitted(problem, rows))


def _probabilities(rows: Values, offset: Values, factor: Values, weights: Values) -> Values:
    return softmax(_with_ones((rows - offset) / factor) @ weights)


def _fitted(problem: SequenceProblem, rows: Values) -> tuple[Values, Values, Values]:
    """Offset, factor and weights of standardised rows."""
    targets, train = problem.target_rows, problem.counted_rows("train").any(axis=1)
    held = choosing(problem).any(axis=1)
    offset, deviation = rows[train].mean(axis=0), rows[train].std(axis=0)
    factor = np.where(deviation > 1e-12 * (1 + np.abs(offset)), deviation, np.inf)
    rows = (rows - offset) / factor
    trying = train & ~held
    with one_blas_thread():
        penalty, least = PENALTIES[0], np.inf
        for candidate in PENALTIES if trying.any() and held.any() else ():
            weights = fit(rows[trying], targets[trying], candidate)
            loss = _loss(rows[held], targets[held], weights)
            if loss >= least:  # smaller ones fit the rows more closely still
                break
            penalty, least = candidate, loss
        return offset, factor, fit(rows[train], targets[train], penalty)


def fit(regressors: Values, targets: Values, penalty: float) -> Values:
    """Weights ``(1 + n_regressors, n_classes)``, the intercepts first, that minimise the mean cross-entropy + penalty.

    Args:
        regressors: ``(n, n_regressors)``.
        targets: ``(n, n_classes)`` one-hot.
        penalty: Half of it times the squared weights, without the intercepts, is added.
    """
    rows = _with_ones(regressors)
    penalties = penalty * np.ones(rows.shape[1])
    penalties[0] = 0.0
    # Cross-entropy curves by at most half the regressors' second moments; the small part keeps the inverse finite.
    bound = 0.5 * rows.T @ rows / len(rows) + np.diag(penalties + 1e-9)
    inverse = np.linalg.inv(bound)
    weights = ahead = np.zeros((rows.shape[1], targets.shape[1]))
    momentum = 1.0
    for _ in range(_STEPS):
        gradient = rows.T @ (softmax(rows @ ahead) - targets) / len(rows) + penalties[:, None] * ahead
        following = ahead - inverse @ gradient
        if ((ahead - following) * (following - weights)).sum() > 0:  # the momentum overshoots: begin anew
            momentum = 1.0
        grown = 0.5 * (1 + np.sqrt(1 + 4 * momentum * momentum))
        ahead = following + (momentum - 1) / grown * (following - weights)
        settled = np.abs(following - weights).max() < _SETTLED
        weights, momentum = following, grown
        if settled:
            break
    return weights


def _loss(regressors: Values, targets: Values, weights: Values) -> float:
    shares = softmax(_with_ones(regressors) @ weights)[targets == 1]
    return float(-np.log(np.maximum(shares, 1e-300)).mean())


def _with_ones(rows: Values) -> Values:
    return np.concatenate([np.ones((*rows.shape[:-1], 1)), rows], axis=-1)


def of_sequences(inputs: Values, rows: Rows) -> Values:
    """``(n_sequences, (STRETCHES + 1) * n_inputs)``: means over equal stretches of each sequence, its deviations."""
    found = []
    for values in rows.split(inputs):
        length = len(values)
        starts = np.linspace(0, length, STRETCHES, endpoint=False).astype(np.int64)
        ends = np.maximum(np.linspace(0, length, STRETCHES + 1).astype(np.int64)[1:], starts + 1)
        means = [values[start:end].mean(axis=0) for start, end in zip(starts, ends, strict=True)]
        found.append(np.concatenate([*means, values.std(axis=0)]))
    return np.array(found)

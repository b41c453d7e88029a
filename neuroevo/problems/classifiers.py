"""Logistic regression of classes: the linear competitor of networks that classify.

Multinomial, with an L2 penalty that is chosen on rows that are held out. Fitted by Nesterov's accelerated gradient,
preconditioned by the fixed bound of the curvature in Dankmar Böhning, "Multinomial logistic regression algorithm",
Annals of the Institute of Statistical Mathematics 44:197-200, 1992.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from neuroevo.machine import one_blas_thread
from neuroevo.networks.activations import softmax
from neuroevo.problems.preparing import choosing
from neuroevo.problems.ridge import distinct

if TYPE_CHECKING:
    from neuroevo.problems.sequence import SequenceProblem

Values = NDArray[np.float64]

PENALTIES = tuple(10.0**power for power in range(1, -6, -1))
STRETCHES = 8
_STEPS = 300
_SETTLED = 1e-4
"""Steps end where no weight moves further than this."""


def class_features(problem: SequenceProblem, lags: int) -> Values:
    """``(n_rows, n)``: what tells the class at a step.

    Where only the last step of each sequence counts, the means of each input over eighths of its sequence and its
    deviation; else the last inputs.
    """
    rows, inputs = problem.rows, problem.input_rows
    before_end = np.any([problem.counted_rows(part).any(axis=1) for part in problem.parts], axis=0)
    before_end[rows.offsets[1:] - 1] = False
    if not before_end.any():
        return _of_sequences(problem)[rows.sequence]
    return np.stack([rows.lagged(inputs[:, c], lag) for c, lag in distinct(inputs, rows, lags)], axis=1)


def logistic_outputs(problem: SequenceProblem, rows: Values) -> Values:
    """``(n_rows, n_outputs)``: probabilities of the classes, fitted on the training part.

    Args:
        problem: Of classes.
        rows: ``(n_rows, n)``.
    """
    targets, train = problem.target_rows, problem.counted_rows("train").any(axis=1)
    held = choosing(problem).any(axis=1)
    offset, deviation = rows[train].mean(axis=0), rows[train].std(axis=0)
    rows = (rows - offset) / np.where(deviation > 1e-12 * (1 + np.abs(offset)), deviation, np.inf)
    trying = train & ~held
    with one_blas_thread():
        penalty, least = PENALTIES[0], np.inf
        for candidate in PENALTIES if trying.any() and held.any() else ():
            weights = fit(rows[trying], targets[trying], candidate)
            loss = _loss(rows[held], targets[held], weights)
            if loss >= least:  # smaller ones fit the rows more closely still
                break
            penalty, least = candidate, loss
        weights = fit(rows[train], targets[train], penalty)
        return softmax(_with_ones(rows) @ weights)


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


def _of_sequences(problem: SequenceProblem) -> Values:
    """``(n_sequences, (STRETCHES + 1) * n_inputs)``: means over equal stretches of each sequence, its deviations."""
    found = []
    for values in problem.rows.split(problem.input_rows):
        length = len(values)
        starts = np.linspace(0, length, STRETCHES, endpoint=False).astype(np.int64)
        ends = np.maximum(np.linspace(0, length, STRETCHES + 1).astype(np.int64)[1:], starts + 1)
        means = [values[start:end].mean(axis=0) for start, end in zip(starts, ends, strict=True)]
        found.append(np.concatenate([*means, values.std(axis=0)]))
    return np.array(found)

"""The simple competitors that every report prints beside a network: whoever doesn't beat them has learnt little.

All are fitted on the training part only and measured on the same targets as the network. Linear models of a few past
values beat many published networks on popular benchmark series, so a network's error means nothing without theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.problems.metrics import PartMetrics, measure

if TYPE_CHECKING:
    from neuroevo.problems.sequence import SequenceProblem

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Baseline:
    """A simple competitor on one problem.

    Attributes:
        name: Short name ("persistence").
        label: What it does, for tables ("last value repeated").
        outputs: ``(n_sequences, n_steps, n_outputs)`` in scaled units; NaN where it has not seen enough steps yet.
        parts: Part names to its measures; a part whose targets all come too early for it is left out.
    """

    name: str
    label: str
    outputs: Values
    parts: Mapping[str, PartMetrics]


def baselines(problem: SequenceProblem, order: int = 9) -> tuple[Baseline, ...]:
    """The competitors that make sense for a problem, the simplest first.

    For a series: the training mean, the last value repeated, and linear autoregression. For other targets: the mean and
    a linear filter of the last inputs. For classes: the largest class, and a linear classifier of each channel's mean
    and standard deviation.

    Args:
        problem: Scaled or not.
        order: Past values that the linear models see.

    Raises:
        ValueError: The order is below 1.
    """
    if order < 1:
        raise BadInput(f"the order of a linear model must be at least 1, got {order}")
    if problem.learned.by_class:
        found = [_make(problem, "majority", "largest class", _constant(problem))]
        classifier = _linear_classifier(problem)
        return (*found, _make(problem, "linear", "linear classifier of means and deviations", classifier))
    found = [_make(problem, "mean", "mean of the training targets", _constant(problem))]
    autoregressive = min(problem.tied) >= 0
    if autoregressive:
        repeated = np.array(problem.inputs[:, :, list(problem.tied)])
        found.append(_make(problem, "persistence", "last value repeated", repeated))
    outputs = linear_filter(problem, order)
    if outputs is not None:
        label = f"linear autoregression of order {order}" if autoregressive else f"linear filter of {order} inputs"
        found.append(_make(problem, "linear", label, outputs))
    return tuple(found)


def _make(problem: SequenceProblem, name: str, label: str, outputs: Values) -> Baseline:
    known = np.isfinite(outputs)
    reached = [part for part in problem.parts if (problem.counted(part) & known).any()]
    filled = np.where(known, outputs, 0.0)
    return Baseline(name, label, outputs, {part: measure(problem, filled, part, known) for part in reached})


def _constant(problem: SequenceProblem) -> Values:
    """The mean of each training target, everywhere; for one-hot targets its largest entry is the largest class."""
    counted = problem.counted("train")
    n_counted = counted.sum(axis=(0, 1))
    means = np.where(counted, problem.targets, 0.0).sum(axis=(0, 1)) / np.maximum(n_counted, 1)
    return np.broadcast_to(means, problem.targets.shape).copy()


def linear_filter(problem: SequenceProblem, order: int = 9) -> Values | None:
    """Least squares of each target on the last `order` values of its own series (where tied), or of all inputs.

    Returns:
        ``(n_sequences, n_steps, n_outputs)`` in scaled units, NaN in the first ``order - 1`` steps; None where the
        training part has no more targets than the model has coefficients.
    """
    tied = sorted(set(problem.tied))
    columns = tied if tied[0] >= 0 else list(range(problem.n_inputs))
    seen = problem.inputs[:, :, columns]
    if problem.n_steps < order:
        return None
    windows = np.lib.stride_tricks.sliding_window_view(seen, order, axis=1)
    regressors = windows.reshape(problem.n_sequences, problem.n_steps - order + 1, -1)
    counted = problem.counted("train")[:, order - 1 :]
    outputs = np.full(problem.targets.shape, np.nan)
    for o in range(problem.n_outputs):
        rows = counted[:, :, o]
        if rows.sum() <= regressors.shape[2]:
            return None
        fit = _Fit(regressors[rows], problem.targets[:, order - 1 :, o][rows, None])
        outputs[:, order - 1 :, o] = fit(regressors)[:, :, 0]
    return outputs


def _linear_classifier(problem: SequenceProblem) -> Values:
    """Least squares of the one-hot targets on mean and standard deviation of each input over its sequence."""
    present = problem.present[:, :, None]
    n_present = present.sum(axis=1)
    mean = np.where(present, problem.inputs, 0.0).sum(axis=1) / n_present
    deviation = np.sqrt((np.where(present, problem.inputs - mean[:, None], 0.0) ** 2).sum(axis=1) / n_present)
    features = np.concatenate([mean, deviation], axis=1)
    sequences, steps = np.nonzero(problem.counted("train").any(axis=2))
    fit = _Fit(features[sequences], problem.targets[sequences, steps])
    return np.repeat(fit(features)[:, None], problem.n_steps, axis=1)


class _Fit:
    """Linear least squares with intercept, on standardised regressors so that columns of any size are conditioned."""

    def __init__(self, regressors: Values, targets: Values) -> None:
        """Fit ``(n, n_regressors)`` to ``(n, n_outputs)``; constant regressors carry nothing and get no weight."""
        self.offset = regressors.mean(axis=0)
        deviation = regressors.std(axis=0)
        self.factor = np.where(deviation > 1e-12 * (1 + np.abs(self.offset)), deviation, np.inf)
        self.intercept = targets.mean(axis=0)
        self.weights: Values = np.linalg.lstsq(self._standardised(regressors), targets - self.intercept, rcond=None)[0]

    def __call__(self, regressors: Values) -> Values:
        """``(..., n_outputs)`` predictions from ``(..., n_regressors)``."""
        return np.asarray(self._standardised(regressors) @ self.weights + self.intercept)

    def _standardised(self, regressors: Values) -> Values:
        return np.asarray((regressors - self.offset) / self.factor)

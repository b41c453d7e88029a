"""The simple competitors that every report prints beside a network: whoever doesn't beat them has learnt little.

All are fitted on the training part only and measured on the same targets as the network. Linear models of a few past
values beat many published networks on popular benchmark series, so a network's error means nothing without theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.problems.classifiers import class_features, logistic_outputs
from neuroevo.problems.metrics import PartMetrics, compare
from neuroevo.problems.preparing import LAGS, choosing, default_lags
from neuroevo.problems.ridge import fit
from neuroevo.problems.rows import Rows
from neuroevo.problems.seasons import horizons_of, seasonal
from neuroevo.problems.trees import boosted, has_scikit_learn

if TYPE_CHECKING:
    from neuroevo.problems.sequence import SequenceProblem

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Baseline:
    """A simple competitor on one problem.

    Attributes:
        name: Short name ("persistence").
        label: What it does, for tables ("last value repeated").
        rows: Where the sequences lie.
        output_rows: ``(n_rows, n_outputs)`` in scaled units; NaN where it has not seen enough steps yet.
        parts: Part names to its measures; a part whose targets all come too early for it is left out.
        by_heart: Whether it can learn a training part by heart, so that its errors there say little.
    """

    name: str
    label: str
    rows: Rows
    output_rows: Values
    parts: Mapping[str, PartMetrics]
    by_heart: bool = False

    @property
    def outputs(self) -> Values:
        """``(n_sequences, n_steps, n_outputs)``: the same, NaN beyond a length too."""
        return self.rows.padded(self.output_rows, np.nan)


def baselines(problem: SequenceProblem, order: int = LAGS) -> tuple[Baseline, ...]:
    """The competitors that make sense for a problem, the simplest first.

    For a series: the training mean, the last value repeated, the last value of the same place in the season, the last
    value with the training part's drift, linear autoregression, and ridge regression on all inputs of the last steps.
    For other targets: the mean, a linear filter of the last inputs, and ridge regression. For classes: the largest
    class, a linear classifier of each channel's mean and standard deviation, and logistic regression. Where a problem
    asks for them, gradient-boosted trees on the last inputs too.

    All are fitted to the full target in its own units, whatever the network learns of it.

    Args:
        problem: Scaled or not.
        order: Past values that the linear models see; ridge regression sees a season where it is longer, and only the
            inputs of the step where they hold their own past.

    Raises:
        ValueError: The order is below 1.
    """
    if order < 1:
        raise BadInput(f"the order of a linear model must be at least 1, got {order}")
    # Columns that are tied together must be in the same units for the last value to be one.
    apart = problem.preparation is not None or problem.scaling.target_method is not None
    fitted = problem.original if apart else problem

    def make(name: str, label: str, outputs: Values, *, by_heart: bool = False) -> Baseline:
        return _make(problem, fitted, name, label, outputs, by_heart=by_heart)

    if problem.learned.by_class:
        found = [make("majority", "largest class", _constant(fitted))]
        found.append(make("linear", "linear classifier of means and deviations", _linear_classifier(fitted)))
        rows = class_features(fitted, order)
        found.append(
            make("logistic", "logistic regression", logistic_outputs(fitted, rows), by_heart=_many(fitted, rows))
        )
        return (*found, *_trees(fitted, rows, make))
    found = [make("mean", "mean of the training targets", _constant(fitted))]
    autoregressive = min(fitted.tied) >= 0
    if autoregressive:
        repeated = fitted.input_rows[:, list(fitted.tied)]
        found.append(make("persistence", "last value repeated", repeated))
        horizons, season = horizons_of(fitted), problem.known_season
        if horizons is not None and season is not None:
            label = f"last season repeated ({season} steps)"
            columns = [seasonal(repeated[:, [o]], fitted.rows, season, horizon) for o, horizon in enumerate(horizons)]
            found.append(make("seasonal", label, np.concatenate(columns, axis=1)))
        if horizons is not None:
            found.append(make("drift", "last value with drift", repeated + _drift(fitted, repeated)))
    outputs = linear_filter(fitted, order)
    if outputs is not None:
        label = f"linear autoregression of order {order}" if autoregressive else f"linear filter of {order} inputs"
        found.append(make("linear", label, outputs))
    lags = default_lags(fitted, order)
    inputs, at = fitted.input_rows, fitted.rows
    model = fit(inputs, fitted.target_rows, at, fitted.counted_rows("train"), choosing(fitted), lags)
    pairs = zip(model.columns.tolist(), model.lags.tolist(), strict=True)
    rows = np.stack([at.lagged(inputs[:, column], lag) for column, lag in pairs], axis=1)
    label = f"ridge regression on {rows.shape[1]} values"
    found.append(make("ridge", label, model(inputs, at), by_heart=_many(fitted, rows)))
    return (*found, *_trees(fitted, rows, make))


def _make(
    problem: SequenceProblem, fitted: SequenceProblem, name: str, label: str, outputs: Values, *, by_heart: bool
) -> Baseline:
    known = np.isfinite(outputs)
    reached = [part for part in problem.parts if (problem.counted_rows(part) & known).any()]
    filled = np.where(known, outputs, 0.0)
    predictions = fitted.predictions(filled)
    if fitted is not problem:
        filled = problem.outputs_for(predictions)
        outputs = np.where(known, filled, np.nan)
    parts = {part: compare(problem, filled, predictions, part, known) for part in reached}
    return Baseline(name, label, problem.rows, outputs, parts, by_heart)


def _drift(problem: SequenceProblem, repeated: Values) -> Values:
    """``(n_outputs,)``: the mean difference of the training targets from the last value known."""
    counted = problem.counted_rows("train")
    differences = np.where(counted, problem.target_rows - repeated, 0.0).sum(axis=0)
    return np.asarray(differences / np.maximum(counted.sum(axis=0), 1))


def _many(problem: SequenceProblem, rows: Values) -> bool:
    """Whether a linear model of ``rows (n_rows, n)`` could give back all its training targets."""
    return bool(rows.shape[1] >= problem.counted_rows("train").any(axis=1).sum())


def _trees(problem: SequenceProblem, rows: Values, make: Callable[..., Baseline]) -> list[Baseline]:
    """Trees on ``rows (n_rows, n)``, of each target or class by itself, where they are asked for."""
    if not (problem.gradient_boosting and has_scikit_learn()):
        return []
    targets, train, held = problem.target_rows, problem.counted_rows("train"), choosing(problem)
    outputs = np.zeros(targets.shape)
    for o in range(problem.n_outputs):
        fitted, used = train[:, o], train[:, o] | held[:, o]
        if fitted.any():
            outputs[:, o] = boosted(rows[used], targets[used, o], fitted[used], held[used, o], rows)
    label = f"gradient-boosted trees on {rows.shape[1]} values"
    return [make("gradient_boosting", label, outputs, by_heart=True)]


def _constant(problem: SequenceProblem) -> Values:
    """The mean of each training target, everywhere; for one-hot targets its largest entry is the largest class."""
    counted, targets = problem.counted_rows("train"), problem.target_rows
    means = np.where(counted, targets, 0.0).sum(axis=0) / np.maximum(counted.sum(axis=0), 1)
    return np.broadcast_to(means, targets.shape).copy()


def linear_filter(problem: SequenceProblem, order: int = LAGS) -> Values | None:
    """Least squares of each target on the last `order` values of its own series (where tied), or of all inputs.

    Returns:
        ``(n_rows, n_outputs)`` in scaled units, NaN in the first ``order - 1`` steps; None where the training part has
        no more targets than the model has coefficients.
    """
    tied = sorted(set(problem.tied))
    columns = tied if tied[0] >= 0 else list(range(problem.n_inputs))
    at = np.flatnonzero(problem.rows.step >= order - 1)
    if not at.size:
        return None
    windows = np.lib.stride_tricks.sliding_window_view(problem.input_rows[:, columns], order, axis=0)
    regressors = windows[at - (order - 1)].reshape(len(at), -1)
    counted = problem.counted_rows("train")[at]
    outputs = np.full(problem.target_rows.shape, np.nan)
    for o in range(problem.n_outputs):
        rows = counted[:, o]
        if rows.sum() <= regressors.shape[1]:
            return None
        fit = _Fit(regressors[rows], problem.target_rows[at[rows], o, None])
        outputs[at, o] = fit(regressors)[:, 0]
    return outputs


def _linear_classifier(problem: SequenceProblem) -> Values:
    """Least squares of the one-hot targets on mean and standard deviation of each input over its sequence."""
    rows, inputs = problem.rows, problem.input_rows
    mean = rows.sums(inputs) / rows.lengths[:, None]
    deviation = np.sqrt(rows.sums((inputs - mean[rows.sequence]) ** 2) / rows.lengths[:, None])
    features = np.concatenate([mean, deviation], axis=1)
    at = np.flatnonzero(problem.counted_rows("train").any(axis=1))
    fit = _Fit(features[rows.sequence[at]], problem.target_rows[at])
    return fit(features)[rows.sequence]


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

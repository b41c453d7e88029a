"""NeuroevoClassifier: classes of sequences, or of their rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d, validate_data

from neuroevo.errors import BadInput
from neuroevo.estimators.base import SequenceEstimator
from neuroevo.estimators.shapes import Inputs, Targets, flat, is_many, targets_of
from neuroevo.prediction import Combine
from neuroevo.problems import RightClass


class NeuroevoClassifier(ClassifierMixin, SequenceEstimator):  # type: ignore[misc]
    """A recurrent network that tells classes apart, trained without gradients on the cross-entropy.

    X is as of `NeuroevoRegressor`: one series of two axes, or many sequences. y has a label of any kind for each row of
    a series, ``(n_samples,)``; of many sequences one for each, ``(n_sequences,)``, or one for each row, ``(n_sequences,
    n_steps)`` or a list of arrays. The network sees the rows of a sequence up to the one that it labels.

    Args:
        network: As of `NeuroevoRegressor`.
        n_hidden: As of `NeuroevoRegressor`.
        strategy: As of `NeuroevoRegressor`.
        generations: As of `NeuroevoRegressor`.
        seconds: As of `NeuroevoRegressor`.
        validation_fraction: As of `NeuroevoRegressor`; of many sequences with one label each, each class has its share.
        patience: As of `NeuroevoRegressor`.
        scaling: Of X: "standard", "robust", "range" or "none".
        washout: As of `NeuroevoRegressor`.
        follows_training: As of `NeuroevoRegressor`.
        class_weight: "balanced" lets the classes weigh alike, whatever the number of their examples; None: examples do.
        n_trials: Searches from different seeds, whose probabilities have their mean taken.
        network_options: As of `NeuroevoRegressor`.
        strategy_options: As of `NeuroevoRegressor`.
        precision: As of `NeuroevoRegressor`.
        random_state: As of `NeuroevoRegressor`.
        n_threads: As of `NeuroevoRegressor`.

    Attributes:
        classes_: The labels, sorted; the columns of `predict_proba`.
        predictor_: The champions as a `Predictor`.
        histories_: The figures of the generations, a `History` for each trial.
        stop_reasons_: Why each search ended.
        n_iter_: Generations of the longest search.
        n_features_in_: Columns of X.
        feature_names_in_: Their names, where X had some.
    """

    _combine: Combine = "mean"

    def __init__(
        self,
        network: str = "gru",
        n_hidden: int | None = 8,
        *,
        strategy: str = "snes",
        generations: int = 600,
        seconds: float | None = None,
        validation_fraction: float | None = 0.15,
        patience: int | None = 100,
        scaling: str = "standard",
        washout: int = 0,
        follows_training: bool = False,
        class_weight: str | None = None,
        n_trials: int = 1,
        network_options: Mapping[str, Any] | None = None,
        strategy_options: Mapping[str, Any] | None = None,
        precision: str = "single",
        random_state: Any = None,
        n_threads: int | None = 1,
    ) -> None:
        self.network = network
        self.n_hidden = n_hidden
        self.strategy = strategy
        self.generations = generations
        self.seconds = seconds
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.scaling = scaling
        self.washout = washout
        self.follows_training = follows_training
        self.class_weight = class_weight
        self.n_trials = n_trials
        self.network_options = network_options
        self.strategy_options = strategy_options
        self.precision = precision
        self.random_state = random_state
        self.n_threads = n_threads

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def fit(self, X: Any, y: Any) -> Self:  # noqa: N803
        """Search for a network that tells the labels y apart.

        Raises:
            ValueError: X, y or an argument of the estimator is wrong.
        """
        inputs, targets = self._given(X, y)
        check_classification_targets(targets.values)
        classes, kinds = np.unique(targets.values, return_inverse=True)
        if len(classes) < 2:
            raise BadInput(f"y has one class, {classes.tolist()[0]!r}: at least two are needed to be told apart")
        if self.class_weight not in (None, "balanced"):
            raise BadInput(f'class_weight must be "balanced" or None, got {self.class_weight!r}')
        self.classes_, self._whole = classes, targets.whole
        wanted = np.zeros((len(inputs.rows), len(classes)))
        mask = np.zeros(wanted.shape, dtype=np.bool_)
        labelled = inputs.last if targets.whole else np.arange(len(inputs.rows))
        wanted[labelled, kinds], mask[labelled] = 1.0, True
        problem = {
            "targets": wanted,
            "target_mask": mask,
            "learned": RightClass(),
            "objective": "cross_entropy",
            "class_weights": self.class_weight,
        }
        return self._learn(inputs, problem, kinds if targets.whole else None)

    def predict(self, X: Any) -> Any:  # noqa: N803
        """The label of each row, or of each sequence, in the form that `fit` was given labels in.

        Raises:
            ValueError: X is wrong.
        """
        inputs, outputs = self._outputs(X)
        return inputs.given_back(self.classes_[outputs.argmax(axis=1)], whole=self._whole)

    def predict_proba(self, X: Any) -> Any:  # noqa: N803
        """The probability of each class, in the order of `classes_`, along a last axis.

        Raises:
            ValueError: X is wrong.
        """
        inputs, outputs = self._outputs(X)
        return inputs.given_back(outputs, whole=self._whole)

    def score(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> float:  # noqa: N803
        """The share of right labels, over all rows or sequences."""
        said, right = (np.ravel(flat(labels)) for labels in (self.predict(X), y))
        return float(accuracy_score(right, said, sample_weight=sample_weight))

    def _given(self, X: Any, y: Any) -> tuple[Inputs, Targets]:  # noqa: N803
        if is_many(X):
            inputs = self._inputs(X, reset=True)
            targets = targets_of(inputs, y)
            return inputs, Targets(column_or_1d(targets.values), targets.whole)
        rows, labels = validate_data(self, X, y, dtype=np.float64, multi_output=True)
        inputs = Inputs(rows, np.array([len(rows)], dtype=np.int64), "series")
        return inputs, Targets(column_or_1d(labels, warn=True), whole=False)

"""NeuroevoRegressor: numbers from sequences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.validation import check_array, validate_data

from neuroevo.errors import BadInput
from neuroevo.estimators.base import SequenceEstimator
from neuroevo.estimators.shapes import Inputs, Targets, flat, is_many, targets_of


class NeuroevoRegressor(RegressorMixin, SequenceEstimator):  # type: ignore[misc]
    """A recurrent network that predicts numbers, trained without gradients.

    X of two axes ``(n_samples, n_features)`` is one series in the order of time, with y ``(n_samples,)`` or ``(n_samples,
    n_outputs)``. X of three axes ``(n_sequences, n_steps, n_features)``, or a list of arrays ``(n_steps, n_features)``,
    is many sequences, with y for each row (``(n_sequences, n_steps)``, ``(n_sequences, n_steps, n_outputs)``, or a list
    of arrays) or for each sequence (``(n_sequences,)`` or ``(n_sequences, n_outputs)``). The network sees the rows of a
    sequence up to the one whose target it predicts.

    Args:
        network: Kind: "gru", "lstm", "elman", "jordan", "ctrnn", or one that was registered.
        n_hidden: Units; None for kinds that have no such number.
        strategy: "snes", "cma_es", "genetic_algorithm" or another name of `neuroevo list`.
        generations: The most there are in a search.
        seconds: The longest that a search takes; None: no limit. A search that ends by it can't be repeated.
        validation_fraction: The share that chooses the champion and ends the search: of a series its last rows, of many
            sequences some at random. 0 or None: nothing is held out, and the champion is that of the training data.
        patience: Generations without a better validation error that end a search; None: they do not.
        residual: What the network learns to correct: "linear" (a ridge regression on the last rows), "last_value" or
            "seasonal" (they need `tied`), or None.
        scaling: Of X and y, learnt on the training part: "standard", "robust", "range" or "none".
        tied: For each output the column of X that holds the same quantity, or -1; one number for a single output.
        washout: First rows of each sequence whose targets do not count, while the state settles.
        follows_training: Whether `predict` is given the rows that follow those of `fit` at once, as in a
            `TimeSeriesSplit`, and goes on from the state in which they left the network. Otherwise the state begins
            anew with the first row of whatever is predicted.
        n_trials: Searches from different seeds, whose predictions have their median taken.
        network_options: Further settings of the network, such as ``{"n_layers": 2}``.
        strategy_options: Settings of the strategy, such as ``{"population_size": 32}``.
        precision: Arithmetic of the search: "single" or "double".
        random_state: A whole number makes every fit the same; None draws from the system; a generator of numpy's is
            drawn from. The global generator is never used.
        n_threads: Threads of a search; None: one for each processor. They never change the result.

    Attributes:
        predictor_: The champions as a `Predictor`, which also has the members' spread and intervals.
        histories_: The figures of the generations, a `History` for each trial.
        stop_reasons_: Why each search ended.
        n_iter_: Generations of the longest search.
        n_features_in_: Columns of X.
        feature_names_in_: Their names, where X had some.
    """

    def __init__(
        self,
        network: str = "gru",
        n_hidden: int | None = 4,
        *,
        strategy: str = "snes",
        generations: int = 400,
        seconds: float | None = None,
        validation_fraction: float | None = 0.15,
        patience: int | None = 100,
        residual: str | None = "linear",
        scaling: str = "standard",
        tied: int | Sequence[int] | None = None,
        washout: int = 0,
        follows_training: bool = False,
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
        self.residual = residual
        self.scaling = scaling
        self.tied = tied
        self.washout = washout
        self.follows_training = follows_training
        self.n_trials = n_trials
        self.network_options = network_options
        self.strategy_options = strategy_options
        self.precision = precision
        self.random_state = random_state
        self.n_threads = n_threads

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.target_tags.multi_output = True
        return tags

    def fit(self, X: Any, y: Any) -> Self:  # noqa: N803
        """Search for a network that predicts y.

        Raises:
            ValueError: X, y or an argument of the estimator is wrong.
        """
        inputs, targets = self._given(X, y)
        values = targets.values.reshape(len(targets.values), -1).astype(np.float64)
        self._whole, self._single = targets.whole, targets.values.ndim == 1
        wanted, mask = values, np.ones(values.shape, dtype=np.bool_)
        if targets.whole:
            wanted, mask = (np.zeros((len(inputs.rows), values.shape[1]), kind) for kind in (np.float64, np.bool_))
            wanted[inputs.last], mask[inputs.last] = values, True
        return self._learn(inputs, {"targets": wanted, "target_mask": mask}, None)

    def predict(self, X: Any) -> Any:  # noqa: N803
        """The prediction for each row, or of each sequence, in the form that `fit` was given targets in.

        Raises:
            ValueError: X is wrong.
        """
        inputs, outputs = self._outputs(X)
        return inputs.given_back(outputs[:, 0] if self._single else outputs, whole=self._whole)

    def score(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> float:  # noqa: N803
        """The coefficient of determination, over all rows or sequences; 1 at best, 0 for the mean."""
        return float(r2_score(flat(y), flat(self.predict(X)), sample_weight=sample_weight))

    def _given(self, X: Any, y: Any) -> tuple[Inputs, Targets]:  # noqa: N803
        if is_many(X):
            inputs = self._inputs(X, reset=True)
            targets = targets_of(inputs, y)
            wide = targets.values.reshape(len(targets.values), -1)
            check_array(wide, dtype=np.float64, input_name="y")
            return inputs, targets
        rows, values = validate_data(self, X, y, dtype=np.float64, multi_output=True, y_numeric=True)
        return Inputs(rows, np.array([len(rows)], dtype=np.int64), "series"), Targets(values, whole=False)

    def _residual(self) -> str | None:
        return self.residual

    def _tied(self) -> list[int] | None:
        if self.tied is None:
            return None
        columns = np.atleast_1d(np.asarray(self.tied))
        if columns.ndim != 1 or columns.dtype.kind not in "iu":
            raise BadInput(f"tied must be a column of X, or one for each output; got {self.tied!r}")
        return [int(column) for column in columns]

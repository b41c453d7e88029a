"""What both estimators have in common: sequences in, searches, predictions out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from neuroevo.checks import number, truth_value, whole_number
from neuroevo.errors import BadInput
from neuroevo.estimators.searching import Found, generator_of, search
from neuroevo.estimators.shapes import Inputs, Values, is_many, many
from neuroevo.networks import make_network
from neuroevo.prediction import Combine, Predictor
from neuroevo.problems import SequenceProblem

_MOST_SEED = 2**31


class SequenceEstimator(BaseEstimator):  # type: ignore[misc]
    """The part of an estimator that does not ask whether it learns numbers or classes."""

    _combine: Combine = "median"

    def predict(self, X: Any) -> Any:  # noqa: N803
        """The prediction for each row, or of each sequence, in the form that `fit` was given targets in."""
        raise NotImplementedError

    def _inputs(self, X: Any, *, reset: bool = False) -> Inputs:  # noqa: N803
        """The rows of X; `reset` learns how many features there are."""
        if not is_many(X):
            rows = validate_data(self, X, dtype=np.float64, reset=reset)
            return Inputs(rows, np.array([len(rows)], dtype=np.int64), "series")
        given = many(X)
        n_features = given.rows.shape[1]
        if reset:
            self.n_features_in_ = n_features
            vars(self).pop("feature_names_in_", None)
        elif n_features != self.n_features_in_:
            raise BadInput(
                f"X has {n_features} features, but {type(self).__name__} is expecting {self.n_features_in_} features "
                "as input"
            )
        return given

    def _learn(self, inputs: Inputs, problem: Mapping[str, Any], kinds: NDArray[np.int64] | None) -> Self:
        """Search for networks.

        Args:
            inputs: The rows.
            problem: Arguments of `SequenceProblem` beside inputs, parts and washout; `target_mask` among them.
            kinds: ``(n_sequences,)``: the class of each sequence, where that is what is learnt.
        """
        rng = generator_of(self.random_state)
        if truth_value("follows_training", self.follows_training) and inputs.form != "series":
            raise BadInput("follows_training needs one series, X of two axes: each of several sequences begins anew")
        mask = problem["target_mask"]
        parts = self._parts(inputs, mask, kinds, rng)
        learnt = SequenceProblem(
            inputs.rows, lengths=inputs.lengths, parts=parts, washout=self.washout, **{"tied": self._tied(), **problem}
        )
        learnt = learnt.prepared(self._residual()).scaled(self.scaling)
        network = self._network(learnt)
        strategy = {"kind": self.strategy, **_options("strategy_options", self.strategy_options)}
        found = [
            search(
                learnt, network, strategy, self._stop("validation" in parts), seed=int(rng.integers(_MOST_SEED)),
                precision=self.precision, n_threads=self.n_threads,
            )
            for _ in range(whole_number("n_trials", self.n_trials))
        ]  # fmt: skip
        return self._keep(inputs, learnt, found)

    def _keep(self, inputs: Inputs, problem: SequenceProblem, found: list[Found]) -> Self:
        by_class = problem.learned.by_class
        predictor = Predictor(tuple(each.member for each in found), self._combine, by_class)
        self.predictor_ = predictor.calibrated(problem)
        self.histories_ = [each.history for each in found]
        self.stop_reasons_ = [each.stop_reason for each in found]
        self.n_iter_ = max(each.n_generations for each in self.histories_)
        self._before = inputs.rows if self.follows_training else inputs.rows[:0]
        return self

    def _outputs(self, X: Any) -> tuple[Inputs, Values]:  # noqa: N803
        """The rows of X, and ``(n_rows, n_outputs)`` for them."""
        check_is_fitted(self)
        inputs = self._inputs(X)
        n_before = len(self._before)
        if not n_before:
            return inputs, self.predictor_.forecast_rows(inputs.rows, inputs.lengths).prediction
        if inputs.form != "series":
            raise BadInput("with follows_training, X must be the rows that follow those of fit, of two axes")
        rows = np.concatenate([self._before, inputs.rows])
        return inputs, self.predictor_.forecast_rows(rows, [len(rows)]).prediction[n_before:]

    def _parts(
        self, inputs: Inputs, mask: NDArray[np.bool_], kinds: NDArray[np.int64] | None, rng: np.random.Generator
    ) -> dict[str, NDArray[np.bool_]]:
        """The training rows, and those that choose the champion and end the search."""
        share = 0.0 if self.validation_fraction is None else number("validation_fraction", self.validation_fraction)
        if not 0 <= share < 1:
            raise BadInput(f"validation_fraction must be from 0 to below 1, or None; got {self.validation_fraction!r}")
        n_sequences, n_rows = len(inputs.lengths), len(inputs.rows)
        held = np.zeros(n_rows, dtype=np.bool_)
        if share == 0:
            return {"train": ~held}
        if n_sequences > 1:
            chosen = np.zeros(n_sequences, dtype=np.bool_)
            chosen[_spread(kinds, n_sequences, _part_of(n_sequences, share), rng)] = True
            held = np.repeat(chosen, inputs.lengths)
        else:
            targets = np.flatnonzero(mask.any(axis=1))
            if len(targets) < 2:
                raise BadInput(
                    f"n_samples = {len(targets)} is too few for a training and a validation part: give more rows, or "
                    "validation_fraction=None"
                )
            held[targets[-_part_of(len(targets), share)] :] = True
        return {"train": ~held, "validation": held}

    def _network(self, problem: SequenceProblem) -> Any:
        sizes = {} if self.n_hidden is None else {"n_hidden": self.n_hidden}
        if problem.learned.by_class:
            sizes["output_activation"] = "softmax"
        options = {**sizes, **_options("network_options", self.network_options)}
        return make_network(self.network, problem.n_inputs, problem.n_outputs, **options)

    def _stop(self, validated: bool) -> dict[str, Any]:
        table = {"generations": self.generations, "seconds": self.seconds}
        if validated:
            table["validation_patience"] = self.patience
        return {name: value for name, value in table.items() if value is not None}

    def _residual(self) -> str | None:
        return None

    def _tied(self) -> list[int] | None:
        return None


def _options(name: str, options: Any) -> dict[str, Any]:
    if options is not None and not isinstance(options, Mapping):
        raise BadInput(f"{name} must be a mapping from names to values, or None; got {options!r}")
    return dict(options or {})


def _part_of(n: int, share: float) -> int:
    return min(max(round(n * share), 1), n - 1)


def _spread(kinds: NDArray[np.int64] | None, n: int, n_chosen: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """So many of n sequences at random, of each class its share."""
    order = rng.permutation(n)
    if kinds is not None:
        order = order[np.argsort(kinds[order], kind="stable")]
    return np.asarray(order[((np.arange(n_chosen) + 0.5) * n / n_chosen).astype(np.int64)])

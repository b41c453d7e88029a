"""Logistic regression as a member of a predictor: the simple competitor of networks that classify."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroevo.networks.checks import sequences
from neuroevo.problems.classifiers import Logistic

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LogisticMember:
    """Logistic regression on the last inputs, or on the means over eighths of a whole sequence and its deviations.

    Attributes:
        model: In original units.
        n_inputs: Columns of the inputs.
        name: What people call it.
        figures: Numbers about it.
    """

    model: Logistic
    n_inputs: int
    name: str = "logistic regression"
    figures: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # A model of other columns is known here, not at the first prediction.
        self.model(np.zeros((1, 1, self.n_inputs)), np.ones(1, dtype=np.int64))

    @property
    def n_outputs(self) -> int:
        """Columns of a prediction."""
        return int(self.model.weights.shape[1])

    def predict(self, inputs: ArrayLike, lengths: ArrayLike | None = None) -> Values:
        """``(n_sequences, n_steps, n_outputs)`` probabilities; as `Predictor.predict`."""
        checked, n_steps = sequences(inputs, lengths, self.n_inputs)
        outputs = self.model(np.nan_to_num(checked), n_steps)
        outputs[np.arange(checked.shape[1]) >= n_steps[:, None]] = np.nan
        return outputs

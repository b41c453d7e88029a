"""Logistic regression as a member of a predictor: the simple competitor of networks that classify."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroevo.networks.checks import rows as checked_rows
from neuroevo.networks.checks import sequences
from neuroevo.problems.classifiers import Logistic
from neuroevo.problems.rows import Rows

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
        self.model(np.zeros((1, self.n_inputs)), Rows(np.ones(1, dtype=np.int64)))

    @property
    def n_outputs(self) -> int:
        """Columns of a prediction."""
        return int(self.model.weights.shape[1])

    def predict(self, inputs: ArrayLike, lengths: ArrayLike | None = None) -> Values:
        """``(n_sequences, n_steps, n_outputs)`` probabilities; as `Predictor.predict`."""
        checked, n_steps = sequences(inputs, lengths, self.n_inputs)
        rows = Rows(n_steps)
        return rows.padded(self.model(rows.of(checked), rows), np.nan)

    def predict_rows(self, rows: ArrayLike, lengths: ArrayLike) -> Values:
        """As `Predictor.forecast_rows`, of this model alone."""
        checked, n_steps = checked_rows(rows, lengths, self.n_inputs)
        return self.model(checked, Rows(n_steps))

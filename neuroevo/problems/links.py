"""Links from inputs to outputs, fitted by least squares: what a network does before its units add anything."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuroevo.problems import ridge
from neuroevo.problems.preparing import choosing
from neuroevo.problems.sequence import SequenceProblem


def fitted_links(problem: SequenceProblem) -> NDArray[np.float64]:
    """Weights S of the ridge regression y = S x + b of the training targets on the inputs of their own step.

    The penalty is chosen as for ``residual = "linear"``: on the validation part, or where there is none on a held-out
    share of the training part (`preparing.choosing`).

    Args:
        problem: In the units that a network sees.

    Returns:
        ``(n_outputs, n_inputs)`` float64; 0 for an input that repeats another one, or is constant in training.
    """
    counted, held = problem.counted_rows("train"), choosing(problem)
    targets = np.where(counted | held, problem.target_rows, 0.0)
    model = ridge.fit(problem.input_rows, targets, problem.rows, counted, held, lags=1)
    links = np.zeros((problem.n_outputs, problem.n_inputs))
    links[:, model.columns] = (model.weights / model.factor[:, None]).T
    return links

"""Gradient-boosted trees on the inputs of the last steps: a competitor without memory, where scikit-learn is there.

Jerome H. Friedman, "Greedy function approximation: a gradient boosting machine", Annals of Statistics 29(5):1189-1232,
2001, in scikit-learn's form with histograms.
"""

from __future__ import annotations

import importlib.util

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

MOST_TREES = 300
_LEARNING_RATE = 0.05


def has_scikit_learn() -> bool:
    """Whether scikit-learn is installed; it is not imported."""
    return importlib.util.find_spec("sklearn") is not None


def boosted(
    regressors: Values, targets: Values, fitted: NDArray[np.bool_], chosen: NDArray[np.bool_], wanted: Values
) -> Values:
    """Predictions of one target; the number of trees is chosen on rows that are held out.

    Args:
        regressors: ``(n, n_regressors)``.
        targets: ``(n,)``.
        fitted: ``(n,)`` bool: the training rows.
        chosen: ``(n,)`` bool: the rows that choose.
        wanted: ``(m, n_regressors)``: what is predicted.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    def model(n_trees: int, rows: NDArray[np.bool_]) -> HistGradientBoostingRegressor:
        trees = HistGradientBoostingRegressor(
            max_iter=n_trees, learning_rate=_LEARNING_RATE, early_stopping=False, random_state=0,
            min_samples_leaf=min(20, max(int(rows.sum()) // 10, 1)),
        )  # fmt: skip
        return trees.fit(regressors[rows], targets[rows])

    trying = fitted & ~chosen
    if not trying.any() or not chosen.any():
        return np.full(len(wanted), targets[fitted].mean())
    # Threads that wait for each other on busy processors make small trees ten times slower.
    with threadpool_limits(limits=1):
        stages = model(MOST_TREES, trying).staged_predict(regressors[chosen])
        errors = [float(((stage - targets[chosen]) ** 2).mean()) for stage in stages]
        return np.asarray(model(1 + int(np.argmin(errors)), fitted).predict(wanted), dtype=np.float64)

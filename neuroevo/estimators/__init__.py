"""Estimators in the form of scikit-learn, for its pipelines, searches and cross-validations; they need scikit-learn.

`NeuroevoRegressor` predicts numbers, `NeuroevoClassifier` classes, both of series and of many sequences.
"""

from __future__ import annotations

from neuroevo.errors import PackageMissing

try:
    import sklearn  # noqa: F401 - all that is asked is whether it is there
except ImportError as error:
    raise PackageMissing('the estimators need scikit-learn: pip install "neuroevo-rnn[sklearn]"') from error

from neuroevo.estimators.classifier import NeuroevoClassifier
from neuroevo.estimators.regressor import NeuroevoRegressor

__all__ = ["NeuroevoClassifier", "NeuroevoRegressor"]

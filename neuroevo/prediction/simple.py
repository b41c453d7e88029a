"""Simple competitors as members of a predictor.

A network that answers 0 on top of a residual is what the residual takes off: the last value, the same place in the
season, a ridge regression. So they are stored and used as networks are.
"""

from __future__ import annotations

import numpy as np

from neuroevo.errors import BadInput
from neuroevo.networks import Elman
from neuroevo.prediction.logistic import LogisticMember
from neuroevo.prediction.predictor import Member
from neuroevo.problems import SequenceProblem
from neuroevo.problems.classifiers import fitted
from neuroevo.problems.preparing import LAGS, default_lags
from neuroevo.problems.scaling import Methods

_APART: Methods = {"targets": "standard"}
"""Standard scaling whose 0 is the mean of the training targets alone, not of the inputs that they are tied to too."""


def simple_members(problem: SequenceProblem) -> list[Member | LogisticMember]:
    """Those that make sense for a problem, fitted on its training part, the simplest first.

    The mean of the training targets, the last value, the last season, ridge regression on `LAGS` values, and on a
    season and one where that is more; for classes logistic regression.
    """
    if problem.learned.by_class:
        return [LogisticMember(fitted(problem.original, LAGS), problem.n_inputs)]
    found: list[Member | LogisticMember] = [
        _answering_zero(problem.original.scaled(_APART), "mean of the training targets")
    ]
    if min(problem.tied) >= 0:
        found.append(_answering_zero(problem.prepared("last_value"), "last value repeated"))
        if problem.known_season is not None:
            try:
                label = f"last season repeated ({problem.known_season} steps)"
                found.append(_answering_zero(problem.prepared("seasonal"), label))
            except BadInput:
                pass  # the targets are no later values of the inputs
    lags = default_lags(problem.original)
    for its in dict.fromkeys((min(LAGS, lags), lags)):
        prepared = problem.prepared("linear", residual_lags=its)
        n = len(prepared.preparation.linear.columns) if prepared.preparation and prepared.preparation.linear else 0
        found.append(_answering_zero(prepared, f"ridge regression on {n} values"))
    return found


def _answering_zero(problem: SequenceProblem, name: str) -> Member:
    network = Elman(problem.n_inputs, 1, problem.n_outputs)
    return Member(network, np.zeros(network.n_genes), problem.scaling_arrays(), name)

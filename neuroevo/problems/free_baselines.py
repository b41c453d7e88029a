"""The simple competitors of free runs: fed with their own outputs they go on for as many steps as a network does.

Each is what a preparation takes off the targets, with a network that answers 0 on top of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuroevo.errors import BadInput
from neuroevo.networks import Elman
from neuroevo.problems.baselines import Baseline
from neuroevo.problems.free_run import FreeRuns
from neuroevo.problems.preparing import default_lags

if TYPE_CHECKING:
    from neuroevo.problems.sequence import SequenceProblem


def free_baselines(problem: SequenceProblem) -> tuple[Baseline, ...]:
    """The training mean, the last value, the last season, and ridge regression on the inputs of the last steps.

    All are fitted one step ahead to the full target in its own units, on the training part.
    """
    base = problem.original
    found = [_fed_back(problem, base.scaled({"targets": "standard"}), "mean", "mean of the training targets")]
    if min(problem.tied) >= 0:
        found.append(_fed_back(problem, base.prepared("last_value"), "persistence", "last value repeated"))
        season = problem.known_season
        if season is not None:
            try:
                prepared = base.prepared("seasonal")
                found.append(_fed_back(problem, prepared, "seasonal", f"last season repeated ({season} steps)"))
            except BadInput:
                pass  # the targets are no later values of the inputs
    prepared = base.prepared("linear", residual_lags=default_lags(base))
    linear = None if prepared.preparation is None else prepared.preparation.linear
    n = 0 if linear is None else len(linear.columns)
    by_heart = n >= problem.counted_rows("train").any(axis=1).sum()
    label = f"ridge regression on {n} values, fed back"
    return (*found, _fed_back(problem, prepared, "ridge", label, by_heart=bool(by_heart)))


def _fed_back(
    problem: SequenceProblem, prepared: SequenceProblem, name: str, label: str, *, by_heart: bool = False
) -> Baseline:
    """A network that answers 0, on top of what a preparation takes off."""
    own, network = problem.free_runs, Elman(problem.n_inputs, 1, problem.n_outputs)
    runs, parts = FreeRuns(prepared, own.origins), {}
    for part in problem.parts:
        outputs = runs.outputs(network, np.zeros(network.n_genes), part)
        predictions = runs.problem_of(part).predictions(outputs)
        parts[part] = own.measured(own.problem_of(part).outputs_for(predictions), part)
    return Baseline(name, label, problem.rows, np.full(problem.target_rows.shape, np.nan), parts, by_heart)

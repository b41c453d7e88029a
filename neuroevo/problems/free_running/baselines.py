"""The simple competitors of free runs: fed with their own outputs they go on for as many steps as a network does.

Each is what a preparation takes off the targets, with a network that answers 0 on top of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.networks import Elman
from neuroevo.problems.baselines import Baseline
from neuroevo.problems.free_running.runs import FreeRuns
from neuroevo.problems.preparing import default_lags

if TYPE_CHECKING:
    from neuroevo.problems.sequence import SequenceProblem

Values = NDArray[np.float64]


def free_baselines(problem: SequenceProblem) -> tuple[Baseline, ...]:
    """The training mean, the last value, the last season, and ridge regression on the inputs of the last steps.

    All are fitted one step ahead to the full target in its own units, on the training part.
    """
    own, found = problem.free_runs, []
    outputs = np.full(problem.target_rows.shape, np.nan)
    for name, label, prepared in _prepared(problem):
        parts = {}
        for part in problem.parts:
            predicted = _predicted(problem, prepared, part)
            parts[part] = own.measured(own.problem_of(part).outputs_for(predicted), part)
        linear = None if prepared.preparation is None else prepared.preparation.linear
        n_targets = int(problem.counted_rows("train").any(axis=1).sum())
        by_heart = linear is not None and len(linear.columns) >= n_targets
        found.append(Baseline(name, label, problem.rows, outputs, parts, by_heart))
    return tuple(found)


def competitors_running(problem: SequenceProblem, part: str) -> dict[str, Values]:
    """By label what they predict in the free runs of a part, ``(n_rows, n_outputs)`` of the judged steps."""
    return {label: _predicted(problem, prepared, part) for _, label, prepared in _prepared(problem)}


def _prepared(problem: SequenceProblem) -> Iterator[tuple[str, str, SequenceProblem]]:
    """Name, label, and the problem on which a network that answers 0 is the competitor."""
    base = problem.original
    yield "mean", "mean of the training targets", base.scaled({"targets": "standard"})
    if min(problem.tied) >= 0:
        yield "persistence", "last value repeated", base.prepared("last_value")
        season = problem.known_season
        if season is not None:
            # The targets may be no later values of the inputs.
            with suppress(BadInput):
                yield "seasonal", f"last season repeated ({season} steps)", base.prepared("seasonal")
    prepared = base.prepared("linear", residual_lags=default_lags(base))
    linear = None if prepared.preparation is None else prepared.preparation.linear
    yield "ridge", f"ridge regression on {0 if linear is None else len(linear.columns)} values, fed back", prepared


def _predicted(problem: SequenceProblem, prepared: SequenceProblem, part: str) -> Values:
    network = Elman(problem.n_inputs, 1, problem.n_outputs)
    runs = FreeRuns(prepared, problem.free_runs.origins)
    return runs.problem_of(part).predictions(runs.outputs(network, np.zeros(network.n_genes), part))

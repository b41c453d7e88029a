"""Free runs the slow way: every prediction is put into the series itself, and all is made anew from it."""

from __future__ import annotations

from typing import Any

import numpy as np

import neuroevo as ne


def free_runs(
    network: Any, genome: Any, problem: ne.SequenceProblem, series: Any, column_lags: list[int], part: str
) -> tuple[list[Any], list[Any]]:
    """What a network predicts in the free runs of a part, and what comes; original units, a horizon of 1.

    Args:
        network: What the genome means.
        genome: Its weights.
        problem: Of one sequence, in the units of the network.
        series: ``(n, n_series)``: the series that are inputs and targets alike, from the first row that a step sees.
        column_lags: How many values of each series are inputs of a step.
        part: Whose.

    Returns:
        For each run ``(n_steps, n_series)``, predicted and true.
    """
    asked, found, true, furthest = problem.free_run, [], [], max(column_lags)
    assert asked is not None
    n_steps, last_origin = problem.rows.n_rows, -np.inf
    for origin in range(asked.washout - 1, n_steps):
        steps = range(origin, origin + asked.steps)
        if steps[-1] >= n_steps or not problem.part_rows[part][steps].all() or origin < last_origin + asked.every:
            continue
        last_origin = origin
        # The present value of step t is row t + furthest - 1 of the series.
        values, begin = series[: origin + furthest].tolist(), origin + 1 - asked.washout
        for _ in steps:
            rows = np.array(values)
            inputs = np.column_stack(
                [
                    rows[furthest - 1 - lag : len(rows) - lag, column]
                    for column, lags in enumerate(column_lags)
                    for lag in range(lags)
                ]
            )
            seen = ne.SequenceProblem(inputs[None], np.zeros((1, len(inputs), len(column_lags))), tied=problem.tied)
            if problem.preparation is not None:
                # Targets matter not; 1 has a logarithm.
                ones = np.ones((1, len(inputs), len(column_lags)))
                seen = ne.SequenceProblem(inputs[None], ones, tied=problem.tied).with_preparation(problem.preparation)
            seen = seen.with_scaling(problem.scaling)
            outputs = network.predict(genome, seen.inputs[:, begin:])
            whole = np.zeros((1, len(inputs), len(column_lags)))
            whole[:, begin:] = outputs
            values.append(seen.predictions(whole)[0, -1].tolist())
        found.append(np.array(values[origin + furthest :]))
        true.append(series[origin + furthest : origin + furthest + asked.steps])
    return found, true

"""What a preparation makes of predictions that miss: factors of earlier misses, for inputs and for what it takes off.

From logarithms on, differences, seasons and scaling are linear, and so is what comes back. The factors are read off
what the preparation makes of a series that is 1 in one row and 0 in all others.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroevo.problems.free_running.runs import FreeRuns, without_linear
from neuroevo.problems.rows import Rows

Values = NDArray[np.float64]
Whole = NDArray[np.int64]


class Terms(NamedTuple):
    """A sum of earlier misses for each of some columns.

    Attributes:
        places: ``(n, 3)``: the column, the series that is missed, and how many steps before the miss is new.
        factors: ``(n,)``.
    """

    places: Whole
    factors: Values


def responses(runs: FreeRuns) -> tuple[Terms, Terms]:
    """What misses change of the inputs, and of the outputs that stand for predictions; both in scaled units.

    Misses are in the scaled units of the first output of their series. A linear model is left out.
    """
    loop, scaling = runs.loop, runs.problem.scaling
    units = scaling.target_factor[[its[0] for its in loop.outputs]]
    by_series = [_impulse(runs, series) for series in range(len(loop.outputs))]
    inputs = [seen * units[s] / scaling.input_factor for s, (seen, _) in enumerate(by_series)]
    outputs = [taken * units[s] / scaling.target_factor for s, (_, taken) in enumerate(by_series)]
    return _terms(inputs), _terms(outputs)


def _impulse(runs: FreeRuns, series: int) -> tuple[Values, Values]:
    """``(n_delays, n_inputs)`` and ``(n_delays, n_outputs)``: prepared inputs and what is taken off, after a 1."""
    loop, problem = runs.loop, runs.problem
    prepared = None if runs.levels is None else without_linear(runs.levels)
    reach = 0 if prepared is None else prepared.reach
    before, after = reach + loop.max_lag, reach + loop.max_lag + 1
    rows, row = np.zeros((before + after, problem.n_inputs)), np.zeros((1, problem.n_inputs))
    newest = np.zeros((1, len(loop.outputs)))
    for step in range(before, before + after):
        newest[0, series] = float(step == before)
        row = loop.following(row, newest)
        rows[step] = row[0]
    lie = Rows(np.array([len(rows)], dtype=np.int64))
    if prepared is None:
        return rows[before:], np.zeros((after, problem.n_outputs))
    return prepared.inputs(rows, lie)[before:], prepared.references(rows, lie)[before:]


def _terms(by_series: list[Values]) -> Terms:
    """Those of ``(n_delays, n_columns)`` for each series that are not 0, by column, series and delay."""
    found = [
        (column, series, delay, values[delay, column])
        for series, values in enumerate(by_series)
        for delay, column in np.argwhere(values != 0).tolist()
    ]
    found.sort()
    places = np.array([row[:3] for row in found], dtype=np.int64).reshape(-1, 3)
    return Terms(places, np.array([row[3] for row in found], dtype=np.float64))


def linear_responses(runs: FreeRuns) -> tuple[Whole, Values]:
    """The terms of a linear model that is taken off the targets, as functions of scaled inputs.

    Returns:
        ``(n, 3)``: an output, an input, and how many steps before it is read; and ``(n, 3)``: the factor by which its
        change enters the output that stands for a prediction, and the ends of the range that it is held in.
    """
    model, scaling = (None if runs.levels is None else runs.levels.linear), runs.problem.scaling
    if model is None:
        return np.empty((0, 3), np.int64), np.empty((0, 3))
    places, factors = [], []
    for output in range(runs.problem.n_outputs):
        for i, (column, lag) in enumerate(zip(model.columns.tolist(), model.lags.tolist(), strict=True)):
            offset, unit = scaling.input_offset[column], scaling.input_factor[column]
            factor = model.weights[i, output] / model.factor[i] * unit / scaling.target_factor[output]
            if factor:
                places.append((output, column, lag))
                factors.append((factor, (model.low[i] - offset) / unit, (model.high[i] - offset) / unit))
    return np.array(places, np.int64).reshape(-1, 3), np.array(factors).reshape(-1, 3)


def teachers(runs: FreeRuns, part: str) -> Values:
    """``(n_runs * n_judged, n_outputs)``: outputs that would come back as the true inputs; 0 where none comes back."""
    problem, loop, rows = runs.problem, runs.loop, runs.judged_rows(part).ravel()
    found = np.zeros((len(rows), problem.n_outputs))
    for column, series in loop.fresh.items():
        for horizon, output in zip(loop.horizons, loop.outputs[series], strict=True):
            # Beyond the end of a sequence nothing comes back.
            later = np.minimum(rows + horizon, problem.rows.n_rows - 1)
            level = runs.level_rows[later, column] - runs.reference_rows[rows, output]
            found[:, output] = (level - problem.scaling.target_offset[output]) / problem.scaling.target_factor[output]
    return found


def places_back(runs: FreeRuns) -> Whole:
    """``(n_judged, n_outputs)``: where the miss of each judged output belongs: n_series for each free step; or -1."""
    loop, n_free = runs.loop, max(runs.last, 0)
    found = np.full(runs.judged.shape, -1, dtype=np.int64)
    for series in set(loop.fresh.values()):
        for horizon, output in zip(loop.horizons, loop.outputs[series], strict=True):
            new = np.arange(runs.first, runs.last + 1) + horizon
            comes = runs.judged[:, output] & (new >= 1) & (new <= n_free)
            found[comes, output] = (new[comes] - 1) * len(loop.outputs) + series
    return found

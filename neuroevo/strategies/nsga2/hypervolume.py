"""The hypervolume of a front: how much of the space up to a corner its members dominate.

References:
    E. Zitzler, L. Thiele: Multiobjective optimization using evolutionary algorithms: a comparative case study. PPSN
    (1998), 292-301: the measure.
    J. Knowles: Local-search and hybrid evolutionary algorithms for Pareto optimization. PhD thesis, Reading (2002):
    slices, one goal after the other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from neuroevo.strategies.bounds import FloatArray
from neuroevo.strategies.nsga2.ranking import first_front


def hypervolume(goals: ArrayLike, reference: ArrayLike) -> float:
    """What rows of goals ``(n, n_goals)`` dominate up to a corner ``(n_goals,)``, in the product of their units.

    Exact; its time grows with n to the power of the number of goals less 1. Rows beyond the corner count nothing.
    """
    corner = np.asarray(reference, dtype=np.float64)
    values = np.asarray(goals, dtype=np.float64).reshape(-1, len(corner))
    return _volume(values[(values < corner).all(axis=1)], corner)


def _volume(goals: FloatArray, corner: FloatArray) -> float:
    goals = goals[first_front(goals)]
    if not len(goals):
        return 0.0
    if goals.shape[1] == 1:
        return float(corner[0] - goals[0, 0])
    # The front is in the order of its first goal: between neighbours the slice is dominated by those before.
    depths = np.diff(goals[:, 0], append=corner[0])
    if goals.shape[1] == 2:
        return float((depths * (corner[1] - goals[:, 1])).sum())
    slices = [_volume(goals[: k + 1, 1:], corner[1:]) for k in range(len(goals))]
    return float((depths * np.array(slices)).sum())

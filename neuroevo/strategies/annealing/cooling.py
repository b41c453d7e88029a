"""Cooling schedules, each from the first temperature to the last over a horizon, then held.

`generation` counts the proposals that the schedule has seen, from 0.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from neuroevo.strategies import schedules
from neuroevo.strategies.bounds import FloatArray

# Estimates beyond would overflow in their ratios and reciprocals.
_LEAST, _MOST = 1e-200, 1e200

CoolingName = Literal["geometric", "linear", "logarithmic", "lundy_mees", "adaptive"]


def temperature(cooling: CoolingName, first: float, ratio: float, horizon: int, generation: int) -> float:
    """The temperature of a schedule that is a function of the generation (all but `adaptive`).

    Args:
        cooling: `geometric`: equal ratios (Kirkpatrick, Gelatt and Vecchi 1983). `linear`: equal steps. `logarithmic`:
            first ln 2 / ln(generation + 2), which ignores `ratio` (Geman and Geman 1984: slow enough to be certain, too
            slow to wait for). `lundy_mees`: T / (1 + beta T) each time (Lundy and Mees 1986).
        first: First temperature.
        ratio: Last temperature as a share of the first.
        horizon: Generations until the last.
        generation: From 0.
    """
    k = min(generation, horizon)
    if cooling == "geometric":
        return schedules.geometric(first, ratio * first, horizon, k)
    if cooling == "linear":
        return schedules.linear(first, ratio * first, horizon, k)
    if cooling == "logarithmic":
        return first * math.log(2.0) / math.log(k + 2.0)
    beta = (1.0 - ratio) / (horizon * ratio * first)
    return first / (1.0 + beta * k * first)


def lam_acceptance(horizon: int, generation: int) -> float:
    """The acceptance rate that the adaptive schedule aims at: falling to 0.44, staying there, and falling to 0.

    Lam and Delosme 1988, in the form of Swartz 1993 and Boyan 1998 ("Learning evaluation functions", appendix B).
    """
    passed = schedules.progress(horizon, generation)
    if passed < 0.15:
        return 0.44 + 0.56 * math.pow(560.0, -passed / 0.15)
    if passed < 0.65:
        return 0.44
    return 0.44 * math.pow(440.0, (0.65 - passed) / 0.35)


def estimated_temperature(change: FloatArray, acceptance: float) -> float | None:
    """The temperature at which the median rise is accepted with this probability; None where nothing rose or fell.

    Johnson, Aragon, McGeoch and Schevon 1989 with the median in place of the mean: errors of recurrent networks have
    long tails. Without a rise, falls stand in for it.

    Args:
        change: `(n,)`, error of the proposals less error of the chains; failed ones are left out.
        acceptance: In (0, 1).
    """
    finite = change[np.isfinite(change)]
    rises = finite[finite > 0]
    sizes = rises if len(rises) else -finite[finite < 0]
    if not len(sizes):
        return None
    return float(np.clip(np.median(sizes) / -math.log(acceptance), _LEAST, _MOST))

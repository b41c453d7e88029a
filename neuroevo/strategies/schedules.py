"""Values that change over generations and then hold.

A schedule has a horizon of its own, so that extending a run equals a longer run. `generation` counts from 0.
"""

from __future__ import annotations

import math


def progress(horizon: int, generation: int) -> float:
    """The share of the horizon that has passed, at most 1."""
    return min(generation / horizon, 1.0)


def linear(first: float, last: float, horizon: int, generation: int) -> float:
    """From first to last in equal steps."""
    return first + (last - first) * progress(horizon, generation)


def geometric(first: float, last: float, horizon: int, generation: int) -> float:
    """From first to last in equal ratios; both positive."""
    return first * math.exp(math.log(last / first) * progress(horizon, generation))


def cosine(first: float, last: float, horizon: int, generation: int) -> float:
    """From first to last along half a cosine, slow at both ends."""
    return last + (first - last) * 0.5 * (1.0 + math.cos(math.pi * progress(horizon, generation)))

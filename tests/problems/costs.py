"""Functions of one step, for tests to name as "tests.problems.costs:…"."""

from __future__ import annotations

from numba import njit

SLOPE = 0.25


@njit
def bent(difference):
    """A parabola that turns into a line."""
    return difference * difference / (1.0 + abs(difference))


def bent_counted(outputs, targets, counted):
    """The sum over the counted targets, overshooting counting more."""
    total = 0.0
    for o in range(len(outputs)):
        if counted[o]:
            difference = outputs[o] - targets[o]
            total += bent(difference) + (SLOPE * difference if difference > 0 else 0.0)
    return total


def bent_first(outputs, targets):
    return bent(outputs[0] - targets[0])


def wordy(outputs, targets):
    return "well done"


def negative(outputs, targets):
    return -1.0


def helped(outputs, targets):
    return plain(outputs[0])


def plain(output):
    return output


def meddling(outputs, targets):
    outputs[0] = targets[0]
    return 0.0


def failing(outputs, targets):
    if outputs[0] < 1e9:
        raise ValueError("too small")
    return 0.0


def single(outputs):
    return 0.0

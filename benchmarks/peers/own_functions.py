"""Functions as a user writes them, for `benchmarks/own.py`: what a step costs, and a pole on a cart."""

from __future__ import annotations

import math

import numpy as np
from numba import njit


def squared(outputs, targets):
    difference = outputs[0] - targets[0]
    return difference * difference


def overshooting(outputs, targets):
    difference = outputs[0] - targets[0]
    return difference * difference * (3.0 if difference > 0.0 else 1.0)


def bounded(outputs, targets):
    size = abs(outputs[0] - targets[0])
    return size / (1.0 + size)


def log_cosh(outputs, targets):
    return math.log(math.cosh(outputs[0] - targets[0]))


def squared_in_numpy(outputs, targets, counted):
    return (np.where(counted, outputs - targets, 0.0) ** 2).sum(axis=(1, 2, 3)) / counted.sum()


N_STEPS, FORCE, LEAN, TRACK, H = 1000, 10.0, 0.2094384, 2.4, 0.01


def slopes(angle, turning, force):
    """Accelerations of cart and pole: Gomez, Schmidhuber, Miikkulainen, JMLR 9:937-965, 2008, without friction."""
    sine, cosine = math.sin(angle), math.cos(angle)
    total = force + 0.1 * (0.5 * turning * turning * sine - 0.75 * 9.8 * cosine * sine)
    acceleration = total / (1.0 + 0.1 * (1.0 - 0.75 * cosine * cosine))
    return acceleration, -1.5 * (acceleration * cosine - 9.8 * sine)


def with_slopes(slopes):
    """A control step by these accelerations."""

    def push(state, output):
        """A control step of 0.02 s, two Runge-Kutta steps; whether all is upright."""
        force = FORCE * min(max(output, -1.0), 1.0)
        if abs(force) < 10 / 256:
            force = -10 / 256 if force < 0 else 10 / 256
        for _ in range(2):
            x, v, a, w = state[0], state[1], state[2], state[3]
            b1, c1 = slopes(a, w, force)
            b2, c2 = slopes(a + H / 2 * w, w + H / 2 * c1, force)
            b3, c3 = slopes(a + H / 2 * (w + H / 2 * c1), w + H / 2 * c2, force)
            b4, c4 = slopes(a + H * (w + H / 2 * c2), w + H * c3, force)
            state[0] = x + H * v + H * H / 6 * (b1 + b2 + b3)
            state[1] = v + H / 6 * (b1 + 2 * b2 + 2 * b3 + b4)
            state[2] = a + H * w + H * H / 6 * (c1 + c2 + c3)
            state[3] = w + H / 6 * (c1 + 2 * c2 + 2 * c3 + c4)
        return abs(state[0]) <= TRACK and abs(state[2]) <= LEAN

    return push


push, compiled_push = with_slopes(slopes), njit(with_slopes(njit(slopes)))


def pole(player, rng):  # noqa: ARG001 - every simulator is given it
    """The pole as a Python function that plays an episode."""
    state = [0.0, 0.0, math.radians(4), 0.0]
    for step in range(N_STEPS):
        if not push(state, player.step([state[0] / TRACK, state[2] / LEAN])[0]):
            return 1 - step / N_STEPS
    return 0.0


class Pole:
    """The pole as functions that numba compiles."""

    @staticmethod
    def begin(state):
        state[2] = math.pi / 45

    @staticmethod
    def observe(state, inputs):
        inputs[0], inputs[1] = state[0] / TRACK, state[2] / LEAN

    @staticmethod
    def move(state, outputs):
        return compiled_push(state, outputs[0])

    @staticmethod
    def conclude(steps, lasted):
        return 1 - (steps if lasted else steps - 1) / N_STEPS, lasted

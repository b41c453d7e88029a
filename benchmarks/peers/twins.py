"""The pendulum of Gymnasium once more, as functions that numba compiles: "benchmarks.peers.twins:Pendulum"."""

from __future__ import annotations

import math


class Pendulum:
    """Pendulum-v1: g = 10 m/s^2, 1 kg, 1 m, steps of 0.05 s; the error is the return without its sign."""

    @staticmethod
    def draw(rng):
        return [rng.uniform(-math.pi, math.pi), rng.uniform(-1.0, 1.0)]

    @staticmethod
    def begin(state, drawn):
        state[0], state[1] = drawn[0], drawn[1]

    @staticmethod
    def observe(state, inputs):
        inputs[0], inputs[1] = math.cos(state[0]), math.sin(state[0])

    @staticmethod
    def move(state, outputs):
        torque = 2.0 * min(max(outputs[0], -1.0), 1.0)
        angle = state[0] - 2.0 * math.pi * math.floor((state[0] + math.pi) / (2.0 * math.pi))
        state[2] += angle * angle + 0.1 * state[1] * state[1] + 0.001 * torque * torque
        speed = state[1] + (15.0 * math.sin(state[0]) + 3.0 * torque) * 0.05
        state[1] = min(max(speed, -8.0), 8.0)
        state[0] += 0.05 * state[1]

    @staticmethod
    def conclude(state):
        return state[2]

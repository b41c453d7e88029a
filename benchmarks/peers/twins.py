"""Two environments of Gymnasium once more, as functions that numba compiles: "benchmarks.peers.twins:Pendulum"."""

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


class CartPole:
    """CartPole-v1, 500 steps of 0.02 s by Euler's rule; position and angle are seen, scaled to Gymnasium's bounds."""

    @staticmethod
    def draw(rng):
        return list(rng.uniform(-0.05, 0.05, 4))

    @staticmethod
    def begin(state, drawn):
        for k in range(4):
            state[k] = drawn[k]

    @staticmethod
    def observe(state, inputs):
        inputs[0], inputs[1] = state[0] / 4.8, state[2] / 0.41887903

    @staticmethod
    def move(state, outputs):
        force = 10.0 if outputs[1] > outputs[0] else -10.0
        cos, sin, turning = math.cos(state[2]), math.sin(state[2]), state[3]
        push = (force + 0.05 * turning * turning * sin) / 1.1
        angular = (9.8 * sin - cos * push) / (0.5 * (4.0 / 3.0 - 0.1 * cos * cos / 1.1))
        linear = push - 0.05 * angular * cos / 1.1
        state[0] += 0.02 * state[1]
        state[1] += 0.02 * linear
        state[2] += 0.02 * turning
        state[3] += 0.02 * angular
        state[4] += 1.0
        return abs(state[0]) <= 2.4 and abs(state[2]) <= 0.20943951

    @staticmethod
    def conclude(state):
        return 500.0 - state[4], state[4] == 500.0

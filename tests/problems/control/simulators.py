"""Simulators that tests name as "tests.problems.control.simulators:…"."""

from __future__ import annotations

import math

import numpy as np
from numba import njit


def follow(player, rng):
    """A point that should go to a target, in 20 steps."""
    target, place = rng.normal(), 0.0
    for _ in range(20):
        place += 0.3 * np.tanh(player.step([target - place])[0])
    return abs(target - place), abs(target - place) < 0.1


def follow_all(player, rngs):
    """The same, all episodes at once."""
    target, place = np.array([rng.normal() for rng in rngs]), np.zeros(len(rngs))
    for _ in range(20):
        place = place + 0.3 * np.tanh(player.step((target - place)[:, None])[:, 0])
    return np.abs(target - place), np.abs(target - place) < 0.1


def wordy(player, rng):
    return "well done"


def negative(player, rng):
    return -1.0


def failing(player, rng):
    return np.nan


def forgetful(player, rng):
    return {}["speed"]


class Chase:
    """A point with a speed that should reach a target before a wall, pushed about at every step; compiled."""

    def draw(rng):
        return np.concatenate([rng.normal(size=1), 0.05 * rng.normal(size=30)])

    def begin(state, drawn):
        state[0] = -0.5 * drawn[0]

    def observe(state, inputs, drawn, steps):
        inputs[0] = drawn[0] - state[0]
        if steps % 2 == 0:
            inputs[1] = state[1]

    def move(state, outputs, drawn, steps):
        state[1] += 0.3 * outputs[0] + drawn[1 + steps]
        state[0] += 0.3 * state[1]
        return abs(state[0]) < 1.5

    def conclude(state, drawn, steps, lasted):
        distance = abs(drawn[0] - state[0])
        return distance + (0.0 if lasted else 1.0 + 1.0 / steps), distance < 0.3


class Plain:
    """Sees a constant, never ends, has nothing drawn; compiled."""

    def observe(inputs):
        inputs[0] = 1.0

    def move(state, outputs):
        state[0] = max(state[0], outputs[0])

    def conclude(state):
        return abs(state[0])


class NoMove:
    observe, conclude = Plain.observe, Plain.conclude


class Strange(Plain):
    def move(state, outputs, position):
        return True


class Wordy(Plain):
    def move(state):
        return "on"


class Three(Plain):
    def conclude(state):
        return 1.0, 2.0, 3.0


class Misspelt(Plain):
    def conclude(state):
        return stat[0]  # noqa: F821


class Uneven(Plain):
    def draw(rng):
        return rng.normal(size=rng.integers(1, 9))


@njit
def guess():
    return np.random.normal()  # noqa: NPY002 - what is refused


class Guessing(Plain):
    def move(state, outputs):
        state[0] += guess()


class Strict(Plain):
    def draw(rng):
        return 10.0 if rng.random() < 0.5 else 100.0

    def move(state, drawn):
        if state[0] >= drawn[0]:
            raise ValueError("moved after the end")
        state[0] += 1.0
        return state[0] < drawn[0]

    def conclude(state):
        return state[0]


class Failing(Plain):
    def move(state, outputs):
        if outputs[0] < 1e9:
            raise ValueError("too small")


class Negative(Plain):
    def conclude(state):
        return -1.0


class Pole:
    """A pole on a cart, as `single_pole` without friction: J. of Machine Learning Research 9:937-965, 2008."""

    def begin(state):
        state[2] = 4.0 * math.pi / 180

    def observe(state, inputs):
        inputs[0], inputs[1] = state[0] / 2.4, state[2] / 0.2094384

    def move(state, outputs):
        force = 10.0 * min(max(outputs[0], -1.0), 1.0)
        if abs(force) < 10 / 256:
            force = -10 / 256 if force < 0 else 10 / 256
        for _ in range(2):
            x, v, a, w = state[0], state[1], state[2], state[3]
            b1, c1 = pole_slopes(a, w, force)
            b2, c2 = pole_slopes(a + 0.005 * w, w + 0.005 * c1, force)
            b3, c3 = pole_slopes(a + 0.005 * (w + 0.005 * c1), w + 0.005 * c2, force)
            b4, c4 = pole_slopes(a + 0.01 * (w + 0.005 * c2), w + 0.01 * c3, force)
            state[0] = x + 0.01 * v + 0.01**2 / 6 * (b1 + b2 + b3)
            state[1] = v + 0.01 / 6 * (b1 + 2 * b2 + 2 * b3 + b4)
            state[2] = a + 0.01 * w + 0.01**2 / 6 * (c1 + c2 + c3)
            state[3] = w + 0.01 / 6 * (c1 + 2 * c2 + 2 * c3 + c4)
        return abs(state[0]) <= 2.4 and abs(state[2]) <= 0.2094384

    def conclude(steps, lasted):
        return 1.0 - (steps if lasted else steps - 1) / 160, lasted


@njit
def pole_slopes(angle, turning, force):
    """Accelerations of the cart and of the angle."""
    sine, cosine = math.sin(angle), math.cos(angle)
    total = force + 0.1 * (0.5 * turning * turning * sine - 0.75 * 9.8 * cosine * sine)
    acceleration = total / (1.0 + 0.1 * (1.0 - 0.75 * cosine * cosine))
    return acceleration, -1.5 * (acceleration * cosine - 9.8 * sine)

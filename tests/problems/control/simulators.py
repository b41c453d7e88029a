"""Simulators that tests name as "tests.problems.control.simulators:…"."""

from __future__ import annotations

import numpy as np


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

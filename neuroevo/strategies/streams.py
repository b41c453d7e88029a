"""Counter-based random streams: every draw of a run has an address, so no generator state is ever stored.

A stream is a function of the seed, the island, the restart, the generation and the phase; whoever computes it draws the
same numbers. Splitting by spawn keys is what NumPy's `SeedSequence` is made for: streams with different keys are
independent (https://numpy.org/doc/stable/reference/random/parallel.html).
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Phase(IntEnum):
    """What a stream is for within one generation. The numbers are part of every result: add, never renumber."""

    START = 0
    SAMPLE = 1
    SELECT = 2
    MATE = 3
    MUTATE = 4
    ACCEPT = 5
    EXCHANGE = 6
    PERMUTE = 7
    RESTART = 8
    MIGRATE = 9
    ADAPT = 10
    LEARN = 11
    BATCH = 12
    INPUT_NOISE = 13
    WEIGHT_NOISE = 14


def stream(seed: int, *, island: int = 0, restart: int = 0, generation: int, phase: Phase) -> np.random.Generator:
    """The generator at one address.

    Args:
        seed: The run's seed; trial k of a run uses seed + k.
        island: Number of the island, 0 for the only one.
        restart: How many times the strategy has started anew.
        generation: Number of the generation, from 1; 0 is before the first.
        phase: What is drawn.
    """
    key = address(island=island, restart=restart, generation=generation, phase=phase)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))


def address(*, island: int = 0, restart: int = 0, generation: int, phase: Phase) -> tuple[int, ...]:
    """The spawn key of the stream at an address; arguments as of `stream`."""
    return island, restart, generation, int(phase)

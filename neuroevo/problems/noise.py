"""Noise on inputs, drawn by address, so that whoever evaluates a genome of a generation has the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class InputNoise:
    """Gaussian noise that is added to all inputs of a problem.

    A value that travels in the place of the numbers that it stands for.

    Attributes:
        deviation: Its standard deviation, in scaled units.
        seed: The run's.
        address: What tells it from all other draws of the run, as the spawn key of a `SeedSequence`.
    """

    deviation: float
    seed: int
    address: tuple[int, ...]

    def added(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        """The inputs with it; an equal one adds equal numbers to inputs of equal shape."""
        rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(self.seed, spawn_key=self.address)))
        return np.asarray(inputs + self.deviation * rng.standard_normal(inputs.shape))

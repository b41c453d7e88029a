"""What the genomes of a generation are evaluated under: a mini-batch of the data, noise on inputs and on weights.

All of it follows from the seed and the generation, so that the genomes of a generation, on all islands and workers,
have the same (common random numbers), and a resumed run goes on with it. Noise on inputs as a way to generalise:
Kiyotoshi Matsuoka, "Noise injection into inputs in back-propagation learning", IEEE Transactions on Systems, Man, and
Cybernetics 22(3):436-440, 1992. On the weights of recurrent networks: Kam-Chuen Jim, C. Lee Giles and Bill G. Horne,
"An analysis of noise in recurrent neural networks: convergence and generalization", IEEE Transactions on Neural
Networks 7(6):1424-1438, 1996.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroevo.problems.noise import InputNoise
from neuroevo.strategies.streams import Phase, address, stream

if TYPE_CHECKING:
    from neuroevo.evolution.batches import BatchPlan
    from neuroevo.problems.stretches import Stretches

EVERY = 2
"""Generations from one measurement on clean data to the next where noise is all there is: 16 of 24 genomes measured
cost a third more then."""


class Condition(NamedTuple):
    """What the genomes of one generation are evaluated under.

    Attributes:
        batch: The stretches of the data; None for all data.
        noise: What is added to the inputs; None for nothing.
        shift: ``(n_genes,)``: what is added to every genome; None for nothing.
    """

    batch: Stretches | None = None
    noise: InputNoise | None = None
    shift: NDArray[np.float64] | None = None

    @property
    def is_clean(self) -> bool:
        """Whether errors are those of the genomes themselves on all data."""
        return self.batch is None and self.noise is None and self.shift is None


@dataclass(frozen=True, eq=False)
class Conditions:
    """Those of all generations of a run; without arguments the genomes themselves on all data.

    Attributes:
        batches: The mini-batches; None for all data.
        input_noise: Standard deviation of the noise on inputs, in scaled units.
        weight_noise: Standard deviation of the noise on genes.
        seed: The run's.
        noise_every: Generations from one measurement on clean data to the next, where there are no batches.
    """

    batches: BatchPlan | None = None
    input_noise: float = 0.0
    weight_noise: float = 0.0
    seed: int = 0
    noise_every: int = EVERY

    def of(self, generation: int, n_genes: int) -> Condition:
        """What a generation is evaluated under."""
        batch = None if self.batches is None else self.batches.of(generation)
        noise, shift = None, None
        if self.input_noise:
            noise = InputNoise(self.input_noise, self.seed, address(generation=generation, phase=Phase.INPUT_NOISE))
        if self.weight_noise:
            rng = stream(self.seed, generation=generation, phase=Phase.WEIGHT_NOISE)
            shift = self.weight_noise * rng.standard_normal(n_genes)
        return Condition(batch, noise, shift)

    def is_measured(self, generation: int) -> bool:
        """Whether the best of a generation that was not evaluated on clean data are measured there."""
        return generation == 1 or generation % self.every == 0

    @property
    def every(self) -> int:
        """Generations from one measurement to the next."""
        return self.noise_every if self.batches is None else self.batches.every

"""Remembering: the two-sequence (latch) problem and delayed recall.

Two-sequence problem: Yoshua Bengio, Patrice Simard and Paolo Frasconi, "Learning long-term dependencies with gradient
descent is difficult", IEEE Transactions on Neural Networks 5(2):157-166, 1994, in the form of Sepp Hochreiter and
Jürgen Schmidhuber, "Long short-term memory", Neural Computation 9(8):1735-1780, 1997, experiments 3a and 3b. Delayed
recall: Herbert Jaeger, "Short term memory in echo state networks", GMD Report 152, 2001.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Gt

from neuroevo.problems.assembly import Sample
from neuroevo.problems.generators.base import GeneratedSequences, at_end
from neuroevo.settings import Mistake, SettingsError


@dataclass(frozen=True, kw_only=True)
class Latch(GeneratedSequences):
    """The two-sequence (latch) problem: the first inputs tell the class, which is asked for after a lot of noise.

    The first `n_informative` inputs are +1 for class 1 and -1 for class 2, all others are gaussian noise; the target at
    the end is 1 or 0; right within 0.2.

    Attributes:
        min_length: The shortest sequence, T; lengths are uniform from T to T + T/10.
        n_informative: How many inputs at the beginning tell the class, N.
        noise_variance: Of the inputs after them.
        noisy_information: Whether the informative inputs are noisy too (experiment 3b).
    """

    min_length: Annotated[int, Ge(2)] = 100
    n_informative: Annotated[int, Ge(1)] = 3
    noise_variance: Annotated[float, Ge(0)] = 0.2
    noisy_information: bool = False
    tolerance: Annotated[float, Gt(0)] = 0.2

    def __post_init__(self) -> None:
        if self.n_informative >= self.min_length:
            raise SettingsError(
                [Mistake("n_informative", f"must be less than min_length = {self.min_length}", str(self.n_informative))]
            )

    def sample(self, rng: np.random.Generator) -> Sample:
        """Draw one sequence."""
        n_steps = int(rng.integers(self.min_length, self.min_length + self.min_length // 10 + 1))
        is_first = int(rng.integers(2))
        inputs = rng.normal(0.0, math.sqrt(self.noise_variance), (n_steps, 1))
        kept = 1.0 if self.noisy_information else 0.0
        inputs[: self.n_informative] = inputs[: self.n_informative] * kept + (1.0 if is_first else -1.0)
        return Sample(inputs, np.full((n_steps, 1), float(is_first)), at_end(n_steps))


@dataclass(frozen=True, kw_only=True)
class DelayedRecall(GeneratedSequences):
    """Delayed recall: at every step, give back the input of some steps ago.

    Attributes:
        delay: How many steps ago; the steps before the first answer do not count.
        n_steps: Length of each sequence.
        values: "uniform" in [-0.5, 0.5], as in the report, or "binary", -1 or 1.
    """

    delay: Annotated[int, Ge(1)] = 5
    n_steps: Annotated[int, Ge(2)] = 100
    values: Literal["uniform", "binary"] = "uniform"
    n_train: Annotated[int, Ge(1)] = 8
    n_test: Annotated[int, Ge(0)] = 32

    def __post_init__(self) -> None:
        if self.delay >= self.n_steps:
            raise SettingsError([Mistake("delay", f"must be less than n_steps = {self.n_steps}", str(self.delay))])

    def sample(self, rng: np.random.Generator) -> Sample:
        """Draw one sequence."""
        if self.values == "uniform":
            inputs = rng.uniform(-0.5, 0.5, (self.n_steps, 1))
        else:
            inputs = np.where(rng.integers(0, 2, (self.n_steps, 1)) == 1, 1.0, -1.0)
        targets = np.zeros_like(inputs)
        targets[self.delay :] = inputs[: -self.delay]
        return Sample(inputs, targets, np.arange(self.n_steps) >= self.delay)

"""Parity of a bit sequence.

Sepp Hochreiter and Jürgen Schmidhuber, "LSTM can solve hard long time lag problems", NIPS 9, 1997: inputs -1 and 1,
sequences of 500 to 600 steps, 100 for training and 100 for testing, right within 0.1 at the end. The default length
here is shorter, since evolution evaluates every sequence in every generation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge

from neuroevo.problems.assembly import Sample
from neuroevo.problems.generators.base import GeneratedSequences, at_end
from neuroevo.settings import Mistake, SettingsError


@dataclass(frozen=True, kw_only=True)
class Parity(GeneratedSequences):
    """Parity: 1 where the number of ones so far is odd, else 0.

    Attributes:
        min_length: The shortest sequence.
        max_length: The longest one; lengths are uniform between the two.
        counts: "last": only the answer at the end; "all": the running parity at every step.
        noise: Each input is shifted by a value in U[-noise, noise].
    """

    min_length: Annotated[int, Ge(1)] = 50
    max_length: Annotated[int, Ge(1)] = 60
    counts: Literal["last", "all"] = "last"
    noise: Annotated[float, Ge(0)] = 0.0
    n_train: Annotated[int, Ge(1)] = 100
    n_test: Annotated[int, Ge(0)] = 100

    def __post_init__(self) -> None:
        if self.min_length > self.max_length:
            raise SettingsError(
                [Mistake("min_length", f"must not exceed max_length = {self.max_length}", str(self.min_length))]
            )

    def sample(self, rng: np.random.Generator) -> Sample:
        """Draw one sequence."""
        n_steps = int(rng.integers(self.min_length, self.max_length + 1))
        bits = rng.integers(0, 2, n_steps)
        inputs = 2.0 * bits - 1.0 + rng.uniform(-1.0, 1.0, n_steps) * self.noise
        targets = (np.cumsum(bits) % 2).astype(np.float64)
        counts = at_end(n_steps) if self.counts == "last" else np.ones(n_steps, dtype=np.bool_)
        return Sample(inputs[:, None], targets[:, None], counts)

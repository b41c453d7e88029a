"""The adding and multiplication problems (Hochreiter & Schmidhuber 1997, experiments 4 and 5).

Each step gives a value and a marker; two values are marked, and at the end of the sequence their sum or product is
asked for. Sepp Hochreiter and Jürgen Schmidhuber, "Long short-term memory", Neural Computation 9(8):1735-1780, 1997.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt

from neuroevo.problems.assembly import Sample
from neuroevo.problems.generators.base import GeneratedSequences, at_end


@dataclass(frozen=True, kw_only=True)
class _Marked(GeneratedSequences):
    """Two marked values among T ... T + T/10 (sections 5.4 and 5.5).

    Attributes:
        min_length: The shortest sequence, T; lengths are uniform from T to T + T/10.
    """

    min_length: Annotated[int, Ge(6)] = 100
    tolerance: Annotated[float, Gt(0)] = 0.04

    def names(self) -> tuple[tuple[str, str], tuple[str]]:
        """Names of the inputs and of the target."""
        return ("value", "marker"), ("result",)

    def _marked(self, rng: np.random.Generator, low: float, neutral: float) -> tuple[np.ndarray, float, float]:
        """Inputs ``(n_steps, 2)`` with values in U[low, 1], and the two marked values.

        The first marker lies in the first ten pairs, the second in the first T/2 - 1 that are unmarked. The first and
        the last pair have the marker -1. A marked first pair gets the value that leaves the result unchanged.
        """
        shortest = self.min_length
        n_steps = int(rng.integers(shortest, shortest + shortest // 10 + 1))
        inputs = np.zeros((n_steps, 2))
        inputs[:, 0] = rng.uniform(low, 1.0, n_steps)
        first = int(rng.integers(min(10, shortest // 2)))
        unmarked = [step for step in range(shortest // 2) if step != first][: shortest // 2 - 1]
        second = int(rng.choice(unmarked))
        inputs[[0, -1], 1] = -1.0
        inputs[[first, second], 1] = 1.0
        if 0 in (first, second):
            inputs[0, 0] = neutral
        return inputs, float(inputs[first, 0]), float(inputs[second, 0])


@dataclass(frozen=True, kw_only=True)
class Adding(_Marked):
    """The adding problem: the sum of two marked values, asked for at the end of a long sequence.

    Values in U[-1, 1]; target 0.5 + (X1 + X2) / 4; right within 0.04. A constant 0.5 gives the error 0.039, the
    mean of 1/24 where no marked pair is the first and 1/48 where one is.
    """

    def sample(self, rng: np.random.Generator) -> Sample:
        """Draw one sequence."""
        inputs, one, other = self._marked(rng, -1.0, 0.0)
        return _asked_at_end(inputs, 0.5 + (one + other) / 4.0)


@dataclass(frozen=True, kw_only=True)
class Multiplication(_Marked):
    """The multiplication problem: the product of two marked values, asked for at the end of a long sequence.

    Values in U[0, 1]; target X1 X2; right within 0.04.
    """

    def sample(self, rng: np.random.Generator) -> Sample:
        """Draw one sequence."""
        inputs, one, other = self._marked(rng, 0.0, 1.0)
        return _asked_at_end(inputs, one * other)


def _asked_at_end(inputs: np.ndarray, result: float) -> Sample:
    targets = np.zeros((len(inputs), 1))
    targets[-1] = result
    return Sample(inputs, targets, at_end(len(inputs)))

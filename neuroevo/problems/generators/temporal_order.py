"""The temporal order problem (Hochreiter & Schmidhuber 1997, experiments 6a and 6b).

Sepp Hochreiter and Jürgen Schmidhuber, "Long short-term memory", Neural Computation 9(8):1735-1780, 1997.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Gt

from neuroevo.problems.assembly import Sample
from neuroevo.problems.generators.base import GeneratedSequences, at_end, one_hot

SYMBOLS = ("E", "B", "a", "b", "c", "d", "X", "Y")
# Where the relevant symbols lie, in hundredths of the shortest length, ends included.
_PLACES = {2: ((10, 20), (50, 60)), 3: ((10, 20), (33, 43), (66, 76))}


@dataclass(frozen=True, kw_only=True)
class TemporalOrder(GeneratedSequences):
    """Temporal order: the order of two or three X or Y among distractors decides the class, asked for at the end.

    Eight one-hot inputs; each sequence starts with E, ends with B, and has a, b, c, d elsewhere. At the paper's length
    of 100 the relevant symbols lie at steps 10-20 and 50-60 (n_relevant = 2, four classes) or 10-20, 33-43 and 66-76
    (n_relevant = 3, eight classes); at other lengths in proportion. Right: all outputs within 0.3.

    Attributes:
        min_length: The shortest sequence; lengths are uniform up to a tenth more.
        n_relevant: How many relevant symbols there are: 2 (experiment 6a) or 3 (6b).
    """

    min_length: Annotated[int, Ge(10)] = 100
    n_relevant: Literal[2, 3] = 2
    tolerance: Annotated[float, Gt(0)] = 0.3

    def names(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The symbols, and the classes as the relevant symbols in their order."""
        words: tuple[str, ...] = ("",)
        for _ in range(self.n_relevant):
            words = tuple(word + symbol for word in words for symbol in "XY")
        return SYMBOLS, words

    def sample(self, rng: np.random.Generator) -> Sample:
        """Draw one sequence."""
        n_steps = int(rng.integers(self.min_length, self.min_length + self.min_length // 10 + 1))
        symbols = rng.integers(2, 6, n_steps)
        symbols[0], symbols[-1] = 0, 1
        label = 0
        for first, last in _PLACES[self.n_relevant]:
            # Steps are counted from 0 at the start symbol; both ends can occur.
            step = int(rng.integers(first * self.min_length // 100, last * self.min_length // 100 + 1))
            is_y = int(rng.integers(2))
            symbols[step] = 6 + is_y
            label = 2 * label + is_y
        targets = np.zeros((n_steps, 2**self.n_relevant))
        targets[-1, label] = 1.0
        return Sample(one_hot(symbols, len(SYMBOLS)), targets, at_end(n_steps))

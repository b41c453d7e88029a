"""The embedded Reber grammar (Hochreiter & Schmidhuber 1997, experiment 1).

Axel Cleeremans, David Servan-Schreiber and James L. McClelland, "Finite state automata and simple recurrent networks",
Neural Computation 1(3):372-381, 1989; Sepp Hochreiter and Jürgen Schmidhuber, "Long short-term memory", Neural
Computation 9(8):1735-1780, 1997.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt

from neuroevo.problems.assembly import Sample
from neuroevo.problems.generators.base import GeneratedSequences, data_stream, one_hot

SYMBOLS = "BTSXVPE"
# For each state after the inner B, the symbols that may follow and the states they lead to.
_REBER = ({"T": 1, "P": 2}, {"S": 1, "X": 3}, {"T": 2, "V": 4}, {"X": 2, "S": 5}, {"P": 3, "V": 5}, {"E": 6})


@dataclass(frozen=True, kw_only=True)
class EmbeddedReber(GeneratedSequences):
    """The embedded Reber grammar: which symbols may come next? The last but one repeats the second, long before it.

    Seven one-hot inputs and seven targets: 1 for every symbol that may follow, 0 for the others. The paper trains on
    the symbol that does follow and calls a string right where those that may follow are the most active; targets for
    all of them, right within 0.49, ask for the same and can be learnt to the last step. Test strings are in no other
    part.
    """

    n_test: Annotated[int, Ge(0)] = 256
    tolerance: Annotated[float, Gt(0)] = 0.49

    def names(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The symbols, twice."""
        return tuple(SYMBOLS), tuple(SYMBOLS)

    def draw(self) -> dict[str, list[Sample]]:
        """The strings of each part; validation and test repeat none of an earlier part."""
        seen: set[str] = set()
        samples = {}
        sizes = {"train": self.n_train, "validation": self.n_validation, "test": self.n_test}
        for place, (part, n_samples) in enumerate(sizes.items()):
            rng = data_stream(self.data_seed, place)
            strings: list[str] = []
            while len(strings) < n_samples:
                string = draw_string(rng)
                if string not in seen:
                    strings.append(string)
            seen.update(strings)
            samples[part] = [_sample(string) for string in strings]
        return samples

    def sample(self, rng: np.random.Generator) -> Sample:
        """Draw one string."""
        return _sample(draw_string(rng))


def draw_string(rng: np.random.Generator) -> str:
    """A string of the embedded grammar: B, T or P, a Reber string from B to E, the same T or P, E."""
    frame = "TP"[int(rng.integers(2))]
    inner, state = "B", 0
    while state != 6:
        options = _REBER[state]
        symbol = list(options)[int(rng.integers(len(options)))]
        inner += symbol
        state = options[symbol]
    return f"B{frame}{inner}{frame}E"


def successors(string: str) -> list[str]:
    """For each symbol of an embedded string but the last, the symbols that may follow it."""
    following = ["TP", "B"]
    state = 0
    for symbol in string[3:-2]:
        following.append("".join(_REBER[state]))
        state = _REBER[state][symbol]
    return [*following, string[1], "E"]


def _sample(string: str) -> Sample:
    inputs = one_hot([SYMBOLS.index(symbol) for symbol in string[:-1]], len(SYMBOLS))
    targets = np.array([[float(symbol in following) for symbol in SYMBOLS] for following in successors(string)])
    return Sample(inputs, targets, np.ones(len(inputs), dtype=np.bool_))

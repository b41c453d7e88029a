"""Tomita's seven regular languages, as used in evolving networks by Angeline, Saunders & Pollack.

Masaru Tomita, "Dynamic construction of finite automata from examples using hill-climbing", Proc. 4th Annual Cognitive
Science Conference, 1982. Protocol: Peter J. Angeline, Gregory M. Saunders and Jordan B. Pollack, "An evolutionary
algorithm that constructs recurrent neural networks", IEEE Transactions on Neural Networks 5(1):54-65, 1994.

Labels come from the definitions, not from the printed sets, which have two misprints: language 3 lists 110 both as
inside and outside (1110 is taken for the second), and language 5 lists 001 as inside (1001 is taken).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Interval

from neuroevo.problems.assembly import Sample, assemble
from neuroevo.problems.generators.base import at_end
from neuroevo.problems.learned import Within
from neuroevo.problems.sequence import SequenceProblem

# Inside and outside strings of each language; "e" is the empty one.
STRINGS = {
    1: "e 1 11 111 1111 11111 111111 1111111 11111111  0 10 01 00 011 110 000 11111110 10111111",
    2: "e 10 1010 101010 10101010 10101010101010  1 0 11 00 01 101 100 1001010 10110 110101010",
    3: "e 1 0 01 11 00 100 110 111 000 100100 110000011100001 111101100010011100  "
    "10 101 010 1010 1110 1011 10001 111010 1001000 11111000 0111001101 11011100110",
    4: "e 1 0 10 01 00 100100 001111110100 0100100100 11100 010  "
    "000 11000 0001 000000000 00000 0000 11111000011 1101010000010111 1010010001",
    5: "e 11 00 1001 0101 1010 1000111101 1001100001111010 111111 0000  "
    "1 0 111 010 000000000 1000 01 10 1110010100 010111111110 0001 011",
    6: "e 10 01 1100 101010 111 000000 0111101111 100100100  "
    "1 0 11 00 101 011 11001 1111 00000000 010111 10111101111 1001001001",
    7: "e 1 0 10 01 11111 000 00110011 0101 0000100001111 00100 011111011111 00  "
    "1010 00110011000 0101010101 1011010 10101 010100 101001 100100110101",
}


def in_language(string: str, language: int) -> bool:
    """Whether a string of 0 and 1 belongs to one of Tomita's languages 1 to 7.

    1: 1*. 2: (10)*. 3: no odd run of 0s anywhere after an odd run of 1s. 4: no 000. 5: an even number of 0s and of 1s,
    which is an even number of pairs 01 and 10 when read pairwise. 6: the numbers of 1s and 0s are equal modulo 3.
    7: 0*1*0*1*.
    """
    n_ones = string.count("1")
    n_zeros = len(string) - n_ones
    if language == 3:
        runs = [(key, len(list(run)) % 2) for key, run in itertools.groupby(string)]
        return ("0", 1) not in runs[runs.index(("1", 1)) :] if ("1", 1) in runs else True
    if language == 5:
        return n_ones % 2 == 0 and n_zeros % 2 == 0
    if language == 6:
        return (n_ones - n_zeros) % 3 == 0
    patterns = {1: "1*", 2: "(10)*", 4: "(?!.*000)[01]*", 7: "0*1*0*1*"}
    return re.fullmatch(patterns[language], string) is not None


def all_strings(max_length: int) -> list[str]:
    """Every string of 0 and 1 up to a length, the empty one first."""
    return ["".join(bits) for length in range(max_length + 1) for bits in itertools.product("01", repeat=length)]


@dataclass(frozen=True, kw_only=True)
class Tomita:
    """Tomita's regular languages: does a string of 0 and 1 belong to the language? Asked for at its end.

    One input: -1 for 0, 1 for 1, 0 for the nulls after the string; one target at the last null, 1 inside the language,
    0 outside. Trains on Tomita's strings, tests on all strings up to a length.

    Attributes:
        language: 1 to 7.
        train_length: 0 trains on Tomita's strings; above that, on all strings up to this length.
        test_length: Tests on all strings up to this length; 0 leaves the test out.
        n_nulls: Steps after the string.
        tolerance: An output within it is right.
        weight_decay: Factor of the genome's mean square in the error.
    """

    language: Annotated[int, Interval(ge=1, le=7)]
    train_length: Annotated[int, Interval(ge=0, le=14)] = 0
    test_length: Annotated[int, Interval(ge=0, le=14)] = 10
    n_nulls: Annotated[int, Ge(1)] = 3
    tolerance: Annotated[float, Gt(0)] = 0.1
    weight_decay: Annotated[float, Ge(0)] = 0.0

    def build(self, folder: Path) -> SequenceProblem:  # noqa: ARG002 - every problem kind is built in the same way
        """Generate the strings.

        Args:
            folder: Not used: nothing is read.
        """
        printed = [string.replace("e", "") for string in STRINGS[self.language].split()]
        train = all_strings(self.train_length) if self.train_length else printed
        return assemble(
            {
                "train": self._samples(train),
                "test": self._samples(all_strings(self.test_length) if self.test_length else []),
            },
            learned=Within(self.tolerance),
            weight_decay=self.weight_decay,
            input_names=("symbol",),
            target_names=(f"in language {self.language}",),
        )

    def _samples(self, strings: Sequence[str]) -> list[Sample]:
        samples = []
        for string in strings:
            inputs = np.array([2.0 * int(bit) - 1.0 for bit in string] + [0.0] * self.n_nulls)[:, None]
            inside = float(in_language(string, self.language))
            samples.append(Sample(inputs, np.full(inputs.shape, inside), at_end(len(inputs))))
        return samples

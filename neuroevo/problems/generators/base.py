"""What all generators of independent sequences share: numbers of sequences, seeds, and their random streams."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt
from numpy.typing import NDArray

from neuroevo.problems.assembly import Sample, assemble
from neuroevo.problems.learned import Learned, Within
from neuroevo.problems.sequence import SequenceProblem

PARTS = ("train", "validation", "test")


def data_stream(data_seed: int, part: int) -> np.random.Generator:
    """The random stream of a part, by its place in `PARTS`."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(data_seed, spawn_key=(part,))))


@dataclass(frozen=True, kw_only=True)
class GeneratedSequences(ABC):
    """Settings of all generators of independent sequences.

    Attributes:
        n_train: Training sequences.
        n_validation: Validation sequences; 0 for none.
        n_test: Test sequences; 0 for none.
        data_seed: Seed of the data; the seed of a run does not change them.
        tolerance: An output within it is right.
        weight_decay: Factor of the genome's mean square in the error.
    """

    n_train: Annotated[int, Ge(1)] = 256
    n_validation: Annotated[int, Ge(0)] = 0
    n_test: Annotated[int, Ge(0)] = 2560
    data_seed: Annotated[int, Ge(0)] = 0
    tolerance: Annotated[float, Gt(0)] = 0.1
    weight_decay: Annotated[float, Ge(0)] = 0.0

    @abstractmethod
    def sample(self, rng: np.random.Generator) -> Sample:
        """Draw one sequence."""

    def names(self) -> tuple[Sequence[str] | None, Sequence[str] | None]:
        """Names of the inputs and of the targets; None for numbered ones."""
        return None, None

    def rule(self) -> Learned:
        """When a step is learnt."""
        return Within(self.tolerance)

    def draw(self) -> dict[str, list[Sample]]:
        """The sequences of each part."""
        samples = {}
        for place, (part, n_samples) in enumerate(
            zip(PARTS, (self.n_train, self.n_validation, self.n_test), strict=True)
        ):
            rng = data_stream(self.data_seed, place)
            samples[part] = [self.sample(rng) for _ in range(n_samples)]
        return samples

    def build(self, folder: Path) -> SequenceProblem:  # noqa: ARG002 - every problem kind is built in the same way
        """Generate the sequences.

        Args:
            folder: Not used: nothing is read.
        """
        input_names, target_names = self.names()
        return assemble(
            self.draw(),
            learned=self.rule(),
            weight_decay=self.weight_decay,
            input_names=input_names,
            target_names=target_names,
        )


def at_end(n_steps: int) -> NDArray[np.bool_]:
    """``(n_steps,)`` bool: only the last step counts."""
    return np.asarray(np.arange(n_steps) == n_steps - 1)


def one_hot(symbols: Sequence[int] | NDArray[np.int64], n_symbols: int) -> NDArray[np.float64]:
    """``(n, n_symbols)`` float64 with a single 1 in each row."""
    return np.asarray(np.eye(n_symbols)[np.asarray(symbols, dtype=np.int64)])

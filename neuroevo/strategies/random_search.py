"""Random search: every generation is drawn anew, as the first population of the other strategies is.

The baseline that every other strategy has to beat. With wide uniform genes it is random weight guessing, which solves
some long-time-lag benchmarks faster than gradient methods do (Schmidhuber, Hochreiter and Bengio 2001, "Evaluating
benchmark problems by random guessing"; Hochreiter and Schmidhuber 1996, NIPS 9, section 2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Gt

from neuroevo.strategies.base import Strategy
from neuroevo.strategies.bounds import FloatArray
from neuroevo.strategies.settings import StartName, StartSettings


class RandomSearch(Strategy[StartSettings]):
    """Independent genomes from the start distribution, the baseline to beat."""

    Settings = StartSettings
    memoryless = True

    def _ask(self) -> FloatArray:
        # Given genomes are evaluated once; searching on from them is the business of other strategies.
        return self._initial_population()

    def _tell(self, population: FloatArray, error: FloatArray) -> None:
        """The incumbent is all that is kept."""

    def _inject(self, genomes: FloatArray, errors: FloatArray) -> None:
        """An immigrant can become the incumbent; nothing else depends on it."""


@dataclass(frozen=True)
class GuessingSettings(StartSettings):
    """As random search, with the weights of Hochreiter and Schmidhuber 1996, section 2: uniform in [-100, 100]."""

    start: StartName = "uniform"
    start_width: Annotated[float, Gt(0)] = 100.0


class RandomWeightGuessing(RandomSearch):
    """Random search with weights uniform in [-100, 100], the sanity check of long-time-lag benchmarks."""

    Settings = GuessingSettings

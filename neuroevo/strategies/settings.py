"""What every strategy can be told, and what those can that start from a population."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt

StartName = Literal["uniform", "gaussian", "glorot", "orthogonal"]


@dataclass(frozen=True)
class StrategySettings:
    """What every strategy can be told.

    Attributes:
        population_size: Genomes in the first generation; strategies say where later ones differ.
    """

    #: Names of keys that are tables of other strategies, each with a `kind` of its own.
    INNER: ClassVar[tuple[str, ...]] = ()

    population_size: Annotated[int, Ge(1)] = 256

    @property
    def schedule_length(self) -> int | None:
        """Generations until the last of the schedules in use holds; None where nothing follows a schedule."""
        return None

    @property
    def schedule_evaluations(self) -> int | None:
        """Evaluations until the last of the schedules in use holds that count them; None where there is none."""
        return None

    @property
    def remembers(self) -> str:
        """What makes even a `memoryless` strategy compare errors of different generations, and how to do without.

        Empty for nothing.
        """
        return ""


@dataclass(frozen=True)
class StartSettings(StrategySettings):
    """Settings of strategies that start from a population.

    Attributes:
        start: How the first population is drawn where none is given.
        start_width: Half-width, standard deviation or gain of it; see `neuroevo.strategies.starts`.
        initial_width: Standard deviation of the copies around a given genome, where fewer are given than needed.
    """

    start: StartName = "gaussian"
    start_width: Annotated[float, Gt(0)] = 1.0
    initial_width: Annotated[float, Gt(0)] = 0.1

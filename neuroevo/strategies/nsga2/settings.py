"""Settings of NSGA-II."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Interval, MinLen

from neuroevo.errors import BadInput
from neuroevo.strategies.settings import StartSettings


@dataclass(frozen=True)
class Nsga2Settings(StartSettings):
    """Settings of NSGA-II.

    Attributes:
        population_size: Members, and children a generation; Deb et al. have 100.
        goals: What is to be small, by name (`evaluation.goals`): "error", "links", "bytes", "not_learned", an
            objective, or a function of outputs and targets as "module:function". With one alone it is an ordinary
            search with an elite.
        reference: The corner, a number for each goal, up to which the hypervolume is measured; left out, the worst of
            the first generation in each goal.
        crossover_probability: That a pair of parents is crossed; 0.9 in section IV.
        crossover_index: eta_c of simulated binary crossover, how near children are to their parents; 20 in section IV.
        mutation_rate: That a gene is mutated; left out, 1 / n_genes, as in section IV.
        mutation_index: eta_m of polynomial mutation, how small its steps are; 20 in section IV.
        mutation_span: What a step is a share of where genes have no bounds; with bounds it is their distance.
    """

    population_size: Annotated[int, Ge(2)] = 100
    goals: Annotated[tuple[str, ...], MinLen(1)] = ("error", "links")
    reference: tuple[float, ...] | None = None
    crossover_probability: Annotated[float, Interval(ge=0, le=1)] = 0.9
    crossover_index: Annotated[float, Ge(0)] = 20.0
    mutation_rate: Annotated[float, Interval(ge=0, le=1)] | None = None
    mutation_index: Annotated[float, Ge(0)] = 20.0
    mutation_span: Annotated[float, Gt(0)] = 6.0

    def __post_init__(self) -> None:
        if len(set(self.goals)) < len(self.goals):
            raise BadInput(f"goals names one twice, got {list(self.goals)}")
        if self.reference is None:
            return
        if len(self.reference) != len(self.goals) or not np.isfinite(self.reference).all():
            raise BadInput(
                f"reference must hold a finite number for each of {len(self.goals)} goals, got {list(self.reference)}"
            )

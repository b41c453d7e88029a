"""What a particle swarm can be told."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Gt, Interval

from neuroevo.errors import BadInput
from neuroevo.strategies import schedules
from neuroevo.strategies.settings import StartSettings
from neuroevo.strategies.swarm.backend import BoundaryName
from neuroevo.strategies.swarm.neighbourhoods import NeighbourhoodName


@dataclass(frozen=True)
class SwarmSettings(StartSettings):
    """Settings of the particle swarm.

    Attributes:
        population_size: Particles; like the width of the start tuned on networks (`benchmarks/defaults.py`).
        neighbourhood: `global`, `ring` or `von_neumann`; see `neuroevo.strategies.swarm.neighbourhoods`.
        ring_radius: Neighbours to either side on the ring.
        inertia: Share of the velocity that is kept (Clerc and Kennedy 2002; Eberhart and Shi 2000: 0.7298).
        cognitive: Pull of the particle's own best place (likewise: 1.49618).
        social: Pull of the neighbours' best place (likewise: 1.49618).
        inertia_schedule: `constant`; `linear`, `geometric` or `cosine` to `final_inertia` over `horizon` generations,
            then held (Shi and Eberhart 1998: linear from 0.9 to 0.4); `random`: between 0.5 and 1, drawn each
            generation (Eberhart and Shi 2001).
        final_inertia: At the end of the schedule.
        horizon: Generations of the schedule.
        constriction: Whether to scale the whole velocity by Clerc and Kennedy's chi in the place of inertia; the pulls
            then have to sum to more than 4 (theirs are 2.05 each).
        velocity_limit: Largest velocity of a gene; by default none, or the width of the bounds.
        velocity_width: Velocities start uniform within this; 0 is at rest (Engelbrecht 2012).
        boundary: How a gene outside the bounds comes back: to the `nearest`, `periodic` on the other side, or
            `reflective`. With open bounds always the first.
    """

    population_size: Annotated[int, Ge(1)] = 64
    start_width: Annotated[float, Gt(0)] = 0.3
    neighbourhood: NeighbourhoodName = "global"
    ring_radius: Annotated[int, Ge(1)] = 1
    inertia: Annotated[float, Interval(ge=0, le=1)] = 0.7298
    cognitive: Annotated[float, Ge(0)] = 1.49618
    social: Annotated[float, Ge(0)] = 1.49618
    inertia_schedule: Literal["constant", "linear", "geometric", "cosine", "random"] = "constant"
    final_inertia: Annotated[float, Interval(gt=0, le=1)] = 0.4
    horizon: Annotated[int, Ge(1)] = 1000
    constriction: bool = False
    velocity_limit: Annotated[float, Gt(0)] | None = None
    velocity_width: Annotated[float, Ge(0)] = 0.0
    boundary: BoundaryName = "nearest"

    def __post_init__(self) -> None:
        if self.constriction and self.cognitive + self.social <= 4.0:
            raise BadInput(
                f"constriction needs cognitive + social above 4, got {self.cognitive + self.social:g}; "
                "Clerc and Kennedy use 2.05 each"
            )
        if self.inertia_schedule == "geometric" and self.inertia == 0.0:
            raise BadInput("inertia_schedule = 'geometric' cannot start from inertia = 0; use 'linear'")

    @property
    def schedule_length(self) -> int | None:
        """The horizon of the inertia."""
        is_scheduled = self.inertia_schedule in ("linear", "geometric", "cosine") and not self.constriction
        return self.horizon if is_scheduled else None

    def coefficients(self, generation: int, rng: np.random.Generator) -> tuple[float, float, float]:
        """Inertia, cognitive and social coefficient of the moves of a generation, counted from 0."""
        if self.constriction:
            phi = self.cognitive + self.social
            chi = 2.0 / abs(2.0 - phi - math.sqrt(phi * (phi - 4.0)))  # Clerc and Kennedy 2002, eq. 4.16, kappa = 1
            return chi, chi * self.cognitive, chi * self.social
        return self._inertia(generation, rng), self.cognitive, self.social

    def _inertia(self, generation: int, rng: np.random.Generator) -> float:
        if self.inertia_schedule == "constant":
            return self.inertia
        if self.inertia_schedule == "random":
            return 0.5 + 0.5 * rng.random()
        schedule = getattr(schedules, self.inertia_schedule)
        return float(schedule(self.inertia, self.final_inertia, self.horizon, generation))

"""Learning rates over the generations of a descent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le

from neuroevo.errors import BadInput
from neuroevo.strategies.schedules import cosine, geometric
from neuroevo.strategies.settings import StartName, StartSettings


@dataclass(frozen=True)
class RateSettings(StartSettings):
    """Where descents start, how long their steps are, and when they give up.

    Attributes:
        population_size: Descents, each from a start of its own.
        start: How starts are drawn; glorot needs the layout of a network, without one it is gaussian.
        rate: Learning rate; left out, that of the optimiser: adam 0.03, rmsprop 0.01, sgd 0.1, irprop_plus, whose first
            step it is, 0.1; online 0.01.
        schedule: How the rate changes: not at all, along half a cosine or in equal ratios to `final_rate` of it over
            `horizon` generations (and then holds), or in steps.
        horizon: Generations of a cosine or a geometric schedule.
        final_rate: Where these end, as a share of the rate.
        step_every: Generations from one fall of the schedule "step" to the next.
        step_factor: What the rate is multiplied by at each.
        warm_up: Generations in which the rate grows from nothing, in equal steps.
        clip: Longest gradient; longer ones keep their direction (Pascanu, Mikolov and Bengio 2013, "On the difficulty
            of training recurrent neural networks", algorithm 1); 0 for no limit.
        restart_after: Generations without a relative improvement of 1e-4 after which a descent starts anew; 0 for
            never.
    """

    population_size: Annotated[int, Ge(1)] = 16
    start: StartName = "glorot"
    rate: Annotated[float, Gt(0)] | None = None
    schedule: Literal["constant", "cosine", "geometric", "step"] = "constant"
    horizon: Annotated[int, Ge(1)] = 1000
    final_rate: Annotated[float, Gt(0), Le(1)] = 0.01
    step_every: Annotated[int, Ge(1)] = 100
    step_factor: Annotated[float, Gt(0), Le(1)] = 0.5
    warm_up: Annotated[int, Ge(0)] = 0
    clip: Annotated[float, Ge(0)] = 1.0
    restart_after: Annotated[int, Ge(0)] = 500

    @property
    def schedule_length(self) -> int | None:
        return self.horizon if self.schedule in ("cosine", "geometric") else None

    def factor(self, generation: int) -> float:
        """What the rate is multiplied by in a generation, from 0."""
        warm = min((generation + 1) / self.warm_up, 1.0) if self.warm_up else 1.0
        if self.schedule == "cosine":
            return warm * cosine(1.0, self.final_rate, self.horizon, generation)
        if self.schedule == "geometric":
            return warm * geometric(1.0, self.final_rate, self.horizon, generation)
        if self.schedule == "step":
            return warm * float(self.step_factor ** (generation // self.step_every))
        return warm

    def _belongs(self, name: str, wanted: bool, to: str) -> None:
        """Refuse a key that would do nothing.

        Raises:
            BadInput: It was given another value than its default.
        """
        default = type(self).__dataclass_fields__[name].default
        if not wanted and getattr(self, name) != default:
            raise BadInput(f"{name} belongs to {to}: leave it out")

"""The keys of a scenario's [problem] that say what the error is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from annotated_types import Gt, Interval, MinLen

from neuroevo.problems.objectives import Huber, Objective, Pinball, as_objective
from neuroevo.settings import Mistake, SettingsError, shown

Name = Literal[
    "squared", "absolute", "huber", "pinball", "cross_entropy", "classification_error", "balanced_error", "not_learned"
]
Weight: TypeAlias = Annotated[float, Gt(0)]


@dataclass(frozen=True, kw_only=True)
class ObjectiveSettings:
    """What the error is that training minimises.

    Attributes:
        objective: "squared", "absolute", "huber", "pinball", "cross_entropy", "classification_error", "balanced_error"
            or "not_learned".
        threshold: Of "huber", in scaled units: where its square turns into a straight line; left out, 1.
        quantile: Of "pinball": the quantile that is asked for; left out, 0.5.
        target_weights: The weight of each target column in the error; left out, all are equal.
    """

    objective: Name = "squared"
    threshold: Annotated[float, Gt(0)] | None = None
    quantile: Annotated[float, Interval(gt=0, lt=1)] | None = None
    target_weights: Annotated[tuple[Weight, ...], MinLen(1)] | None = None

    def __post_init__(self) -> None:
        for key, name in (("threshold", "huber"), ("quantile", "pinball")):
            if getattr(self, key) is not None and self.objective != name:
                raise SettingsError([Mistake(key, f'goes with objective = "{name}" only', shown(getattr(self, key)))])

    def objective_arguments(self) -> dict[str, Any]:
        """Arguments of `SequenceProblem`."""
        objective: Objective = as_objective(self.objective)
        if self.threshold is not None:
            objective = Huber(self.threshold)
        if self.quantile is not None:
            objective = Pinball(self.quantile)
        weights = None if self.target_weights is None else np.array(self.target_weights)
        return {"objective": objective, "target_weights": weights}

"""The keys of a scenario's [problem] that say what the error is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from annotated_types import Gt, Interval, MinLen

from neuroevo.problems.functions import is_place
from neuroevo.problems.objectives import OBJECTIVES, Huber, Objective, OfOnesOwn, PerStep, Pinball, as_objective
from neuroevo.registry import nearest
from neuroevo.settings import Mistake, SettingsError, shown

Name = Literal[
    "squared", "absolute", "huber", "pinball", "cross_entropy", "classification_error", "balanced_error", "not_learned"
]
Weight: TypeAlias = Annotated[float, Gt(0)]


@dataclass(frozen=True, kw_only=True)
class ObjectiveSettings:
    """What the error is that training minimises.

    Attributes:
        objective: "squared", "absolute", "huber", "pinball", "cross_entropy", "classification_error", "balanced_error",
            "not_learned", or a function of one's own by its place, "module:function".
        per_step: Whether that function is one of a single step, which numba compiles; else it is one of all outputs.
        threshold: Of "huber", in scaled units: where its square turns into a straight line; left out, 1.
        quantile: Of "pinball": the quantile that is asked for; left out, 0.5.
        target_weights: The weight of each target column in the error; left out, all are equal.
    """

    objective: Name | str = "squared"
    per_step: bool = False
    threshold: Annotated[float, Gt(0)] | None = None
    quantile: Annotated[float, Interval(gt=0, lt=1)] | None = None
    target_weights: Annotated[tuple[Weight, ...], MinLen(1)] | None = None

    def __post_init__(self) -> None:
        if self.objective not in OBJECTIVES and not is_place(self.objective):
            near = nearest(self.objective, OBJECTIVES)
            wanted = f'must be {", ".join(map(repr, OBJECTIVES))} or "module:function"'
            hint = f"did you mean {near!r}?" if near else ""
            raise SettingsError([Mistake("objective", wanted, shown(self.objective), hint)])
        if self.per_step and self.objective in OBJECTIVES:
            raise SettingsError([Mistake("per_step", "goes with a function of one's own only", "true")])
        for key, name in (("threshold", "huber"), ("quantile", "pinball")):
            if getattr(self, key) is not None and self.objective != name:
                raise SettingsError([Mistake(key, f'goes with objective = "{name}" only', shown(getattr(self, key)))])

    def objective_arguments(self) -> dict[str, Any]:
        """Arguments of `SequenceProblem`.

        Raises:
            BadInput: A function of one's own is not found, or takes other arguments.
        """
        objective: Objective = PerStep(self.objective) if self.per_step else as_objective(self.objective)
        if isinstance(objective, OfOnesOwn):
            objective.check_arguments()
        if self.threshold is not None:
            objective = Huber(self.threshold)
        if self.quantile is not None:
            objective = Pinball(self.quantile)
        weights = None if self.target_weights is None else np.array(self.target_weights)
        return {"objective": objective, "target_weights": weights}

"""Objectives: the error of outputs that a `SequenceProblem` minimises, by name or as a function of one's own.

`OBJECTIVES` has those with a name, all of them weighted means over the counted targets (`means`) or over the steps that
have one (`shares`); `Own` is any function of the outputs, `PerStep` the mean of any function of one step.
"""

from __future__ import annotations

from collections.abc import Callable

from neuroevo.errors import BadInput
from neuroevo.problems.objectives.base import Mean, Objective
from neuroevo.problems.objectives.means import Absolute, CrossEntropy, Huber, Pinball, Squared
from neuroevo.problems.objectives.own import OfOnesOwn, Own, PerStep
from neuroevo.problems.objectives.shares import BalancedError, ClassificationError, NotLearned
from neuroevo.registry import UnknownName, nearest

OBJECTIVES: dict[str, type[Objective]] = {
    cls.name: cls
    for cls in (
        Squared, Absolute, Huber, Pinball, CrossEntropy, ClassificationError, BalancedError, NotLearned,
    )
}  # fmt: skip
"""Objectives by the name in scenarios."""


def as_objective(objective: Objective | str | Callable[..., object] | None) -> Objective:
    """The objective that a caller means: a name of `OBJECTIVES`, "module:function", a function, or one itself.

    Raises:
        UnknownName: No objective has that name.
        WrongType: It is none of these.
    """
    if objective is None:
        return Squared()
    if isinstance(objective, Objective):
        return objective
    if not isinstance(objective, str) or ":" in objective:
        return Own(objective)
    if objective not in OBJECTIVES:
        near = nearest(objective, OBJECTIVES)
        guess = f"; did you mean {near!r}?" if near else ""
        raise UnknownName(f"there is no objective {objective!r}{guess} Known: {', '.join(OBJECTIVES)}")
    return OBJECTIVES[objective]()


def stored(objective: Objective) -> dict[str, str | float | bool]:
    """What stored data say of an objective; nothing of the usual one.

    Raises:
        BadInput: It is a function that nobody else could find.
    """
    if isinstance(objective, OfOnesOwn):
        if objective.place is None:
            raise BadInput(
                f"{objective.title} can't be written down or sent to workers: define the function at the top level of "
                'a module that can be imported, and give it or "module:function"'
            )
        return {"objective": objective.place, **({"per_step": True} if isinstance(objective, PerStep) else {})}
    parameter = {} if objective.parameter is None else {"objective_parameter": objective.parameter}
    return {} if isinstance(objective, Squared) else {"objective": objective.name, **parameter}


def restored(name: str, parameter: float | None, per_step: bool = False) -> Objective:
    """The objective that stored data name.

    Raises:
        BadInput: There is none, or its parameter is out of range.
    """
    if per_step:
        return PerStep(name)
    if parameter is None or ":" in name:
        return as_objective(name)
    return {"huber": Huber, "pinball": Pinball}[name](parameter) if name in ("huber", "pinball") else as_objective(name)


__all__ = [
    "OBJECTIVES",
    "Absolute",
    "BalancedError",
    "ClassificationError",
    "CrossEntropy",
    "Huber",
    "Mean",
    "NotLearned",
    "Objective",
    "OfOnesOwn",
    "Own",
    "PerStep",
    "Pinball",
    "Squared",
    "as_objective",
    "restored",
    "stored",
]

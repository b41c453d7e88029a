"""What else than the error is to be small: links, bytes on a device, other measures of the same outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.export.c.cells import cell_bytes
from neuroevo.export.plan import Cell
from neuroevo.networks.links import count_links
from neuroevo.problems import SequenceProblem
from neuroevo.problems.objectives import OBJECTIVES, as_objective, stored
from neuroevo.problems.objectives.own import OfOnesOwn
from neuroevo.registry import UnknownName, nearest

if TYPE_CHECKING:
    from neuroevo.networks import Network
    from neuroevo.problems import Problem

GOALS: Mapping[str, str] = {
    "error": "the error that is trained",
    "links": "links that are there, biases not counted",
    "bytes": "bytes of weights in C, single precision",
    "not_learned": "share not learnt",
}
"""Goals that every problem has, by the names in scenarios; problems of sequences have their objectives beside."""


def check_goals(names: Sequence[str], network: Network, problem: Problem) -> None:
    """Check that network and problem have these goals, and each of them once.

    Raises:
        BadInput: They have not.
    """
    if "bytes" in names:
        Cell.of(network, np.ones(network.n_genes))
    for name in names:
        if names.count(name) > 1:
            raise BadInput(f"goals: {name!r} is named twice")
        if name not in GOALS:
            with_objective(problem, name)


def title_of(name: str, problem: Problem) -> str:
    """What a goal is called on axes and in tables.

    Raises:
        BadInput: The problem has no such goal.
    """
    if name == "error":
        return problem.error_name
    return GOALS[name] if name in GOALS else with_objective(problem, name).error_name


def with_objective(problem: Problem, objective: str) -> SequenceProblem:
    """The same sequences judged by another objective, without weight decay.

    Args:
        problem: Of sequences.
        objective: A name of `OBJECTIVES`, or a function of one's own as "module:function".

    Raises:
        BadInput: There is no such objective, it does not suit, or the problem is not made of sequences.
    """
    known = list(dict.fromkeys((*GOALS, *(OBJECTIVES if isinstance(problem, SequenceProblem) else ()))))
    if not isinstance(problem, SequenceProblem) or (objective not in OBJECTIVES and ":" not in objective):
        near = nearest(objective, known)
        guess = f"; did you mean {near!r}?" if near else "."
        own = ', or a function of outputs and targets as "module:function"' if len(known) > len(GOALS) else ""
        raise UnknownName(f"there is no goal {objective!r}{guess} Known: {', '.join(known)}{own}")
    judge = as_objective(objective)
    if isinstance(judge, OfOnesOwn):
        judge.check_arguments()
    arrays = {name: array for name, array in problem.to_arrays().items() if not name.startswith("objective")}
    arrays |= {name: np.array(value) for name, value in stored(judge).items()}
    return SequenceProblem.from_arrays({**arrays, "weight_decay": np.array(0.0)})


def judged_apart(names: Sequence[str], problem: Problem) -> list[str]:
    """Those of the goals that need an evaluation by another objective."""
    # With weights, the share learnt, which counts steps, is another one than that of the objective.
    weighted = isinstance(problem, SequenceProblem) and problem.weight_rows is not None
    return [name for name in names if name not in GOALS or (name == "not_learned" and weighted)]


def bytes_of(network: Network, weights: NDArray[np.float64]) -> NDArray[np.int64]:
    """Bytes of flash ``(n,)`` that the weights of genomes take in an exported C model of single precision.

    Those of scaling and of what is prepared are the same for all.
    """
    return np.array([cell_bytes(Cell.of(network, own)) if np.isfinite(own).all() else 0 for own in weights])


def goals_of(
    names: Sequence[str], network: Network, weights: NDArray[np.float64], found: Mapping[str, NDArray[Any]]
) -> NDArray[np.float64]:
    """All goals ``(n, n_goals)`` of genomes, +inf where there is no number, and all over where the error is none.

    Args:
        names: Of the goals.
        network: What the genomes mean.
        weights: ``(n, network.n_genes)``.
        found: "error", "learned", and what was judged apart, by names, ``(n,)`` each.
    """

    def column(name: str) -> NDArray[Any]:
        if f"goal {name}" in found or name == "error":
            return found["error" if name == "error" else f"goal {name}"]
        if name == "not_learned":
            return 1.0 - found["learned"]
        return count_links(network, weights) if name == "links" else bytes_of(network, weights)

    goals = np.stack([np.asarray(column(name), dtype=np.float64) for name in names], axis=1)
    goals[~np.isfinite(goals)] = np.inf
    goals[~np.isfinite(found["error"])] = np.inf
    return goals

"""A problem is what is to be learnt, and the parts of it that train and test.

`Problem` is the contract; `SequenceProblem`, sequences of inputs and the targets that count, its first member.
`PROBLEMS` names the kinds that a scenario can ask for, each a frozen settings dataclass whose ``build(folder)`` gives
a `Problem`: data of one's own (`series`, `sequences`) and generators of known tasks. Beside them: `Scaling`
and what comes before it (`Preparation`), the readers that raise `DataError`, the metrics, and the simple competitors
(`baselines`) that every report prints.
"""

from __future__ import annotations

from typing import Any

from neuroevo.errors import BadInput, WrongType
from neuroevo.problems.base import Problem
from neuroevo.problems.errors import DataError
from neuroevo.problems.learned import RightClass, Within
from neuroevo.problems.preparation import Preparation
from neuroevo.problems.results import Results
from neuroevo.problems.scaling import Scaling
from neuroevo.problems.sequence import NotSequences, SequenceProblem, as_sequences
from neuroevo.registry import Registry

PROBLEMS: Registry[Any] = Registry(
    "problem",
    "neuroevo.problems",
    {
        "series": "neuroevo.problems.series:Series",
        "sequences": "neuroevo.problems.sequences:Sequences",
        "adding": "neuroevo.problems.generators.adding:Adding",
        "multiplication": "neuroevo.problems.generators.adding:Multiplication",
        "temporal_order": "neuroevo.problems.generators.temporal_order:TemporalOrder",
        "latch": "neuroevo.problems.generators.memory:Latch",
        "delayed_recall": "neuroevo.problems.generators.memory:DelayedRecall",
        "parity": "neuroevo.problems.generators.parity:Parity",
        "tomita": "neuroevo.problems.generators.tomita:Tomita",
        "embedded_reber": "neuroevo.problems.generators.reber:EmbeddedReber",
        "mackey_glass": "neuroevo.problems.generators.chaos:MackeyGlass",
        "lorenz": "neuroevo.problems.generators.chaos:Lorenz",
        "narma10": "neuroevo.problems.generators.signals:Narma10",
        "superimposed_sines": "neuroevo.problems.generators.signals:SuperimposedSines",
        "sine": "neuroevo.problems.generators.signals:Sine",
        "single_pole": "neuroevo.problems.control.poles:SinglePole",
        "double_pole": "neuroevo.problems.control.poles:DoublePole",
        "mountain_car": "neuroevo.problems.control.hills:MountainCar",
        "acrobot": "neuroevo.problems.control.acrobot:Acrobot",
        "t_maze": "neuroevo.problems.control.mazes:TMaze",
        "distracted_recall": "neuroevo.problems.control.recall:DistractedRecall",
        "gymnasium": "neuroevo.problems.control.environments:Gymnasium",
        "compiled_simulator": "neuroevo.problems.control.compiled:CompiledSimulator",
        "simulator": "neuroevo.problems.control.own:Simulator",
    },
)
"""Kinds of problems for scenarios: frozen settings dataclasses with ``build(folder: Path) -> Problem``.

A kind whose problems are no `SequenceProblem` names their class as ``problem_class``, or is that class itself.
"""


def problem_class(kind: str) -> type[Problem]:
    """The class of the problems of a kind, whose `from_arrays` opens what is stored of them.

    Raises:
        UnknownName: There is no such kind.
    """
    member = PROBLEMS[kind]
    if isinstance(member, type) and issubclass(member, Problem):
        return member
    return getattr(member, "problem_class", SequenceProblem)


def checked_problem(problem: object) -> Problem:
    """The problem itself, sure to be found again from a record of it.

    Raises:
        TypeError: It is no `Problem`.
        ValueError: Its `kind` does not lead to its class.
    """
    if not isinstance(problem, Problem):
        raise WrongType(f"a problem must be a neuroevo.Problem, got {type(problem).__name__}")
    kind = getattr(problem, "kind", None)
    if not isinstance(kind, str) or kind not in PROBLEMS or problem_class(kind) is not type(problem):
        raise BadInput(
            f"{type(problem).__name__}.kind must be the name of a registered kind that is this class, or has it as "
            f"problem_class, so that a record can be opened again; it is {kind!r}"
        )
    return problem


__all__ = [
    "PROBLEMS",
    "DataError",
    "NotSequences",
    "Preparation",
    "Problem",
    "Results",
    "RightClass",
    "Scaling",
    "SequenceProblem",
    "Within",
    "as_sequences",
    "checked_problem",
    "problem_class",
]

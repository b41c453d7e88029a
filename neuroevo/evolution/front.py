"""The front of a search for several goals: what its populations hold that nothing else there dominates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroevo.evaluation.goals import title_of
from neuroevo.evolution.champion import VALIDATION
from neuroevo.evolution.states import below
from neuroevo.records.front import Front
from neuroevo.strategies.nsga2.ranking import first_front

if TYPE_CHECKING:
    from neuroevo.evaluation import LocalEvaluator
    from neuroevo.strategies import Strategy

_GOALS = frozenset({"goals"})


def front_of(
    state: Mapping[str, Any], make_strategy: Callable[[int], Strategy[Any]], evaluator: LocalEvaluator
) -> Front | None:
    """The front that a search has reached, over all its islands; None where no evaluation has been without failure.

    Args:
        state: Of the search, as `Evolution.state` gives it.
        make_strategy: Builds the strategy of an island.
        evaluator: Offers the goals; a validation part, where there is one, is evaluated by it.
    """
    found = [strategy.front() for strategy in _strategies(state, make_strategy) if strategy.goals]
    genomes, errors, goals = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
    rows = first_front(goals)
    if not len(rows):
        return None
    problem, validation = evaluator.problem, None
    if VALIDATION in problem.parts:
        validation = evaluator.evaluate(genomes[rows], VALIDATION, _GOALS).more["goals"]
    return Front(
        evaluator.goals,
        tuple(title_of(name, problem) for name in evaluator.goals),
        evaluator.express(genomes[rows]),
        errors[rows],
        goals[rows],
        validation,
        problem.scaling_arrays(),
    )


def _strategies(state: Mapping[str, Any], make_strategy: Callable[[int], Strategy[Any]]) -> Sequence[Strategy[Any]]:
    n_islands = int(state.get("n_islands", 1))
    prefixes = ["strategy."] if n_islands == 1 else [f"island.{island}." for island in range(n_islands)]
    strategies = [make_strategy(island) for island in range(n_islands)]
    for strategy, prefix in zip(strategies, prefixes, strict=True):
        strategy.restore(below(state, prefix))
    return strategies

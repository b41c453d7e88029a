"""Hosts advance islands by some generations; who hosts an island makes no difference to it.

An `Order` holds all that its `Stretch` depends on, so it can be carried out anywhere, and more than once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from neuroevo.evolution.loop import VALIDATION, Champion

if TYPE_CHECKING:
    from neuroevo.evaluation import Evaluation, Evaluator
    from neuroevo.strategies import Strategy

FloatArray: TypeAlias = NDArray[np.float64]
MakeStrategy: TypeAlias = "Callable[[int], Strategy[Any]]"
"""Builds the strategy of an island, at its beginning."""


@dataclass(frozen=True, eq=False)
class Order:
    """What an island is to do next.

    Attributes:
        island: Its number.
        generation: The generation that it has reached.
        state: Its strategy's state there; None at the beginning.
        immigrants: `(m, n_genes)`, to be injected first.
        immigrant_errors: `(m,)`.
        only_better: Whether immigrants that are no better than the island's incumbent are turned away.
        n_generations: How far to go.
        n_emigrants: How many of its best are wanted at the end.
        incumbent_error: Genomes with larger errors are of no interest outside.
    """

    island: int
    generation: int
    state: Mapping[str, Any] | None
    immigrants: FloatArray
    immigrant_errors: FloatArray
    only_better: bool
    n_generations: int
    n_emigrants: int
    incumbent_error: float


@dataclass(frozen=True, eq=False)
class Generation:
    """One generation of an island.

    Attributes:
        error: `(n,)` float64, +inf where failed.
        n_failed: Failed evaluations.
        mean: `(n_genes,)`, of the population.
        variance: `(n_genes,)`, of the population.
        improvement: A genome with a smaller error than any before it, in the order or in the stretch.
    """

    error: FloatArray
    n_failed: int
    mean: FloatArray
    variance: FloatArray
    improvement: Champion | None


@dataclass(frozen=True, eq=False)
class Stretch:
    """Some generations of an island.

    Attributes:
        generations: What happened, one by one.
        state: The strategy's state at the end.
        emigrants: `(m, n_genes)`, its best, and `emigrant_errors` `(m,)`; none whose evaluation failed.
        emigrant_errors: See `emigrants`.
    """

    generations: tuple[Generation, ...]
    state: dict[str, Any]
    emigrants: FloatArray
    emigrant_errors: FloatArray


def advance(strategy: Strategy[Any], evaluator: Evaluator, order: Order, *, validated: bool) -> Stretch:
    """Carry out an order with a strategy that has just been built or has been used for that island before.

    Args:
        strategy: The island's.
        evaluator: Computes errors.
        order: What to do.
        validated: Whether improvements are evaluated on the validation part.
    """
    if order.state is not None:
        strategy.restore(order.state)
        _admit(strategy, order)
    threshold = order.incumbent_error
    generations = []
    for number in range(order.generation + 1, order.generation + order.n_generations + 1):
        population = strategy.ask()
        evaluation = evaluator.evaluate(population)
        strategy.tell(population, evaluation.error)
        improvement = _improvement(population, evaluation, evaluator, threshold, number, validated)
        threshold = threshold if improvement is None else improvement.error
        mean, variance = population.mean(axis=0), population.var(axis=0)
        generations.append(Generation(evaluation.error, evaluation.n_failed, mean, variance, improvement))
    emigrants, errors = strategy.emigrants(order.n_emigrants)
    sound = np.isfinite(errors)
    return Stretch(tuple(generations), strategy.state(), emigrants[sound], errors[sound])


def _admit(strategy: Strategy[Any], order: Order) -> None:
    genomes, errors = order.immigrants, order.immigrant_errors
    if order.only_better:
        better = errors < strategy.incumbent[1]
        genomes, errors = genomes[better], errors[better]
    if len(genomes):
        strategy.inject(genomes, errors)


def _improvement(
    population: FloatArray,
    evaluation: Evaluation,
    evaluator: Evaluator,
    threshold: float,
    generation: int,
    validated: bool,
) -> Champion | None:
    best = int(np.argmin(evaluation.error))
    error = float(evaluation.error[best])
    if not error < threshold:
        return None
    genome = population[best].copy()
    validation = float(evaluator.evaluate(genome[np.newaxis], VALIDATION).error[0]) if validated else np.nan
    return Champion(genome, error, float(evaluation.learned[best]), validation, generation)


class IslandHost(ABC):
    """Advances islands.

    Attributes:
        make_strategy: Builds the strategy of an island.
    """

    make_strategy: MakeStrategy

    @abstractmethod
    def advance(self, orders: Sequence[Order]) -> list[Stretch]:
        """Carry out orders for different islands; their stretches, in the same order."""


class SerialHost(IslandHost):
    """Advances islands in this process, one after the other.

    Args:
        make_strategy: Builds the strategy of an island.
        evaluator: Computes errors, for all of them.
        validated: Whether improvements are evaluated on the validation part.
    """

    def __init__(self, make_strategy: MakeStrategy, evaluator: Evaluator, *, validated: bool = False) -> None:
        self.make_strategy = make_strategy
        self._evaluator = evaluator
        self._validated = validated
        self._strategies: dict[int, Strategy[Any]] = {}

    def advance(self, orders: Sequence[Order]) -> list[Stretch]:
        return [self.carry_out(order) for order in orders]

    def carry_out(self, order: Order) -> Stretch:
        """Carry out one order."""
        # Taken out while at work: after an exception it may have been asked and not told, and is built anew.
        strategy = self._strategies.pop(order.island, None)
        if strategy is None or order.state is None:
            strategy = self.make_strategy(order.island)
        stretch = advance(strategy, self._evaluator, order, validated=self._validated)
        self._strategies[order.island] = strategy
        return stretch

"""Hosts keep the populations of a run and carry out their generations; who hosts one makes no difference to it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeAlias

import numpy as np

from neuroevo.errors import BadInput
from neuroevo.evolution.generations import FloatArray, Generation, carry_out

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuroevo.evaluation import Evaluator
    from neuroevo.evolution.conditions import Conditions
    from neuroevo.strategies import Strategy

State: TypeAlias = Mapping[str, Any]
MakeStrategy: TypeAlias = "Callable[[int], Strategy[Any]]"
"""Builds the strategy of an island, at its beginning."""


class Migrants(NamedTuple):
    """Genomes on their way between islands: `(m, n_genes)` and their errors `(m,)`."""

    genomes: FloatArray
    errors: FloatArray

    @classmethod
    def none(cls) -> Migrants:
        """Nobody."""
        return cls(np.empty((0, 0)), np.empty(0))

    @classmethod
    def leaving(cls, strategy: Strategy[Any], n: int) -> Migrants:
        """The best `n` of an island; none whose evaluation failed."""
        genomes, errors = strategy.emigrants(n)
        sound = np.isfinite(errors)
        return cls(genomes[sound], errors[sound])

    @classmethod
    def together(cls, groups: Sequence[Migrants]) -> Migrants:
        """All of them in one group."""
        return cls(*(np.concatenate(columns) for columns in zip(*groups, strict=True)))

    @classmethod
    def of_state(cls, state: Mapping[str, Any]) -> Migrants:
        """Those that a search's state holds, by "genomes" and "errors".

        Raises:
            BadInput: They are no genomes with an error each.
        """
        genomes, errors = (np.asarray(state.get(name)) for name in cls._fields)
        whole = errors.ndim == 1 and genomes.ndim == 2 and len(genomes) == len(errors)
        if not whole or genomes.dtype != np.float64 or errors.dtype != np.float64:
            raise BadInput("the emigrants in the state are no genomes with an error each")
        return cls(genomes, errors)

    def enter(self, strategy: Strategy[Any], only_better: bool) -> None:
        """Enter an island; with `only_better`, those that are no better than its incumbent are turned away."""
        genomes, errors = self
        if only_better and len(genomes):
            better = errors < strategy.incumbent[1]
            genomes, errors = genomes[better], errors[better]
        if len(genomes):
            strategy.inject(genomes, errors)


class IslandHost(ABC):
    """The populations of a run, one for each island.

    Attributes:
        n_islands: How many there are.
        n_emigrants: Genomes on each way of a migration.
        only_better: Whether immigrants that are no better than an island's incumbent are turned away.
    """

    longest_stretch: ClassVar[int]
    """Generations that are worth being carried out at one go."""

    n_islands: int
    n_emigrants: int
    only_better: bool

    @abstractmethod
    def advance(
        self, generation: int, n_generations: int, to_beat: float, immigrants: Sequence[Migrants] | None = None
    ) -> list[list[Generation]]:
        """Carry out generations of all islands.

        Args:
            generation: The generation that they have reached.
            n_generations: How many more.
            to_beat: Genomes with larger errors are of no interest outside.
            immigrants: Who enters each island first.

        Returns:
            For each island its generations.
        """

    @abstractmethod
    def go_back(self, n_generations: int) -> None:
        """Let the islands come only so far from where `advance` found them; it is the same way again."""

    @abstractmethod
    def emigrants(self) -> list[Migrants]:
        """The best of each island."""

    @abstractmethod
    def states(self) -> list[State]:
        """The state of each island's strategy."""

    @abstractmethod
    def restore(self, generation: int, states: Sequence[State], emigrants: Sequence[Migrants] = ()) -> None:
        """Go on from the states of the islands after a generation; `emigrants` are those of a run with more than one.

        Raises:
            BadInput: A state is of another strategy, number of genes or generation.
        """


def restore_strategy(strategy: Strategy[Any], state: State, generation: int) -> None:
    """Continue from a state.

    Raises:
        BadInput: It is of another strategy, number of genes or generation.
    """
    strategy.restore(state)
    if strategy.generation != generation:
        raise BadInput(f"the strategy is of generation {strategy.generation}, the search of {generation}")


class LocalHost(IslandHost):
    """Hosts islands in this process, one after the other.

    Args:
        make_strategy: Builds the strategy of an island.
        evaluator: Computes errors, for all of them.
        n_islands: How many islands there are.
        validated: Whether improvements are evaluated on the validation part.
        n_emigrants: Genomes on each way of a migration.
        only_better: Whether immigrants that are no better than an island's incumbent are turned away.
        conditions: What the populations are evaluated under; None for the genomes themselves on all data.

    Raises:
        BadInput: A strategy wants what the evaluator does not offer.
    """

    longest_stretch = 1

    def __init__(
        self,
        make_strategy: MakeStrategy,
        evaluator: Evaluator,
        n_islands: int = 1,
        *,
        validated: bool = False,
        n_emigrants: int = 1,
        only_better: bool = False,
        conditions: Conditions | None = None,
    ) -> None:
        self.n_islands, self.n_emigrants, self.only_better = n_islands, n_emigrants, only_better
        self.strategies = [make_strategy(island) for island in range(n_islands)]
        self._evaluator = evaluator
        self._validated = validated
        self._conditions = conditions
        for strategy in self.strategies:
            if not strategy.needs <= evaluator.offers:
                raise BadInput(
                    f"{type(strategy).__name__} wants {', '.join(sorted(strategy.needs))} beside the error, the "
                    f"evaluator gives {', '.join(sorted(evaluator.offers)) or 'nothing'}: make it with wants=..."
                )

    def advance(
        self, generation: int, n_generations: int, to_beat: float, immigrants: Sequence[Migrants] | None = None
    ) -> list[list[Generation]]:
        arriving = immigrants or [Migrants.none()] * self.n_islands
        for strategy, group in zip(self.strategies, arriving, strict=True):
            group.enter(strategy, self.only_better)
        return [self._stretch(strategy, generation, n_generations, to_beat) for strategy in self.strategies]

    def _stretch(self, strategy: Strategy[Any], generation: int, n: int, to_beat: float) -> list[Generation]:
        done: list[Generation] = []
        for number in range(generation + 1, generation + n + 1):
            done.append(
                carry_out(
                    strategy, self._evaluator, number, to_beat, validated=self._validated, conditions=self._conditions
                )
            )
            improvement = done[-1].improvement
            to_beat = to_beat if improvement is None else improvement.error
        return done

    def go_back(self, n_generations: int) -> None:
        raise RuntimeError(f"islands of this process go on by single generations, none is {n_generations} too far")

    def emigrants(self) -> list[Migrants]:
        return [Migrants.leaving(strategy, self.n_emigrants) for strategy in self.strategies]

    def states(self) -> list[State]:
        return [strategy.state() for strategy in self.strategies]

    def restore(self, generation: int, states: Sequence[State], emigrants: Sequence[Migrants] = ()) -> None:  # noqa: ARG002 - who they are follows from the states
        for strategy, state in zip(self.strategies, states, strict=True):
            restore_strategy(strategy, state, generation)

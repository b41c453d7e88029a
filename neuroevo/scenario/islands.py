"""The table [islands]: populations that evolve on their own and exchange genomes; part of what is computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from annotated_types import Ge

from neuroevo.errors import BadInput
from neuroevo.evolution.migration import Migration
from neuroevo.spaces import SearchSpace
from neuroevo.strategies import make_strategy

if TYPE_CHECKING:
    from neuroevo.evaluation.learning import Method
    from neuroevo.networks import Network
    from neuroevo.strategies import Strategy


BESIDE_SETTINGS = ("bounds", "initial")
"""Keys of a strategy's table that every strategy understands, whatever its settings."""


def wanted_of(strategies: Sequence[Strategy[Any]]) -> tuple[frozenset[str], frozenset[Method], tuple[str, ...]]:
    """What strategies may want of their evaluator beside the error, by which methods, and which goals.

    Raises:
        BadInput: They differ in their goals.
    """
    needs: frozenset[str] = frozenset().union(*(strategy.needs for strategy in strategies))
    methods: frozenset[Method] = frozenset().union(*(strategy.methods for strategy in strategies))
    goals = list(dict.fromkeys(strategy.goals for strategy in strategies if strategy.goals))
    if len(goals) > 1:
        raise BadInput(f"all islands must have the same goals, got {' and '.join(map(str, map(list, goals)))}")
    return needs, methods, goals[0] if goals else ()


@dataclass(frozen=True)
class IslandSettings(Migration):
    """The keys of [islands] beside its [[islands.strategies]], which say what other islands than the first run.

    Island 0 has the table [strategy], the next ones have those of [[islands.strategies]], and so on in turn.

    Attributes:
        count: How many islands there are, each with a population of its own.
    """

    count: Annotated[int, Ge(2)] = 4


@dataclass(frozen=True)
class StrategyRecipe:
    """Builds the strategy of an island at its beginning, here or in a worker.

    Attributes:
        tables: Resolved tables of strategies, taken in turn.
        seed: The run's.
        network: Whose weights they search.
        space: What they move.
    """

    tables: Sequence[Mapping[str, Any]]
    seed: int
    network: Network
    space: SearchSpace

    def __call__(self, island: int = 0) -> Strategy[Any]:
        table = self.tables[island % len(self.tables)]
        values = {key: value for key, value in table.items() if key not in ("kind", *BESIDE_SETTINGS)}
        strategy = make_strategy(
            table["kind"],
            n_genes=self.space.n_genes(self.network),
            seed=self.seed,
            layout=self.space.layout(self.network),
            initial=self._initial(table.get("initial")),
            bounds=tuple(table["bounds"]) if "bounds" in table else self.space.bounds(self.network),
            island=island,
            **values,
        )
        strategy.margin = partial(self.space.margin, network=self.network)
        return strategy

    def _initial(self, given: Any) -> Any:
        """Genomes to start from; those of the network become some of the space."""
        genomes = None if given is None else np.atleast_2d(np.asarray(given, dtype=np.float64))
        if genomes is None or genomes.shape[1] != self.network.n_genes:
            return given
        return self.space.embedded(genomes, self.network)

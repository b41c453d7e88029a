"""The table [islands]: populations that evolve on their own and exchange genomes; part of what is computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from annotated_types import Ge

from neuroevo.evolution.migration import Migration
from neuroevo.spaces import SearchSpace
from neuroevo.strategies import STRATEGIES, make_strategy

if TYPE_CHECKING:
    from neuroevo.networks import Network
    from neuroevo.strategies import Strategy


BESIDE_SETTINGS = ("bounds", "initial")
"""Keys of a strategy's table that every strategy understands, whatever its settings."""


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
        members: The classes that the tables name; a worker's registry may not know those of one's own.
    """

    tables: Sequence[Mapping[str, Any]]
    seed: int
    network: Network
    space: SearchSpace
    members: Mapping[str, Any]

    @classmethod
    def of(cls, tables: Sequence[Mapping[str, Any]], seed: int, network: Network, space: SearchSpace) -> StrategyRecipe:
        """The recipe with the classes that are registered here."""
        return cls(tables, seed, network, space, {table["kind"]: STRATEGIES[table["kind"]] for table in tables})

    def __call__(self, island: int = 0) -> Strategy[Any]:
        table = self.tables[island % len(self.tables)]
        values = {key: value for key, value in table.items() if key not in ("kind", *BESIDE_SETTINGS)}
        if table["kind"] not in STRATEGIES.names():
            STRATEGIES.register(table["kind"], self.members[table["kind"]])
        return make_strategy(
            table["kind"],
            n_genes=self.space.n_genes(self.network),
            seed=self.seed,
            layout=self.space.layout(self.network),
            initial=table.get("initial"),
            bounds=tuple(table["bounds"]) if "bounds" in table else self.space.bounds(self.network),
            island=island,
            **values,
        )

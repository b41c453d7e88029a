"""Islands that are hosted elsewhere: their states travel there with an order, and come back with what came of it.

An `Order` holds all that its `Stretch` depends on, so it can be carried out anywhere, and more than once: it makes no
difference who had an island before, or whether he is still alive.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from neuroevo.errors import BadInput
from neuroevo.evolution.generations import Generation
from neuroevo.evolution.hosts import IslandHost, LocalHost, MakeStrategy, Migrants, State, restore_strategy

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuroevo.evaluation import Evaluator
    from neuroevo.evolution.conditions import Conditions
    from neuroevo.strategies import Strategy


@dataclass(frozen=True, eq=False)
class Order:
    """What an island is to do next.

    Attributes:
        island: Its number.
        generation: The generation that it has reached.
        state: Its strategy's state there; None at the beginning.
        immigrants: Who enters it first.
        only_better: Whether immigrants that are no better than its incumbent are turned away.
        n_generations: How far to go.
        n_emigrants: How many of its best are wanted at the end.
        to_beat: Genomes with larger errors are of no interest outside.
    """

    island: int
    generation: int
    state: State | None
    immigrants: Migrants
    only_better: bool
    n_generations: int
    n_emigrants: int
    to_beat: float


@dataclass(frozen=True, eq=False)
class Stretch:
    """What came of an order.

    Attributes:
        generations: What happened, one by one.
        state: The strategy's state at the end.
        emigrants: The best of the island; none whose evaluation failed.
    """

    generations: list[Generation]
    state: State
    emigrants: Migrants


class OrderTaker:
    """Carries out orders; what it keeps of an island saves building its strategy again, and nothing else.

    Args:
        make_strategy: Builds the strategy of an island.
        evaluator: Computes errors, for all of them.
        validated: Whether improvements are evaluated on the validation part.
        conditions: What the populations are evaluated under; None for the genomes themselves on all data.
    """

    def __init__(
        self,
        make_strategy: MakeStrategy,
        evaluator: Evaluator,
        *,
        validated: bool,
        conditions: Conditions | None = None,
    ) -> None:
        self._make_strategy = make_strategy
        self._evaluator = evaluator
        self._validated = validated
        self._conditions = conditions
        self._strategies: dict[int, Strategy[Any]] = {}

    def carry_out(self, order: Order) -> Stretch:
        """Carry out one order."""
        # Taken out while at work: after an exception it may have been asked and not told, and is built anew.
        strategy = self._strategies.pop(order.island, None)
        if strategy is None or order.state is None:
            strategy = self._make_strategy(order.island)
        host = LocalHost(
            lambda _island: strategy,
            self._evaluator,
            validated=self._validated,
            only_better=order.only_better,
            conditions=self._conditions,
        )
        if order.state is not None:
            host.restore(order.generation, [order.state])
        (generations,) = host.advance(order.generation, order.n_generations, order.to_beat, [order.immigrants])
        stretch = Stretch(generations, strategy.state(), Migrants.leaving(strategy, order.n_emigrants))
        self._strategies[order.island] = strategy
        return stretch


class StretchHost(IslandHost):
    """Keeps the states of islands, and has their generations carried out elsewhere.

    Args:
        make_strategy: Builds the strategy of an island.
        carry_out: Carries out orders for different islands; their stretches, in the same order.
        n_islands: How many islands there are.
        n_emigrants: Genomes on each way of a migration.
        only_better: Whether immigrants that are no better than an island's incumbent are turned away.
    """

    longest_stretch = 1000

    def __init__(
        self,
        make_strategy: MakeStrategy,
        carry_out: Callable[[Sequence[Order]], list[Stretch]],
        n_islands: int,
        *,
        n_emigrants: int = 1,
        only_better: bool = False,
    ) -> None:
        self.n_islands, self.n_emigrants, self.only_better = n_islands, n_emigrants, only_better
        self._make_strategy = make_strategy
        self._carry_out = carry_out
        self._states: list[State | None] = [None] * n_islands
        self._emigrants = [Migrants.none()] * n_islands
        self._orders: list[Order] = []

    def advance(
        self, generation: int, n_generations: int, to_beat: float, immigrants: Sequence[Migrants] | None = None
    ) -> list[list[Generation]]:
        arriving = immigrants or [Migrants.none()] * self.n_islands
        self._orders = [
            Order(
                island=island,
                generation=generation,
                state=state,
                immigrants=group,
                only_better=self.only_better,
                n_generations=n_generations,
                n_emigrants=self.n_emigrants,
                to_beat=to_beat,
            )
            for island, (state, group) in enumerate(zip(self._states, arriving, strict=True))
        ]
        return self._settle(self._orders)

    def go_back(self, n_generations: int) -> None:
        self._settle([dataclasses.replace(order, n_generations=n_generations) for order in self._orders])

    def _settle(self, orders: Sequence[Order]) -> list[list[Generation]]:
        """Have orders carried out; the islands stand where their stretches end."""
        stretches = self._carry_out(orders)
        self._states = [stretch.state for stretch in stretches]
        self._emigrants = [stretch.emigrants for stretch in stretches]
        return [stretch.generations for stretch in stretches]

    def emigrants(self) -> list[Migrants]:
        return self._emigrants

    def states(self) -> list[State]:
        return [state or {} for state in self._states]

    def restore(self, generation: int, states: Sequence[State], emigrants: Sequence[Migrants] = ()) -> None:
        leaving = list(emigrants) or [Migrants.none()] * self.n_islands
        for island, (state, group) in enumerate(zip(states, leaving, strict=True)):
            # Built for the checks alone: whoever carries out the first order must be able to trust it.
            strategy = self._make_strategy(island)
            restore_strategy(strategy, state, generation)
            if len(group.genomes) and group.genomes.shape[1] != strategy.n_genes:
                raise BadInput(f"emigrants have {group.genomes.shape[1]} genes, the strategy {strategy.n_genes}")
        self._states, self._emigrants = list(states), leaving

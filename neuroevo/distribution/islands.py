"""DistributedHost: the islands of a run on the workers of a cluster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from neuroevo.distribution.pool import Task
from neuroevo.distribution.ray_pool import RayPool
from neuroevo.distribution.scheduler import Limits, PoolStatus, Scheduler
from neuroevo.evolution.stretches import Order, OrderTaker, Stretch, StretchHost

if TYPE_CHECKING:
    from neuroevo.distribution.cluster import Cluster
    from neuroevo.evaluation import EvaluatorRecipe
    from neuroevo.evolution.conditions import Conditions
    from neuroevo.evolution.hosts import MakeStrategy

_LIMITS = Limits(floor=5.0, patience=10.0)
"""Islands may run strategies that differ widely in what a generation costs, so one is late only after long."""


class IslandTask(Task):
    """Carries out the orders of islands in a worker. Arguments as of `DistributedHost`, and the evaluator's threads."""

    def __init__(
        self,
        make_strategy: MakeStrategy,
        recipe: EvaluatorRecipe,
        *,
        threads: int,
        validated: bool,
        conditions: Conditions | None,
    ) -> None:
        self._make_strategy = make_strategy
        self._recipe = recipe
        self._threads = threads
        self._validated = validated
        self._conditions = conditions
        self._taker: OrderTaker | None = None

    def start(self) -> None:
        evaluator = self._recipe.build(self._threads)
        genome = np.zeros((1, self._recipe.n_genes))
        genome.flags.writeable = False
        wants, learning = self._recipe.rehearsal
        evaluator.evaluate(genome, wants=wants, learning=learning)
        self._taker = OrderTaker(self._make_strategy, evaluator, validated=self._validated, conditions=self._conditions)

    def run(self, item: Order) -> Stretch:
        if self._taker is None:
            raise RuntimeError("run() before start()")
        return self._taker.carry_out(item)


class DistributedHost(StretchHost):
    """Hosts islands on workers, each by whoever is free; a context manager.

    Args:
        cluster: Where; its owner closes it.
        make_strategy: Builds the strategy of an island; it travels, so it must not hold files or sockets.
        recipe: Of the evaluator that each worker builds.
        n_islands: How many islands there are.
        validated: Whether improvements are evaluated on the validation part.
        n_emigrants: Genomes on each way of a migration.
        only_better: Whether immigrants that are no better than an island's incumbent are turned away.
        conditions: What the populations are evaluated under; None for the genomes themselves on all data.
        announce: Told what a user should know.
        watch: Shown who is at work.
    """

    def __init__(
        self,
        cluster: Cluster,
        make_strategy: MakeStrategy,
        recipe: EvaluatorRecipe,
        n_islands: int,
        *,
        validated: bool = False,
        n_emigrants: int = 1,
        only_better: bool = False,
        conditions: Conditions | None = None,
        announce: Callable[[str], None] | None = None,
        watch: Callable[[PoolStatus], None] | None = None,
    ) -> None:
        recipe.check()
        super().__init__(make_strategy, self.carry_out, n_islands, n_emigrants=n_emigrants, only_better=only_better)
        item = IslandTask(make_strategy, recipe, threads=cluster.threads, validated=validated, conditions=conditions)
        self._pool = RayPool(cluster, item, same_processor=True, announce=announce)
        self._scheduler = Scheduler(self._pool, _LIMITS, announce, watch)

    @property
    def scheduler(self) -> Scheduler:
        """Who computes what."""
        return self._scheduler

    def carry_out(self, orders: Sequence[Order]) -> list[Stretch]:
        """Have orders carried out; their stretches, in the same order."""
        return self._scheduler.map(orders, [float(order.n_generations) for order in orders])

    def close(self) -> None:
        """Let the workers go."""
        self._pool.close()

    def __enter__(self) -> DistributedHost:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

"""DistributedHost: the islands of an archipelago on the workers of a cluster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroevo.distribution.pool import Servant
from neuroevo.distribution.ray_pool import RayPool
from neuroevo.distribution.scheduler import Crew, Limits, Scheduler
from neuroevo.evaluation import LocalEvaluator
from neuroevo.evolution.hosts import IslandHost, MakeStrategy, Order, SerialHost, Stretch

if TYPE_CHECKING:
    from neuroevo.distribution.cluster import Cluster
    from neuroevo.evaluation.local import Precision
    from neuroevo.networks import Network
    from neuroevo.problems import SequenceProblem

_LIMITS = Limits(floor=5.0, patience=10.0)
"""Islands may run strategies that differ widely in what a generation costs, so one is late only after long."""


class IslandServant(Servant):
    """Carries out the orders of islands in a worker. Arguments as of `DistributedHost`, and the evaluator's threads."""

    def __init__(
        self,
        make_strategy: MakeStrategy,
        network: Network,
        problem: SequenceProblem,
        *,
        threads: int,
        precision: Precision,
        validated: bool,
    ) -> None:
        self._make_strategy = make_strategy
        self._arguments = network, problem
        self._options: dict[str, Any] = {"n_threads": threads, "precision": precision}
        self._validated = validated
        self._host: SerialHost | None = None

    def start(self) -> None:
        network, problem = self._arguments
        evaluator = LocalEvaluator(network, problem, **self._options)
        genome = np.zeros((1, network.n_genes))
        genome.flags.writeable = False
        evaluator.evaluate(genome)
        self._host = SerialHost(self._make_strategy, evaluator, validated=self._validated)

    def serve(self, task: Order) -> Stretch:
        if self._host is None:
            raise RuntimeError("serve() before start()")
        return self._host.carry_out(task)


class DistributedHost(IslandHost):
    """Advances islands on workers, each by whoever is free.

    Workers keep nothing of an island: its state goes there with the order and comes back with the stretch, so it makes
    no difference who had it before, or whether he is still alive.

    Args:
        cluster: Where; its owner closes it.
        make_strategy: Builds the strategy of an island; it travels, so it must not hold files or sockets.
        network: What a genome means.
        problem: What is to be learnt.
        precision: "single" or "double".
        validated: Whether improvements are evaluated on the validation part.
        announce: Told what a user should know.
        watch: Shown who is at work.
    """

    def __init__(
        self,
        cluster: Cluster,
        make_strategy: MakeStrategy,
        network: Network,
        problem: SequenceProblem,
        *,
        precision: Precision = "single",
        validated: bool = False,
        announce: Callable[[str], None] | None = None,
        watch: Callable[[Crew], None] | None = None,
    ) -> None:
        self.make_strategy = make_strategy
        servant = IslandServant(
            make_strategy, network, problem, threads=cluster.threads, precision=precision, validated=validated
        )
        self._pool = RayPool(cluster, servant, same_processor=True, announce=announce)
        self._scheduler = Scheduler(self._pool, _LIMITS, announce, watch)

    @property
    def scheduler(self) -> Scheduler:
        """Who computes what."""
        return self._scheduler

    def advance(self, orders: Sequence[Order]) -> list[Stretch]:
        return self._scheduler.map(orders, [float(order.n_generations) for order in orders])

    def close(self) -> None:
        """Let the workers go."""
        self._pool.close()

    def __enter__(self) -> DistributedHost:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

"""Compute: who computes, this process, workers on this machine or those of a cluster. It never changes a result.

A `Compute` says who; `Compute.open` starts or joins them once, at the top, and the `ComputeSession` that it gives is
handed down to whatever needs evaluators or hosts for populations.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from annotated_types import Ge

from neuroevo.checks import whole_number
from neuroevo.errors import BadInput, WrongType
from neuroevo.evolution import IslandHost, LocalHost

if TYPE_CHECKING:
    from neuroevo.distribution import Cluster, PoolStatus
    from neuroevo.evaluation import Evaluator, EvaluatorRecipe
    from neuroevo.evolution.hosts import MakeStrategy


@dataclass(frozen=True)
class Compute:
    """Who computes. It is also the table [distribution] of a scenario.

    Attributes:
        threads: Threads of the evaluator; left out, one for each processor that the process may use. With workers or
            a cluster: those of each worker; left out, one.
        workers: Workers on this machine; left out or 0, this process computes.
        ray: Address of a Ray cluster whose workers compute, HOST:PORT or "auto".

    Raises:
        BadInput: A number is out of range, or both workers and a cluster are named.
    """

    threads: Annotated[int, Ge(1)] | None = None
    workers: Annotated[int, Ge(0)] | None = None
    ray: str | None = None

    def __post_init__(self) -> None:
        for name, least in (("threads", 1), ("workers", 0)):
            if getattr(self, name) is not None:
                whole_number(name, getattr(self, name), least)
        if not isinstance(self.ray, str | None):
            raise WrongType(f"ray must be the address of a cluster, HOST:PORT or 'auto', got {self.ray!r}")
        if self.workers is not None and self.ray is not None:
            raise BadInput(
                "workers (--workers) are those of this machine, ray (--ray) names a cluster: give one of them"
            )

    def over(self, other: Compute) -> Compute:
        """This one where it says something, the other one where it does not."""
        threads = self.threads or other.threads
        named = other if self.workers is None and self.ray is None else self
        return dataclasses.replace(named, threads=threads)

    @contextmanager
    def open(self) -> Iterator[ComputeSession]:
        """Start the workers of this machine, or join the cluster; they are let go at the end.

        Raises:
            BadInput: The address of the cluster is none.
            ClusterError: There is no cluster to work on.
        """
        with ExitStack() as stack:
            cluster = stack.enter_context(self._cluster()) if self.workers or self.ray is not None else None
            yield ComputeSession(self.threads, cluster)

    def _cluster(self) -> Cluster:
        from neuroevo.distribution import Cluster

        if self.ray is not None:
            return Cluster.join(self.ray, self.threads or 1)
        return Cluster.local(self.workers or 1, self.threads or 1)


@contextmanager
def session(compute: Compute | ComputeSession | None, otherwise: Compute) -> Iterator[ComputeSession]:
    """A session as it is, or that of a `Compute`, with the words of another one where it is silent.

    Raises:
        WrongType: It is something else.
        BadInput: The address of the cluster is none.
        ClusterError: There is no cluster to work on.
    """
    if isinstance(compute, ComputeSession):
        yield compute
    elif not isinstance(compute, Compute | None):
        raise WrongType(f"compute must be a Compute, as Compute(workers=4), or an open session, got {compute!r}")
    else:
        with (compute or Compute()).over(otherwise).open() as opened:
            yield opened


class ComputeSession:
    """Who computes, ready for work. Made by `Compute.open`; any number of runs may use it, one after the other.

    Args:
        threads: Threads of an evaluator in this process; None takes all processors.
        cluster: Whose workers compute; None for this process.
    """

    def __init__(self, threads: int | None, cluster: Cluster | None) -> None:
        self.threads = threads
        self.cluster = cluster

    def evaluator(
        self,
        recipe: EvaluatorRecipe,
        *,
        announce: Callable[[str], None] | None = None,
        watch: Callable[[PoolStatus], None] | None = None,
    ) -> Evaluator:
        """An evaluator; whoever asks closes it.

        Args:
            recipe: What it is made of.
            announce: Told what a user should know.
            watch: Shown who is at work, where there are workers.

        Raises:
            BadInput: The recipe does not fit together.
        """
        if self.cluster is None:
            return recipe.build(self.threads)
        from neuroevo.distribution import ShardedEvaluator

        return ShardedEvaluator(self.cluster, recipe, announce=announce, watch=watch)

    @contextmanager
    def host(
        self,
        make_strategy: MakeStrategy,
        recipe: EvaluatorRecipe,
        n_islands: int,
        *,
        announce: Callable[[str], None] | None = None,
        watch: Callable[[PoolStatus], None] | None = None,
        **options: Any,
    ) -> Iterator[IslandHost]:
        """A host for the populations of a run: one population has its genomes evaluated, islands are hosted as a whole.

        Args:
            make_strategy: Builds the strategy of an island.
            recipe: Of the evaluator.
            n_islands: How many populations there are.
            announce: Told what a user should know.
            watch: Shown who is at work, where there are workers.
            **options: As `IslandHost` has them.

        Raises:
            BadInput: The recipe does not fit together.
        """
        if self.cluster is not None and n_islands > 1:
            from neuroevo.distribution.islands import DistributedHost

            distributed = DistributedHost(
                self.cluster, make_strategy, recipe, n_islands, announce=announce, watch=watch, **options
            )
            with distributed as host:
                yield host
        else:
            with self.evaluator(recipe, announce=announce, watch=watch) as evaluator:
                yield LocalHost(make_strategy, evaluator, n_islands, **options)

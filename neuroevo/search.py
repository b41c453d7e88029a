"""From a scenario to the search that it describes, in this process or on a cluster."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from neuroevo.errors import BadInput
from neuroevo.evaluation import LocalEvaluator
from neuroevo.evolution import VALIDATION, Evolution
from neuroevo.evolution.hosts import SerialHost
from neuroevo.evolution.islands import Archipelago
from neuroevo.scenario.islands import IslandSettings

if TYPE_CHECKING:
    from neuroevo.distribution import Cluster, Crew
    from neuroevo.evaluation import Evaluator
    from neuroevo.evolution.hosts import IslandHost
    from neuroevo.scenario import Scenario
    from neuroevo.scenario.schema import DistributionSettings
    from neuroevo.stopping import History, Progress


@dataclass(frozen=True)
class Where:
    """Who computes, where that differs from the scenario's [distribution]; never changes a result.

    Attributes:
        threads: Threads of the evaluator, or of each worker's.
        workers: Workers on this machine; 0 for this process alone.
        ray: Address of a cluster.
    """

    threads: int | None = None
    workers: int | None = None
    ray: str | None = None

    def __post_init__(self) -> None:
        if self.workers is not None and self.ray is not None:
            raise BadInput("--workers starts workers on this machine, --ray takes those of a cluster: give one of them")

    def over(self, settings: DistributionSettings) -> DistributionSettings:
        """The settings with what is said here in the place of what they say."""
        if self.workers is not None or self.ray is not None:
            settings = dataclasses.replace(settings, workers=self.workers or None, ray=self.ray)
        return dataclasses.replace(settings, threads=self.threads or settings.threads)


@contextmanager
def reached(settings: DistributionSettings, where: Where) -> Iterator[None]:
    """Join the cluster that is to be used, if it is one that others have started: before anything is written.

    Raises:
        ValueError: Its address is none.
        ClusterError: Nobody answers there, or refuses us.
    """
    if where.over(settings).ray is None:
        yield
    else:
        with open_cluster(settings, where):
            yield


@contextmanager
def open_cluster(settings: DistributionSettings, where: Where) -> Iterator[Cluster | None]:
    """The cluster that settings name, None for this process alone; searches opened meanwhile share it.

    Raises:
        ValueError: Its address is none.
        ClusterError: There is none to work on.
    """
    settings = where.over(settings)
    if settings.workers is None and settings.ray is None:
        yield None
        return
    with _cluster(settings) as cluster:
        yield cluster


@dataclass(frozen=True)
class Search:
    """A search at work.

    Attributes:
        evolution: The loop.
        report: Shows the figures of a generation to the cluster, if there is one.
    """

    evolution: Evolution | Archipelago
    report: Callable[[Progress], None]


@contextmanager
def open_search(
    scenario: Scenario,
    where: Where,
    name: str,
    history: History,
    announce: Callable[[str], None],
    watch: Callable[[Crew], None],
) -> Iterator[Search]:
    """The search of a scenario at its beginning, and the processes that it needs.

    Args:
        scenario: What to run.
        where: Who computes.
        name: Of the run, for the cluster's metrics.
        history: The generations so far.
        announce: Told what a user should know.
        watch: Shown who is at work, where there are workers.

    Raises:
        ClusterError: There is no cluster to work on.
    """
    settings = where.over(scenario.distribution)
    with ExitStack() as stack:
        cluster = stack.enter_context(open_cluster(scenario.distribution, where))
        open_one = _population if scenario.islands is None else _islands
        told: dict[str, Any] = {"announce": announce, "watch": watch}
        evolution = open_one(scenario, settings, cluster, stack, history, told)
        yield Search(evolution, _nobody if cluster is None else _reporting(name))


def _nobody(progress: Progress) -> None:
    """Shows nothing to anybody."""


def _reporting(name: str) -> Callable[[Progress], None]:
    from neuroevo.distribution import RunMetrics

    return RunMetrics(name).report


def _cluster(settings: DistributionSettings) -> Cluster:
    from neuroevo.distribution import Cluster

    if settings.ray is not None:
        return Cluster.join(settings.ray, settings.threads or 1)
    return Cluster.local(settings.workers or 1, settings.threads or 1)


def _population(
    scenario: Scenario,
    settings: DistributionSettings,
    cluster: Cluster | None,
    stack: ExitStack,
    history: History,
    told: Mapping[str, Any],
) -> Evolution | Archipelago:
    what, precision = (scenario.network, scenario.problem), scenario.head.precision
    evaluator: Evaluator
    if cluster is None:
        evaluator = LocalEvaluator(*what, n_threads=settings.threads, precision=precision)
    else:
        from neuroevo.distribution import ShardedEvaluator

        evaluator = ShardedEvaluator(cluster, *what, precision=precision, **told)
    stack.enter_context(evaluator)
    validated = VALIDATION in scenario.problem.parts
    return Evolution(scenario.make_strategy(), evaluator, validated=validated, history=history)


def _islands(
    scenario: Scenario,
    settings: DistributionSettings,
    cluster: Cluster | None,
    stack: ExitStack,
    history: History,
    told: Mapping[str, Any],
) -> Evolution | Archipelago:
    what, precision = (scenario.network, scenario.problem), scenario.head.precision
    validated = VALIDATION in scenario.problem.parts
    host: IslandHost
    if cluster is None:
        evaluator = stack.enter_context(LocalEvaluator(*what, n_threads=settings.threads, precision=precision))
        host = SerialHost(scenario.make_strategy, evaluator, validated=validated)
    else:
        from neuroevo.distribution.islands import DistributedHost

        options: dict[str, Any] = {"precision": precision, "validated": validated, **told}
        host = stack.enter_context(DistributedHost(cluster, scenario.make_strategy, *what, **options))
    islands = scenario.islands or IslandSettings()
    return Archipelago(
        host,
        islands.count,
        islands,
        seed=scenario.head.seed,
        validated=validated,
        history=history,
        rest_every=scenario.record.checkpoint_generations,
    )

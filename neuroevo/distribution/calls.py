"""Whole calls on workers, one at a time each: for trials, which need nothing of each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from neuroevo.distribution.pool import Task
from neuroevo.distribution.ray_pool import RayPool
from neuroevo.distribution.scheduler import Limits, Scheduler

if TYPE_CHECKING:
    from neuroevo.distribution.cluster import Cluster

ONE_AT_A_TIME = Limits(depth=1, first=1e9, floor=1e9)
"""A call may take hours, so none is ever repeated elsewhere while its worker lives."""


class Caller(Task):
    """Calls a function that can be imported in a worker, once for each item."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def start(self) -> None:
        return None

    def run(self, item: Mapping[str, Any]) -> Any:
        return self._function(**item)


def calls_on_workers(
    cluster: Cluster,
    function: Callable[..., Any],
    calls: Mapping[Any, Mapping[str, Any]],
    *,
    stop: Callable[[], bool],
    announce: Callable[[str], None] | None = None,
) -> Iterator[tuple[Any, Any]]:
    """Call a function with many sets of arguments; their names and what was returned, as they come.

    Args:
        cluster: Where.
        function: Must bear being called again with the arguments of a call that died in the middle.
        calls: Names to keyword arguments.
        stop: Asked every second whether to leave; calls under way are then ended.
        announce: Told what a user should know.

    Raises:
        ChunkFailed: A call failed three times.
        NoWorkers: There has been no worker for long.
    """
    pool = RayPool(cluster, Caller(function), announce=announce)
    try:
        scheduler = Scheduler(pool, ONE_AT_A_TIME, announce)
        for name, arguments in calls.items():
            scheduler.submit(name, arguments)
        left = len(calls)
        while left and not stop():
            scheduler.advance()
            for name, value in scheduler.take():
                left -= 1
                yield name, value
    finally:
        pool.close()

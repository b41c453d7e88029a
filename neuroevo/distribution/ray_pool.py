"""RayPool: long-lived Ray actors as the workers of a pool.

Ray's own restarts and retries are off: a restarted actor can wait for ever, silently, for processors that are gone, and
an item that is tried again on the same actor blocks what waits behind it. Instead a dead actor is replaced here, and
one that has no place yet stands in nobody's way.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from neuroevo.distribution.actor import Actor, Greeting, Reply, facts
from neuroevo.distribution.cluster import Cluster, ClusterError
from neuroevo.distribution.members import registered_members
from neuroevo.distribution.pool import Answered, Event, Failed, Joined, Left, Pool, Slice, Task, Ticket, Worker
from neuroevo.distribution.words import Words, last_words
from neuroevo.errors import BadInput

_COUNT_SECONDS = 2.0
"""Between two looks at how many workers the cluster has room for."""
_MAX_FAILED_STARTS = 3
"""Starts in a row that end in an exception, nobody being at work: it will not go better with the next one."""
_MAX_DEATHS = 20
"""Starts in a row in which the process dies: that can have reasons that pass."""
_BREATH = 0.05
"""Seconds that an idle pool sleeps, since Ray waits for something only."""


@dataclass(eq=False)
class _Member:
    actor: Any
    begun: Any
    joined: bool = False
    log: str = ""
    queue: deque[Any] = field(default_factory=deque)


class RayPool(Pool):
    """Workers on a cluster, as many as it has room for.

    Args:
        cluster: Where.
        task: What each of them does; it travels once.
        same_processor: Whether workers on another kind of processor are refused.
        announce: Told what a user should know.

    Raises:
        ClusterError: Later, from `wait`: workers cannot start.
    """

    def __init__(
        self,
        cluster: Cluster,
        task: Task,
        *,
        same_processor: bool = False,
        announce: Callable[[str], None] | None = None,
    ) -> None:
        self._ray = cluster.ray
        self._cluster = cluster
        self._announce = announce or (lambda _text: None)
        self._words = Words(self._announce)
        self._task, self._registered = self._ray.put(task), self._ray.put(registered_members())
        self._actor = self._ray.remote(
            num_cpus=cluster.threads, max_restarts=0, max_task_retries=0, scheduling_strategy="SPREAD"
        )(Actor)
        self._expected = facts()
        if not same_processor:
            del self._expected["processor"]
        self._members: dict[int, _Member] = {}
        self._refs: dict[Any, int] = {}
        self._number = 0
        self._refused = 0
        self._failed_starts = 0
        self._counted = -_COUNT_SECONDS
        self._wanted = 0
        self._one_machine = False
        self._recruit()

    def submit(self, worker: Worker, item: Any) -> Ticket:
        member = self._members[worker]  # type: ignore[index]
        whole = (item.own, item.common) if isinstance(item, Slice) else (item,)
        ref = member.actor.run.remote(*whole)
        member.queue.append(ref)
        self._refs[ref] = worker  # type: ignore[assignment]
        return ref  # type: ignore[no-any-return]

    def share(self, value: Any) -> Any:
        """On one machine, a place in the shared memory; between machines each would fetch all of it for its part."""
        return self._ray.put(value) if self._one_machine else None

    def wait(self, timeout: float) -> Sequence[Event]:
        self._recruit()
        refs = list(self._refs)
        if not refs:
            time.sleep(min(timeout, _BREATH))
            return ()
        ready, rest = self._ray.wait(refs, num_returns=1, timeout=max(0.0, timeout))
        if ready and rest:
            # Whatever else is there already: one sweep instead of as many waits.
            ready += self._ray.wait(rest, num_returns=len(rest), timeout=0)[0]
        events: list[Event] = []
        for ref in ready:
            if ref in self._refs:
                events += self._outcome(ref)
        return events

    def discard(self, worker: Worker) -> None:
        self._remove(worker)  # type: ignore[arg-type]
        self._counted = -_COUNT_SECONDS

    def clock(self) -> float:
        return time.monotonic()

    def wanted(self) -> str:
        n_starting = sum(not member.joined for member in self._members.values())
        each = self._cluster.threads
        cpus = f"{each} processor{'s' if each > 1 else ''}"
        refused = f", {self._refused} refused" if self._refused else ""
        return (
            f"{n_starting} are starting or have no place yet (each needs {cpus}); "
            f"the cluster at {self._cluster.address} has room for {self._cluster.n_wanted()}{refused}"
        )

    def close(self) -> None:
        for worker in list(self._members):
            self._remove(worker)

    def _recruit(self) -> None:
        """Start as many workers as there is room for, and give up those that have no place any more."""
        now = time.monotonic()
        if now - self._counted < _COUNT_SECONDS:
            return
        self._counted = now
        self._wanted = self._cluster.n_wanted() - self._refused
        self._one_machine = self._cluster.is_one_machine()
        for worker in [worker for worker, member in self._members.items() if not member.joined][::-1]:
            if len(self._members) <= self._wanted:
                break
            self._remove(worker)
        while len(self._members) < self._wanted:
            actor = self._actor.remote(self._task, self._cluster.threads, self._registered)
            begun = actor.start.remote()
            self._number += 1
            self._members[self._number] = _Member(actor, begun)
            self._refs[begun] = self._number

    def _outcome(self, ref: Any) -> list[Event]:
        worker = self._refs.pop(ref)
        member = self._members[worker]
        errors = self._ray.exceptions
        try:
            value = self._ray.get(ref)
        except errors.RayTaskError as error:
            # The task's own errors come as values; this one arose in Ray's part, such as reading the argument.
            if not member.joined:
                if isinstance(error.cause, BadInput):
                    raise BadInput(str(error.cause)) from None
                return self._failed_start(worker, str(error), _MAX_FAILED_STARTS)
            member.queue.remove(ref)
            return [Failed(ref, str(error))]
        except errors.RayError as error:
            if not member.joined:
                raised = "creation task" in str(error)
                return self._failed_start(worker, str(error), _MAX_FAILED_STARTS if raised else _MAX_DEATHS)
            self._words.hear(worker, last_words(member.log))
            self._remove(worker)
            self._counted = -_COUNT_SECONDS
            return [Left(worker, _reason(error))]
        self._words.hear(worker, value.said)
        if not member.joined:
            return self._joined(worker, member, value)
        member.queue.remove(ref)
        reply: Reply = value
        if reply.good:
            return [Answered(ref, reply.value, reply.seconds)]
        return [Failed(ref, str(reply.value), reply.value if isinstance(reply.value, BadInput) else None)]

    def _joined(self, worker: int, member: _Member, greeting: Greeting) -> list[Event]:
        differing = [
            f"{name} {greeting.facts.get(name)} (here {here})"
            for name, here in self._expected.items()
            if greeting.facts.get(name) != here
        ]
        if differing:
            self._remove(worker)
            self._refused += 1
            text = f"a worker was refused, results could differ in their last bits: {', '.join(differing)}"
            if not self._members:
                raise ClusterError(text)
            self._announce(text)
            return []
        member.joined = True
        member.log = greeting.log
        self._failed_starts = 0
        return [Joined(worker, greeting.seconds)]

    def _failed_start(self, worker: int, said: str, limit: int) -> list[Event]:
        self._remove(worker)
        self._failed_starts += 1
        if self._failed_starts >= limit and not any(m.joined for m in self._members.values()):
            raise ClusterError(f"workers cannot start: {said.strip()[-2000:]}")
        return []

    def _remove(self, worker: int) -> None:
        member = self._members.pop(worker, None)
        if member is None:
            return
        for ref in (member.begun, *member.queue):
            self._refs.pop(ref, None)
        with contextlib.suppress(Exception):
            self._ray.kill(member.actor, no_restart=True)


def _reason(error: BaseException) -> str:
    """What Ray says of a death, without its pages of advice."""
    text = " ".join(str(error).split())
    _, found, rest = text.partition("is dead because ")
    return rest.partition(". ")[0] if found else text[:200] or type(error).__name__

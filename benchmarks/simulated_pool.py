"""SimulatedPool: workers in virtual time, for testing the scheduler and for sizes that cannot be tried.

The scheduler that runs on it is the real one; only workers, network and clock are invented.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from neuroevo.distribution.pool import Answered, Event, Failed, Joined, Left, Pool, Ticket, Worker


@dataclass(frozen=True)
class Costs:
    """Seconds that things take beside computation.

    Attributes:
        submit: The driver, for giving out an item.
        collect: The driver, for taking an answer.
        wake: The driver, for each time it waits, whatever comes out.
        watch: The driver, for each time it waits and each item that a worker has.
        latency: From the driver to a worker, and back the same.
        notice: From a worker's death until the driver knows.
        replace: From a worker's death or dismissal until another one is ready; None where nobody comes.
    """

    submit: float = 0.0
    collect: float = 0.0
    wake: float = 0.0
    watch: float = 0.0
    latency: float = 0.0
    notice: float = 0.0
    replace: float | None = None


@dataclass(eq=False)
class _Member:
    name: int
    queue: deque[tuple[int, Any]] = field(default_factory=deque)
    frozen_until: float = 0.0
    alive: bool = True


class SimulatedPool(Pool):
    """Workers whose speed, deaths and births are given.

    Args:
        n_workers: Workers that are ready at the beginning.
        duration: Seconds that a worker, known by its number, takes for an item.
        answer: The answer to an item; an exception is a failed item.
        costs: What things take beside computation.
        deadly: Tasks that kill the worker that begins them.
    """

    def __init__(
        self,
        n_workers: int,
        duration: Callable[[int, Any], float],
        answer: Callable[[Any], Any] = lambda item: item,
        costs: Costs | None = None,
        deadly: Callable[[Any], bool] = lambda _task: False,
    ) -> None:
        self.now = 0.0
        self.busy = 0.0
        self.submitted: dict[int, int] = {}
        self.n_submitted = 0
        self.n_answered = 0
        self._duration = duration
        self._answer = answer
        self._costs = costs or Costs()
        self._deadly = deadly
        self._members: dict[int, _Member] = {}
        self._events: list[tuple[float, int, Callable[[], Sequence[Event]]]] = []
        self._number = 0
        self._tickets = 0
        for _ in range(n_workers):
            self.join(0.0)

    def join(self, at: float) -> int:
        """A worker is ready at a moment; its number."""
        name = self._number
        self._number += 1
        self._at(at, lambda: self._join(name))
        return name

    def kill(self, at: float, worker: int) -> None:
        """A worker dies at a moment."""
        self._at(at, lambda: self._kill(worker))

    def freeze(self, at: float, worker: int, until: float) -> None:
        """A worker does nothing from one moment to another."""
        self._at(at, lambda: self._freeze(worker, until))

    def submit(self, worker: Worker, item: Any) -> Ticket:
        member = self._members[worker]  # type: ignore[index]
        self.now += self._costs.submit
        self._tickets += 1
        ticket = self._tickets
        self.n_submitted += 1
        self.submitted[member.name] = self.submitted.get(member.name, 0) + 1
        member.queue.append((ticket, item))
        if len(member.queue) == 1:
            self._begin(member, self.now + self._costs.latency)
        return ticket

    def wait(self, timeout: float) -> Sequence[Event]:
        deadline = self.now + timeout
        if not self._events or self._events[0][0] > deadline:
            self.now = max(self.now, deadline)
            return ()
        in_flight = self.n_submitted - self.n_answered
        self.now = max(self.now, self._events[0][0]) + self._costs.wake + self._costs.watch * in_flight
        events: list[Event] = []
        while self._events and self._events[0][0] <= self.now:
            events += heapq.heappop(self._events)[2]()
        n_answers = sum(isinstance(event, Answered) for event in events)
        self.n_answered += n_answers
        self.now += self._costs.collect * n_answers
        return events

    def discard(self, worker: Worker) -> None:
        self._bury(self._members[worker])  # type: ignore[index]

    def clock(self) -> float:
        return self.now

    def wanted(self) -> str:
        return "simulated workers"

    def _at(self, moment: float, happen: Callable[[], Sequence[Event]]) -> None:
        self._tickets += 1
        heapq.heappush(self._events, (moment, self._tickets, happen))

    def _join(self, name: int) -> Sequence[Event]:
        self._members[name] = _Member(name)
        return [Joined(name)]

    def _begin(self, member: _Member, at: float) -> None:
        ticket, item = member.queue[0]
        if self._deadly(item):
            self._at(at, lambda: self._kill(member.name))
            return
        seconds = self._duration(member.name, item)
        begun = max(at, member.frozen_until)
        self._at(begun + seconds + self._costs.latency, lambda: self._end(member, ticket, seconds))

    def _end(self, member: _Member, ticket: int, seconds: float) -> Sequence[Event]:
        if not member.alive:
            return ()
        if member.frozen_until > self.now:
            self._at(member.frozen_until, lambda: self._end(member, ticket, seconds))
            return ()
        _, item = member.queue.popleft()
        self.busy += seconds
        if member.queue:
            # The next item was there already: no latency between the two.
            self._begin(member, self.now - self._costs.latency)
        try:
            return [Answered(ticket, self._answer(item), seconds)]
        except Exception as error:
            return [Failed(ticket, f"{type(error).__name__}: {error}")]

    def _kill(self, name: int) -> Sequence[Event]:
        member = self._members.get(name)
        if member is None or not member.alive:
            return ()
        self._bury(member)
        self._at(self.now + self._costs.notice, lambda: [Left(name, "killed")])
        return ()

    def _bury(self, member: _Member) -> None:
        member.alive = False
        if self._costs.replace is not None:
            self.join(self.now + self._costs.replace)

    def _freeze(self, name: int, until: float) -> Sequence[Event]:
        self._members[name].frozen_until = until
        return ()

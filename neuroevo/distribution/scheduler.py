"""The scheduler: the next item to whoever is free, dead and slow workers' items to others, the first answer wins.

Every item may be computed more than once, since its answer is a pure function of it. A worker has at most `depth` items
at a time: with two, the next one is there when the first is done, and the driver's queue stays short (back-pressure).
Work for a moment is constant or logarithmic in the number of workers, so that one driver serves thousands.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from neuroevo.distribution.cluster import ClusterError
from neuroevo.distribution.pool import Answered, Failed, Joined, Left, Pool, Ticket, Worker

_LONGEST_WAIT = 1.0
_WATCH_SECONDS = 0.1
_SMOOTHING = 0.2
"""Share of the newest measurement in the running mean of what a unit of weight costs."""
_SLOW = 1.5
"""A worker that takes so many times the mean is given the smallest items, and one at a time."""


class ChunkFailed(ClusterError):
    """An item ended badly on every try; the message has what the last worker said."""


class NoWorkers(ClusterError):
    """There has been no worker for longer than the scheduler waits."""


@dataclass(frozen=True)
class Limits:
    """When the scheduler loses its patience.

    Attributes:
        tries: How often an item may end in an exception.
        deaths: How often a worker may die over an item. More often than an exception, since it need not be the item's
            doing: where machines are taken away, the same item can be unlucky again and again.
        depth: Tasks that a worker has at a time.
        first: Seconds allowed to an item while nothing is known of its cost.
        floor: Seconds that every item is allowed.
        patience: Further time allowed, in expected durations of the item; after both the item is repeated elsewhere.
        give_up: Seconds after which a worker that is overdue is replaced.
        mention: Seconds without any worker after which the user is told.
        alone: Seconds without any worker after which the run ends.
    """

    tries: int = 3
    deaths: int = 10
    depth: int = 2
    first: float = 120.0
    floor: float = 0.5
    patience: float = 4.0
    give_up: float = 60.0
    mention: float = 10.0
    alone: float = 600.0


@dataclass(eq=False)
class _Job:
    key: Hashable
    item: Any
    weight: float
    tries: int = 0
    deaths: int = 0
    live: int = 0
    """Copies with workers that are not overdue."""
    waiting: bool = True
    done: bool = False


@dataclass(eq=False)
class _Load:
    """What a worker has to do, the first being computed."""

    queue: deque[tuple[Ticket, _Job]] = field(default_factory=deque)
    since: float = 0.0
    overdue: bool = False
    cost: float | None = None
    """Seconds that a unit of weight takes here."""


@dataclass
class Counters:
    """What happened since the scheduler began.

    Attributes:
        answers: Tasks answered.
        repeats: Items given to a worker once more.
        lost: Workers that died or were given up.
        busy: Seconds of computation in workers that entered results.
        overhead: Running mean of the seconds between an item's start and its answer that were no computation.
        submission: Running mean of the seconds that it takes the driver to give out an item.
    """

    answers: int = 0
    repeats: int = 0
    lost: int = 0
    busy: float = 0.0
    overhead: float = 0.0
    submission: float = 0.0


@dataclass(frozen=True)
class PoolStatus:
    """Who is at work at a moment, and on what.

    Attributes:
        workers: That are ready or at work.
        in_flight: Items that they have.
        waiting: Items that nobody has yet.
        repeats: Items given out once more since the beginning.
    """

    workers: int
    in_flight: int
    waiting: int
    repeats: int


class Scheduler:
    """Gives items to the workers of a pool.

    Args:
        pool: The workers; closed by whoever made it.
        limits: When patience ends.
        announce: Told what a user should know.
        watch: Shown who is at work, ten times a second while items are under way.
    """

    def __init__(
        self,
        pool: Pool,
        limits: Limits | None = None,
        announce: Callable[[str], None] | None = None,
        watch: Callable[[PoolStatus], None] | None = None,
    ) -> None:
        self.counters = Counters()
        self._watcher = watch
        self._watched = -_WATCH_SECONDS
        self._pool = pool
        self._limits = limits or Limits()
        self._announce = announce or (lambda _text: None)
        self._pending: deque[_Job] = deque()
        self._unfinished = 0
        self._loads: dict[Worker, _Load] = {}
        self._by_ticket: dict[Ticket, Worker] = {}
        # Free workers by the number of items they have; a dict is a set that remembers its order.
        self._free: list[dict[Worker, None]] = [{} for _ in range(self._limits.depth)]
        self._alarms: list[tuple[float, int, Ticket, bool]] = []
        self._n_alarms = 0
        self._cost: float | None = None
        self._alone_since: float | None = None
        self._mentioned = False
        self._answers: list[tuple[Hashable, Any]] = []

    @property
    def n_workers(self) -> int:
        """Workers that are ready or at work."""
        return len(self._loads)

    @property
    def speeds(self) -> tuple[float, ...]:
        """Of each worker: 1 for most, and for those that are much slower their share of the others' mean."""
        slow = [self._is_slow(load) for load in self._loads.values()]
        usual = [
            load.cost for load, is_slow in zip(self._loads.values(), slow, strict=True) if load.cost and not is_slow
        ]
        mean = sum(usual) / len(usual) if usual else 0.0
        return tuple(
            mean / load.cost if is_slow and load.cost and mean else 1.0
            for load, is_slow in zip(self._loads.values(), slow, strict=True)
        )

    @property
    def cost(self) -> float | None:
        """Seconds that a unit of weight takes, as measured so far."""
        return self._cost

    @property
    def in_flight(self) -> int:
        """Tasks that workers have."""
        return len(self._by_ticket)

    def submit(self, key: Hashable, item: Any, weight: float = 1.0) -> None:
        """Add an item; its answer comes out of `collect` with its key.

        Args:
            key: Names the item among those that are not answered.
            item: What the task is given.
            weight: Its expected cost, in any unit that all items share.
        """
        self._pending.append(_Job(key, item, weight))
        self._unfinished += 1

    def collect(self) -> list[tuple[Hashable, Any]]:
        """Keys and answers, at least one; empty only if nothing is asked.

        Raises:
            ChunkFailed: An item has ended badly too often.
            BadInput: An item is refused by whoever computes it.
            NoWorkers: Nobody has been there to do it.
        """
        while self._unfinished and not self._answers:
            self.advance()
        return self.take()

    def take(self) -> list[tuple[Hashable, Any]]:
        """Keys and answers that have come, without waiting for any."""
        answers, self._answers = self._answers, []
        return answers

    def map(self, items: Sequence[Any], weights: Iterable[float] | None = None) -> list[Any]:
        """The answers to items, in their order; nothing else may be under way.

        Raises:
            ChunkFailed: An item has ended badly too often.
            BadInput: An item is refused by whoever computes it.
            NoWorkers: Nobody has been there to do it.
        """
        for index, (item, weight) in enumerate(
            zip(items, [1.0] * len(items) if weights is None else weights, strict=True)
        ):
            self.submit(index, item, weight)
        answers: list[Any] = [None] * len(items)
        missing = len(items)
        while missing:
            for key, value in self.collect():
                answers[key] = value  # type: ignore[call-overload]
                missing -= 1
        return answers

    def advance(self) -> None:
        """Give out work, wait until something happens or is overdue, and see to it."""
        self._dispatch()
        now = self._pool.clock()
        wait = _LONGEST_WAIT
        if self._alarms:
            wait = min(wait, max(0.0, self._alarms[0][0] - now))
        for event in self._pool.wait(wait):
            self._handle(event)
        self._check_alarms()
        self._check_alone()
        self._show()

    def forget(self) -> None:
        """Drop all items that are not answered, after a failure; workers finish what they have."""
        self._pending.clear()
        self._answers.clear()
        self._unfinished = 0
        for load in self._loads.values():
            for _, job in load.queue:
                job.done = True

    def _dispatch(self) -> None:
        while self._pending:
            worker = next((next(iter(level)) for level in self._free if level), None)
            if worker is None:
                return
            load = self._loads[worker]
            slow = self._is_slow(load)
            # Tasks come largest first, so the last ones are those for workers that would be waited for at the end.
            job = self._pending.pop() if slow else self._pending.popleft()
            if job.done:
                continue
            job.waiting = False
            job.live += 1
            begun = self._pool.clock()
            ticket = self._pool.submit(worker, job.item)
            self.counters.submission += _SMOOTHING * (self._pool.clock() - begun - self.counters.submission)
            self._by_ticket[ticket] = worker
            self._move(worker, load, len(load.queue), len(load.queue) + 1)
            load.queue.append((ticket, job))
            if len(load.queue) == 1:
                self._watch(load)

    def _handle(self, event: Joined | Left | Answered | Failed) -> None:
        if isinstance(event, Joined):
            if self._cost is None:
                self._cost = event.seconds
            self._loads[event.worker] = _Load()
            self._free[0][event.worker] = None
        elif isinstance(event, Left):
            self._lose(event.worker, event.reason)
        elif isinstance(event, Answered):
            job, elapsed = self._complete(event.ticket, event.seconds)
            self._learn(job, elapsed, event.seconds)
            if not job.done:
                job.done = True
                self._unfinished -= 1
                self.counters.answers += 1
                self.counters.busy += event.seconds
                self._answers.append((job.key, event.value))
        else:
            job, _ = self._complete(event.ticket)
            job.live = max(0, job.live - 1)
            job.tries += 1
            if event.refused is not None and not job.done:
                self.forget()
                raise event.refused
            self._check_tries(job, event.said)
            self._again(job)

    def _complete(self, ticket: Ticket, seconds: float | None = None) -> tuple[_Job, float]:
        """Take an item off its worker's list; the worker has shown that it is alive, and how fast it is."""
        worker = self._by_ticket.pop(ticket)
        load = self._loads[worker]
        # Answers of one worker may be reported in another order than they were given.
        place = next(place for place, (held, _) in enumerate(load.queue) if held == ticket)
        _, job = load.queue[place]
        del load.queue[place]
        elapsed = self._pool.clock() - load.since
        if seconds is not None:
            measured = seconds / job.weight
            load.cost = measured if load.cost is None else load.cost + _SMOOTHING * (measured - load.cost)
        if load.overdue:
            load.overdue = False
            for _, other in load.queue:
                other.live += 1
        self._move(worker, load, len(load.queue) + 1, len(load.queue))
        if load.queue:
            self._watch(load)
        return job, elapsed

    def _learn(self, job: _Job, elapsed: float, seconds: float) -> None:
        measured = seconds / job.weight
        # A mean over the workers: with many of them the last answers are those of the slowest.
        share = max(1 / (1 + self.counters.answers), _SMOOTHING / max(1.0, len(self._loads) / 5))
        self._cost = measured if self._cost is None else self._cost + share * (measured - self._cost)
        extra = max(0.0, elapsed - seconds)
        counters = self.counters
        # Down at once and up slowly: what every item has to bear is wanted, not the hiccups of a busy machine.
        share = 1.0 if not counters.answers else 0.5 if extra < counters.overhead else 0.02
        counters.overhead += share * (extra - counters.overhead)

    def _lose(self, worker: Worker, reason: str) -> None:
        load = self._loads.pop(worker, None)
        if load is None:
            return
        self.counters.lost += 1
        self._announce(f"a worker was lost, its work goes to others: {reason}")
        for level in self._free:
            level.pop(worker, None)
        for place, (ticket, job) in enumerate(load.queue):
            del self._by_ticket[ticket]
            if not load.overdue:
                job.live -= 1
            if place == 0 and not job.done:
                job.deaths += 1
                self._check_tries(job, reason)
            self._again(job)

    def _check_tries(self, job: _Job, said: str) -> None:
        """Give up an item that has ended badly too often.

        Raises:
            ChunkFailed: It has.
        """
        if not job.done and (job.tries >= self._limits.tries or job.deaths >= self._limits.deaths):
            self.forget()
            raise ChunkFailed(f"a task failed {job.tries + job.deaths} times, on the last try with: {said}")

    def _again(self, job: _Job) -> None:
        """Put an item in front again, unless it is done, waits already, or somebody else is at it."""
        if not (job.done or job.waiting or job.live):
            job.waiting = True
            self._pending.appendleft(job)
            self.counters.repeats += 1

    def _is_slow(self, load: _Load) -> bool:
        return load.cost is not None and self._cost is not None and load.cost > _SLOW * self._cost

    def _move(self, worker: Worker, load: _Load, before: int, after: int) -> None:
        if before < self._limits.depth:
            self._free[before].pop(worker, None)
        # Nothing is put behind the item of a slow worker.
        full = 1 if self._is_slow(load) else self._limits.depth
        if after < full and not load.overdue:
            self._free[after][worker] = None

    def _watch(self, load: _Load) -> None:
        """The first item of a worker begins: set the alarm at which it is overdue."""
        load.since = self._pool.clock()
        ticket, job = load.queue[0]
        limits = self._limits
        expected = limits.first if self._cost is None else limits.patience * self._cost * job.weight
        self._alarm(load.since + limits.floor + expected, ticket, False)

    def _alarm(self, at: float, ticket: Ticket, last: bool) -> None:
        self._n_alarms += 1
        heapq.heappush(self._alarms, (at, self._n_alarms, ticket, last))

    def _check_alarms(self) -> None:
        now = self._pool.clock()
        while self._alarms and self._alarms[0][0] <= now:
            _, _, ticket, last = heapq.heappop(self._alarms)
            worker = self._by_ticket.get(ticket)
            if worker is None:
                continue
            if last:
                self._lose(worker, f"no answer for {now - self._loads[worker].since:.0f} seconds")
                self._pool.discard(worker)
            elif not self._loads[worker].overdue:
                self._suspect(worker, ticket, now)

    def _suspect(self, worker: Worker, ticket: Ticket, now: float) -> None:
        """A worker is overdue: others do what it has, and until it answers it gets nothing more."""
        load = self._loads[worker]
        load.overdue = True
        for level in self._free:
            level.pop(worker, None)
        for _, job in load.queue:
            job.live -= 1
            self._again(job)
        self._alarm(now + self._limits.give_up, ticket, True)

    def _show(self) -> None:
        if self._watcher is None or self._pool.clock() - self._watched < _WATCH_SECONDS:
            return
        self._watched = self._pool.clock()
        self._watcher(PoolStatus(self.n_workers, self.in_flight, len(self._pending), self.counters.repeats))

    def _check_alone(self) -> None:
        if self._loads or not self._unfinished:
            self._alone_since, self._mentioned = None, False
            return
        now = self._pool.clock()
        if self._alone_since is None:
            self._alone_since = now
        alone = now - self._alone_since
        if alone >= self._limits.alone:
            raise NoWorkers(f"no worker for {alone:.0f} seconds: {self._pool.wanted()}")
        if alone >= self._limits.mention and not self._mentioned:
            self._mentioned = True
            self._announce(f"waiting for workers: {self._pool.wanted()}")

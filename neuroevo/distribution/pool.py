"""A pool holds workers and tells what becomes of them; it decides nothing, that is the scheduler's.

Workers and tickets are opaque and hashable. What happens comes out of `Pool.wait` as events.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from neuroevo.errors import BadInput

Worker: TypeAlias = Hashable
Ticket: TypeAlias = Hashable


class Task(ABC):
    """What a worker does: it is sent there once, warms up, and serves items until the end.

    A task's answer is a pure function of the item, so that whoever gives it, and how often, makes no difference.
    """

    @abstractmethod
    def start(self) -> float | None:
        """Build and compile what is needed, in the worker.

        Returns:
            Measured seconds for a unit of weight of an item, None where that is not known.
        """

    @abstractmethod
    def run(self, item: Any) -> Any:
        """The answer to an item."""


@dataclass(frozen=True, eq=False)
class Slice:
    """An item whose bulk is common to many: the task is given ``(*item, common)``.

    Attributes:
        own: What this item alone has.
        common: What `Pool.share` returned.
    """

    own: tuple[Any, ...]
    common: Any


@dataclass(frozen=True)
class Joined:
    """A worker is ready for work.

    Attributes:
        worker: Which.
        seconds: What its task measured at its start, for a unit of weight.
    """

    worker: Worker
    seconds: float | None = None


@dataclass(frozen=True)
class Left:
    """A worker is gone, and with it all that it was given."""

    worker: Worker
    reason: str


@dataclass(frozen=True)
class Answered:
    """An item is done.

    Attributes:
        ticket: What `submit` returned.
        value: The answer.
        seconds: What the computation took in the worker.
    """

    ticket: Ticket
    value: Any
    seconds: float


@dataclass(frozen=True)
class Failed:
    """The task raised an exception; the worker lives.

    Attributes:
        ticket: Of the item.
        said: What the exception said.
        refused: The exception itself where it is the user's to mend, and would come again on every worker.
    """

    ticket: Ticket
    said: str
    refused: BadInput | None = None


Event: TypeAlias = Joined | Left | Answered | Failed


class Pool(ABC):
    """Workers that come and go."""

    @abstractmethod
    def submit(self, worker: Worker, item: Any) -> Ticket:
        """Give an item to a worker that has joined; a worker does its items in the order given."""

    def share(self, value: Any) -> Any:  # noqa: ARG002 - a pool that cannot share has no use for it
        """A stand-in for a large value that many items are to have in common, or None where sharing does not pay."""
        return None

    @abstractmethod
    def wait(self, timeout: float) -> Sequence[Event]:
        """What has happened, as soon as something has, in any order; nothing after `timeout` seconds.

        Raises:
            ClusterError: No worker can be had at all.
        """

    @abstractmethod
    def discard(self, worker: Worker) -> None:
        """Give up a worker: no event mentions it or its tickets any more, and another one takes its place."""

    @abstractmethod
    def clock(self) -> float:
        """Seconds, monotonic."""

    @abstractmethod
    def wanted(self) -> str:
        """What the pool waits for when it has no workers, in words."""

    def close(self) -> None:  # noqa: B027 - a pool without processes has nothing to end
        """End all workers; closing twice is allowed."""

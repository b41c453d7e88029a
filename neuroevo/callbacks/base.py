"""Callback: the methods that hear of runs; several as one; and the metrics of a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from neuroevo.errors import WrongType

if TYPE_CHECKING:
    from neuroevo.distribution import PoolStatus
    from neuroevo.records import RunRecord
    from neuroevo.scenario import Scenario
    from neuroevo.stopping import Progress, StopReason


class Callback:
    """Hears what happens in a run; every method may be left as it is.

    It must not change what it is shown. What it raises ends the run, which can be resumed.
    """

    in_workers: ClassVar[bool] = False
    """Whether a copy goes along to the workers that carry out whole runs (trials, sweeps), and hears of them there; it
    is pickled, then. Otherwise it hears of such runs only what `step` and `message` say."""

    def started(self, scenario: Scenario, path: Path) -> None:
        """The run's folder exists; nothing has been computed yet, or nothing since it was interrupted."""

    def workers(self, status: PoolStatus) -> None:
        """Who is at work, ten times a second where workers compute."""

    def generation(self, progress: Progress) -> None:
        """A generation has been told and recorded."""

    def step(self, text: str) -> None:
        """One of many runs begins, or has ended on a worker."""

    def message(self, text: str) -> None:
        """Something that a user should know."""

    def stopped(self, reason: StopReason) -> None:
        """No generation follows; what is left is to write down what came of it."""

    def finished(self, record: RunRecord) -> None:
        """The run has ended, and all is written."""

    def failed(self, error: BaseException) -> None:
        """The run that was `started` last has been ended by an error, which is raised after this; it can be resumed."""


class Callbacks(Callback):
    """Several callbacks as one; each hears of everything, in their order.

    Args:
        callbacks: Any number.

    Raises:
        WrongType: They are something else.
    """

    def __init__(self, callbacks: Iterable[Callback] = ()) -> None:
        if not isinstance(callbacks, Iterable):
            raise WrongType(f"callbacks must be a sequence of them, got {callbacks!r}: write [callback]")
        self.members = tuple(callbacks)
        for member in self.members:
            if not isinstance(member, Callback):
                raise WrongType(f"a callback must be an instance of a class derived from Callback, got {member!r}")

    def travelling(self) -> tuple[Callback, ...]:
        """Those that go along to workers."""
        return tuple(member for member in self.members if member.in_workers)

    def _each(self, call: Callable[[Callback], Any]) -> None:
        for member in self.members:
            call(member)

    def started(self, scenario: Scenario, path: Path) -> None:
        self._each(lambda member: member.started(scenario, path))

    def workers(self, status: PoolStatus) -> None:
        self._each(lambda member: member.workers(status))

    def generation(self, progress: Progress) -> None:
        self._each(lambda member: member.generation(progress))

    def step(self, text: str) -> None:
        self._each(lambda member: member.step(text))

    def message(self, text: str) -> None:
        self._each(lambda member: member.message(text))

    def stopped(self, reason: StopReason) -> None:
        self._each(lambda member: member.stopped(reason))

    def finished(self, record: RunRecord) -> None:
        self._each(lambda member: member.finished(record))

    def failed(self, error: BaseException) -> None:
        self._each(lambda member: member.failed(error))


class ClusterMetrics(Callback):
    """Shows the figures of runs to Ray's dashboard and to whatever scrapes Ray's metrics; Ray must have been started.

    Args:
        prefix: Goes before the name of a run's folder.
    """

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix

    def started(self, scenario: Scenario, path: Path) -> None:  # noqa: ARG002 - metrics know a run by its folder
        from neuroevo.distribution import RunMetrics

        self._metrics = RunMetrics(self._prefix + path.name)

    def generation(self, progress: Progress) -> None:
        self._metrics.report(progress)

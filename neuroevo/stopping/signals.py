"""Signals as data: they are noted when they come and looked at between generations."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterable
from types import FrameType, TracebackType
from typing import Any

from neuroevo.stopping.base import StoppingCriterion, StopReason
from neuroevo.stopping.criteria import SignalReceived

#: What a terminal (Ctrl-C) and a batch system send to end a process.
ENDING = ("SIGINT", "SIGTERM")


class SignalTrap:
    """Within its ``with`` block the first signal is noted in `received`, and a second ending signal leaves at once.

    Outside the main thread Python allows no handlers; the trap then notes nothing and the signals do what they did.

    Args:
        criterion: A criterion whose :class:`SignalReceived` parts say what is trapped beside :data:`ENDING`.
    """

    def __init__(self, criterion: StoppingCriterion | None = None) -> None:
        leaves: Iterable[StoppingCriterion] = () if criterion is None else criterion.leaves()
        wanted = {leaf.signal for leaf in leaves if isinstance(leaf, SignalReceived)}
        self._names = (*ENDING, *sorted(wanted - set(ENDING)))
        self._received: set[str] = set()
        self._previous: dict[str, Any] = {}

    @property
    def received(self) -> frozenset[str]:
        """Names of the signals received so far."""
        return frozenset(self._received)

    @property
    def exit_code(self) -> int | None:
        """128 + the number of the ending signal that came (130 after Ctrl-C, 143 after SIGTERM), or None."""
        for name in ENDING:
            if name in self._received:
                return 128 + signal.Signals[name]
        return None

    def __enter__(self) -> SignalTrap:
        if threading.current_thread() is threading.main_thread():
            for name in self._names:
                self._previous[name] = signal.signal(signal.Signals[name], self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._previous:
            name, handler = self._previous.popitem()
            # None: the handler was not set from Python and cannot be put back from there.
            signal.signal(signal.Signals[name], signal.SIG_DFL if handler is None else handler)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        if name in ENDING and self.exit_code is not None:
            raise SystemExit(128 + number)
        self._received.add(name)


def exit_code(reason: StopReason | None) -> int:
    """0, or 128 + the number of the ending signal that is the reason."""
    if reason is None or reason.criterion != SignalReceived.name:
        return 0
    number = int(reason.value)
    return 128 + number if signal.Signals(number).name in ENDING else 0


def ending_criterion() -> StoppingCriterion:
    """The criterion that every run has on top of its own: it ends on Ctrl-C and on SIGTERM."""
    return SignalReceived("SIGINT") | SignalReceived("SIGTERM")

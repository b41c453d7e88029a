"""Signals: the first asks the loop to end in good order, the second ends the process at once."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType, TracebackType
from typing import Self

_WATCHED = (signal.SIGINT, signal.SIGTERM)


class Interrupt:
    """Context in which SIGINT and SIGTERM are noted instead of acted on.

    `received` is the signal's number, or 0. A second signal ends the process with 128 + its number, without any
    clean-up: everything of worth is on disk by then. Outside the main thread, where Python lets nobody handle signals,
    the context does nothing.
    """

    def __init__(self) -> None:
        self.received = 0
        self._previous: dict[int, object] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._previous = {number: signal.signal(number, self._note) for number in _WATCHED}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.received:
            os._exit(128 + number)
        self.received = number

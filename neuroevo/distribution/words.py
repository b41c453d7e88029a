"""What workers say, told once: a thousand workers that warn of the same thing are one line."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

_MOST_LINES = 200
_TAIL_LINES = 12
_TAIL_BYTES = 16_384


class Words:
    """Passes on what workers say, each line once, and no more than a run's log can bear.

    Args:
        announce: Told each line.
    """

    def __init__(self, announce: Callable[[str], None]) -> None:
        self._announce = announce
        self._known: set[str] = set()

    def hear(self, worker: object, lines: Iterable[str]) -> None:
        """A worker has said so many lines."""
        for line in lines:
            if line in self._known or len(self._known) > _MOST_LINES:
                continue
            self._known.add(line)
            if len(self._known) > _MOST_LINES:
                self._announce("workers say more; it is in Ray's logs alone")
            else:
                self._announce(f"worker {worker} says: {line}")


def last_words(log: str) -> tuple[str, ...]:
    """The last lines of a worker's error stream; empty where it is on another machine, or has none.

    Args:
        log: Path of the file, which may have come from another machine.
    """
    path = Path(log)
    try:
        if not log or not path.is_file():
            return ()
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL_BYTES))
            text = file.read(_TAIL_BYTES).decode("utf-8", "replace")
    except OSError:
        return ()
    # Ray's own marks begin with two colons.
    lines = [line.rstrip() for line in text.splitlines() if line.strip() and not line.startswith(":")]
    return tuple(lines[-_TAIL_LINES:])

"""What runs in a worker's process: the task, and around it what makes failures and words into values."""

from __future__ import annotations

import contextlib
import hashlib
import io
import logging
import os
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from neuroevo.distribution.members import Members, register_members
from neuroevo.distribution.pool import Task
from neuroevo.errors import BadInput
from neuroevo.records import provenance

_MOST_LETTERS = 20_000
"""Of what one item may say; a task that prints in a loop must not fill the driver's memory."""


@dataclass(frozen=True)
class Greeting:
    """What a worker says of itself when it is ready.

    Attributes:
        facts: What results depend on there.
        seconds: What its task measured.
        said: Lines that were printed, warned or logged meanwhile.
        log: Where its error stream goes, a path on its machine; empty where that is not known.
    """

    facts: dict[str, str]
    seconds: float | None
    said: tuple[str, ...]
    log: str


@dataclass(frozen=True)
class Reply:
    """What became of an item.

    Attributes:
        good: Whether it went well.
        value: The answer, or what the exception said; a `BadInput` where it was one.
        seconds: It took.
        said: Lines that were printed, warned or logged meanwhile.
    """

    good: bool
    value: Any
    seconds: float
    said: tuple[str, ...]


class Actor:
    """Holds a task, and turns what goes wrong in it and what it says into values."""

    def __init__(self, task: Task, threads: int, members: Members) -> None:
        # Ray limits BLAS and OpenMP to the processors given, but not numba.
        os.environ["NUMBA_NUM_THREADS"] = str(threads)
        register_members(members)
        self._task = task

    def start(self) -> Greeting:
        """Warm up."""
        with heard() as said:
            seconds = self._task.start()
        return Greeting(facts(), seconds, lines_of(said), _error_log())

    def run(self, item: Any, common: Any = None) -> Reply:
        """Do an item; never raises what the task raises."""
        begun = time.perf_counter()
        item = item if common is None else (*item, common)
        with heard() as said:
            try:
                good, value = True, self._task.run(item)
            except BadInput as error:
                # Of the user's making, on every worker: nothing to try again.
                good, value = False, BadInput(str(error))
            except Exception:
                good, value = False, traceback.format_exc(limit=-6)
        return Reply(good, value, time.perf_counter() - begun, lines_of(said))


class _Tee(io.TextIOBase):
    """Writes to a stream and keeps the first letters."""

    def __init__(self, stream: TextIO, kept: list[str]) -> None:
        self._stream = stream
        self._kept = kept
        self._left = _MOST_LETTERS

    def write(self, text: str) -> int:
        if self._left > 0:
            self._kept.append(text[: self._left])
            self._left -= len(text)
        return self._stream.write(text)

    def flush(self) -> None:
        self._stream.flush()


@contextlib.contextmanager
def heard() -> Iterator[list[str]]:
    """Collect what Python code prints, warns and logs; it reaches its streams as well."""
    said: list[str] = []
    out, error = _Tee(sys.stdout, said), _Tee(sys.stderr, said)
    # What other handlers of the root show went to the streams that they were made with.
    handler = logging.StreamHandler(error)
    handler.setLevel(logging.WARNING)
    root = logging.getLogger()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        root.addHandler(handler)
        try:
            yield said
        finally:
            root.removeHandler(handler)


def lines_of(said: list[str]) -> tuple[str, ...]:
    """The lines of what was said, without empty ones."""
    return tuple(line.rstrip() for line in "".join(said).splitlines() if line.strip()) if said else ()


def facts() -> dict[str, str]:
    """What the bits of a result depend on beside the scenario: versions, the sources of this package, the processor."""
    digest = hashlib.sha256()
    package = Path(__file__).parent.parent
    for path in sorted(package.rglob("*.py")):
        digest.update(f"{path.relative_to(package)}\0".encode() + path.read_bytes())
    processor = str(provenance.machine()["processor"])
    return provenance.versions() | {"sources": digest.hexdigest()[:12], "processor": processor}


def _error_log() -> str:
    """Where Ray keeps what this process writes to its error stream: the target of descriptor 2."""
    with contextlib.suppress(OSError):
        path = Path("/proc/self/fd/2").readlink()
        if path.is_file():
            return str(path)
    return ""

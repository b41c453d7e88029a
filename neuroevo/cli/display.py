"""What a running evolution shows: two live lines on a terminal, plain lines now and then in a log."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TextIO

from neuroevo.cli.terminal import shown

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from neuroevo.distribution import PoolStatus
    from neuroevo.stopping import Progress, StoppingCriterion

LIVE_SECONDS = 0.1
"""Between two updates of the live line; more often, nobody can read."""
PLAIN_SECONDS = 10.0
"""Between two lines in a log, so that an hour of running is a page or two."""
_CLEAR = "\r\x1b[K"
_UP_AND_CLEAR = f"\x1b[1A{_CLEAR}"
_BARS = "▁▂▃▄▅▆▇█"
_CURVE_WIDTH = 20


def time_left(limits: Mapping[str, Any], progress: Progress, first: Progress) -> float | None:
    """Seconds until the first of the limits that count something, or None where no limit does.

    Args:
        limits: The table [stop].
        progress: Now.
        first: The first generation of this process; the rate is measured from there, since it includes compilation.
    """
    left = []
    generations = progress.generation - first.generation
    seconds = progress.seconds - first.seconds
    if "seconds" in limits:
        left.append(float(limits["seconds"]) - progress.seconds)
    if generations > 0 and seconds > 0:
        if "generations" in limits:
            left.append((limits["generations"] - progress.generation) * seconds / generations)
        if "evaluations" in limits:
            rate = (progress.evaluations - first.evaluations) / seconds
            left.append((limits["evaluations"] - progress.evaluations) / rate)
    return max(0.0, min(left)) if left else None


def duration(seconds: float) -> str:
    """Seconds as people say them: "0.8 s", "2 min 05 s", "3 h 07 min"."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


class Display:
    """Writes the progress of a run to a stream.

    Args:
        limits: The table [stop] of the scenario, for the time left.
        stream: Where to; a terminal gets the live lines.
        criterion: When the run ends: the second live line says how near each of its parts is.
    """

    def __init__(
        self, limits: Mapping[str, Any], stream: TextIO | None = None, criterion: StoppingCriterion | None = None
    ) -> None:
        self._limits = limits
        self._leaves = () if criterion is None else criterion.leaves()
        self._below = False
        self._stream = sys.stderr if stream is None else stream
        self._live = self._stream.isatty()
        self._first: Progress | None = None
        self._last: Progress | None = None
        self._shown = 0.0
        self._marked: tuple[float, int] | None = None
        self._rate = 0.0
        self._pool: PoolStatus | None = None

    def show(self, progress: Progress) -> None:
        """Show a generation, if it is time to."""
        now = time.monotonic()
        self._last = progress
        if self._first is None:
            self._first = progress
        elif not self._is_due(now):
            return
        self._measure(now, progress)
        self._shown = now
        self._write(self._parts(progress), end="" if self._live else "\n")

    def show_pool(self, status: PoolStatus) -> None:
        """Show who is at work, in the middle of a generation too, which may take minutes."""
        self._pool = status
        now = time.monotonic()
        if self._is_due(now) and (self._live or self._shown):
            self._shown = now
            parts = self._pool_parts() if self._last is None else self._parts(self._last)
            self._write(parts, end="" if self._live else "\n")
        elif not self._shown:
            # Nothing has been shown yet: a log gets its first line when it is due, not at once.
            self._shown = now

    def _is_due(self, now: float) -> bool:
        return now - self._shown >= (LIVE_SECONDS if self._live else PLAIN_SECONDS)

    def message(self, text: str) -> None:
        """Write a line of its own, above the live line."""
        self._stream.write(f"{self._clear()}{shown(text, self._stream)}\n")
        self._stream.flush()

    def close(self) -> None:
        """Leave the last generation on the screen."""
        if self._last is not None and self._first is not None:
            self._measure(time.monotonic(), self._last)
            self._pool = None
            self._leaves = ()
            self._write(self._parts(self._last), end="\n")

    def _measure(self, now: float, progress: Progress) -> None:
        if self._marked is not None and now > self._marked[0]:
            self._rate = (progress.evaluations - self._marked[1]) / (now - self._marked[0])
        if self._marked is None or now - self._marked[0] > 1.0:
            self._marked = now, progress.evaluations

    def _write(self, parts: list[tuple[str, str]], end: str) -> None:
        line = "  ".join(long for long, _ in parts)
        if self._live:
            room = _width(self._stream) - 1
            if len(line) > room:
                line = "  ".join(short for _, short in parts)
            if len(line) > room:
                # Fitness says the same as the error; what is left is worth more.
                line = "  ".join(short for _, short in parts if not short.startswith(("fitness", "median")))
            below = self._second_line(room)
            line = f"{self._clear()}{line[:room]}{below}"
            self._below = bool(below)
        self._stream.write(line + end)
        self._stream.flush()

    def _clear(self) -> str:
        """What takes the live lines away."""
        below, self._below = self._below, False
        return "" if not self._live else f"{_CLEAR}{_UP_AND_CLEAR}" if below else _CLEAR

    def _second_line(self, room: int) -> str:
        """A new line with the course of the error and how near the criteria are, as far as there is room."""
        if self._last is None or not self._leaves:
            return ""
        standings = [text for leaf in self._leaves if (text := leaf.standing(self._last))]
        course = curve(self._last.history["incumbent_error"], self._stream)
        line = "  ".join(
            [*([f"error {course}"] if course else []), *([f"stops at {', '.join(standings)}"] * bool(standings))]
        )
        return f"\n{line[:room]}" if line else ""

    def _parts(self, progress: Progress) -> list[tuple[str, str]]:
        """What the line is made of, each in a long form and in one for narrow terminals."""
        limit = f"/{self._limits['generations']}" if "generations" in self._limits else ""
        error, learned = progress.incumbent_error, 100 * progress.incumbent_learned
        # Of an error of 0 histories hold the largest number there is.
        fitness = progress.incumbent_fitness if error else math.inf
        parts = [
            (f"generation {progress.generation}{limit}", f"{progress.generation}{limit}"),
            (f"best error {error:.5g}", f"error {error:.4g}"),
            *_median_part(progress.median_error),
            (f"fitness {fitness:.5g}", f"fitness {fitness:.4g}"),
            (f"learnt {learned:.1f} %", f"learnt {learned:.0f} %"),
        ]
        if not math.isnan(progress.validation_error):
            parts.append((f"validation {progress.validation_error:.5g}", f"val {progress.validation_error:.4g}"))
        if progress.n_failed:
            parts.append((f"{progress.n_failed} failed",) * 2)
        if self._rate:
            workers = 0 if self._pool is None else self._pool.workers
            each = f" ({_count(self._rate / workers)} a worker)" if workers > 1 else ""
            parts.append((f"{_count(self._rate)} evaluations/s{each}", f"{_count(self._rate)}/s"))
        left = time_left(self._limits, progress, self._first) if self._first else None
        if left:
            parts.append((f"{duration(left)} left",) * 2)
        return parts + self._pool_parts()

    def _pool_parts(self) -> list[tuple[str, str]]:
        if self._pool is None:
            return []
        n, flying = self._pool.workers, self._pool.in_flight
        parts = [
            (f"{n} worker{'' if n == 1 else 's'}", f"{n} w"),
            (f"{flying} chunk{'' if flying == 1 else 's'} in flight", f"{flying} in flight"),
        ]
        if self._pool.waiting:
            parts.append((f"{self._pool.waiting} waiting",) * 2)
        if self._pool.repeats:
            parts.append((f"{self._pool.repeats} repeated",) * 2)
        return parts


def _median_part(median: float) -> list[tuple[str, str]]:
    return [] if math.isnan(median) else [(f"median {median:.4g}", f"median {median:.3g}")]


def curve(errors: NDArray[np.float64], stream: TextIO, width: int = _CURVE_WIDTH) -> str:
    """The course of errors in a few characters, on a logarithmic scale; empty where the stream has no such characters.

    Args:
        errors: ``(n,)``, one a generation.
        stream: Where it is to be written.
        width: The most characters that it takes; each stands for the last of the generations that share it.
    """
    try:
        _BARS.encode(getattr(stream, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return ""
    n = len(errors)
    places = [(n * (place + 1)) // min(n, width) - 1 for place in range(min(n, width))]
    levels = [math.log(errors[place]) if 0 < errors[place] < math.inf else math.nan for place in places]
    known = [level for level in levels if not math.isnan(level)]
    if len(known) < 2:
        return ""
    low, span = min(known), max(known) - min(known)
    scale = (len(_BARS) - 1) / span if span > 0 else 0.0
    return "".join(" " if math.isnan(level) else _BARS[round((level - low) * scale)] for level in levels)


def _count(value: float) -> str:
    for unit, factor in (("M", 1e6), ("k", 1e3)):
        if value >= factor:
            return f"{value / factor:.3g} {unit}"
    return f"{value:.3g}"


def _width(stream: TextIO) -> int:
    import os

    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except OSError:
        return 80

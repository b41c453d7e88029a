from __future__ import annotations

import io
import math
import os
import time
from dataclasses import replace

import pytest

from neuroevo.cli import display
from neuroevo.cli.display import Display, duration, time_left
from neuroevo.distribution import PoolStatus
from neuroevo.evaluation import fitness_of
from neuroevo.stopping import History, Progress


def progress(generation: int, seconds: float, evaluations: int | None = None, validation: float = math.nan) -> Progress:
    return Progress(
        generation=generation,
        evaluations=evaluations or 10 * generation,
        seconds=seconds,
        best_error=0.25,
        median_error=0.5,
        mean_error=0.5,
        worst_error=1.0,
        incumbent_error=0.25,
        incumbent_fitness=4.0,
        incumbent_learned=0.5,
        validation_error=validation,
        n_failed=0,
        diversity=1.0,
        population_size=10,
        history=History(),
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.84, "0.8 s"), (9.96, "10 s"), (59.4, "59 s"), (125, "2 min 05 s"), (3 * 3600 + 7 * 60, "3 h 07 min")],
)
def test_durations_are_said_as_people_say_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_the_time_left_follows_the_nearest_limit() -> None:
    # Ten generations of one second each after a first one that took five (it compiled).
    first, now = progress(1, 5.0), progress(11, 15.0)
    assert time_left({"generations": 21}, now, first) == pytest.approx(10.0)
    assert time_left({"evaluations": 160}, now, first) == pytest.approx(5.0)
    assert time_left({"generations": 21, "seconds": 18}, now, first) == pytest.approx(3.0)
    assert time_left({"error": 0.1}, now, first) is None
    assert time_left({"generations": 21}, first, first) is None


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return 1


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_the_live_line_fits_the_terminal_and_keeps_the_time_left(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "get_terminal_size", lambda descriptor: os.terminal_size((columns, 24)))
    monkeypatch.setattr(display, "LIVE_SECONDS", 0.0)
    terminal = Terminal()
    shown = Display({"generations": 1000}, terminal)
    shown.show(progress(1, 1.0))
    shown.show(progress(501, 501.0, validation=0.123456))
    line = terminal.getvalue().split("\r\x1b[K")[-1]
    assert len(line) < columns
    if columns >= 80:
        assert "8 min 19 s left" in line
        assert "0.123" in line


def test_a_log_gets_whole_lines_now_and_then() -> None:
    stream = io.StringIO()
    shown = Display({"generations": 1000}, stream)
    for generation in range(1, 101):
        shown.show(progress(generation, float(generation)))
    shown.message("a warning")
    shown.close()
    lines = stream.getvalue().splitlines()
    assert [line.split("  ")[0] for line in lines] == ["generation 1/1000", "a warning", "generation 100/1000"]
    assert "best error 0.25" in lines[0]
    assert "fitness 4" in lines[0]
    assert "learnt 50.0 %" in lines[0]


def test_the_fitness_of_what_is_solved_is_infinite() -> None:
    stream = io.StringIO()
    solved = replace(progress(1, 1.0), incumbent_error=0.0, incumbent_fitness=float(fitness_of(0.0)))
    Display({}, stream).show(solved)
    assert "best error 0  median 0.5  fitness inf  " in stream.getvalue()


def test_the_pool_is_shown_in_the_middle_of_a_generation_and_before_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display, "LIVE_SECONDS", 0.0)
    monkeypatch.setattr(os, "get_terminal_size", lambda descriptor: os.terminal_size((200, 24)))
    terminal = Terminal()
    shown = Display({"generations": 10}, terminal)
    shown.show_pool(PoolStatus(workers=0, in_flight=0, waiting=3, repeats=0))
    shown.show_pool(PoolStatus(workers=1, in_flight=2, waiting=1, repeats=0))
    shown.show(progress(1, 1.0, evaluations=1000))
    later = time.monotonic() + 10
    monkeypatch.setattr(display.time, "monotonic", lambda: later)
    shown._marked = (later - 10, 0)
    shown.show(progress(2, 2.0, evaluations=20_000))
    shown.show_pool(PoolStatus(workers=2, in_flight=4, waiting=0, repeats=1))
    shown.close()
    *before, first, second, status, last = terminal.getvalue().split("\r\x1b[K")[1:]
    assert before[-2:] == ["0 workers  0 chunks in flight  3 waiting", "1 worker  2 chunks in flight  1 waiting"]
    assert "1 worker  2 chunks in flight" in first
    assert "generation 2/10" in second
    for words in ("2 k evaluations/s (1 k a worker)", "2 workers  4 chunks in flight  1 repeated"):
        assert words in status
    assert "in flight" not in last


def test_a_log_is_told_of_the_pool_when_a_line_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(display.time, "monotonic", lambda: now)
    stream = io.StringIO()
    shown = Display({"generations": 10}, stream)
    for now in (100.0, 105.0, 111.0, 112.0, 122.0):  # noqa: B007 - the clock reads it
        shown.show_pool(PoolStatus(workers=2, in_flight=4, waiting=1, repeats=0))
    assert stream.getvalue().splitlines() == ["2 workers  4 chunks in flight  1 waiting"] * 2

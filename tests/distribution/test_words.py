"""What workers print, warn and log reaches the driver once, and the last words of one that dies too."""

# ruff: noqa: T201 - what is printed is what is tested
from __future__ import annotations

import logging
import os
import sys
import time
import warnings

import pytest

from neuroevo.distribution import Scheduler, Task
from neuroevo.distribution.actor import heard, lines_of
from neuroevo.distribution.ray_pool import RayPool
from neuroevo.distribution.words import Words, last_words


class Talkative(Task):
    def start(self):
        print("ready")

    def run(self, item):
        if item == "die":
            os.write(2, b"out of cheese\n")
            os._exit(3)
        print(f"printed {item}\n")
        warnings.warn("a warning", UserWarning, stacklevel=1)
        logging.getLogger("somebody").warning("logged %s", item)
        return item


def test_lines_are_collected_and_still_reach_their_streams(capsys):
    with heard() as said:
        print("one\n\ntwo  ")
        print("three", file=sys.stderr)
        logging.getLogger("x").error("four")
    print("five")
    assert lines_of(said) == ("one", "two", "three", "four")
    out, error = capsys.readouterr()
    assert out == "one\n\ntwo  \nfive\n"
    assert error == "three\nfour\n"


def test_no_more_is_kept_than_a_driver_can_bear():
    with heard() as said:
        for _ in range(1000):
            print("x" * 100)
    assert sum(map(len, said)) <= 20_000


def test_each_line_is_told_once_and_too_many_are_told_of():
    told = []
    words = Words(told.append)
    words.hear(1, ["a", "b", "a"])
    words.hear(2, ["a"])
    assert told == ["worker 1 says: a", "worker 1 says: b"]
    words.hear(3, map(str, range(1000)))
    assert len(told) == 201
    assert "Ray's logs" in told[-1]


def test_last_words_are_the_end_of_a_file_if_there_is_one(tmp_path):
    log = tmp_path / "worker.err"
    log.write_bytes(b":actor_name:Actor\n" + b"".join(b"line %d\n\n" % n for n in range(5000)) + b"\xff end")
    assert last_words(str(log))[-3:] == ("line 4998", "line 4999", "� end")
    assert len(last_words(str(log))) == 12
    assert last_words(str(tmp_path / "missing")) == last_words(str(tmp_path)) == last_words("") == ()


@pytest.mark.ray
def test_words_of_workers_reach_the_driver(ray_here):
    told = []
    pool = RayPool(ray_here, Talkative(), announce=told.append)
    try:
        scheduler = Scheduler(pool, announce=told.append)
        assert scheduler.map(["a", "b"]) == ["a", "b"]
        said = {line.partition(" says: ")[2] for line in told}
        assert {"ready", "printed a", "printed b", "logged a", "logged b"} <= said
        assert sum("a warning" in line for line in told) >= 1
        scheduler.submit("death", "die")
        deadline = time.monotonic() + 30
        while not any("says: out of cheese" in line for line in told) and time.monotonic() < deadline:
            scheduler.advance()
        assert any("says: out of cheese" in line for line in told)
    finally:
        pool.close()

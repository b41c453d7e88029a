"""Kills a small run before each single call that changes the disk, resumes it, and compares the bytes at its end.

Run by hand: ``python -m tests.records.crash_points FOLDER``. The child processes end by ``os._exit``, as a kill does:
no handler, no clean-up. A kill in the middle of an append is tried too, by writing half of the row.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from neuroevo.networks import Elman
from neuroevo.problems import SequenceProblem
from neuroevo.records import RunRecord, RunWriter
from tests.records.conftest import SCENARIO, advance, finish

CALLS = ("open", "write", "fsync", "replace", "rename", "unlink", "mkdir", "ftruncate")
COMPARED = ("history.csv", "champion.npz", "data.npz", "scenario.toml")
NETWORK = Elman(1, 2, 1)
LAST = 6


def no_wait(handle: int) -> None:
    """Instead of os.fsync: what a kill leaves does not depend on the disk, only on the order of the calls."""


os.fsync = no_wait  # type: ignore[assignment]


def make_problem() -> SequenceProblem:
    series = np.sin(0.4 * np.arange(30))
    return SequenceProblem(series[None, :-1, None], series[None, 1:, None]).scaled("standard")


PROBLEM = make_problem()


def begin(results: Path) -> None:
    writer = RunWriter.create(results, "run", scenario_toml=SCENARIO, run={}, problem=PROBLEM, network=NETWORK)
    complete(writer, 1)


def complete(writer: RunWriter, first: int) -> None:
    advance(writer, first, LAST, every=2)
    finish(writer, NETWORK, PROBLEM)


def go_on(results: Path) -> None:
    writer, _ = RunWriter.reopen(results / "run")
    complete(writer, writer.history.n_generations + 1)


def kill_at(number: int, task: Callable[[Path], None], results: Path) -> bool:
    """Do the task in a child that ends at its `number`-th call; whether it came so far."""
    child = os.fork()
    if child == 0:
        count = 0

        def hooked(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
            def guarded(*arguments: Any, **options: Any) -> Any:
                nonlocal count
                count += 1
                if count == number:
                    if name == "write":
                        call(arguments[0], arguments[1][: len(arguments[1]) // 2])
                    os._exit(9)
                return call(*arguments, **options)

            return guarded

        for name in CALLS:
            setattr(os, name, hooked(name, getattr(os, name)))
        try:
            task(results)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status not in (0, 9):
        raise SystemExit(f"the child that was to end at call {number} ended with {status}")
    return status == 9


def check(results: Path, reference: Path) -> None:
    """Resume what the kill left, or begin where it left nothing, and compare."""
    path = results / "run"
    if path.exists():
        record = RunRecord.open(path)
        assert record.altered == ()
        if (path / "history.csv").exists() and (path / "history.csv").stat().st_size:
            assert record.history.n_generations <= LAST
        go_on(results)
    else:
        begin(results)
    for file in COMPARED:
        assert (path / file).read_bytes() == (reference / "run" / file).read_bytes(), f"{file} differs"
    assert RunRecord.open(path).altered == ()
    leftovers = [left for left in path.rglob("*.tmp") if left.is_file()]
    assert not leftovers, leftovers


def main(folder: Path) -> None:
    reference = folder / "reference"
    begin(reference)
    counts = []
    for name, task in (("begin", begin), ("resume", go_on), ("extend", go_on)):
        number = 0
        while True:
            number += 1
            results = folder / f"{name}{number}"
            if name == "extend":
                begin(results)
            if name == "resume":
                assert kill_at(counts[0] * 2 // 3, begin, results)
            came = kill_at(number, task, results)
            check(results, reference)
            if not came:
                break
        counts.append(number - 1)
    sys.stdout.write(
        f"killed at each of {counts[0]} calls of a run, {counts[1]} of a resume and {counts[2]} of a finished run that "
        "goes on: all ended with the same bytes\n"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))

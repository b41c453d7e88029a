"""Checkpoints that a stranger has changed and signed again: restored or refused, and nothing behind them is hidden."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neuroevo as ne
from neuroevo.callbacks import Callback
from neuroevo.problems.arrays import fingerprint
from neuroevo.records import RecordError, RunWriter
from neuroevo.records.npz import read_npz, write_npz
from neuroevo.strategies.genetic.strategy import GeneticAlgorithm

SEARCHES: dict[str, dict[str, Any]] = {
    "one population": {},
    "islands": {"islands": {"count": 2, "interval": 3}, "strategy.population_size": 8},
}


class Crash(Exception):
    """Ends a run from inside."""


class CrashAfterSix(Callback):
    def generation(self, progress: Any) -> None:
        if progress.generation == 6:
            raise Crash


@pytest.fixture(params=SEARCHES)
def checkpoint(request: pytest.FixtureRequest, small_scenario: Path, tmp_path: Path) -> Path:
    """The only checkpoint of a run that was killed two generations after it."""
    with pytest.raises(Crash):
        ne.run(
            small_scenario, results=tmp_path / "runs", overrides=SEARCHES[request.param], callbacks=[CrashAfterSix()]
        )
    (path,) = (tmp_path / "runs").glob("*/checkpoints/*.npz")
    return path


def rewrite(path: Path, arrays: dict[str, Any]) -> None:
    unsigned = {name: value for name, value in arrays.items() if name != "checkpoint.sha256"}
    write_npz(path, unsigned | {"checkpoint.sha256": np.asarray(fingerprint(unsigned))})


def variants(value: np.ndarray[Any, Any]) -> Iterator[np.ndarray[Any, Any]]:
    yield np.full(value.shape, "x")
    yield np.stack([value, value])
    if value.ndim:
        yield value[:-1]
        yield np.float64(0.5)
    else:
        yield np.asarray(value.astype(np.float64) + 0.5)


def test_every_entry_is_checked_before_the_next_generation(checkpoint: Path, tmp_path: Path) -> None:
    arrays = {name: value for name, value in read_npz(checkpoint).items() if name != "checkpoint.sha256"}
    run, place = checkpoint.parent.parent, checkpoint.relative_to(checkpoint.parent.parent)
    n_refused = n_tried = 0
    for name, value in arrays.items():
        if name == "checkpoint.generation":
            continue
        for changed in (None, *variants(value)):
            copy = tmp_path / f"copy{n_tried}"
            shutil.copytree(run, copy)
            rewrite(
                copy / place, {key: array for key, array in (arrays | {name: changed}).items() if array is not None}
            )
            try:
                ne.resume(copy, compute=ne.Compute(threads=1))
            except RecordError as error:
                n_refused += "its checkpoint does not fit its scenario" in str(error)
            n_tried += 1
    # What remains good: a number where a fraction may stand, the pair that no island sends, a champion that is gone.
    assert n_refused > 0.8 * n_tried


@pytest.mark.parametrize("error", [KeyError("ours"), MemoryError(), RuntimeError("ours"), ValueError("ours")], ids=repr)
def test_errors_of_the_generation_after_are_not_the_checkpoints(
    error: Exception, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def defect(self: object) -> None:
        raise error

    monkeypatch.setattr(GeneticAlgorithm, "_ask", defect)
    with pytest.raises(type(error)) as caught:
        ne.resume(checkpoint.parent.parent)
    assert caught.value is error


def test_memory_that_runs_out_while_the_state_is_restored_is_the_machines(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: object) -> None:
        raise MemoryError

    monkeypatch.setattr(GeneticAlgorithm, "_restored", full)
    with pytest.raises(MemoryError):
        ne.resume(checkpoint.parent.parent)


@pytest.mark.parametrize("reader", ["neuroevo.npz._read_array", "numpy.loadtxt"])
def test_too_little_memory_costs_no_checkpoint_and_no_history(
    monkeypatch: pytest.MonkeyPatch, small_scenario: Path, tmp_path: Path, reader: str
) -> None:
    record = ne.run(small_scenario, results=tmp_path / "runs")
    before = {file: file.read_bytes() for file in record.path.rglob("*") if file.is_file()}

    def exhausted(*_args: object, **_options: object) -> None:
        raise MemoryError

    with monkeypatch.context() as poor:
        poor.setattr(reader, exhausted)
        with pytest.raises(ne.OutOfMemory, match="out of memory while"):
            RunWriter.reopen(record.path)
    assert {file: file.read_bytes() for file in record.path.rglob("*") if file.is_file()} == before

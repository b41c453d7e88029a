"""Going on after a kill: the last good checkpoint counts, the history is cut back to it, and nobody else may write."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from neuroevo.errors import OutOfMemory
from neuroevo.networks import Network
from neuroevo.problems import SequenceProblem
from neuroevo.records import RecordError, RecordLocked, RunRecord, RunWriter, restoring
from tests.records.conftest import advance, finish, row, state

Start = Callable[..., RunWriter]


def killed(writer: RunWriter) -> Path:
    """What a kill leaves: the files as they are, and no lock."""
    writer.close()
    return writer.path


def test_run_goes_on_from_its_last_checkpoint_without_gap_or_double(
    start: Start, network: Network, problem: SequenceProblem, finished: Path
) -> None:
    writer = start("killed")
    advance(writer, 1, 5, every=3)
    path = killed(writer)
    writer, restored = RunWriter.reopen(path)
    assert restored is not None
    assert restored.keys() == state(3).keys()
    np.testing.assert_array_equal(restored["strategy.population"], state(3)["strategy.population"])
    assert [type(restored[key]) for key in ("generation", "seconds", "restarted")] == [int, float, bool]
    assert writer.history["generation"].tolist() == [1, 2, 3]
    advance(writer, 4, 8)
    finish(writer, network, problem)
    for file in ("history.csv", "champion.npz"):
        assert (path / file).read_bytes() == (finished / file).read_bytes()
    record = RunRecord.open(path)
    assert [entry["generation"] for entry in record.run["resumed"]] == [3]
    assert record.status == "finished"


def test_run_killed_before_its_first_checkpoint_begins_anew(start: Start) -> None:
    writer = start()
    writer.append(row(1))
    writer, restored = RunWriter.reopen(killed(writer))
    assert restored is None
    assert writer.history.n_generations == 0
    advance(writer, 1, 2)
    writer.close()
    assert RunRecord.open(writer.path).history["generation"].tolist() == [1, 2]


@pytest.mark.parametrize("cut", [1, 20, 150])
def test_row_that_a_kill_cut_short_is_taken_back(start: Start, cut: int) -> None:
    writer = start()
    advance(writer, 1, 4, every=2)
    path = killed(writer)
    file = path / "history.csv"
    file.write_bytes(file.read_bytes() + b"5,35,0.2,0.111"[:cut])
    assert RunRecord.open(path).history.n_generations == 4
    file.write_bytes(file.read_bytes()[:-cut])
    writer, restored = RunWriter.reopen(path)
    assert restored is not None
    advance(writer, writer.history.n_generations + 1, 6)
    writer.close()
    assert RunRecord.open(path).history["generation"].tolist() == [1, 2, 3, 4, 5, 6]


def damage(path: Path, how: str) -> None:
    data = bytearray(path.read_bytes())
    if how == "truncated":
        data = data[: len(data) // 2]
    elif how == "empty":
        data = bytearray()
    elif how == "zeros":
        data = bytearray(len(data))
    else:
        data[len(data) // 3] ^= 0x10
    path.write_bytes(data)


@pytest.mark.parametrize("how", ["truncated", "empty", "zeros", "flipped"])
def test_damaged_checkpoint_is_skipped_and_the_one_before_used(start: Start, how: str) -> None:
    writer = start()
    advance(writer, 1, 5)
    path = killed(writer)
    damage(path / "checkpoints/000000005.npz", how)
    writer, restored = RunWriter.reopen(path)
    writer.close()
    assert restored is not None
    assert restored["generation"] == 4
    assert writer.history.n_generations == 4
    log = (path / "run.log").read_text()
    assert "checkpoint skipped" in log
    assert "000000005.npz" in log
    assert not (path / "checkpoints/000000005.npz").exists()


def test_every_flipped_bit_of_a_checkpoint_is_noticed_or_harmless(start: Start) -> None:
    writer = start()
    advance(writer, 1, 2)
    path = killed(writer)
    file = path / "checkpoints/000000002.npz"
    good = file.read_bytes()
    rng = np.random.default_rng(0)
    n_skipped = 0
    for bit in rng.choice(8 * len(good), 400, replace=False):
        data = bytearray(good)
        data[bit // 8] ^= 1 << bit % 8
        (path / "checkpoints/000000002.npz").write_bytes(data)
        writer, restored = RunWriter.reopen(path)
        assert restored is not None
        generation = restored["generation"]
        np.testing.assert_array_equal(restored["strategy.population"], state(generation)["strategy.population"])
        n_skipped += generation == 1
        if generation == 1:
            writer.append(row(2))
        writer.close()
    assert n_skipped > 300


def test_all_checkpoints_damaged_means_beginning_anew_and_saying_so(start: Start) -> None:
    writer = start()
    advance(writer, 1, 3)
    path = killed(writer)
    for file in (path / "checkpoints").iterdir():
        damage(file, "flipped")
    writer, restored = RunWriter.reopen(path)
    writer.close()
    assert restored is None
    assert "begins anew" in (path / "run.log").read_text()


def test_checkpoint_whose_history_is_lost_is_not_used(start: Start) -> None:
    writer = start()
    advance(writer, 1, 5)
    path = killed(writer)
    lines = (path / "history.csv").read_text().splitlines(keepends=True)
    lines[5] = "5,35,damaged\n"
    (path / "history.csv").write_text("".join(lines))
    writer, restored = RunWriter.reopen(path)
    writer.close()
    assert restored is not None
    assert restored["generation"] == 4
    (path / "history.csv").write_text(lines[0] + "2" + lines[1][1:])
    with pytest.raises(RecordError, match="damaged after generation 0"):
        _ = RunRecord.open(path).history


def test_only_the_last_checkpoints_are_kept(start: Start) -> None:
    writer = start()
    advance(writer, 1, 20, every=2)
    writer.close()
    assert sorted(path.name for path in (writer.path / "checkpoints").iterdir()) == [
        "000000016.npz",
        "000000018.npz",
        "000000020.npz",
    ]


def test_leftovers_of_a_crash_are_removed(start: Start) -> None:
    writer = start()
    advance(writer, 1, 2)
    path = killed(writer)
    leftovers = [path / ".run.json.123.tmp", path / "checkpoints/.000000003.npz.123.tmp"]
    for leftover in leftovers:
        leftover.write_bytes(b"half")
    writer, _ = RunWriter.reopen(path)
    writer.close()
    assert not any(leftover.exists() for leftover in leftovers)


def test_folder_of_a_run_killed_while_it_was_made_is_swept_away_later(start: Start) -> None:
    writer = start()
    writer.close()
    results = writer.path.parent
    ages = {f".{'0' * 32}.new": 7200, f".{'1' * 32}.new": 60, ".precious.new": 7200}
    for name, age in ages.items():
        (results / name).mkdir()
        (results / name / "run.json").touch()
        moment = time.time() - age
        os.utime(results / name, (moment, moment))
    start("second").close()
    assert {name for name in ages if (results / name).exists()} == {f".{'1' * 32}.new", ".precious.new"}


def test_run_at_work_is_refused_with_the_process_that_holds_it(start: Start) -> None:
    writer = start()
    assert RunRecord.open(writer.path).is_running
    with pytest.raises(RecordLocked, match=f"in use by process {os.getpid()} on "):
        RunWriter.reopen(writer.path)
    writer.close()
    assert not RunRecord.open(writer.path).is_running
    again, _ = RunWriter.reopen(writer.path)
    with pytest.raises(RecordLocked):
        RunWriter.reopen(writer.path)
    again.close()


def test_killed_process_leaves_no_lock(start: Start) -> None:
    writer = start()
    path = killed(writer)
    code = (
        "import sys\nfrom neuroevo.records import RunWriter\n"
        "writer, _ = RunWriter.reopen(sys.argv[1])\nprint('locked', flush=True)\nsys.stdin.read()\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "locked\n"
    with pytest.raises(RecordLocked, match=f"process {child.pid}"):
        RunWriter.reopen(path)
    child.kill()
    child.communicate()
    writer, _ = RunWriter.reopen(path)
    writer.close()


def test_state_that_does_not_fit_is_an_error_of_the_record(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"does not fit its scenario \(KeyError: 'seconds'\)"), restoring(tmp_path):
        _ = {}["seconds"]
    for kind in (RecordLocked, MemoryError, OutOfMemory, RuntimeError, AttributeError):
        with pytest.raises(kind) as caught, restoring(tmp_path):
            raise kind("it stays what it is")
        assert type(caught.value) is kind


def test_finished_run_can_be_extended(finished: Path, network: Network, problem: SequenceProblem) -> None:
    writer, restored = RunWriter.reopen(finished)
    assert restored is not None
    assert restored["generation"] == 8
    record = RunRecord.open(finished)
    assert (record.status, record.stop_reason) == ("running", None)
    advance(writer, 9, 10)
    finish(writer, network, problem)
    assert RunRecord.open(finished).history.n_generations == 10

"""Full disks, read-only and vanished folders, and kills at every call: one clear error, and what was there still opens."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuroevo.errors import OutOfMemory
from neuroevo.networks import Network
from neuroevo.problems import SequenceProblem
from neuroevo.records import RecordUnwritable, RunRecord, RunWriter
from tests.records.conftest import SCENARIO, advance, finish, row, state

Start = Callable[..., RunWriter]
ROOT = Path(__file__).parents[2]


def test_kill_at_every_call_that_changes_the_disk_loses_nothing(tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: PLW1510 - the code is asserted below, with what was said
        [sys.executable, "-m", "tests.records.crash_points", str(tmp_path)],
        capture_output=True, text=True, timeout=300, cwd=ROOT, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "all ended with the same bytes" in done.stdout


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own of 256 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None:
        pytest.skip("only root can mount a small file system")
    made = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)], check=False, capture_output=True
    )
    if made.returncode:
        pytest.skip("this system lets nobody mount a small file system")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True, capture_output=True)


def fill(filler: Path) -> None:
    """Take what space there is."""
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def test_disk_that_fills_in_a_checkpoint_leaves_a_record_that_resumes(
    small_disk: Path, network: Network, problem: SequenceProblem, finished: Path
) -> None:
    writer = RunWriter.create(
        small_disk, "run", scenario_toml=SCENARIO, run={"seed": 3}, problem=problem, network=network
    )
    advance(writer, 1, 4)
    filler = small_disk / "filler"
    fill(filler)
    with pytest.raises(RecordUnwritable, match=r"No space left on device \(free some space and resume the run\)"):
        advance(writer, 5, 8)
    writer.log("a full disk does not matter to the log")
    writer.close()
    assert RunRecord.open(writer.path).history.n_generations >= 4
    filler.unlink()
    writer, restored = RunWriter.reopen(writer.path)
    assert restored is not None
    assert restored["generation"] == 4
    advance(writer, 5, 8)
    finish(writer, network, problem)
    for name in ("history.csv", "champion.npz"):
        assert (writer.path / name).read_bytes() == (finished / name).read_bytes()


def test_run_that_cannot_be_made_on_a_full_disk_leaves_nothing_behind(
    small_disk: Path, network: Network, problem: SequenceProblem
) -> None:
    filler = small_disk / "filler"
    fill(filler)
    with pytest.raises(RecordUnwritable, match="No space"):
        RunWriter.create(small_disk, "run", scenario_toml="", run={}, problem=problem, network=network)
    assert [path.name for path in small_disk.iterdir()] == ["filler"]


def test_file_size_limit_in_a_checkpoint_leaves_the_one_before(start: Start) -> None:
    writer = start()
    advance(writer, 1, 2)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        writer.append(row(3))
        with pytest.raises(RecordUnwritable, match="ulimit -f"):
            writer.checkpoint(3, state(3) | {"strategy.large": np.zeros(10_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    writer.close()
    assert not list(writer.path.rglob("*.tmp"))
    writer, restored = RunWriter.reopen(writer.path)
    writer.close()
    assert restored is not None
    assert restored["generation"] == 2


def test_row_that_no_longer_fits_is_taken_back_whole(start: Start) -> None:
    writer = start()
    advance(writer, 1, 3)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = (writer.path / "history.csv").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 50, hard))
    try:
        with pytest.raises(RecordUnwritable, match=r"history\.csv"):
            writer.append(row(4))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (writer.path / "history.csv").stat().st_size == size
    writer.append(row(4))  # the disk has room again, and the run may go on
    writer.close()
    assert RunRecord.open(writer.path).history["generation"].tolist() == [1, 2, 3, 4]


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Path]:
    """A folder in which we may not write; root does without its privilege for a while."""
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    yield folder
    os.seteuid(user)


def test_results_folder_without_permission_is_a_clear_error(
    locked: Path, network: Network, problem: SequenceProblem
) -> None:
    with pytest.raises(RecordUnwritable, match=r"cannot write .*: .*denied \(you may not write there"):
        RunWriter.create(locked, "run", scenario_toml="", run={}, problem=problem, network=network)


def test_results_folder_that_is_a_file_is_a_clear_error(
    tmp_path: Path, network: Network, problem: SequenceProblem
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RecordUnwritable, match="cannot write"):
        RunWriter.create(tmp_path / "file", "run", scenario_toml="", run={}, problem=problem, network=network)


def test_folder_that_vanishes_is_noticed_at_the_next_checkpoint(start: Start) -> None:
    writer = start()
    advance(writer, 1, 2)
    shutil.rmtree(writer.path)
    writer.append(row(3))
    with pytest.raises(RecordUnwritable, match="the folder has vanished"):
        writer.checkpoint(3, state(3))
    with pytest.raises(RecordUnwritable):
        writer.finish({})
    writer.close()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EIO, errno.EDQUOT])
def test_error_of_the_disk_at_the_last_moment_keeps_the_old_file(
    finished: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    before = (finished / "run.json").read_bytes()
    writer, _ = RunWriter.reopen(finished)
    running = (finished / "run.json").read_bytes()

    def fail(handle: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(RecordUnwritable, match=os.strerror(number)):
        writer.update({"title": "another"})
    writer.close()
    assert (finished / "run.json").read_bytes() == running != before
    assert not list(finished.rglob("*.tmp"))


def test_memory_that_runs_out_while_reading_is_a_clear_error(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: Any, **options: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(np, "loadtxt", fail)
    with pytest.raises(OutOfMemory, match=r"out of memory while .*history\.csv was read"):
        _ = RunRecord.open(finished).history

"""The data of a set of runs are stored once, and each run is whole by itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

import neuroevo as ne
from neuroevo.records import RunRecord
from neuroevo.records.files import write_shared
from tests.reference.make_records_v2 import write_scenario

SHORT = {"stop.generations": 2, "strategy.population_size": 6}


def n_files(folder: Path) -> int:
    """Files of data below a folder, those of several names once."""
    return len({path.stat().st_ino for path in folder.rglob("data.npz")})


def test_trials_and_points_share_one_file_unless_their_data_differ(tmp_path: Path) -> None:
    scenario = write_scenario(tmp_path)
    trials = ne.run_trials(scenario, 3, overrides=SHORT, results=tmp_path / "trials")
    assert n_files(trials.path) == 1
    assert (trials.path / "data.npz").stat().st_nlink == 4
    trials = ne.run_trials(scenario, 4, overrides=SHORT, results=tmp_path / "trials")
    assert (trials.path / "data.npz").stat().st_nlink == 5
    options = {"overrides": SHORT, "trials": 2, "results": tmp_path / "sweeps"}
    same = ne.run_sweep(scenario, over={"network.n_hidden": [2, 3]}, **options)
    assert n_files(same.path) == 1
    other = ne.run_sweep(scenario, over={"problem.washout": [1, 2]}, **options)
    assert n_files(other.path) == 2
    assert len(list(other.path.glob("*/data.npz"))) == 2
    assert not (other.path / "data.npz").exists()
    for path in (tmp_path / "sweeps").rglob("run.json"):
        record = RunRecord.open(path.parent)
        assert record.altered == ()
        assert record.problem.n_sequences == 6


def test_a_run_that_leaves_its_set_is_whole(tmp_path: Path) -> None:
    trials = ne.run_trials(write_scenario(tmp_path), 2, overrides=SHORT, results=tmp_path / "results")
    shutil.copytree(trials.path / "seed7", tmp_path / "copied")
    subprocess.run(["tar", "cf", "one.tar", "-C", trials.path, "seed8"], cwd=tmp_path, check=True)
    subprocess.run(["tar", "cf", "set.tar", "-C", tmp_path / "results", trials.path.name], cwd=tmp_path, check=True)
    expected = trials.trial(7).champion.genome.tolist()
    shutil.rmtree(trials.path)
    for name in ("one.tar", "set.tar"):
        subprocess.run(["tar", "xf", name], cwd=tmp_path, check=True)
    with tarfile.open(tmp_path / "set.tar") as archive:
        stored = [member.isreg() for member in archive if member.name.endswith("data.npz")]
    assert sorted(stored) == [False, False, True]
    for folder in ("copied", "seed8", f"{trials.path.name}/seed7"):
        record = RunRecord.open(tmp_path / folder)
        assert record.altered == ()
        assert record.problem.n_sequences == 6
    longer = ne.extend(tmp_path / "copied", overrides={"stop.generations": 4})
    assert longer.history.n_generations == 4
    assert RunRecord.open(tmp_path / f"{trials.path.name}/seed7").champion.genome.tolist() == expected


def test_whoever_cannot_share_has_a_file_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = tmp_path / "shared"
    for name in ("a", "b"):
        write_shared(tmp_path / name, b"content", shared)
    assert shared.stat().st_nlink == 3
    write_shared(tmp_path / "c", b"another", shared)
    assert (tmp_path / "c").read_bytes() == b"another"
    assert shared.read_bytes() == b"content"
    write_shared(tmp_path / "d", b"content and more", shared)
    assert (tmp_path / "d").read_bytes() == b"content and more"

    def refuse(*names: object) -> None:
        raise PermissionError(1, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    for name in ("e", "f"):
        write_shared(tmp_path / name, b"content", tmp_path / "none" if name == "f" else shared)
        assert (tmp_path / name).read_bytes() == b"content"
        assert (tmp_path / name).stat().st_nlink == 1


def test_two_runs_that_begin_at_once_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared, link = tmp_path / "shared", os.link

    def overtaken(source: Path, target: Path) -> None:
        if target == shared:
            monkeypatch.setattr(os, "link", link)
            shared.write_bytes(b"content")
        link(source, target)

    monkeypatch.setattr(os, "link", overtaken)
    write_shared(tmp_path / "a", b"content", shared)
    assert (tmp_path / "a").stat().st_ino == shared.stat().st_ino

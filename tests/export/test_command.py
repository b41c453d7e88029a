"""The command as its users meet it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

import neuroevo as ne
from tests.cli.test_commands import neuroevo


def test_a_run_becomes_files_in_the_present_folder(small_scenario: Path, tmp_path: Path) -> None:
    ne.run(small_scenario, results=tmp_path / "runs", overrides={"stop.generations": 1})
    done = neuroevo("export", "runs/small-seed1", "--to", "numpy", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["small-seed1-numpy/model.npz", "small-seed1-numpy/model.py"]
    assert done.stderr.startswith("checked with NumPy: ")
    assert np.load(tmp_path / "small-seed1-numpy" / "model.npz")["weight_ih_l0"].shape == (3, 1)
    again = neuroevo("export", "runs/small-seed1", "--to", "numpy", cwd=tmp_path)
    assert again.returncode == 2
    assert "is there already" in again.stderr
    options = ["--out", "small-seed1-numpy", "--precision", "double", "--overwrite", "--json"]
    told = json.loads(neuroevo("export", "runs/small-seed1", "--to", "numpy", *options, cwd=tmp_path).stdout)
    assert told["files"] == ["small-seed1-numpy/model.npz", "small-seed1-numpy/model.py"]
    assert told["difference"] < 1e-12


def test_what_cannot_be_done_is_one_line(small_scenario: Path, tmp_path: Path) -> None:
    run = ne.run(small_scenario, results=tmp_path / "runs", overrides={"stop.generations": 1}).path
    over = {"network.n_hidden": [1, 2]}
    sweep = ne.run_sweep(small_scenario, over=over, results=tmp_path, overrides={"stop.generations": 1}).path
    for arguments, words in (
        ([run, "--to", "onyx"], "there is no export format 'onyx'; did you mean 'onnx'?"),
        ([tmp_path / "runs", "--to", "numpy"], "is not the folder of a run"),
        ([sweep, "--to", "numpy"], "name the folder of a point in it"),
    ):
        done = neuroevo("export", *arguments, cwd=tmp_path)
        assert done.returncode == 2
        assert words in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert done.stdout == ""

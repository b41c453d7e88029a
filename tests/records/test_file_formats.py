"""docs/file-formats.md is true: its reader runs, and it names every file, column, key and array of a real record."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest

from neuroevo.analysis import write_ensemble, write_summaries
from neuroevo.networks import Network
from neuroevo.problems import SequenceProblem
from neuroevo.records import RunRecord, RunWriter, SweepSet, TrialSet
from neuroevo.stopping import COLUMNS
from tests.analysis.test_ensembles import small_set
from tests.records.conftest import advance, finish
from tests.records.test_predictors import series

PAGE = (Path(__file__).parents[2] / "docs" / "file-formats.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`([^`\n]+)`", PAGE))


def test_reader_of_the_page_reads_a_record(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert found
    code = found.group(1)
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    exec(compile(code, "page", "exec"), {"folder": str(finished)})  # noqa: S102 - the page's own code is the test
    record = RunRecord.open(finished)
    lowest = record.history["incumbent_error"].min()
    assert capsys.readouterr().out.splitlines() == [
        "A sine finished 8 generations done",
        f"8 generations, error {lowest} by {' '.join(record.champion.arrays)}",
    ]


def test_page_names_every_file_of_a_record(finished: Path) -> None:
    described = {name.replace("000000123", "*").partition("/")[0] for name in NAMED}
    for path in finished.iterdir():
        assert path.name in described, path.name


def test_page_names_every_column(finished: Path) -> None:
    with (finished / "history.csv").open(newline="") as file:
        assert tuple(next(csv.reader(file))) == COLUMNS
    assert set(COLUMNS) <= NAMED


def test_page_names_every_entry_of_run_json(finished: Path, network: Network, problem: SequenceProblem) -> None:
    writer, _ = RunWriter.reopen(finished)
    finish(writer, network, problem)
    run = json.loads((finished / "run.json").read_text())
    described = {part for name in NAMED for part in name.split(".")}
    for key, value in run.items():
        assert key in described, key
        for inner in value if isinstance(value, dict) and key != "versions" else ():
            assert inner in described | NAMED, f"{key}.{inner}"


@pytest.mark.parametrize("file", ["champion.npz", "data.npz", "checkpoints/000000008.npz"])
def test_page_names_every_array(finished: Path, file: str) -> None:
    groups = [name.removesuffix("NAME").removesuffix("*") for name in NAMED if name.endswith((".NAME", "*"))]
    with np.load(finished / file) as archive:
        for name in archive.files:
            known = name in NAMED or any(group and name.startswith(group) for group in groups)
            assert known or name == "restarted", name


def add_trial(trials: TrialSet, network: Network, problem: SequenceProblem) -> None:
    with RunWriter.create(
        trials.path, TrialSet.name_of(1), scenario_toml="", run={"seed": 1}, problem=problem, network=network
    ) as writer:
        advance(writer, 1, 1)
        finish(writer, network, problem)


def test_page_names_the_files_of_a_set_of_trials(tmp_path: Path, network: Network, problem: SequenceProblem) -> None:
    trials = TrialSet.open(tmp_path, "set", identity="x", title="y")
    add_trial(trials, network, problem)
    summary = write_summaries(trials)
    for path in trials.path.iterdir():
        assert path.name == "seed1" or path.name in NAMED
    assert set(json.loads((trials.path / "trials.json").read_text())) <= NAMED
    assert set(summary) <= NAMED
    assert {key for figure in summary["figures"].values() for key in figure} <= NAMED
    with (trials.path / "summary.csv").open(newline="") as file:
        assert set(next(csv.reader(file))) <= NAMED


def test_page_names_all_of_an_ensemble(tmp_path: Path) -> None:
    trials = small_set(tmp_path, series())
    write_ensemble(trials)
    assert {"ensemble.json", "ensemble.npz"} <= NAMED
    with np.load(trials.path / "ensemble.npz") as archive:
        for name in archive.files:
            assert re.sub(r"^member\d+\.(genome|scaling_)(.*)", r"memberK.\1", name) in {
                each.rstrip("*") for each in NAMED
            }
    contents = json.loads((trials.path / "ensemble.json").read_text())
    described = {part for name in NAMED for part in name.split(".")}
    figures = contents["intervals"]["parts"]["test"]
    assert {
        *contents,
        *contents["members"][0],
        *contents["members"][0]["network"],
        *contents["intervals"],
        *figures,
    } <= described


def test_page_names_the_files_of_a_sweep(tmp_path: Path, network: Network, problem: SequenceProblem) -> None:
    sweep = SweepSet.open(tmp_path, "sweep", identity="x", keys=["network.n_hidden"], title="y")
    trials = TrialSet.open(sweep.path, "n_hidden=3", identity="x", values={"network.n_hidden": 3})
    add_trial(trials, network, problem)
    summary = write_summaries(sweep)
    for path in sweep.path.iterdir():
        assert path.name == "n_hidden=3" or path.name in NAMED
    for file in (sweep.path / "sweep.json", trials.path / "trials.json"):
        assert set(json.loads(file.read_text())) <= NAMED
    assert {*summary, *summary["points"][0]} <= NAMED
    for name in ("runs.csv", "summary.csv"):
        with (sweep.path / name).open(newline="") as file:
            columns = {column.removesuffix(".lower").removesuffix(".upper") for column in next(csv.reader(file))}
        assert columns <= NAMED | {"network.n_hidden"}


def test_fingerprint_is_made_as_the_page_says(finished: Path) -> None:
    import hashlib

    digest = hashlib.sha256()
    with np.load(finished / "data.npz") as archive:
        for name in sorted(archive.files):
            array = np.ascontiguousarray(archive[name]).reshape(archive[name].shape)
            digest.update(f"{name}\0{array.dtype.str}\0{array.shape}\0".encode() + array.tobytes())
    assert json.loads((finished / "run.json").read_text())["data"]["sha256"] == digest.hexdigest()

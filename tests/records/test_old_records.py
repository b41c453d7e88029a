"""Records of earlier format versions can still be opened, shown, resumed and extended."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import numpy as np
import pytest

import neuroevo as ne
from neuroevo.cli.texts import folder_text
from neuroevo.records import RunRecord
from neuroevo.stopping import COLUMNS
from tests.reference.make_records_v1 import FOLDER, write_scenario


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Copies of the records, which tests may write to."""
    shutil.copytree(FOLDER, tmp_path / "old")
    return tmp_path / "old"


def rows(record: RunRecord) -> dict[str, list[float]]:
    """The history's columns of version 1, but for the seconds."""
    return {name: record.history[name].tolist() for name in COLUMNS if name != "seconds"}


def test_a_finished_record_is_opened_and_shown(old: Path) -> None:
    record = RunRecord.open(old / "finished")
    assert record.run["format_version"] == 1
    assert (record.status, record.history.n_generations) == ("finished", 6)
    outputs = record.network.predict(record.champion.genome, record.problem.inputs)
    squares = (outputs - record.problem.targets)[record.problem.counted("validation")] ** 2
    assert squares.mean() == pytest.approx(record.champion.figures["validation_error"], rel=1e-4)
    shown = folder_text(old / "finished")
    assert "A record of format version 1" in shown
    assert "6 generations done" in shown
    assert "linear autoregression" in shown


def test_a_finished_record_forecasts(old: Path) -> None:
    record, table = RunRecord.open(old / "finished"), ne.open_model(old / "finished").forecast(3)
    problem, known = record.problem.original, record.problem.original.inputs[0, :, 0].tolist()
    known.append(float(problem.targets[0, -1, 0]))
    for value, row in zip(table.prediction[:, 0], table.keys["row"], strict=True):
        known.append(float(record.predictor().predict([[[x] for x in known]])[0, -1, 0]))
        assert (row, value) == (len(known), pytest.approx(known[-1], rel=1e-12))


def test_a_killed_record_is_shown_and_resumed_to_the_bits_of_the_finished_one(old: Path) -> None:
    assert "not finished" in folder_text(old / "killed")
    resumed = ne.resume(old / "killed")
    expected = RunRecord.open(old / "finished")
    assert rows(resumed) == rows(expected)
    assert (resumed.path / "champion.npz").read_bytes() == (expected.path / "champion.npz").read_bytes()


def test_an_extended_record_is_the_run_that_it_would_be_today(old: Path, tmp_path: Path) -> None:
    longer = {"stop.generations": 9}
    # With the strategy's settings as they are recorded: its defaults are others today.
    strategy = tomllib.loads((FOLDER / "finished" / "scenario.toml").read_text(encoding="utf-8"))["strategy"]
    today = ne.run(write_scenario(tmp_path), overrides={**longer, "strategy": strategy}, results=tmp_path / "today")
    for name in ("finished", "killed"):
        extended = ne.extend(old / name, overrides=longer)
        assert rows(extended) == rows(today)
        np.testing.assert_array_equal(extended.champion.genome, today.champion.genome)

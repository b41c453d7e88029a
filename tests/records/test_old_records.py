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
from tests.reference import make_records_v2
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


@pytest.fixture
def padded(tmp_path: Path) -> Path:
    """Copies of the records whose sequences of unequal lengths are padded."""
    shutil.copytree(make_records_v2.FOLDER, tmp_path / "padded")
    return tmp_path / "padded"


def test_a_record_with_padded_sequences_is_opened_shown_and_intact(padded: Path) -> None:
    record = RunRecord.open(padded / "finished")
    assert (record.run["format_version"], record.altered) == (2, ())
    problem, champion = record.problem, record.champion
    assert problem.lengths.tolist() == [9, 4, 2, 11, 17, 6]
    assert problem.input_rows.shape == (49, 2)
    outputs = record.network.predict_rows(champion.genome, problem.input_rows, problem.lengths)
    squares = (outputs - problem.target_rows)[problem.counted_rows("validation")] ** 2
    assert squares.mean() == pytest.approx(champion.figures["validation_error"], rel=1e-4)
    results, recorded = problem.results(record.network, champion.genome).to_dict(), record.run["results"]
    for name in ("champion", "mean of the training targets"):
        for part, figures in recorded["contestants"][name].items():
            assert results["contestants"][name][part] == pytest.approx(figures)
    assert "6 generations done" in folder_text(padded / "finished")
    assert record.predictor().calibration is not None


def test_a_killed_record_with_padded_sequences_ends_as_the_finished_one_and_as_today(
    padded: Path, tmp_path: Path
) -> None:
    expected = RunRecord.open(padded / "finished")
    resumed = ne.resume(padded / "killed")
    today = ne.run(make_records_v2.write_scenario(tmp_path), results=tmp_path / "today")
    for record in (resumed, today):
        assert rows(record) == rows(expected)
        assert record.champion.genome.tobytes() == expected.champion.genome.tobytes()
    with np.load(today.path / "data.npz") as stored:
        assert stored["inputs"].shape == (49, 2)
        assert stored["part_masks"].shape == (3, 49)
    longer = [ne.extend(path, overrides={"stop.generations": 8}) for path in (resumed.path, today.path)]
    assert rows(longer[0]) == rows(longer[1])
    assert len(rows(longer[0])["generation"]) == 8

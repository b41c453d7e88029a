"""A set of trials: those done are skipped, those of another scenario left alone, and the summary is arithmetic."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest

from neuroevo.networks import Network
from neuroevo.problems import SequenceProblem
from neuroevo.records import RecordError, RunWriter, TrialSet, summarised
from neuroevo.stopping import StopReason
from tests.records.conftest import advance

ERRORS = [0.5, 0.125, 2.0, 0.25, 1.0]


def add(
    trials: TrialSet, seed: int, network: Network, problem: SequenceProblem, *, stop: str = "error", done: bool = True
) -> RunWriter:
    writer = RunWriter.create(
        trials.path, TrialSet.name_of(seed), scenario_toml="[stop]\nerror = 0.3\ngenerations = 9\n",
        run={"seed": seed}, problem=problem, network=network, numbered=False,
    )  # fmt: skip
    advance(writer, 1, 2)
    if done:
        measures = {"mse": ERRORS[seed], "arv": None}
        writer.finish(
            {
                "stop_reason": StopReason(stop, ERRORS[seed], "so it ended").to_dict(),
                "generations": 2,
                "evaluations": 14,
                "seconds": 0.25,
                "champion": {"error": ERRORS[seed]},
                "results": {
                    "measures": {"mse": "mean squared error"},
                    "contestants": {"champion": {"test": measures}, "last value": {"test": {"mse": 9.0}}},
                },
            }
        )
    writer.close()
    return writer


@pytest.fixture
def trials(tmp_path: Path, network: Network, problem: SequenceProblem) -> TrialSet:
    trials = TrialSet.open(tmp_path / "results", "sine-trials", identity="scenario A", title="A sine")
    for seed in (0, 1, 2, 3):
        add(trials, seed, network, problem, stop="error" if ERRORS[seed] < 0.3 else "generations")
    add(trials, 4, network, problem, done=False)
    return trials


def test_set_of_the_same_scenario_is_found_again(trials: TrialSet) -> None:
    again = TrialSet.open(trials.path.parent, "sine-trials", identity="scenario A")
    assert again.path == trials.path
    assert again.missing(range(6)) == [4, 5]
    unfinished = again.trial(4)
    assert unfinished is not None
    assert unfinished.status == "running"
    assert again.trial(5) is None
    assert TrialSet.read(trials.path).path == trials.path


def test_set_of_another_scenario_gets_a_folder_of_its_own(trials: TrialSet) -> None:
    other = TrialSet.open(trials.path.parent, "sine-trials", identity="scenario B")
    assert other.path.name == "sine-trials-2"
    assert other.missing([0]) == [0]
    assert TrialSet.open(trials.path.parent, "sine-trials", identity="scenario B").path == other.path


def test_trial_is_made_once(trials: TrialSet, network: Network, problem: SequenceProblem) -> None:
    with pytest.raises(RecordError, match="there already"):
        add(trials, 3, network, problem)
    assert len(trials.trials()) == 5
    assert not [path for path in trials.path.iterdir() if path.name.startswith(".")]


def test_summary_has_a_row_a_trial_and_the_quartiles_of_the_finished_ones(trials: TrialSet) -> None:
    trials.summarise()
    with (trials.path / "summary.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["seed"] for row in rows] == ["0", "1", "2", "3", "4"]
    assert [row["status"] for row in rows] == ["finished"] * 4 + ["running"]
    assert [row["success"] for row in rows] == ["0.0", "1.0", "0.0", "1.0", "nan"]
    assert [float(row["test.mse"]) for row in rows[:4]] == ERRORS[:4]
    assert math.isnan(float(rows[4]["test.mse"]))
    summary = json.loads((trials.path / "summary.json").read_text())
    assert (summary["n_trials"], summary["n_finished"], summary["success"]) == (5, 4, 0.5)
    lower, median, upper = np.quantile(ERRORS[:4], [0.25, 0.5, 0.75])
    assert summary["figures"]["test.mse"] == {
        "n": 4, "median": median, "lower_quartile": lower, "upper_quartile": upper, "iqr": upper - lower,
        "min": 0.125, "max": 2.0,
    }  # fmt: skip
    assert summary["figures"]["test.arv"]["n"] == 0
    assert summary["figures"]["test.arv"]["median"] is None


def test_damaged_trial_is_left_out_of_the_summary(trials: TrialSet) -> None:
    (trials.path / "seed0" / "run.json").write_text("{")
    assert trials.summarise()["n_trials"] == 4
    with pytest.raises(RecordError):
        trials.is_done(0)


def test_success_is_unknown_without_a_target(trials: TrialSet) -> None:
    for record in trials.trials():
        (record.path / "scenario.toml").write_text("[stop]\ngenerations = 9\n")
    assert summarised(trials.rows())["success"] is None


@pytest.mark.parametrize(
    "content", [None, "{", "[]", '{"format": "neuroevo-run"}', '{"format": "neuroevo-trials", "format_version": 9}']
)
def test_other_folder_is_no_set(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "trials.json").write_text(content)
    with pytest.raises(RecordError, match="set of trials"):
        TrialSet.read(tmp_path)

"""What trials and points have in common is arithmetic over their records."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np

from neuroevo.analysis import summary, write_summaries
from neuroevo.networks import Network
from neuroevo.problems import SequenceProblem
from neuroevo.records import SweepSet, TrialSet
from tests.records.test_trials import ERRORS, add


def test_summary_has_a_row_a_trial_and_the_quartiles_of_the_finished_ones(trials: TrialSet) -> None:
    write_summaries(trials)
    with (trials.path / "summary.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["seed"] for row in rows] == ["0", "1", "2", "3", "4"]
    assert [row["status"] for row in rows] == ["finished"] * 4 + ["running"]
    assert [row["success"] for row in rows] == ["0.0", "1.0", "0.0", "1.0", "nan"]
    assert [float(row["test.mse"]) for row in rows[:4]] == ERRORS[:4]
    assert math.isnan(float(rows[4]["test.mse"]))
    written = json.loads((trials.path / "summary.json").read_text())
    assert (written["n_trials"], written["n_finished"], written["success"]) == (5, 4, 0.5)
    lower, median, upper = np.quantile(ERRORS[:4], [0.25, 0.5, 0.75])
    assert written["figures"]["test.mse"] == {
        "n": 4, "median": median, "lower_quartile": lower, "upper_quartile": upper, "iqr": upper - lower,
        "min": 0.125, "max": 2.0,
    }  # fmt: skip
    assert written["figures"]["test.arv"]["n"] == 0
    assert written["figures"]["test.arv"]["median"] is None


def test_damaged_trial_is_left_out_of_the_summary(trials: TrialSet) -> None:
    (trials.path / "seed0" / "run.json").write_text("{")
    assert write_summaries(trials)["n_trials"] == 4


def test_success_is_unknown_without_a_target(trials: TrialSet) -> None:
    for record in trials.trials():
        (record.path / "scenario.toml").write_text("[stop]\ngenerations = 9\n")
    assert summary(trials)["success"] is None


def test_a_sweep_is_summarised_by_point_and_chosen_by_validation_where_there_is_some(
    tmp_path: Path, network: Network, problem: SequenceProblem
) -> None:
    sweep = SweepSet.open(tmp_path, "sweep", identity="x", keys=["a.b"])
    for number in (1, 0):
        point = TrialSet.open(sweep.path, f"b={number}", identity=str(number), values={"a.b": number})
        for seed in (number, number + 2):
            add(point, seed, network, problem)
    found = summary(sweep)
    assert [point["values"] for point in found["points"]] == [{"a.b": 0}, {"a.b": 1}]
    assert [point["figures"]["champion.error"]["median"] for point in found["points"]] == [
        np.median([ERRORS[0], ERRORS[2]]), np.median([ERRORS[1], ERRORS[3]]),
    ]  # fmt: skip
    assert found["chosen_by"] == "champion.error"
    run = sweep.path / "b=0" / "seed0" / "run.json"
    values = json.loads(run.read_text())
    values["champion"]["validation_error"] = 0.5
    run.write_text(json.dumps(values))
    assert summary(sweep)["chosen_by"] == "champion.validation_error"
    assert write_summaries(sweep) == summary(sweep) == json.loads((sweep.path / "summary.json").read_text())
    with (sweep.path / "runs.csv").open(newline="") as file:
        assert [(row["point"], row["seed"]) for row in csv.DictReader(file)] == [
            ("b=0", "0"), ("b=0", "2"), ("b=1", "1"), ("b=1", "3"),
        ]  # fmt: skip

"""Runs of folds: each is the run that it would be alone, sets are completed, and the mean over the folds ranks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import neuroevo as ne
from neuroevo.analysis import ranked, summary
from neuroevo.cli.texts import scenario_text, summary_text
from neuroevo.problems.folds import fold
from neuroevo.records import saved_ensemble
from neuroevo.scenario import ScenarioError
from neuroevo.trials import wants_many
from tests.results import results_of
from tests.test_trials import Crash, Crashing, history, rows

SHORT = {"stop.generations": 3}
FOLDS = "\n[generalise]\nfolds = 3\n"


@pytest.fixture
def scenario(small_scenario: Path) -> Path:
    small_scenario.write_text(small_scenario.read_text() + FOLDS)
    return small_scenario


def test_each_fold_is_the_run_of_its_own_scenario(scenario: Path, tmp_path: Path) -> None:
    found = ne.run_trials(scenario, 2, overrides=SHORT, results=tmp_path)
    assert found.path == tmp_path / "small-folds"
    trials = found.trials()
    assert [(each.run["seed"], each.run["fold"]) for each in trials] == [(s, f) for s in (1, 2) for f in (1, 2, 3)]
    whole = ne.load_scenario(scenario).problem
    for record in trials:
        problem = fold(whole, record.run["fold"], 3, "rolling")
        assert record.problem.fingerprint() == problem.fingerprint()
        assert set(record.problem.parts) == {"train", "validation"}
        # The record's scenario and the data beside it say all that the run depends on.
        copy = scenario.parent / "again.toml"
        copy.write_bytes((record.path / "scenario.toml").read_bytes())
        alone = ne.run(copy, results=tmp_path / "alone")
        assert history(alone.path) == history(record.path)
        assert alone.problem.fingerprint() == problem.fingerprint()
        resumed = ne.extend(record.path, overrides={"stop.generations": 4})
        assert resumed.problem.fingerprint() == problem.fingerprint()


def test_a_run_alone_has_the_parts_of_its_scenario_and_no_folds(scenario: Path, tmp_path: Path) -> None:
    record = ne.run(scenario, overrides=SHORT, results=tmp_path)
    assert set(record.problem.parts) == {"train", "validation", "test"}
    assert "generalise" not in record.scenario
    assert "fold" not in record.run
    assert wants_many(scenario, {})
    assert not wants_many(scenario, {"generalise.fold": 2})
    found = ne.run_trials(scenario, 1, folds=0, overrides=SHORT, results=tmp_path)
    assert [each.path.name for each in found.trials()] == ["seed1"]
    assert history(found.trials()[0].path) == history(record.path)


def test_summary_has_the_mean_over_the_folds_in_original_units(scenario: Path, tmp_path: Path) -> None:
    found = ne.run_trials(scenario, 2, overrides=SHORT, results=tmp_path)
    errors = np.zeros((2, 3))
    for record in found.trials():
        problem = record.problem
        outputs = record.network.predict(record.champion.genome, problem.inputs)
        miss = (problem.predictions(outputs) - problem.original.targets)[problem.counted("validation")]
        errors[record.run["seed"] - 1, record.run["fold"] - 1] = (miss**2).mean()
    over = json.loads((found.path / "summary.json").read_text())["folds"]
    assert over == summary(found)["folds"]
    assert over["measure"] == "mean squared error (original units)"
    np.testing.assert_allclose(list(over["each"].values()), errors.mean(axis=0), rtol=1e-9)
    assert over["mean"] == pytest.approx(errors.mean(), rel=1e-9)
    assert over["deviation"] == pytest.approx(errors.mean(axis=0).std(ddof=1), rel=1e-9)
    assert "over 3 folds: " in summary_text(summary(found))
    assert saved_ensemble(found.path) is None
    with pytest.raises(ne.BadInput, match="different data or parts"):
        ne.ensemble(found.path)


def test_a_sweep_of_folds_is_ranked_by_their_mean_and_completed(scenario: Path, tmp_path: Path) -> None:
    over = {"network.n_hidden": [1, 3]}
    whole = ne.run_sweep(scenario, over=over, overrides=SHORT, results=tmp_path / "whole")
    there = tmp_path / "crashed"
    with pytest.raises(Crash):
        ne.run_sweep(scenario, over=over, overrides=SHORT, results=there, callbacks=[Crashing(4)])
    sweep = ne.run_sweep(scenario, over=over, overrides=SHORT, results=there)
    folders = [sorted(path.glob("*/fold*")) for path in (whole.path, sweep.path)]
    assert len(folders[0]) == 6
    assert [history(path) for path in folders[0]] == [history(path) for path in folders[1]]
    means = {point["folder"]: point["folds"]["mean"] for point in summary(sweep)["points"]}
    by_hand = {}
    for point in sweep.points():
        runs = [row for row in rows(sweep.path / "runs.csv") if row["point"] == point.path.name]
        by_hand[point.path.name] = np.mean([float(row["validation.mse"]) for row in runs])
    assert means == pytest.approx(by_hand)
    assert [point["folder"] for point in ranked(summary(sweep))] == sorted(means, key=means.__getitem__)
    assert "mean ± standard deviation over the folds" in summary_text(summary(sweep))
    assert [float(row["folds.validation_error.mean"]) for row in rows(sweep.path / "summary.csv")] == pytest.approx(
        [means[row["folder"]] for row in rows(sweep.path / "summary.csv")]
    )


def test_more_folds_are_another_set(scenario: Path, tmp_path: Path) -> None:
    first = ne.run_trials(scenario, 1, overrides=SHORT, results=tmp_path)
    more = ne.run_trials(scenario, 2, overrides=SHORT, results=tmp_path)
    other = ne.run_trials(scenario, 1, folds=2, overrides=SHORT, results=tmp_path)
    assert (more.path, len(more.trials())) == (first.path, 6)
    assert (other.path.name, len(other.trials())) == ("small-folds-2", 2)


def test_folds_of_objects(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    problem = ne.SequenceProblem(rng.normal(size=(9, 12, 2)), rng.normal(size=(9, 12, 1))).scaled("standard")
    network = ne.Elman(2, 2, 1)
    table = {"folds": 3, "scheme": "sequences"}
    scenario = ne.make_scenario(problem, network, "snes", {"generations": 2}, generalise=table, record={"plots": False})
    found = ne.run_trials(scenario, 1, results=tmp_path)
    assert [int(each.problem.counted("validation").any(axis=(1, 2)).sum()) for each in found.trials()] == [3, 3, 3]
    one = ne.make_scenario(problem, network, "snes", {"generations": 2}, generalise={**table, "fold": 2})
    assert one.problem.fingerprint() == found.trials()[1].problem.fingerprint()
    with pytest.raises(ScenarioError, match="20 folds over sequences need as many"):
        ne.run_trials(scenario, 1, folds=20, results=tmp_path)


@pytest.mark.ray
def test_folds_side_by_side_are_those_of_one_process(ray_here, scenario: Path, tmp_path: Path) -> None:
    here = ne.run_trials(scenario, 1, overrides=SHORT, results=tmp_path / "here")
    there = ne.run_trials(scenario, 1, overrides=SHORT, results=tmp_path / "there", compute=ne.Compute(workers=2))
    assert [results_of(each.path) for each in there.trials()] == [results_of(each.path) for each in here.trials()]
    assert there.trials()[0].run["fold"] == 1


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"folds": 1}, "generalise.folds: must be at least 2"),
        ({"folds": 9}, "9 rolling folds that validate 20 steps each leave nothing to train on of 7"),
        ({"folds": 3, "fold": 4}, "generalise.fold: must be one of the 3 folds"),
        ({"fold": 1}, "generalise.fold: goes with folds only"),
        ({"scheme": "blocked"}, "generalise.scheme: goes with folds only"),
        ({"folds": 3, "scheme": "random"}, "must be 'rolling', 'blocked' or 'sequences'"),
        ({"folds": 3, "scheme": "sequences"}, "got 1: ask for fewer folds"),
        ({"folds": 3, "train_on": "train_and_validation"}, "generalise.folds: needs a validation part"),
    ],
)
def test_folds_that_cannot_be_are_refused_before_anything_is_written(
    small_scenario: Path, tmp_path: Path, table: dict[str, object], message: str
) -> None:
    with pytest.raises(ScenarioError, match=message):
        ne.run_trials(small_scenario, 1, overrides={"generalise": table}, results=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_check_says_how_many_folds_there_are(scenario: Path) -> None:
    assert "  folds    3" in scenario_text(ne.load_scenario(scenario)).splitlines()
    one = ne.load_scenario(scenario, overrides={"generalise.fold": 2, "generalise.scheme": "blocked"})
    assert "  folds    number 2 of 3, blocked" in scenario_text(one).splitlines()

"""Many runs: each is the run that it would be alone, sets are completed, and nothing is written before all is checked."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

import neuroevo as ne
from neuroevo.analysis import ranked
from neuroevo.analysis import summary as summary_of
from neuroevo.callbacks import Callback
from neuroevo.cli.texts import folder_text
from neuroevo.plots import plot_sweep
from neuroevo.problems import sequence as competing
from neuroevo.records import RecordError, SweepSet, saved_ensemble, set_in
from neuroevo.scenario import ScenarioError, load_scenario
from neuroevo.trials import plan_runs, run_plans

OVER = {"network.n_hidden": [2, 4], "strategy.population_size": [6, 8]}
SHORT = {"stop.generations": 3}
SWEEP = """
[sweep]
trials = 2
[sweep.over]
network.n_hidden = [2, 3]
"""


class Crash(Exception):
    pass


class Crashing(Callback):
    """Ends everything at the second generation of a run, as if the process had died."""

    def __init__(self, run: int) -> None:
        self._left = run

    def step(self, text: str) -> None:
        self._left -= 1

    def generation(self, progress: object) -> None:
        if self._left <= 0:
            raise Crash


def history(path: Path) -> list[dict[str, str]]:
    with (path / "history.csv").open() as file:
        return [{key: value for key, value in row.items() if key != "seconds"} for row in csv.DictReader(file)]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_each_run_of_a_sweep_is_the_run_that_it_would_be_alone(small_scenario: Path, tmp_path: Path) -> None:
    sweep = ne.run_sweep(small_scenario, over=OVER, trials=2, seed=5, overrides=SHORT, results=tmp_path)
    assert sweep.path == tmp_path / "small-sweep"
    assert [dict(point.values) for point in sweep.points()] == [
        {"network.n_hidden": n, "strategy.population_size": size} for n in (2, 4) for size in (6, 8)
    ]
    for point in sweep.points():
        assert [record.run["seed"] for record in point.trials()] == [5, 6]
        for record in point.trials():
            values = {**SHORT, **point.values}
            alone = ne.run(small_scenario, seed=record.run["seed"], overrides=values, results=tmp_path / "alone")
            assert history(alone.path) == history(record.path)
            assert alone.scenario == record.scenario


def test_summary_is_over_the_runs_of_each_point(small_scenario: Path, tmp_path: Path) -> None:
    sweep = ne.run_sweep(small_scenario, over=OVER, trials=3, overrides=SHORT, results=tmp_path)
    runs, points = rows(sweep.path / "runs.csv"), rows(sweep.path / "summary.csv")
    assert (len(runs), len(points)) == (12, 4)
    for point in points:
        of_point = [run for run in runs if run["point"] == point["folder"]]
        assert {run["network.n_hidden"] for run in of_point} == {point["network.n_hidden"]}
        errors = [float(run["test.nmse"]) for run in of_point]
        lower, median, upper = np.quantile(errors, [0.25, 0.5, 0.75])
        found = [float(point[f"test.nmse{end}"]) for end in (".lower", "", ".upper")]
        np.testing.assert_allclose(found, [lower, median, upper], rtol=1e-14)
    summary = json.loads((sweep.path / "summary.json").read_text())
    assert summary == json.loads(json.dumps(summary_of(sweep)))
    assert [point["n_finished"] for point in summary["points"]] == [3, 3, 3, 3]


def test_an_interrupted_sweep_goes_on_to_the_same_bits(small_scenario: Path, tmp_path: Path) -> None:
    whole = ne.run_sweep(small_scenario, over=OVER, trials=2, overrides=SHORT, results=tmp_path / "whole")
    there = tmp_path / "crashed"
    with pytest.raises(Crash):
        ne.run_sweep(small_scenario, over=OVER, trials=2, overrides=SHORT, results=there, callbacks=[Crashing(6)])
    done = {path: path.stat().st_mtime_ns for path in there.glob("*/*/seed1/run.json")}
    assert len(done) == 4
    sweep = ne.run_sweep(small_scenario, over=OVER, trials=2, overrides=SHORT, results=there)
    assert {path: path.stat().st_mtime_ns for path in done} == done
    assert [history(path) for path in sorted(there.glob("*/*/seed*"))] == [
        history(path) for path in sorted(whole.path.glob("*/seed*"))
    ]
    assert {run["status"] for run in rows(sweep.path / "runs.csv")} == {"finished"}


def test_more_values_and_seeds_add_to_a_sweep_and_another_scenario_does_not(
    small_scenario: Path, tmp_path: Path
) -> None:
    def run(sizes: list[int], trials: int = 1, **overrides: int) -> SweepSet:
        over = {"strategy.population_size": sizes}
        values = SHORT | {key.replace("__", "."): value for key, value in overrides.items()}
        return ne.run_sweep(small_scenario, over=over, trials=trials, overrides=values, results=tmp_path)

    first = run([6, 8])
    assert run([8, 10], trials=2).path == first.path
    assert [point["n_finished"] for point in summary_of(first)["points"]] == [1, 2, 2]
    other = run([6], network__n_hidden=5)
    assert other.path == tmp_path / "small-sweep-2"
    assert len(first.points()) == 3


def test_a_sweep_in_the_scenario_needs_no_value_of_its_own_beside_it(small_scenario: Path, tmp_path: Path) -> None:
    text = small_scenario.read_text().replace("n_hidden = 3\n", "")
    small_scenario.write_text(text + SWEEP)
    sweep = ne.run_sweep(small_scenario, overrides=SHORT, results=tmp_path)
    assert [point["n_finished"] for point in summary_of(sweep)["points"]] == [2, 2]
    with pytest.raises(ScenarioError, match="n_hidden"):
        ne.run(small_scenario, results=tmp_path)


def test_a_scenario_with_a_sweep_can_be_run_alone(small_scenario: Path, tmp_path: Path) -> None:
    plain = ne.run(small_scenario, overrides=SHORT, results=tmp_path)
    small_scenario.write_text(small_scenario.read_text() + SWEEP)
    record = ne.run(small_scenario, overrides=SHORT, results=tmp_path)
    assert "sweep" not in record.scenario
    assert history(plain.path) == history(record.path)


def test_nothing_is_written_where_one_point_is_wrong(small_scenario: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    with pytest.raises(ScenarioError, match=r"at n_hidden=0: network\.n_hidden: must be at least 1"):
        ne.run_sweep(small_scenario, over={"network.n_hidden": [4, 0]}, results=results)
    with pytest.raises(ValueError, match="no key varies"):
        ne.run_sweep(small_scenario, results=results)
    with pytest.raises(ValueError, match="n_trials must be at least 1, got 0"):
        ne.run_trials(small_scenario, 0, results=results)
    assert not results.exists()


def test_trials_are_the_same_set_whatever_sweep_the_scenario_has(small_scenario: Path, tmp_path: Path) -> None:
    first = ne.run_trials(small_scenario, 2, overrides=SHORT, results=tmp_path)
    small_scenario.write_text(small_scenario.read_text() + SWEEP)
    assert ne.run_trials(small_scenario, 2, overrides=SHORT, results=tmp_path).path == first.path


def test_only_the_folder_of_a_sweep_is_read_as_one(small_scenario: Path, tmp_path: Path) -> None:
    trials = ne.run_trials(small_scenario, 1, overrides=SHORT, results=tmp_path)
    with pytest.raises(RecordError, match="not the folder of a sweep"):
        SweepSet.read(trials.path)
    assert type(set_in(trials.path)) is type(trials)
    assert set_in(tmp_path) is None
    with pytest.raises(RecordError, match="the command that began it goes on"):
        ne.resume(trials.path)
    with pytest.raises(RecordError, match="the command that began it goes on"):
        ne.extend(trials.path, overrides={"stop.generations": 9})


class Editing(Callback):
    """Changes scenario and data while the first run is at work."""

    def __init__(self, scenario: Path) -> None:
        self.scenario = scenario

    def generation(self, progress: object) -> None:
        self.scenario.write_text("this is no scenario any more")
        (self.scenario.parent / "series.csv").write_text("nor is this a series")


@pytest.mark.parametrize("over", [{}, OVER, {"problem.tolerance": [0.1, 0.3]}])
def test_what_is_planned_is_what_runs_whoever_edits_scenario_and_data_meanwhile(
    small_scenario: Path, tmp_path: Path, over: dict[str, list[float]]
) -> None:
    options = {"over": over, "trials": 2, "overrides": SHORT}
    expected = run_plans([plan_runs(small_scenario, **options)], tmp_path / "undisturbed")
    plan = plan_runs(small_scenario, **options)
    found = run_plans([plan], tmp_path / "disturbed", callbacks=[Editing(small_scenario)])
    assert not found.exit_code
    folders = [outcome.folders[0].path for outcome in (expected, found)]
    runs = [sorted(folder.rglob("history.csv")) for folder in folders]
    assert [history(path.parent) for path in runs[0]] == [history(path.parent) for path in runs[1]]
    assert len(runs[0]) == plan.n_runs
    for name in ("data.npz", "scenario.toml"):
        assert [path.with_name(name).read_bytes() for path in runs[0]] == [
            path.with_name(name).read_bytes() for path in runs[1]
        ]


def test_a_set_goes_on_with_the_data_that_it_began_with_alone(small_scenario: Path, tmp_path: Path) -> None:
    over, results = {"problem.tolerance": [0.1, 0.3]}, tmp_path / "results"
    ne.run_sweep(small_scenario, over=over, overrides=SHORT, results=results)
    trials = ne.run_trials(small_scenario, 1, overrides=SHORT, results=results)
    before = {path: path.read_bytes() for path in results.rglob("*") if path.is_file()}
    rows = (small_scenario.parent / "series.csv").read_text().splitlines()
    (small_scenario.parent / "series.csv").write_text("\n".join([*rows[:-1], "1999,77.0"]))
    with pytest.raises(RecordError, match=r"tolerance=0\.1 was made with other data"):
        ne.run_sweep(small_scenario, over=over, trials=2, overrides=SHORT, results=results)
    assert ne.run_trials(small_scenario, 1, overrides=SHORT, results=results).path != trials.path
    assert {path: path.read_bytes() for path in before} == before


def test_competitors_are_fitted_once_for_all_trials_that_share_their_data(
    small_scenario: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted = []
    plain = competing.baselines
    monkeypatch.setattr(competing, "baselines", lambda problem: fitted.append(problem) or plain(problem))
    sweep = ne.run_sweep(small_scenario, over=OVER, trials=2, overrides=SHORT, results=tmp_path)
    assert len(fitted) == 1
    tables = [record.run["results"]["contestants"] for point in sweep.points() for record in point.trials()]
    expected = {baseline.label: baseline.parts for baseline in plain(fitted[0])}
    for table in tables:
        assert {name: table[name]["test"]["mse"] for name in expected} == {
            name: parts["test"].mse for name, parts in expected.items()
        }


def test_a_set_that_completes_has_its_ensemble(small_scenario: Path, tmp_path: Path) -> None:
    first = ne.run_trials(small_scenario, 1, overrides=SHORT, results=tmp_path)
    assert saved_ensemble(first.path) is None
    trials = ne.run_trials(small_scenario, 3, overrides=SHORT, results=tmp_path)
    assert trials.path == first.path
    predictor = ne.load_predictor(trials.path)
    assert [each.name for each in predictor.champions] == ["seed1", "seed2", "seed3"]
    problem = trials.finished()[0].problem
    inputs = problem.original.inputs  # type: ignore[attr-defined]
    alone = [record.predictor().predict(inputs) for record in trials.finished()]
    np.testing.assert_array_equal(predictor.predict(inputs), np.median(alone, axis=0))
    again = ne.run_trials(small_scenario, 3, overrides=SHORT, results=tmp_path / "again")
    for file in ("ensemble.npz", "ensemble.json"):
        assert (again.path / file).read_bytes() == (trials.path / file).read_bytes()


def test_of_a_sweep_the_best_point_has_its_ensemble(small_scenario: Path, tmp_path: Path) -> None:
    sweep = ne.run_sweep(
        small_scenario, over={"network.n_hidden": [2, 3, 4]}, trials=2, overrides=SHORT, results=tmp_path
    )
    best = ranked(summary_of(sweep))[0]["folder"]
    assert [point.path.name for point in sweep.points() if saved_ensemble(point.path)] == [best]
    assert len(ne.ensemble(sweep.points()[0].path).champions) == 2


def test_an_interrupted_set_has_no_ensemble_yet(small_scenario: Path, tmp_path: Path) -> None:
    with pytest.raises(Crash):
        ne.run_trials(small_scenario, 3, overrides=SHORT, results=tmp_path, callbacks=[Crashing(3)])
    assert saved_ensemble(tmp_path / "small-trials") is None


def test_a_damaged_trial_costs_the_ensemble_alone(small_scenario: Path, tmp_path: Path) -> None:
    class Listening(Callback):
        heard: ClassVar[list[str]] = []

        def message(self, text: str) -> None:
            self.heard.append(text)

    trials = ne.run_trials(small_scenario, 2, overrides=SHORT, results=tmp_path)
    (trials.path / "ensemble.json").unlink()
    (trials.path / "seed1" / "champion.npz").write_bytes(b"damaged")
    ne.run_trials(small_scenario, 3, overrides=SHORT, results=tmp_path, callbacks=[Listening()])
    assert saved_ensemble(trials.path) is None
    assert [text for text in Listening.heard if "no ensemble" in text and "champion.npz" in text]


SELECTED = """
[sweep]
trials = 2
ensemble = "selection"
[sweep.over]
problem.residual = ["none", "last_value", "linear"]
"""


def test_of_a_sweep_validation_chooses_among_points_and_simple_competitors(
    small_scenario: Path, tmp_path: Path
) -> None:
    small_scenario.write_text(small_scenario.read_text() + SELECTED)
    plan = plan_runs(small_scenario, overrides=SHORT)
    sweep = run_plans([plan], tmp_path).folders[0]
    assert isinstance(sweep, SweepSet)
    saved = saved_ensemble(sweep.path)
    assert saved is not None
    assert saved.chosen is not None
    weights = saved.chosen["weights"]
    assert sum(weights.values()) == pytest.approx(1.0)
    inputs = sweep.points()[0].finished()[0].problem.original.inputs  # type: ignore[attr-defined]
    again = ne.ensemble(sweep.path, select=True)
    np.testing.assert_array_equal(again.predict(inputs), saved.predictor().predict(inputs))
    # Points whose targets are in other units are ranked in original ones.
    found = summary_of(sweep)
    assert found["chosen_by"] == "validation.nmse"
    errors = [point["figures"]["validation.nmse"]["median"] for point in ranked(found)]
    assert errors == sorted(errors)
    best = [point.path.name for point in sweep.points() if saved_ensemble(point.path)]
    assert best == [ranked(found)[0]["folder"]]
    with pytest.raises(ValueError, match="leave combine and best out"):
        ne.ensemble(sweep.path, select=True, best=2)
    drawn = [path.name for path in plot_sweep(sweep, formats=["png"])]
    # Runs with a residual and without minimise different errors, and have no curves in one picture.
    assert drawn == ["sweep.png", "prediction.png"]
    text = folder_text(sweep.path)
    assert "chosen by validation, which gives targets that had no say in it" in text
    assert f"{100 * max(weights.values()):.0f} %" in text


def test_a_selection_without_a_validation_part_is_refused_before_anything_runs(
    small_scenario: Path, tmp_path: Path
) -> None:
    text = small_scenario.read_text()
    assert "validation" in text
    small_scenario.write_text(text.replace("validation", "later") + SELECTED)
    with pytest.raises(ValueError, match="part called validation, and the problem has none"):
        plan_runs(small_scenario, overrides=SHORT)
    assert not list(tmp_path.glob("*-sweep"))


def test_a_selection_of_trials_alone_is_the_only_ensemble(small_scenario: Path, tmp_path: Path) -> None:
    small_scenario.write_text(small_scenario.read_text() + '[sweep]\ntrials = 2\nensemble = "selection"\n')
    (trials,) = run_plans([plan_runs(small_scenario, overrides=SHORT)], tmp_path).folders
    saved = saved_ensemble(trials.path)
    assert saved is not None
    assert saved.chosen is not None
    assert load_scenario(small_scenario).sweep.table()["ensemble"] == "selection"  # type: ignore[union-attr]

"""What an ensemble of trials is worth, figure by figure against loops."""

from __future__ import annotations

import json
import math
import statistics
from pathlib import Path

import numpy as np
import pytest

from neuroevo.analysis import LEVEL, coverage, mean_width, write_ensemble, write_selection
from neuroevo.networks import Network
from neuroevo.problems import SequenceProblem
from neuroevo.records import RunRecord, TrialSet, load_predictor, saved_ensemble
from tests.records.test_predictors import run_in, series


def small_set(folder: Path, problem: SequenceProblem, n: int = 3) -> TrialSet:
    """Trials that know what their champions measured, as real ones do."""
    trials = TrialSet.open(folder, "set", identity="x", title="A sine")
    for seed in range(n):
        record = run_in(trials.path, seed, problem, validation_error=1.0 + (seed - 1) ** 2)
        run = json.loads((record.path / "run.json").read_text())
        run["results"] = problem.results(record.network, record.champion.genome).to_dict()
        (record.path / "run.json").write_text(json.dumps(run))
    return trials


def test_results_are_those_of_the_combined_prediction(tmp_path: Path) -> None:
    problem = series("range")
    trials = small_set(tmp_path, problem)
    saved = write_ensemble(trials)
    assert saved is not None
    assert saved.results is not None
    contestants = saved.results["contestants"]
    assert list(contestants)[:3] == [
        "ensemble (median of 3)",
        "best trial by validation: seed1",
        "median of the trials",
    ]
    assert list(contestants)[3:] == list(problem.competitors())
    alone = [record.predictor().predict(problem.original.inputs) for record in trials.finished()]
    for part, mask in problem.parts.items():
        misses = [
            statistics.median(each[0, step, 0] for each in alone) - problem.original.targets[0, step, 0]
            for step in np.flatnonzero(mask[0])
        ]
        mse = statistics.fmean(miss * miss for miss in misses)
        figures = contestants["ensemble (median of 3)"][part]
        assert figures["mse"] == pytest.approx(mse, rel=1e-12)
        assert figures["error"] == pytest.approx(mse / problem.scaling.target_factor[0] ** 2, rel=1e-12)
        singles = [record.run["results"]["contestants"]["champion"][part] for record in trials.finished()]
        assert contestants["best trial by validation: seed1"][part] == singles[1]
        for name in ("mse", "learned", "error"):
            assert contestants["median of the trials"][part][name] == statistics.median(each[name] for each in singles)


def test_intervals_are_counted_part_by_part(tmp_path: Path) -> None:
    problem = series()
    saved = write_ensemble(small_set(tmp_path, problem))
    assert saved is not None
    assert saved.intervals is not None
    assert (saved.intervals["level"], saved.intervals["n_targets"]) == (LEVEL, 25)
    said = saved.predictor().forecast(problem.original.inputs)
    for name, scaled in (("absolute", False), ("scaled", True)):
        low, high = said.interval(LEVEL, scaled=scaled)
        for part, mask in problem.parts.items():
            steps = np.flatnonzero(mask[0])
            targets = problem.original.targets[0, :, 0]
            inside = [low[0, step, 0] <= targets[step] <= high[0, step, 0] for step in steps]
            figures = saved.intervals["parts"][part]
            assert figures[f"{name}_coverage"] == pytest.approx(sum(inside) / len(steps))
            width = math.fsum(high[0, step, 0] - low[0, step, 0] for step in steps) / len(steps)
            assert figures[f"{name}_width"] == pytest.approx(width)
        # Of 25 scores the one of rank 24 is taken: 24 of the 25 lie inside.
        assert saved.intervals["parts"]["validation"][f"{name}_coverage"] == 24 / 25


def test_ends_belong_to_an_interval(problem: SequenceProblem) -> None:
    targets = problem.original.targets
    assert coverage((targets, targets), problem, "train") == 1.0
    assert mean_width((targets - 1, targets + 2), problem, "test") == pytest.approx(3.0)


def test_ensemble_and_its_figures_are_written_and_read_again(tmp_path: Path) -> None:
    trials = small_set(tmp_path, series())
    written = write_ensemble(trials)
    assert written is not None
    found = saved_ensemble(trials.path)
    assert found is not None
    assert json.loads(json.dumps(found.results)) == written.results
    assert found.intervals == written.intervals
    inputs = np.linspace(2, 8, 7).reshape(1, 7, 1)
    np.testing.assert_array_equal(load_predictor(trials.path).predict(inputs), trials.ensemble().predict(inputs))


def test_best_is_the_best_by_training_where_nothing_validates(tmp_path: Path) -> None:
    saved = write_ensemble(small_set(tmp_path, series(validation=False)))
    assert saved is not None
    assert saved.results is not None
    assert list(saved.results["contestants"])[1] == "best trial by training: seed0"
    assert saved.intervals is None


def test_too_few_validation_targets_for_the_level_give_no_figures(tmp_path: Path) -> None:
    steps = np.arange(30)
    parts = {"train": steps < 22, "validation": steps >= 22}
    values = np.sin(steps * 0.3)[None, :, None]
    saved = write_ensemble(
        small_set(tmp_path, SequenceProblem(values, values, parts={k: v[None] for k, v in parts.items()}))
    )
    assert saved is not None
    assert saved.intervals is None
    assert saved.predictor().interval(values, level=0.8)[0].shape == (1, 30, 1)


def test_there_is_no_ensemble_of_one_nor_without_data(tmp_path: Path, network: Network) -> None:
    assert write_ensemble(small_set(tmp_path, series(), 1)) is None
    trials = TrialSet.open(tmp_path, "without", identity="y")
    for seed in range(2):
        run_in(trials.path, seed, series(), data_limit=0)
    assert write_ensemble(trials) is None
    assert isinstance(trials.finished()[0], RunRecord)


def test_large_data_have_no_ensemble_unasked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neuroevo.analysis.ensembles.MOST_BYTES", 3 * 60 * 8 - 1)
    trials = small_set(tmp_path, series())
    assert write_ensemble(trials) is None
    assert len(trials.ensemble().champions) == 3


def test_a_selection_says_what_was_chosen_and_what_it_is_worth(tmp_path: Path) -> None:
    problem = series("range")
    trials = small_set(tmp_path, problem)
    saved = write_selection(trials)
    assert saved is not None
    assert saved.chosen is not None
    assert saved.results is not None
    weights, contestants = saved.chosen["weights"], saved.results["contestants"]
    assert sum(weights.values()) == pytest.approx(1.0)
    assert list(contestants)[:2] == ["chosen by validation", "set (mean of 3)"]
    predictor = load_predictor(trials.path)
    members = {each.name: each.predict(problem.original.inputs) for each in predictor.champions}
    by_hand = sum(weights[name] * members[name] for name in weights if name in members)
    networks = [members[f"seed{seed}"] for seed in range(3) if f"seed{seed}" in members]
    by_hand = by_hand + weights.get("set", 0.0) * (np.mean(networks, axis=0) if networks else 0.0)
    assert predictor.predict(problem.original.inputs) == pytest.approx(by_hand, rel=1e-9)
    counted = problem.counted("test")
    miss = (by_hand - problem.original.targets)[counted]
    assert contestants["chosen by validation"]["test"]["mse"] == pytest.approx(float((miss**2).mean()), rel=1e-9)
    if len(weights) == 1:  # nothing else was chosen on any resample
        assert saved.chosen["validation"]["nmse"] == contestants["chosen by validation"]["validation"]["nmse"]


def test_a_selection_needs_a_validation_part(tmp_path: Path) -> None:
    trials = small_set(tmp_path, series(validation=False))
    with pytest.raises(ValueError, match="part called validation"):
        write_selection(trials)

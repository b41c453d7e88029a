"""Ensembles on disk: kept bit for bit, made of the runs that are asked for, and never trusted."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neuroevo as ne
from neuroevo.networks import Elman, Network
from neuroevo.prediction import Predictor
from neuroevo.problems import NotSequences, RightClass, SequenceProblem
from neuroevo.problems.arrays import fingerprint
from neuroevo.records import RecordError, RunRecord, RunWriter, SweepSet, TrialSet, saved_ensemble
from neuroevo.records.npz import pack_npz, read_npz
from tests.records.conftest import advance, finish
from tests.records.test_fuzz import change_bytes


def series(scaling: Any = "standard", validation: bool = True, shift: float = 0.0, **fields: Any) -> SequenceProblem:
    steps = np.arange(60)
    values = 5 + 3 * np.sin(0.4 * steps) + shift
    parts = {"train": steps < 25, "test": steps >= 50} | (
        {"validation": (steps >= 25) & (steps < 50)} if validation else {}
    )
    masks = {name: mask[None] for name, mask in parts.items()}
    return SequenceProblem(values[None, :, None], np.roll(values, -1)[None, :, None], parts=masks, **fields).scaled(
        scaling
    )


def run_in(folder: Path, seed: int, problem: Any, *, validation_error: float = np.nan, mse: float | None = None,
           network: Network | None = None, done: bool = True, **arguments: Any) -> RunRecord:  # fmt: skip
    network = network or Elman(problem.n_inputs, 2, problem.n_outputs)
    writer = RunWriter.create(
        folder, f"seed{seed}", scenario_toml="", run={"seed": seed}, problem=problem, network=network, **arguments
    )
    with writer:
        advance(writer, 1, 1)
        if done:
            genome = np.random.default_rng(seed).normal(size=network.n_genes)
            writer.champion(genome, network=network, problem=problem, error=0.5, validation_error=validation_error)
            measures = {"validation": {"mse": mse}}
            results = {"measures": {"mse": "error"}, "contestants": {"champion": measures}}
            writer.finish({"stop_reason": None, "generations": 1, "evaluations": 7, "seconds": 0.5, "results": results})
    return RunRecord.open(writer.path)


@pytest.fixture
def trials(tmp_path: Path) -> TrialSet:
    """Four finished trials, whose validation errors fall, and one that is not finished."""
    trials = TrialSet.open(tmp_path, "sine-trials", identity="A")
    for seed in range(4):
        run_in(trials.path, seed, series(), validation_error=1.0 / (1 + seed))
    run_in(trials.path, 4, series(), done=False)
    return trials


def names(predictor: Predictor) -> list[str]:
    return [each.name for each in predictor.champions]


INPUTS = np.linspace(2, 8, 14).reshape(2, 7, 1)


def test_record_predicts_as_its_network_does_in_original_units(trials: TrialSet) -> None:
    record = trials.finished()[1]
    predictor = record.predictor()
    problem = record.problem
    assert isinstance(problem, SequenceProblem)
    outputs = record.network.predict(record.champion.genome, problem.scaling.scale_inputs(INPUTS))
    np.testing.assert_array_equal(predictor.predict(INPUTS), problem.scaling.unscale_targets(outputs))
    assert predictor.calibration is not None
    assert predictor.calibration.n_targets == 25
    assert record.predictor(calibrate=False).calibration is None


def test_set_and_its_runs_give_the_same_ensemble(trials: TrialSet) -> None:
    whole = ne.ensemble(trials.path)
    assert names(whole) == ["seed0", "seed1", "seed2", "seed3"]
    assert whole.combine == "median"
    runs = ne.ensemble([trials.path / f"seed{seed}" for seed in range(4)])
    expected = np.median(
        [RunRecord.open(trials.path / f"seed{seed}").predictor().predict(INPUTS) for seed in range(4)], axis=0
    )
    for each in (whole, runs, trials.ensemble()):
        np.testing.assert_array_equal(each.predict(INPUTS), expected)
        np.testing.assert_array_equal(each.interval(INPUTS), whole.interval(INPUTS))


def test_best_members_are_chosen_by_their_validation_errors(trials: TrialSet) -> None:
    assert names(ne.ensemble(trials.path, best=2)) == ["seed3", "seed2"]
    assert names(ne.ensemble(trials.path, best=99)) == ["seed3", "seed2", "seed1", "seed0"]
    with pytest.raises(ValueError, match="best must be at least 1"):
        ne.ensemble(trials.path, best=0)


def test_members_of_different_scaling_are_ranked_in_original_units(tmp_path: Path) -> None:
    one = run_in(tmp_path / "a", 1, series("standard"), validation_error=0.1, mse=9.0)
    other = run_in(tmp_path / "b", 2, series("range"), validation_error=0.2, mse=4.0)
    third = run_in(tmp_path / "c", 3, series("none"), validation_error=0.3, mse=1.0, network=Elman(1, 4, 1))
    paths = [one.path, other.path, third.path]
    assert names(ne.ensemble(paths, best=2)) == ["seed3", "seed2"]
    alone = [record.predictor().predict(INPUTS) for record in (one, other, third)]
    np.testing.assert_array_equal(ne.ensemble(paths, combine="mean").predict(INPUTS), np.mean(alone, axis=0))


def test_what_cannot_be_one_ensemble_is_refused(trials: TrialSet, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="given twice"):
        ne.ensemble([trials.path, trials.path / "seed1"])
    other = run_in(tmp_path / "other", 9, series(shift=1.0))
    with pytest.raises(ValueError, match="different data"):
        ne.ensemble([trials.path, other.path])
    with pytest.raises(ValueError, match="at least one run"):
        ne.ensemble([])
    with pytest.raises(ValueError, match="at least one run"):
        TrialSet.open(tmp_path, "empty", identity="B").ensemble()
    with pytest.raises(RecordError, match="not the folder of a run"):
        ne.ensemble(tmp_path / "nowhere")
    with pytest.raises(RecordError, match="cannot read"):
        ne.ensemble(trials.path / "seed4")
    sweep = SweepSet.open(tmp_path, "sweep", identity="x", keys=["network.n_hidden"])
    with pytest.raises(ValueError, match="point in it"):
        ne.ensemble(sweep.path)


def test_without_a_validation_part_nothing_is_best_and_nothing_calibrated(tmp_path: Path) -> None:
    paths = [run_in(tmp_path / str(seed), seed, series(validation=False)).path for seed in range(2)]
    with pytest.raises(ValueError, match="has none; leave best out"):
        ne.ensemble(paths, best=1)
    with pytest.raises(ValueError, match="without a validation part"):
        ne.ensemble(paths).interval(INPUTS)


def test_data_that_are_not_stored_must_be_the_same(tmp_path: Path) -> None:
    without = [run_in(tmp_path / str(seed), seed, series(), data_limit=0).path for seed in range(2)]
    assert ne.ensemble(without).calibration is None
    stored = run_in(tmp_path / "stored", 5, series())
    assert ne.ensemble([*without, stored.path]).calibration is not None
    with pytest.raises(ValueError, match="same data and scaling"):
        ne.ensemble([*without, run_in(tmp_path / "range", 6, series("range")).path])


def test_classes_are_combined_by_their_mean(tmp_path: Path) -> None:
    targets = np.eye(3)[np.arange(30) % 3][None]
    problem = SequenceProblem(np.random.default_rng(0).normal(size=(1, 30, 1)), targets, learned=RightClass())
    paths = [run_in(tmp_path / str(seed), seed, problem).path for seed in range(3)]
    predictor = ne.ensemble(paths)
    assert (predictor.combine, predictor.by_class) == ("mean", True)
    with pytest.raises(ValueError, match='by the "mean"'):
        ne.ensemble(paths, combine="median")


def test_champions_of_other_problems_do_not_predict(trials: TrialSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neuroevo.records.ensembles.problem_class", lambda kind: ne.Problem)
    with pytest.raises(NotSequences, match="of another kind"):
        trials.trials()[0].predictor()


@pytest.fixture
def saved(trials: TrialSet) -> Path:
    ne.save_predictor(trials.ensemble(), trials.path, title="A sine")
    return trials.path


def test_saved_ensemble_is_the_one_that_was_made(trials: TrialSet, saved: Path, tmp_path: Path) -> None:
    made, loaded = trials.ensemble(), ne.load_predictor(saved)
    for ours, theirs in zip(made.champions, loaded.champions, strict=True):
        assert (ours.network, ours.name) == (theirs.network, theirs.name)
        assert ours.genome.tobytes() == theirs.genome.tobytes()
        np.testing.assert_equal(dict(ours.figures), dict(theirs.figures))
    np.testing.assert_array_equal(made.predict(INPUTS), loaded.predict(INPUTS))
    np.testing.assert_array_equal(made.interval(INPUTS, scaled=True), loaded.interval(INPUTS, scaled=True))
    ne.save_predictor(loaded, tmp_path / "new" / "again", title="A sine")
    for file in ("ensemble.npz", "ensemble.json"):
        assert (tmp_path / "new" / "again" / file).read_bytes() == (saved / file).read_bytes()


def test_folder_of_a_run_gives_its_champion(finished: Path) -> None:
    champion, loaded = RunRecord.open(finished).predictor(), ne.load_predictor(finished)
    np.testing.assert_array_equal(loaded.predict(INPUTS), champion.predict(INPUTS))
    assert saved_ensemble(finished) is None
    with pytest.raises(RecordError, match="not the folder of a run"):
        ne.load_predictor(finished / "nothing")


def read(folder: Path) -> None:
    found = saved_ensemble(folder)
    assert found is not None
    _ = found.results, found.intervals
    found.predictor().predict(INPUTS)


def entry(*keys: str | int, value: Any = None) -> Callable[[dict[str, Any]], None]:
    def change(contents: dict[str, Any]) -> None:
        inner: Any = contents
        for key in keys[:-1]:
            inner = inner[key]
        inner[keys[-1]] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        entry("format", value="neuroevo-run"),
        entry("format_version", value=3),
        entry("title"),
        entry("combine", value="mode"),
        entry("by_class", value=1),
        entry("by_class", value=True),
        entry("members", value={}),
        entry("members", value=[]),
        entry("members", value=[1]),
        entry("members", 0, "name", value=3),
        entry("members", 0, "figures", value={"error": "x"}),
        entry("members", 0, "network", value={}),
        entry("members", 0, "network", "kind", value="../evil"),
        entry("members", 0, "network", "n_inputs", value=2),
        entry("members", 0, "network", "n_genes", value=10**9),
        entry("members", 0, "network", "settings", "n_hidden", value=10**9),
        entry("members", 0, "network", "settings", "unknown", value=1),
        entry("sha256", value="0" * 64),
        entry("results", value={"measures": {}, "contestants": {}}),
        entry("intervals", value={"level": 0.9}),
        entry("chosen", value={"weights": {"a": "x"}, "validation": {}}),
        entry("chosen", value={"weights": {}}),
        entry("members", 0, "weight", value=0.5),
        entry("members", 0, "weight", value="x"),
        entry("intervals", value={"level": 0.9, "n_targets": 3, "parts": {"test": {"coverage": "x"}}}),
        entry("intervals", value={"level": 0.9, "n_targets": 3, "parts": {"test": 3}}),
    ],
)  # fmt: skip
def test_json_that_lies_is_refused(saved: Path, change: Callable[[dict[str, Any]], None]) -> None:
    contents = json.loads((saved / "ensemble.json").read_text())
    change(contents)
    (saved / "ensemble.json").write_text(json.dumps(contents))
    with pytest.raises(RecordError, match=r"ensemble\.(json|npz)"):
        read(saved)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("member0.genome", None),
        ("member0.genome", np.full(11, np.nan)),
        ("member0.genome", np.zeros(11, np.float32)),
        ("member0.genome", np.zeros((11, 1))),
        ("member0.genome", np.zeros(7)),
        ("member3.genome", None),
        ("member0.scaling_method", np.array("magic")),
        ("member0.scaling_target_factor", np.zeros(1)),
        ("member0.scaling_target_factor", np.array([np.nan])),
        ("member0.scaling_input_offset", None),
        ("member0.scaling_input_offset", np.zeros(2)),
        ("member0.scaling_input_offset", np.array(["text"])),
        ("calibration_floor", None),
        ("calibration_floor", np.ones(2)),
        ("calibration_n_targets", np.array([2**62, 2**62])),
        ("calibration_absolute", np.linspace(1, 0, 25)),
    ],
)  # fmt: skip
def test_arrays_that_are_no_ensemble_are_refused(saved: Path, name: str, array: Any) -> None:
    changed = {
        key: value for key, value in {**read_npz(saved / "ensemble.npz"), name: array}.items() if value is not None
    }
    (saved / "ensemble.npz").write_bytes(pack_npz(changed))
    with pytest.raises(RecordError, match="not the one that"):
        read(saved)
    contents = json.loads((saved / "ensemble.json").read_text())
    (saved / "ensemble.json").write_text(json.dumps({**contents, "sha256": fingerprint(changed)}))
    with pytest.raises(RecordError, match=r"ensemble\.npz"):
        read(saved)


@pytest.mark.parametrize("file", ["ensemble.json", "ensemble.npz"])
def test_links_pipes_and_folders_are_refused(saved: Path, tmp_path: Path, file: str) -> None:
    outside = tmp_path / "outside"
    (saved / file).rename(outside)
    (saved / file).symlink_to(outside)
    with pytest.raises(RecordError, match="symbolic link"):
        read(saved)
    (saved / file).unlink()
    os.mkfifo(saved / file)
    with pytest.raises(RecordError, match="not a regular file"):
        read(saved)
    (saved / file).unlink()
    if file == "ensemble.npz":
        with pytest.raises(RecordError, match="cannot read"):
            read(saved)


@pytest.mark.parametrize("file", ["ensemble.json", "ensemble.npz"])
def test_random_damage_is_refused_or_harmless(saved: Path, file: str) -> None:
    rng, whole, refused = np.random.default_rng(7), (saved / file).read_bytes(), 0
    for _ in range(150):
        (saved / file).write_bytes(change_bytes(whole, rng))
        try:
            read(saved)
        except RecordError:
            refused += 1
    assert refused > 100 if file == "ensemble.npz" else refused > 50


def test_interrupted_champion_of_a_single_run_still_predicts(
    start: Callable[..., RunWriter], network: Network, problem: SequenceProblem
) -> None:
    writer = start()
    advance(writer, 1, 2)
    finish(writer, network, problem, status="interrupted")
    assert RunRecord.open(writer.path).predictor().predict(INPUTS).shape == (2, 7, 1)

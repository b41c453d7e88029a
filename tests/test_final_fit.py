"""The final fit: a second search on training and validation data together, whose champion is what a run delivers."""

from __future__ import annotations

import math
import signal
from pathlib import Path

import numpy as np
import pytest

import neuroevo as ne
from neuroevo.analysis import summary
from neuroevo.callbacks import Callback
from neuroevo.cli.texts import record_text
from neuroevo.problems.folds import together
from neuroevo.records import RecordError, RunRecord
from neuroevo.records.models import open_model
from neuroevo.scenario import ScenarioError
from tests.test_trials import history

FINAL = "\n[generalise]\nfinal_fit = true\ninput_noise = 0.05\n"


class Crash(Exception):
    pass


class At(Callback):
    """Does something at a generation of the final fit."""

    def __init__(self, generation: int, act) -> None:
        self._left = generation
        self._act = act
        self._final = False

    def step(self, text: str) -> None:
        self._final = text.startswith("final fit")

    def generation(self, progress: object) -> None:
        self._left -= self._final
        if self._left == 0:
            self._act()


def crash() -> None:
    raise Crash


def both(record: RunRecord) -> list[object]:
    """All that a run is: its history and champion, and those of its final fit."""
    return [(history(each.path), (each.path / "champion.npz").read_bytes()) for each in (record, record.delivered)]


@pytest.fixture
def scenario(small_scenario: Path) -> Path:
    text = small_scenario.read_text().replace("genetic_algorithm", "snes").replace("n_hidden = 3", "n_hidden = 2")
    small_scenario.write_text(text.replace("checkpoint_generations = 4", "checkpoint_generations = 2") + FINAL)
    return small_scenario


@pytest.fixture
def whole(scenario: Path, tmp_path: Path) -> RunRecord:
    return ne.run(scenario, results=tmp_path / "whole")


def test_it_is_the_search_on_both_parts_for_as_long_as_the_champion_took(
    scenario: Path, whole: RunRecord, tmp_path: Path
) -> None:
    final = whole.final
    assert final is not None
    n = whole.run["champion"]["generation"]
    assert (final.run["generations"], whole.run["final_fit"]["generations"]) == (n, n)
    assert (final.status, final.path) == ("finished", whole.path / "final")
    problem = ne.load_scenario(scenario).problem
    assert final.problem.fingerprint() == together(problem).fingerprint()
    assert "validation" not in final.problem.parts
    assert math.isnan(final.champion.figures["validation_error"])
    # Its own scenario, beside the data, is all that it depends on.
    copy = scenario.parent / "again.toml"
    copy.write_bytes((final.path / "scenario.toml").read_bytes())
    alone = ne.run(copy, results=tmp_path / "alone")
    assert alone.final is None
    assert both(alone)[0] == both(final)[0]
    # The search itself is what it is without.
    without = ne.run(scenario, overrides={"generalise.final_fit": False}, results=tmp_path / "without")
    assert history(without.path) == history(whole.path)
    assert "final_fit" not in without.run


def test_predictors_and_texts_have_the_final_fit(whole: RunRecord, tmp_path: Path) -> None:
    final = whole.final
    assert final is not None
    problem = final.problem
    wanted = problem.predictions(final.network.predict(final.champion.genome, problem.inputs))
    said = whole.predictor().forecast(problem.original.inputs, problem.lengths).prediction
    np.testing.assert_allclose(said, wanted, rtol=1e-12)
    assert ne.ensemble(whole.path).champions[0].name.endswith("small-seed1/final")
    text = record_text(whole)
    assert f"final fit on training and validation data: {final.run['generations']} generations" in text
    assert "validation" in text.partition("final fit")[0]
    assert "  validation" not in text.partition("final fit")[2]


def test_models_have_the_data_of_the_final_fit_and_no_intervals(whole: RunRecord) -> None:
    model = open_model(whole.path)
    assert "validation" not in model.problem.parts
    assert model.predictor.calibration is None
    said = model.forecast(3)
    assert said.level is None


@pytest.mark.parametrize("generation", [1, 3])
def test_a_run_that_crashed_in_it_goes_on_to_the_same_bits(
    scenario: Path, whole: RunRecord, tmp_path: Path, generation: int
) -> None:
    with pytest.raises(Crash):
        ne.run(scenario, results=tmp_path / "crashed", callbacks=[At(generation, crash)])
    (path,) = (tmp_path / "crashed").iterdir()
    assert RunRecord.open(path).status == "failed"
    assert both(ne.resume(path)) == both(whole)
    assert RunRecord.open(path).altered == ()


def test_a_run_interrupted_in_it_says_so_and_goes_on(scenario: Path, whole: RunRecord, tmp_path: Path) -> None:
    stop = At(2, lambda: signal.raise_signal(signal.SIGINT))
    record = ne.run(scenario, results=tmp_path / "stopped", callbacks=[stop])
    assert (record.status, record.stop_reason.criterion) == ("interrupted", "signal")
    assert record.final is None
    assert RunRecord.open(record.path / "final").status == "interrupted"
    resumed = ne.resume(record.path)
    assert (resumed.status, resumed.stop_reason.criterion) == ("finished", "generations")
    assert both(resumed) == both(whole)


def test_a_run_that_is_extended_has_the_final_fit_of_its_new_champion(
    scenario: Path, whole: RunRecord, tmp_path: Path
) -> None:
    shorter = ne.run(scenario, overrides={"stop.generations": 4}, results=tmp_path / "short")
    before = shorter.delivered.run["generations"]
    extended = ne.extend(shorter.path, overrides={"stop.generations": 12})
    assert both(extended) == both(whole)
    assert extended.delivered.run["generations"] > before
    assert ne.resume(extended.path).run["final_fit"] == whole.run["final_fit"] | {
        "seconds": extended.delivered.run["seconds"]
    }


def test_trials_combine_their_final_fits_and_are_ranked_by_the_search(scenario: Path, tmp_path: Path) -> None:
    found = ne.run_trials(scenario, 2, overrides={"stop.generations": 4}, results=tmp_path)
    searches = found.trials()
    predictor = found.ensemble()
    assert [member.name for member in predictor.champions] == [f"{each.path.name}/final" for each in searches]
    figures = summary(found)["figures"]
    errors = [each.run["champion"]["validation_error"] for each in searches]
    assert figures["champion.validation_error"]["median"] == pytest.approx(np.median(errors))
    tests = [each.delivered.run["results"]["contestants"]["champion"]["test"]["nmse"] for each in searches]
    assert figures["final.test.nmse"]["median"] == pytest.approx(np.median(tests))


def test_generations_with_batches_are_measured_where_the_champion_was(scenario: Path, tmp_path: Path) -> None:
    text = scenario.read_text() + "\n[batch]\nsize = 2\nsteps = 5\n"
    scenario.write_text(text)
    record = ne.run(scenario, overrides={"stop.generations": 40}, results=tmp_path)
    assert record.delivered.scenario["batch"]["every"] == ne.load_scenario(scenario).batches.every
    n = record.delivered.run["generations"]
    assert n == record.run["champion"]["generation"]
    assert n == 1 or n % record.delivered.scenario["batch"]["every"] == 0


def test_folds_have_none(scenario: Path, tmp_path: Path) -> None:
    found = ne.run_trials(scenario, 1, folds=2, overrides={"stop.generations": 2}, results=tmp_path)
    assert [each.final for each in found.trials()] == [None, None]
    overrides = {"stop.generations": 2, "generalise.folds": 2, "generalise.fold": 1}
    assert ne.run(scenario, overrides=overrides, results=tmp_path / "one").final is None


def test_without_a_validation_part_it_is_refused(small_scenario: Path) -> None:
    overrides = {"generalise.final_fit": True, "problem.parts": {"train": 60, "test": "rest"}}
    with pytest.raises(ScenarioError, match=r"generalise.final_fit: needs a part called validation.*add one"):
        ne.load_scenario(small_scenario, overrides=overrides)
    overrides = {"generalise.train_on": "train_and_validation", "problem.parts": {"train": 60, "test": "rest"}}
    with pytest.raises(ScenarioError, match="only where the problem has a part called validation"):
        ne.load_scenario(small_scenario, overrides=overrides)


@pytest.mark.parametrize("damage", ["gone", "link", "number"])
def test_a_final_fit_that_is_damaged_is_said_to_be(whole: RunRecord, damage: str) -> None:
    folder = whole.path / "final"
    if damage == "number":
        text = (whole.path / "run.json").read_text()
        (whole.path / "run.json").write_text(text.replace('"final_fit": {', '"final_fit": 3, "x": {'))
        with pytest.raises(RecordError, match="final_fit should be an object"):
            RunRecord.open(whole.path)
        return
    moved = folder.rename(whole.path / "elsewhere")
    if damage == "link":
        folder.symlink_to(moved)
    with pytest.raises(RecordError, match="final"):
        _ = RunRecord.open(whole.path).delivered

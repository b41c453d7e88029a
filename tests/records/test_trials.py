"""A set of trials: those done are skipped, those of another scenario left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from neuroevo.networks import Network
from neuroevo.problems import SequenceProblem
from neuroevo.records import RecordError, RunWriter, TrialSet
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


def test_damaged_trial_is_left_out(trials: TrialSet) -> None:
    (trials.path / "seed0" / "run.json").write_text("{")
    assert [record.run["seed"] for record in trials.trials()] == [1, 2, 3, 4]
    with pytest.raises(RecordError):
        trials.is_done(0)


@pytest.mark.parametrize(
    "content", [None, "{", "[]", '{"format": "neuroevo-run"}', '{"format": "neuroevo-trials", "format_version": 9}']
)
def test_other_folder_is_no_set(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "trials.json").write_text(content)
    with pytest.raises(RecordError, match="set of trials"):
        TrialSet.read(tmp_path)

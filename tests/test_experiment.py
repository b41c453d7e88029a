"""The promises of a run, as tests on bits."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

import neuroevo as ne
from neuroevo.callbacks import Callback
from neuroevo.records import RecordError, RunRecord
from neuroevo.scenario import ScenarioError
from neuroevo.stopping import Progress
from neuroevo.strategies import STRATEGIES
from tests.problems.drawn import largest

NETWORKS = {
    "crbp": {"network": {"kind": "locally_recurrent", "n_hidden": 3}},
    "lstm_truncated": {"network": {"kind": "lstm", "n_hidden": 2}},
    "pearlmutter": {"network": {"kind": "ctrnn", "n_hidden": 3}},
    "signal_flow": {"network": {"kind": "graph", "n_units": 3, "links": "all"}},
}
"""What strategies search that are made for one kind of network."""


def history(record: RunRecord) -> str:
    """history.csv without its seconds."""
    lines = (record.path / "history.csv").read_text().splitlines()
    place = lines[0].split(",").index("seconds")
    return "\n".join(",".join(cell for k, cell in enumerate(line.split(",")) if k != place) for line in lines)


def outcome(record: RunRecord) -> tuple[str, bytes]:
    return history(record), (record.path / "champion.npz").read_bytes()


class Stop(Exception):
    """Ends a run from inside, as a crash would."""


class CrashAt(Callback):
    def __init__(self, generation: int) -> None:
        self.at = generation

    def generation(self, progress: Progress) -> None:
        if progress.generation == self.at:
            raise Stop


def crashed(scenario: Path, results: Path, generation: int, **options: object) -> Path:
    with pytest.raises(Stop):
        ne.run(scenario, results=results, callbacks=[CrashAt(generation)], **options)  # type: ignore[arg-type]
    (path,) = results.iterdir()
    return path


def test_the_same_seed_gives_the_same_bits_with_one_and_two_threads(small_scenario: Path, tmp_path: Path) -> None:
    runs = [ne.run(small_scenario, results=tmp_path / "runs", compute=ne.Compute(threads=n)) for n in (1, 1, 2)]
    assert len({outcome(record) for record in runs}) == 1
    assert outcome(ne.run(small_scenario, seed=2, results=tmp_path / "runs")) != outcome(runs[0])


@pytest.mark.parametrize(
    ("strategy", "generation"),
    [*((name, 6) for name in STRATEGIES.names()), *(("genetic_algorithm", k) for k in (1, 8, 11, 12))],
)
def test_a_resumed_run_equals_the_uninterrupted_one(
    strategy: str, generation: int, small_scenario: Path, tmp_path: Path
) -> None:
    overrides = {"strategy": {"kind": strategy, "population_size": 16}, **NETWORKS.get(strategy, {})}
    whole = ne.run(small_scenario, results=tmp_path / "whole", overrides=overrides)
    path = crashed(small_scenario, tmp_path / "crashed", generation, overrides=overrides)
    assert RunRecord.open(path).status == "failed"
    resumed = ne.resume(path, compute=ne.Compute(threads=2))
    assert resumed.status == "finished"
    assert outcome(resumed) == outcome(whole)


def test_an_extended_run_equals_a_long_one(small_scenario: Path, tmp_path: Path) -> None:
    long = ne.run(small_scenario, results=tmp_path / "long", overrides={"stop.generations": 20})
    short = ne.run(small_scenario, results=tmp_path / "short")
    extended = ne.extend(short.path, overrides={"stop.generations": 20})
    assert outcome(extended) == outcome(long)
    assert extended.scenario["stop"]["generations"] == 20
    # Said twice, as in a queue that repeats a job.
    assert outcome(ne.extend(short.path, overrides={"stop.generations": 20})) == outcome(long)


def test_a_record_needs_neither_its_scenario_nor_its_data(small_scenario: Path, tmp_path: Path) -> None:
    whole = ne.run(small_scenario, results=tmp_path / "whole")
    path = crashed(small_scenario, tmp_path / "crashed", 6)
    for file in small_scenario.parent.iterdir():
        file.unlink()
    assert outcome(ne.resume(path)) == outcome(whole)


def test_the_champion_is_the_best_by_validation(small_scenario: Path, tmp_path: Path) -> None:
    record = ne.run(small_scenario, results=tmp_path / "runs", overrides={"stop.generations": 40})
    best = np.nanmin(record.history["validation_error"])
    assert record.champion.figures["validation_error"] == best
    with ne.LocalEvaluator(record.network, record.problem) as evaluator:
        evaluation = evaluator.evaluate(record.champion.genome[None], "validation")
    assert evaluation.error[0] == best


def test_the_results_are_those_of_the_readable_network(small_scenario: Path, tmp_path: Path) -> None:
    record = ne.run(small_scenario, results=tmp_path / "runs")
    problem = record.problem
    outputs = problem.scaling.unscale_targets(record.network.predict(record.champion.genome, problem.inputs))
    squares = (outputs - problem.original.targets)[problem.counted("test")] ** 2
    champion = record.run["results"]["contestants"]["champion"]
    assert champion["test"]["mse"] == pytest.approx(squares.mean(), rel=1e-12)
    # The kernel works in single precision.
    assert champion["train"]["error"] == pytest.approx(record.champion.error, rel=1e-4)


def test_a_finished_run_is_given_back_as_it_is_and_says_how_to_extend_it(small_scenario: Path, tmp_path: Path) -> None:
    class Listener(Callback):
        messages: ClassVar[list[str]] = []

        def message(self, text: str) -> None:
            self.messages.append(text)

    record = ne.run(small_scenario, results=tmp_path / "runs")
    before = {file: file.read_bytes() for file in record.path.rglob("*") if file.is_file()}
    again = ne.resume(record.path, callbacks=[Listener()])
    assert (again.path, again.status, dict(again.run)) == (record.path, "finished", dict(record.run))
    assert {file: file.read_bytes() for file in record.path.rglob("*") if file.is_file()} == before
    (message,) = Listener.messages
    assert "has finished (12 generations" in message
    assert "neuroevo extend RUN" in message


@pytest.mark.parametrize(
    "overrides",
    [
        {},
        {"strategy.population_size": 8},
        {"stop.generations": -1},
        {"stop.generations": 11},
        {"stop.evaluations": 11 * 16},
    ],
)
def test_extending_refuses_what_would_change_the_past(
    overrides: dict[str, object], small_scenario: Path, tmp_path: Path
) -> None:
    record = ne.run(small_scenario, results=tmp_path / "runs")
    before = {file: file.read_bytes() for file in record.path.rglob("*") if file.is_file()}
    with pytest.raises(ValueError, match=r"extend|generations"):
        ne.extend(record.path, overrides=overrides)
    assert {file: file.read_bytes() for file in record.path.rglob("*") if file.is_file()} == before


def test_a_broken_scenario_leaves_nothing(small_scenario: Path, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"network\.n_hidden"):
        ne.run(small_scenario, results=tmp_path / "runs", overrides={"network.n_hidden": 0})
    assert not (tmp_path / "runs").exists()


def test_failed_evaluations_are_warned_of_once(small_scenario: Path, tmp_path: Path) -> None:
    class Listener(Callback):
        messages: ClassVar[list[str]] = []

        def message(self, text: str) -> None:
            self.messages.append(text)

    overrides = {"network.activation": "linear", "strategy": {"kind": "random_search", "start_width": 1e8}}
    record = ne.run(small_scenario, results=tmp_path / "runs", overrides=overrides, callbacks=[Listener()])
    assert record.history["n_failed"].min() > 0
    warnings = [text for text in Listener.messages if "failed" in text]
    assert len(warnings) == 1
    assert warnings[0] in (record.path / "run.log").read_text()


def test_a_checkpoint_of_another_run_is_refused(small_scenario: Path, tmp_path: Path) -> None:
    path = crashed(small_scenario, tmp_path / "one", 6)
    other = crashed(small_scenario, tmp_path / "other", 6, overrides={"network.n_hidden": 4})
    for file in (other / "checkpoints").iterdir():
        (path / "checkpoints" / file.name).write_bytes(file.read_bytes())
    with pytest.raises(RecordError, match="checkpoint does not fit"):
        ne.resume(path)


def test_a_run_that_may_never_end_is_warned_of(small_scenario: Path, tmp_path: Path) -> None:
    record = ne.run(small_scenario, results=tmp_path / "runs", overrides={"stop": {"error": 1e9}})
    assert record.history.n_generations == 1
    assert "nothing in [stop] is sure to end this run" in (record.path / "run.log").read_text()


def test_a_run_with_an_objective_is_resumed_and_extended_to_the_same_bits_and_says_what_its_error_is(
    small_scenario: Path, tmp_path: Path
) -> None:
    objective = {"problem.objective": "pinball", "problem.quantile": 0.8, "problem.target_weights": [2.0]}
    whole = ne.run(small_scenario, overrides={**objective, "stop.generations": 12}, results=tmp_path / "whole")
    begun = ne.run(small_scenario, overrides={**objective, "stop.generations": 6}, results=tmp_path / "part")
    extended = ne.extend(begun.path, overrides={"stop.generations": 12})
    assert outcome(extended) == outcome(whole)
    assert whole.error_name == "weighted mean pinball loss of quantile 0.8 (scaled units)"
    assert whole.run["results"]["measures"]["error"] == whole.error_name
    error, _ = whole.problem.score(whole.network, whole.champion.genome, "train")
    assert whole.run["champion"]["error"] == pytest.approx(error, rel=2e-5)
    plain = ne.run(small_scenario, overrides={"stop.generations": 12}, results=tmp_path / "plain")
    assert not np.array_equal(plain.champion.genome, whole.champion.genome)


def test_a_run_with_an_objective_of_ones_own_goes_on_from_its_record(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(1, 40, 1))

    def scenario(objective: object) -> ne.Scenario:
        problem = ne.SequenceProblem(values[:, :-1], values[:, 1:], objective=objective)  # type: ignore[arg-type]
        return ne.make_scenario(problem, ne.Elman(1, 2, 1), "snes", {"generations": 8})

    whole = ne.run(scenario(largest), results=tmp_path / "whole")
    begun = ne.run(scenario(largest).replaced({"stop.generations": 3}), results=tmp_path / "begun")
    assert outcome(ne.extend(begun.path, overrides={"stop.generations": 8})) == outcome(whole)
    assert whole.error_name == "largest (objective of one's own)"
    outputs = whole.network.predict(whole.champion.genome, values[:, :-1])
    assert whole.run["champion"]["error"] == pytest.approx(np.abs(outputs - values[:, 1:]).max(), rel=1e-5)
    with pytest.raises(ne.BadInput, match="can't be written down"):
        ne.run(scenario(lambda outputs, *_: outputs.max(axis=(1, 2, 3)) ** 2), results=tmp_path / "none")
    assert not list((tmp_path / "none").iterdir())

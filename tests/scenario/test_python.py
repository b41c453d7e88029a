"""Scenarios made of Python objects: the same runs as from a file, and criteria that survive their table."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import neuroevo as ne
from neuroevo.analysis import summary
from neuroevo.stopping import (
    CRITERIA,
    AllOf,
    AnyOf,
    Custom,
    ErrorReached,
    Evaluations,
    Generations,
    Stagnation,
    stopping_from_table,
    table_of,
)
from tests.results import results_of


@pytest.fixture
def made(small_scenario):
    """The small scenario, of objects, and the file's own."""
    loaded = ne.load_scenario(small_scenario)
    strategy = {"kind": "genetic_algorithm", "population_size": 16}
    scenario = ne.make_scenario(loaded.problem, loaded.network, strategy, Generations(12), name="small")
    return scenario, small_scenario


def test_a_run_of_objects_is_the_run_of_the_file(made, tmp_path):
    scenario, file = made
    record = ne.run(scenario, results=tmp_path / "objects")
    assert record.path.name == "small-seed1"
    assert results_of(record) == results_of(ne.run(file, results=tmp_path / "file"))
    longer = ne.extend(record.path, overrides={"stop.generations": 20})
    other = ne.run(file, overrides={"stop.generations": 20}, results=tmp_path / "file")
    assert results_of(longer) == results_of(other)


def test_seeds_and_overrides_replace_what_was_made(made, tmp_path):
    scenario, file = made
    changes = {"seed": 7, "overrides": {"strategy.population_size": 8}}
    assert results_of(ne.run(scenario, results=tmp_path / "a", **changes)) == results_of(
        ne.run(file, results=tmp_path / "b", **changes)
    )


def test_trials_and_sweeps_take_objects(made, tmp_path):
    scenario, file = made
    found = ne.run_trials(scenario, 2, results=tmp_path / "a")
    expected = ne.run_trials(file, 2, results=tmp_path / "b")
    assert [results_of(trial) for trial in found.trials()] == [results_of(trial) for trial in expected.trials()]
    sweep = ne.run_sweep(scenario, over={"strategy.population_size": [6, 8]}, results=tmp_path / "a")
    assert len(summary(sweep)["points"]) == 2


def test_a_sweep_goes_along_with_its_scenario(made, tmp_path):
    scenario, file = made
    sweep = {"trials": 2, "samples": 2, "over": {"strategy.population_size": {"low": 6, "high": 20}}}
    of_objects = ne.make_scenario(
        scenario.problem, scenario.network, dict(scenario.table["strategy"]), Generations(3), name="small", sweep=sweep
    )
    assert of_objects.replaced({"seed": 4}).sweep == of_objects.sweep
    lines = "[sweep]\ntrials = 2\nsamples = 2\n[sweep.over.strategy]\npopulation_size = { low = 6, high = 20 }\n"
    file.write_text(file.read_text().replace("generations = 12", "generations = 3") + lines)
    expected = summary(ne.run_sweep(file, results=tmp_path / "file"))
    assert [point["n_finished"] for point in expected["points"]] == [2, 2]
    for each in (of_objects, ne.load_scenario(file)):
        points = summary(ne.run_sweep(each, results=tmp_path / each.table["problem"]["kind"]))["points"]
        for found, other in zip(points, expected["points"], strict=True):
            assert found["values"] == other["values"]
            assert found["figures"]["champion.error"] == other["figures"]["champion.error"]
    assert "sweep" not in ne.run(of_objects, results=tmp_path).scenario


def test_numbers_may_be_those_of_numpy(made, tmp_path):
    scenario, _ = made
    stop, strategy = {"generations": np.int64(3)}, {"kind": "snes", "bounds": (np.float64(-2), np.float32(2))}
    record = ne.run(ne.make_scenario(scenario.problem, scenario.network, strategy, stop), results=tmp_path)
    assert record.scenario["stop"] == {"generations": 3}
    assert record.scenario["strategy"]["bounds"] == [-2.0, 2.0]
    assert ne.run(scenario, results=tmp_path, overrides={"stop.generations": np.int64(2)}).run["generations"] == 2


def test_the_scenario_of_its_record_says_that_its_problem_is_not_described(made, tmp_path):
    record = ne.run(made[0], results=tmp_path)
    with pytest.raises(ne.ScenarioError, match=r"made in Python.*resume"):
        ne.load_scenario(record.path / "scenario.toml")
    with pytest.raises(ne.ScenarioError, match="made in Python"):
        made[0].replaced({"problem.horizon": 2})


def test_what_does_not_fit_is_refused(made):
    problem = made[0].problem
    with pytest.raises(ne.BadInput, match="same n_inputs, got 3 and 1"):
        ne.make_scenario(problem, ne.Elman(3, 2, 1), "snes", {"generations": 3})
    for argument, value in (("problem", "xor"), ("network", "elman"), ("strategy", ne.Strategy), ("stop", 300)):
        good = {"problem": problem, "network": made[0].network, "strategy": "snes", "stop": {"generations": 3}}
        with pytest.raises(ne.WrongType, match=f"{argument} must be a"):
            ne.make_scenario(**{**good, argument: value})
    with pytest.raises(ne.ScenarioError, match="there is no strategy 'snse'"):
        ne.make_scenario(problem, ne.Elman(1, 2, 1), "snse", {"generations": 3})
    with pytest.raises(ne.ScenarioError, match="unknown"):
        ne.make_scenario(problem, ne.Elman(1, 2, 1), "snes", {"generations": 3}, ilands={"count": 2})


def test_a_criterion_survives_its_table():
    criterion = AnyOf(
        [Generations(300), AllOf([Stagnation(50), Evaluations(10_000)]), ErrorReached(0.01), AllOf([Generations(7)])]
    )
    table = table_of(criterion)
    assert table.keys() == {"generations", "error", "all"}
    assert table["generations"] == 300
    assert table["all"][1] == {"generations": 7}
    assert set(stopping_from_table(table).leaves()) == set(criterion.leaves())


@given(st.data())
def test_every_registered_criterion_survives_its_table(data):
    tables = {
        "generations": st.integers(1, 10**9),
        "evaluations": st.integers(1, 10**9),
        "seconds": st.floats(1e-3, 1e9),
        "error": st.floats(0, 1e9),
        "fitness": st.floats(1e-9, 1e9),
        "learned": st.floats(1e-3, 1),
        "validation_error": st.floats(0, 1e9),
        "stagnation": st.integers(1, 10**6),
        "validation_patience": st.integers(1, 10**6),
        "diversity": st.floats(1e-9, 1e3),
        "failed": st.floats(1e-3, 1),
        "file": st.sampled_from(["stop", "folder/stop"]),
        "signal": st.sampled_from(["SIGUSR1", "SIGTERM"]),
    }
    assert tables.keys() == set(CRITERIA._targets)  # the package's own; pages register more
    table = data.draw(st.fixed_dictionaries({}, optional=tables).filter(bool))
    criterion = stopping_from_table(table)
    assert stopping_from_table(table_of(criterion)) == criterion


def test_criteria_without_a_table_are_refused():
    with pytest.raises(ne.BadInput, match="no registered criterion"):
        table_of(Custom("mine", lambda progress: True))
    with pytest.raises(ne.BadInput, match="generations stands twice"):
        table_of(Generations(3) | Generations(4))


def test_classes_that_nobody_registered_are_refused(made):
    class Mine(ne.Elman):
        kind = "mine"

    class Shadow(ne.Elman):
        """Has the kind of its base, by which a record would find that one."""

    class Unknown(ne.SequenceProblem):
        """Likewise."""

    problem, network = made[0].problem, made[0].network
    with pytest.raises(ne.BadInput, match=r"network 'elman' is Elman, got a .*Shadow"):
        ne.make_scenario(problem, Shadow(1, 2, 1), "snes", {"generations": 3})
    with pytest.raises(ne.BadInput, match=r"Unknown.kind must be the name of a registered kind"):
        ne.make_scenario(Unknown(problem.inputs, problem.targets), network, "snes", {"generations": 3})
    with pytest.raises(ne.ScenarioError, match="there is no network 'mine'"):
        ne.make_scenario(made[0].problem, Mine(1, 2, 1), "snes", {"generations": 3})
    assert np.isfinite(made[0].problem.inputs).all()

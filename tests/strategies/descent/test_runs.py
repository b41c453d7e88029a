"""Descents in scenarios: checked, cut and resumed, on islands and workers, on batches."""

from __future__ import annotations

import pytest

import neuroevo as ne
from neuroevo.scenario import ScenarioError, check_table
from neuroevo.scenario.json_schema import scenario_schema
from neuroevo.scenario.reader import read_table
from tests.results import results_of
from tests.test_experiment import crashed

TABLES = {
    "bptt": {"kind": "bptt"},
    "online": {"kind": "rtrl", "online": True, "rate": 0.02},
    "second order": {"kind": "levenberg_marquardt", "restart_after": 3},
    "memetic": {"kind": "memetic", "every": 2, "steps": 3, "descent": {"kind": "levenberg_marquardt"}},
    "two stages": {"kind": "evolve_then_descend", "generations": 4, "search": {"kind": "differential_evolution"}},
}
MIXED = {
    "islands": {
        "count": 3,
        "interval": 4,
        "strategies": [{"kind": "memetic", "every": 2, "steps": 2}, {"kind": "bptt", "online": True}],
    },
    "strategy": {"kind": "levenberg_marquardt", "population_size": 5},
}


def overrides_of(name):
    tables = dict(MIXED) if name == "islands" else {"strategy": dict(TABLES[name])}
    if name not in ("islands", "memetic"):
        tables["strategy"]["population_size"] = 6
    return tables


@pytest.mark.parametrize("generation", [5, 6])
@pytest.mark.parametrize("name", [*TABLES, "islands"])
def test_a_run_that_was_cut_goes_on_to_the_same_end(name, generation, small_scenario, tmp_path):
    overrides = overrides_of(name)
    whole = ne.run(small_scenario, results=tmp_path / "whole", overrides=overrides, compute=ne.Compute(threads=2))
    path = crashed(
        small_scenario, tmp_path / "cut", generation, overrides={**overrides, "record.checkpoint_generations": 1}
    )
    resumed = ne.resume(path)
    first, second = results_of(whole.path), results_of(resumed.path)
    assert first[0] == second[0]
    assert whole.champion.genome.tolist() == resumed.champion.genome.tolist()
    assert whole.history["incumbent_error"][-1] < whole.history["incumbent_error"][0]


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.parametrize("name", [*TABLES, "islands"])
def test_workers_change_no_bit(ray_here, name, small_scenario, tmp_path):
    overrides = overrides_of(name)
    here = ne.run(small_scenario, results=tmp_path, overrides=overrides)
    there = ne.run(small_scenario, results=tmp_path, overrides=overrides, compute=ne.Compute(workers=2))
    assert results_of(here.path) == results_of(there.path)


def test_descents_take_batches_where_they_compare_no_generations(small_scenario, tmp_path):
    batch = {"size": 3, "steps": 5}
    with pytest.raises(ScenarioError, match=r"bptt compares errors of different generations.*restart_after = 500"):
        ne.load_scenario(small_scenario, overrides={"batch": batch, "strategy": {"kind": "bptt"}})
    table = {"kind": "bptt", "restart_after": 0}
    with pytest.raises(ScenarioError, match="take optimiser = 'adam', 'rmsprop' or 'sgd'"):
        ne.load_scenario(small_scenario, overrides={"batch": batch, "strategy": table})
    with pytest.raises(ScenarioError, match="levenberg_marquardt compares errors"):
        ne.load_scenario(small_scenario, overrides={"batch": batch, "strategy": {"kind": "levenberg_marquardt"}})
    overrides = {"batch": batch, "strategy": {"kind": "bptt", "optimiser": "adam", "restart_after": 0}}
    record = ne.run(small_scenario, results=tmp_path, overrides={**overrides, "stop.generations": 40})
    assert record.history["incumbent_error"][-1] < record.history["incumbent_error"][0]


def test_mistakes_in_tables_within_tables_are_told_with_their_paths(small_scenario):
    table = {"kind": "memetic", "search": {"kind": "sness"}, "descent": {"kind": "bptt", "rate": -1.0, "rat": 1.0}}
    with pytest.raises(ScenarioError) as caught:
        ne.load_scenario(small_scenario, overrides={"strategy": table})
    assert [mistake.path for mistake in caught.value.mistakes] == [
        "strategy.search.kind",
        "strategy.descent.rat",
        "strategy.descent.rate",
    ]


def test_what_the_network_cannot_do_is_told(small_scenario):
    table = {"kind": "memetic", "descent": {"kind": "lstm_truncated"}}
    with pytest.raises(ScenarioError, match="no backend gives gradient by lstm_truncated for a network 'elman'"):
        ne.load_scenario(small_scenario, overrides={"strategy": table})
    giant = {"strategy": {"kind": "levenberg_marquardt"}, "network.n_hidden": 600}
    with pytest.raises(ScenarioError, match="keeps the curvature of every genome"):
        ne.load_scenario(small_scenario, overrides=giant)


def test_the_resolved_tables_are_whole_and_mean_the_same(small_scenario):
    overrides = {"strategy": {"kind": "memetic", "search": {"kind": "snes", "population_size": 9}}}
    scenario = ne.load_scenario(small_scenario, overrides=overrides)
    table = scenario.table["strategy"]
    assert (table["population_size"], table["search"]["step_size"], table["descent"]["clip"]) == (9, 0.2, 1.0)
    again = check_table(scenario.table, small_scenario, scenario.problem)
    assert again.table == scenario.table
    other = scenario.replaced({"strategy.search.kind": "random_search"})
    assert other.table["strategy"]["search"] == {
        "kind": "random_search", "population_size": 9, "start": "gaussian", "start_width": 1.0, "initial_width": 0.1,
    }  # fmt: skip


def test_the_schema_knows_tables_within_tables(small_scenario):
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(scenario_schema())
    table = read_table(small_scenario)
    for name, strategy in TABLES.items():
        assert not list(validator.iter_errors({**table, "strategy": strategy})), name
    wrong = {"kind": "memetic", "search": {"kind": "snes", "step_siz": 1.0}}
    assert list(validator.iter_errors({**table, "strategy": wrong}))

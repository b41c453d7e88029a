"""What a scenario warns of before it runs."""

from __future__ import annotations

import pytest

from neuroevo.cli.texts import scenario_text
from neuroevo.scenario import load_scenario


def warnings_of(path, **overrides):
    return load_scenario(path, overrides={key.replace("__", "."): value for key, value in overrides.items()}).warnings()


@pytest.mark.parametrize(("horizon", "end", "warns"), [(300, 299, True), (300, 300, False), (5, 6, False)])
def test_a_schedule_that_outlasts_the_run_is_told(small_scenario, horizon, end, warns):
    values = {"strategy__horizon": horizon, "strategy__mutation_adaptation": "decaying"}
    lines = warnings_of(small_scenario, stop__generations=end, **values)
    assert len(lines) == warns
    for line in lines:
        assert line.startswith(f"strategy: genetic_algorithm follows a schedule of {horizon} generations")
        assert f"ends after {end}; strategy.horizon = {end}" in line


def test_a_schedule_in_evaluations_is_compared_with_the_evaluations_of_the_run(small_scenario):
    text = small_scenario.read_text().replace('kind = "genetic_algorithm"', 'kind = "differential_evolution"')
    small_scenario.write_text(text.replace("generations = 12", "evaluations = 99"))
    (line,) = warnings_of(small_scenario, strategy__variant="l_shade", strategy__horizon=100)
    assert "follows a schedule of 100 evaluations and the run ends after 99; strategy.horizon = 99" in line
    assert not warnings_of(small_scenario, strategy__variant="l_shade", strategy__horizon=99)
    assert not warnings_of(small_scenario, strategy__variant="shade", strategy__horizon=100)


def test_settings_without_a_schedule_and_runs_without_an_end_warn_of_none(small_scenario):
    assert not warnings_of(small_scenario, stop__generations=3, strategy__mutation_adaptation="fixed")
    small_scenario.write_text(small_scenario.read_text().replace("generations = 12", "evaluations = 99"))
    assert not warnings_of(small_scenario)


def test_each_island_is_looked_at_and_check_shows_it(small_scenario):
    table = '[islands]\n[[islands.strategies]]\nkind = "simulated_annealing"\nbounds = [-9.0, 9.0]'
    small_scenario.write_text(f"{small_scenario.read_text()}\n{table}")
    scenario = load_scenario(
        small_scenario, overrides={"strategy.horizon": 2, "strategy.bounds": [-9.0, 9.0], "stop.generations": 50}
    )
    (line,) = scenario.warnings()
    assert line.startswith("islands.strategies.0: simulated_annealing follows a schedule of 1000")
    assert f"warning: {line}" in scenario_text(scenario)

"""The table [islands]: what it makes, and what it refuses."""

from __future__ import annotations

import pytest

from neuroevo.scenario import ScenarioError, load_scenario


def with_islands(path, text):
    path.write_text(f"{path.read_text()}\n{text}")
    return path


def test_islands_have_strategies_in_turn_and_streams_of_their_own(small_scenario):
    text = '[islands]\ncount = 3\n[[islands.strategies]]\nkind = "cma_es"\npopulation_size = 10'
    scenario = load_scenario(with_islands(small_scenario, text))
    assert scenario.islands.count == 3
    strategies = [scenario.make_strategy(island) for island in range(3)]
    assert [type(strategy).__name__ for strategy in strategies] == ["GeneticAlgorithm", "CmaEs", "GeneticAlgorithm"]
    assert strategies[0].ask().tolist() != strategies[2].ask().tolist()
    assert scenario.table["islands"]["topology"] == "ring"
    assert scenario.table["islands"]["strategies"][0]["population_size"] == 10


def test_a_scenario_without_the_table_has_one_population(small_scenario):
    scenario = load_scenario(small_scenario)
    assert scenario.islands is None
    assert "islands" not in scenario.table


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[islands]\ncount = 1", "islands.count"),
        ('[islands]\ntopology = "rign"', "ring"),
        ("[islands]\nmigrant = 3", "migrants"),
        ('[islands]\n[[islands.strategies]]\nkind = "cma"', "islands.strategies.0.kind"),
        ('[islands]\n[[islands.strategies]]\nkind = "snes"\npopulation = 3', "islands.strategies.0.population"),
        ('[islands]\nstrategies = "snes"', "islands.strategies"),
        ('[islands]\n[[islands.strategies]]\nkind = "snes"\nbounds = [-1, 1]', "genomes move between the islands"),
        (
            '[islands]\ncount = 2\n[[islands.strategies]]\nkind = "snes"\n[[islands.strategies]]\nkind = "cma_es"',
            "3 islands",
        ),
        ('[distribution]\nworkers = 2\nray = "auto"', "give one of them"),
        ("[distribution]\nworkers = -1", "distribution.workers"),
    ],
)
def test_mistakes_are_named_with_their_place(small_scenario, text, complaint):
    with pytest.raises(ScenarioError, match=complaint):
        load_scenario(with_islands(small_scenario, text))

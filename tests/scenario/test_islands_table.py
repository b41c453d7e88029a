"""The table [islands]: what it makes, and what it refuses."""

from __future__ import annotations

import numpy as np
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
        (
            '[islands]\n[[islands.strategies]]\nkind = "snes"\ninitial = "gone.npz"',
            "islands.strategies.0.initial: there is no file",
        ),
        (
            '[islands]\n[[islands.strategies]]\nkind = "snes"\ninitial = [[1.0], [1.0, 2.0]]',
            "islands.strategies.0.initial: must be a file in quotes, or genomes",
        ),
    ],
)
def test_mistakes_are_named_with_their_place(small_scenario, text, complaint):
    with pytest.raises(ScenarioError, match=complaint):
        load_scenario(with_islands(small_scenario, text))


def test_an_island_starts_from_the_genomes_of_a_file(small_scenario):
    genome = np.linspace(-1, 1, load_scenario(small_scenario).network.n_genes)
    np.savez(small_scenario.parent / "start.npz", genome=genome)
    text = '[islands]\n[[islands.strategies]]\nkind = "random_search"\ninitial = "start.npz"'
    scenario = load_scenario(with_islands(small_scenario, text))
    assert scenario.table["islands"]["strategies"][0]["initial"] == [genome.tolist()]
    assert scenario.make_strategy(1).ask()[0].tolist() == genome.tolist()

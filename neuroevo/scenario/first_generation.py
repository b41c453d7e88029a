"""What the first generation of a scenario shows before anything is evaluated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from neuroevo.problems import SequenceProblem
from neuroevo.problems.warnings import saturation_warnings
from neuroevo.scenario.islands import BESIDE_SETTINGS
from neuroevo.settings import parse_settings
from neuroevo.spaces import expressed
from neuroevo.strategies import STRATEGIES
from neuroevo.strategies.bounds import Bounds
from neuroevo.strategies.settings import StartSettings
from neuroevo.strategies.starts import initial_population

if TYPE_CHECKING:
    from neuroevo.scenario.schema import Scenario

_N_GENOMES = 8


def start_warnings(scenario: Scenario) -> list[str]:
    """Sentences on saturated units; nothing where genomes are given, or for problems without sequences.

    A matter of milliseconds and not of microseconds, so runs do not ask.
    """
    if not isinstance(scenario.problem, SequenceProblem) or "initial" in scenario.table["strategy"]:
        return []
    genomes = expressed(scenario.space, _first_genomes(scenario), scenario.network, scenario.problem)
    return saturation_warnings(scenario.problem, scenario.network, genomes)


def _first_genomes(scenario: Scenario) -> NDArray[np.float64]:
    """A few genomes such as the strategy begins with, without importing what only a search needs."""
    table, space, network = dict(scenario.table["strategy"]), scenario.space, scenario.network
    own = {key: value for key, value in table.items() if key not in ("kind", *BESIDE_SETTINGS)}
    settings = parse_settings(STRATEGIES[table["kind"]].Settings, own, "strategy")
    if not isinstance(settings, StartSettings):
        return scenario.make_strategy().ask()[:_N_GENOMES]
    n_genes, layout = space.n_genes(network), space.layout(network)
    limits = tuple(table["bounds"]) if "bounds" in table else space.bounds(network)
    bounds = None if limits is None else Bounds.of(limits, n_genes)
    rng = np.random.Generator(np.random.PCG64(scenario.head.seed))
    return initial_population(settings, _N_GENOMES, n_genes, rng, layout=layout, bounds=bounds)

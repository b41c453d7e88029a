"""A strategy is a search algorithm: it proposes populations of genomes and learns from their errors.

Members of the registry are imported when they are asked for, so that listing them costs nothing. `make_strategy` builds
one from its name and plain values; `Strategy` is what a strategy of one's own derives from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuroevo.registry import Registry
from neuroevo.settings import parse_settings
from neuroevo.strategies.base import State, Strategy
from neuroevo.strategies.bounds import Bounds
from neuroevo.strategies.settings import StartSettings, StrategySettings
from neuroevo.strategies.streams import Phase, stream

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from neuroevo.networks import GenomeLayout

__all__ = [
    "STRATEGIES",
    "Bounds",
    "Phase",
    "StartSettings",
    "State",
    "Strategy",
    "StrategySettings",
    "make_strategy",
    "stream",
]

STRATEGIES: Registry[type[Strategy[Any]]] = Registry(
    "strategy",
    "neuroevo.strategies",
    {
        "genetic_algorithm": "neuroevo.strategies.genetic.strategy:GeneticAlgorithm",
        "simulated_annealing": "neuroevo.strategies.annealing.simulated_annealing:SimulatedAnnealing",
        "parallel_tempering": "neuroevo.strategies.annealing.parallel_tempering:ParallelTempering",
        "particle_swarm": "neuroevo.strategies.swarm.strategy:ParticleSwarm",
        "cosyne": "neuroevo.strategies.cosyne:Cosyne",
        "random_search": "neuroevo.strategies.random_search:RandomSearch",
        "random_weight_guessing": "neuroevo.strategies.random_search:RandomWeightGuessing",
        "cma_es": "neuroevo.strategies.cma_es:CmaEs",
        "differential_evolution": "neuroevo.strategies.differential_evolution:DifferentialEvolution",
        "nsga2": "neuroevo.strategies.nsga2.strategy:Nsga2",
        "snes": "neuroevo.strategies.snes:Snes",
        "cr_fm_nes": "neuroevo.strategies.cr_fm_nes:CrFmNes",
        "openai_es": "neuroevo.strategies.openai_es:OpenAiEs",
        "pgpe": "neuroevo.strategies.pgpe:Pgpe",
        "bptt": "neuroevo.strategies.descent.methods:Bptt",
        "rtrl": "neuroevo.strategies.descent.methods:Rtrl",
        "hybrid": "neuroevo.strategies.descent.methods:Hybrid",
        "crbp": "neuroevo.strategies.descent.methods:Crbp",
        "lstm_truncated": "neuroevo.strategies.descent.methods:LstmTruncated",
        "signal_flow": "neuroevo.strategies.descent.methods:SignalFlow",
        "pearlmutter": "neuroevo.strategies.descent.methods:Pearlmutter",
        "levenberg_marquardt": "neuroevo.strategies.descent.levenberg_marquardt:LevenbergMarquardt",
        "memetic": "neuroevo.strategies.descent.memetic:Memetic",
        "evolve_then_descend": "neuroevo.strategies.descent.evolve_then_descend:EvolveThenDescend",
    },
)


def make_strategy(
    kind: str,
    *,
    n_genes: int,
    seed: int,
    population_size: int | None = None,
    layout: GenomeLayout | None = None,
    initial: ArrayLike | None = None,
    bounds: tuple[ArrayLike, ArrayLike] | None = None,
    island: int = 0,
    **settings: object,
) -> Strategy[Any]:
    """Build a strategy from its name.

    Args:
        kind: A name of `STRATEGIES`.
        n_genes: Length of a genome.
        seed: Seed of the run, 0 or more.
        population_size: Genomes a generation; None takes the strategy's default.
        layout: The network's layout, for operators and starts that respect units and layers.
        initial: `(n, n_genes)` genomes to start from, or one genome `(n_genes,)` to start around.
        bounds: (low, high), each a number or `(n_genes,)`; None leaves genes free.
        island: Number of the island.
        **settings: The strategy's settings by name.

    Raises:
        UnknownName: There is no such strategy.
        SettingsError: Settings that it does not have, or values out of range; all of them at once.
    """
    strategy = STRATEGIES[kind]
    values = settings if population_size is None else {**settings, "population_size": population_size}
    return strategy(
        parse_settings(strategy.Settings, values),
        n_genes=n_genes,
        seed=seed,
        layout=layout,
        initial=initial,
        bounds=bounds,
        island=island,
    )

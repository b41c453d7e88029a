"""What a genetic algorithm can be told, and the toolbox that these settings fill."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from annotated_types import Ge, Gt, Interval

from neuroevo.errors import BadInput
from neuroevo.registry import nearest
from neuroevo.strategies.bounds import Bounds
from neuroevo.strategies.genetic import crossover, mutation, selection
from neuroevo.strategies.genetic.deap_operators import PREFIX, check_options, deap_operator
from neuroevo.strategies.settings import StartSettings
from neuroevo.strategies.starts import box

if TYPE_CHECKING:
    from neuroevo.networks import GenomeLayout

Option: TypeAlias = bool | int | float | str
Operator: TypeAlias = Callable[..., Any]
SELECTIONS = ("tournament", "roulette", "rank", "stochastic_universal_sampling", "truncation")
CROSSOVERS = ("intermediate", "blend", "simulated_binary", "arithmetic", "one_point", "two_point", "uniform", "unit")
MUTATIONS = ("gaussian", "polynomial", "uniform_reset")


@dataclass(frozen=True)
class GeneticSettings(StartSettings):
    """Settings of the genetic algorithm; defaults without a paper were tuned on networks (`benchmarks/outside.py`).

    Attributes:
        population_size: Parents, and genomes of the first generation.
        scheme: `generational`: the best children replace all parents but the elites. `steady_state`: a few children
            replace the worst parents (Whitley 1989, GENITOR). `mu_plus_lambda`: the best of parents and children go on.
            `mu_comma_lambda`: the best of the children go on (both Schwefel 1981).
        n_offspring: Children a generation; by default as many as parents, an eighth of them in the steady state, and
            seven times as many in (mu, lambda) (Schwefel 1981).
        n_elites: Best parents that always go on, with the error they have (De Jong 1975), in the first two schemes.
            They keep widths alive that no longer serve: with widths by gene, one made the error 1.6 times as high.
        selection: An operator of `neuroevo.strategies.genetic.selection`, or one of DEAP's ("deap.selTournament").
        selection_options: Keyword arguments for DEAP's operator; our own read the fields below.
        tournament_size: Genomes in a tournament.
        ranking_pressure: Expected children of the best in rank selection (Baker 1985: at most 2).
        truncation_share: Share of the population that truncation selects from (Muehlenbein 1993: 0.1 to 0.5).
        crossover: An operator of `neuroevo.strategies.genetic.crossover`, or one of DEAP's ("deap.cxBlend").
        crossover_options: Keyword arguments for DEAP's operator.
        crossover_probability: Of a pair's being crossed at all.
        blend_alpha: How far blend reaches beyond the parents. From 0.37 on children are spread wider than their
            parents, which Eshelman and Schaffer's 0.5 overdoes where a genome has hundreds of genes.
        swap_probability: Of a gene's or unit's changing places in `uniform` and `unit` (Syswerda 1989: 0.5).
        crossover_eta: Crowding of simulated binary crossover (Deb and Agrawal 1995: 2 to 5).
        mutation: An operator of `neuroevo.strategies.genetic.mutation`, or one of DEAP's ("deap.mutGaussian").
        mutation_options: Keyword arguments for DEAP's operator.
        mutation_probability: Of a child's being mutated at all.
        gene_probability: Of a gene's mutating in such a child.
        mutation_width: Standard deviation of gaussian mutation, reach of polynomial mutation without bounds; where
            widths adapt, the first.
        mutation_adaptation: `fixed`; `decaying` geometrically to `final_width` over `horizon` generations, then held;
            `self_adapted`: every genome carries its own width; `self_adapted_genes`: and one for each gene (Baeck and
            Schwefel 1993, one and n step sizes).
        adaptation_rate: Factor of the rate tau at which the widths of genes change; 1 in the paper.
        final_width: Width at the end of the decay.
        horizon: Generations of the decay.
        mutation_eta: Crowding of polynomial mutation (Deb: 20).
        reset_width: `uniform_reset` draws from U(-reset_width, reset_width), cut to the bounds where there are any.
    """

    population_size: Annotated[int, Ge(1)] = 60
    start_width: Annotated[float, Gt(0)] = 0.3
    scheme: Literal["generational", "steady_state", "mu_plus_lambda", "mu_comma_lambda"] = "generational"
    n_offspring: Annotated[int, Ge(1)] | None = None
    n_elites: Annotated[int, Ge(0)] = 0
    selection: str = "tournament"
    selection_options: Mapping[str, Option] = field(default_factory=dict)
    tournament_size: Annotated[int, Ge(1)] = 9
    ranking_pressure: Annotated[float, Interval(ge=1, le=2)] = 2.0
    truncation_share: Annotated[float, Interval(gt=0, le=1)] = 0.5
    crossover: str = "intermediate"
    crossover_options: Mapping[str, Option] = field(default_factory=dict)
    crossover_probability: Annotated[float, Interval(ge=0, le=1)] = 1.0
    blend_alpha: Annotated[float, Ge(0)] = 0.25
    swap_probability: Annotated[float, Interval(ge=0, le=1)] = 0.5
    crossover_eta: Annotated[float, Ge(0)] = 2.0
    mutation: str = "gaussian"
    mutation_options: Mapping[str, Option] = field(default_factory=dict)
    mutation_probability: Annotated[float, Interval(ge=0, le=1)] = 1.0
    gene_probability: Annotated[float, Interval(ge=0, le=1)] = 1.0
    mutation_width: Annotated[float, Gt(0)] = 0.05
    mutation_adaptation: Literal["fixed", "decaying", "self_adapted", "self_adapted_genes"] = "self_adapted_genes"
    adaptation_rate: Annotated[float, Gt(0)] = 2.0
    final_width: Annotated[float, Gt(0)] = 0.01
    horizon: Annotated[int, Ge(1)] = 300
    mutation_eta: Annotated[float, Ge(0)] = 20.0
    reset_width: Annotated[float, Gt(0)] = 1.0

    def __post_init__(self) -> None:
        for kind, known in (("selection", SELECTIONS), ("crossover", CROSSOVERS), ("mutation", MUTATIONS)):
            _check_operator(kind, getattr(self, kind), getattr(self, f"{kind}_options"), known)
        if self.scheme == "generational" and self.n_offspring not in (None, self.population_size):
            raise BadInput(
                f"n_offspring = {self.n_offspring}, but the generational scheme has as many children as parents "
                f"({self.population_size}); leave it out or choose another scheme"
            )
        if self.scheme == "mu_comma_lambda" and self.n_children < self.population_size:
            raise BadInput(
                f"n_offspring = {self.n_offspring}, but (mu, lambda) takes its {self.population_size} parents from the "
                "children; it needs at least as many"
            )
        if self.n_elites > self.population_size:
            raise BadInput(f"n_elites = {self.n_elites} is more than population_size = {self.population_size}")

    @property
    def schedule_length(self) -> int | None:
        """The horizon of a decaying width."""
        return self.horizon if self.mutation_adaptation == "decaying" else None

    @property
    def n_children(self) -> int:
        """Children a generation."""
        if self.n_offspring is not None:
            return self.n_offspring
        n = self.population_size
        return {"steady_state": max(1, n // 8), "mu_comma_lambda": 7 * n}.get(self.scheme, n)


def make_toolbox(settings: GeneticSettings, n_genes: int, layout: GenomeLayout | None, bounds: Bounds | None) -> Any:
    """A `deap.base.Toolbox` with `select`, `mate` and `mutate` registered as the settings say.

    Raises:
        ValueError: Crossover by units without a layout.
    """
    from deap import base

    toolbox = base.Toolbox()
    for alias, (operator, options) in {
        "select": _selection(settings),
        "mate": _crossover(settings, layout),
        "mutate": _mutation(settings, n_genes, bounds),
    }.items():
        toolbox.register(alias, operator, **options)
    return toolbox


def _selection(settings: GeneticSettings) -> tuple[Operator, Mapping[str, Any]]:
    if settings.selection.startswith(PREFIX):
        return deap_operator("selection", settings.selection), settings.selection_options
    options: dict[str, dict[str, float]] = {
        "tournament": {"size": settings.tournament_size},
        "rank": {"pressure": settings.ranking_pressure},
        "truncation": {"share": settings.truncation_share},
    }
    return getattr(selection, settings.selection), options.get(settings.selection, {})


def _crossover(settings: GeneticSettings, layout: GenomeLayout | None) -> tuple[Operator, Mapping[str, Any]]:
    if settings.crossover.startswith(PREFIX):
        return deap_operator("crossover", settings.crossover), settings.crossover_options
    if settings.crossover == "unit":
        if layout is None:
            raise BadInput("crossover = 'unit' keeps a unit's genes together and needs layout=network.layout")
        return crossover.unit, {"units": layout.units, "probability": settings.swap_probability}
    options: dict[str, dict[str, float]] = {
        "blend": {"alpha": settings.blend_alpha},
        "simulated_binary": {"eta": settings.crossover_eta},
        "uniform": {"probability": settings.swap_probability},
    }
    return getattr(crossover, settings.crossover), options.get(settings.crossover, {})


def _mutation(settings: GeneticSettings, n_genes: int, bounds: Bounds | None) -> tuple[Operator, Mapping[str, Any]]:
    if settings.mutation.startswith(PREFIX):
        return deap_operator("mutation", settings.mutation), settings.mutation_options
    probability = settings.gene_probability
    if settings.mutation == "polynomial":
        return mutation.polynomial, {"probability": probability, "eta": settings.mutation_eta, "bounds": bounds}
    if settings.mutation == "uniform_reset":
        _, low, high = box(n_genes, settings.reset_width, bounds)
        return mutation.uniform_reset, {"probability": probability, "low": low, "high": high}
    return mutation.gaussian, {"probability": probability}


def _check_operator(kind: str, name: str, options: Mapping[str, Option], known: tuple[str, ...]) -> None:
    if name.startswith(PREFIX):
        check_options(kind, name, deap_operator(kind, name), options)
    elif name not in known:
        near = nearest(name, known)
        guess = f"; did you mean {near!r}?" if near else ""
        raise BadInput(f"there is no {kind} {name!r}{guess} Known: {', '.join(known)}, and DEAP's as 'deap.<name>'")
    elif options:
        raise BadInput(f"{kind}_options are for DEAP's operators; {name!r} is set by fields of its own")

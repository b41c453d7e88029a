"""CoSyNE: cooperative synapse neuroevolution.

Gomez, Schmidhuber and Miikkulainen 2008, "Accelerated neural evolution through cooperatively coevolved synapses",
https://www.jmlr.org/papers/v9/gomez08a.html, section 3. Every gene has a subpopulation of its own: one column of the
population matrix. A row is a network, and after each generation the columns are shuffled, so that every value is tried
with many others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Gt, Interval
from numpy.typing import NDArray

from neuroevo.strategies.base import Axes, Strategy
from neuroevo.strategies.bounds import FloatArray
from neuroevo.strategies.genetic.crossover import swap
from neuroevo.strategies.settings import StartSettings
from neuroevo.strategies.streams import Phase

# The tails of Cauchy noise would make genes that overflow a network's sums; nothing this large is of use.
_LARGEST_STEP = 1e6


@dataclass(frozen=True)
class CosyneSettings(StartSettings):
    """Settings of CoSyNE; defaults from Gomez et al. 2008 where nothing else is said.

    Attributes:
        population_size: Values in every subpopulation, and networks in a generation (the paper: 20 to 30).
        start_width: Tuned on series and memory tasks, as is `mutation_width`; the paper's pole balancers start uniform
            within 10.
        parent_share: Best networks that breed (the paper: a quarter).
        offspring_share: Worst networks that the children replace.
        mutation_probability: Of each gene of a child (the paper: 0.3).
        mutation_width: Scale of the Cauchy noise (the paper: 0.3, which never settles on a series).
        shuffle_by_fitness: Whether the better a value's network, the rarer it changes places (the paper's eq. 1);
            otherwise all do, as in the paper's experiments.
    """

    population_size: Annotated[int, Ge(1)] = 24
    start_width: Annotated[float, Gt(0)] = 0.3
    parent_share: Annotated[float, Interval(gt=0, le=1)] = 0.25
    offspring_share: Annotated[float, Interval(gt=0, le=1)] = 0.25
    mutation_probability: Annotated[float, Interval(ge=0, le=1)] = 0.3
    mutation_width: Annotated[float, Gt(0)] = 0.02
    shuffle_by_fitness: bool = False


class Cosyne(Strategy[CosyneSettings]):
    """Cooperative synapse neuroevolution: a subpopulation for every gene, shuffled into networks."""

    Settings = CosyneSettings
    memoryless = True
    STATE = ("genomes", "errors")

    _genomes: FloatArray
    _errors: FloatArray

    AXES: ClassVar[Axes] = {"genomes": ("population_size", "n_genes"), "errors": ("population_size",)}

    def _ask(self) -> FloatArray:
        settings = self.settings
        if self._generation == 0:
            return self._initial_population()
        order = np.argsort(self._errors, kind="stable")
        genomes, errors = self._genomes[order], self._errors[order]
        n = len(order)
        n_parents = max(1, round(settings.parent_share * n))
        n_offspring = max(1, round(settings.offspring_share * n))
        children = self._bred(genomes[:n_parents], n_offspring)
        kept = self._shuffled(genomes[: n - n_offspring], errors[: n - n_offspring])
        return np.concatenate([kept, children])

    def _tell(self, population: FloatArray, error: FloatArray) -> None:
        self._genomes, self._errors = population, error

    def _bred(self, parents: FloatArray, n: int) -> FloatArray:
        """Children `(n, n_genes)`: one-point crossover inside the segment of each unit, then Cauchy noise."""
        rng = self._stream(Phase.MATE)
        mothers, fathers = rng.integers(0, len(parents), (2, (n + 1) // 2))
        units = np.zeros(self.n_genes, dtype=np.int64) if self.layout is None else self.layout.units
        tails = beyond_cut(units, len(mothers), rng)
        children = np.concatenate(swap(parents[mothers], parents[fathers], tails))[:n]
        rng = self._stream(Phase.MUTATE)
        mutated = rng.random(children.shape) < self.settings.mutation_probability
        steps = self.settings.mutation_width * rng.standard_cauchy(children.shape)
        children += np.where(mutated, np.clip(steps, -_LARGEST_STEP, _LARGEST_STEP), 0.0)
        return children if self.bounds is None else self.bounds.reflect(children)

    def _shuffled(self, genomes: FloatArray, errors: FloatArray) -> FloatArray:
        """Genomes `(n, n_genes)`, sorted by error, with the values of each gene permuted among them."""
        rng = self._stream(Phase.PERMUTE)
        if not self.settings.shuffle_by_fitness or len(genomes) < 2:
            return rng.permuted(genomes, axis=0)
        chance = shuffle_probability(errors, self.n_genes)
        marked = rng.random(genomes.shape) < chance[:, np.newaxis]
        return permuted_where(genomes, marked, rng)

    def _inject(self, genomes: FloatArray, errors: FloatArray) -> None:
        """Immigrants take the places of the worst networks, if they are better."""
        incoming = np.argsort(errors, kind="stable")[: len(self._errors)]
        places = np.argsort(self._errors, kind="stable")[::-1][: len(incoming)]
        better = errors[incoming] < self._errors[places]
        incoming, places = incoming[better], places[better]
        self._genomes, self._errors = self._genomes.copy(), self._errors.copy()
        self._genomes[places], self._errors[places] = genomes[incoming], errors[incoming]

    def _members(self) -> tuple[FloatArray, FloatArray]:
        return self._genomes, self._errors


def beyond_cut(units: NDArray[np.int64], n_pairs: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which genes `(n_pairs, n_genes)` lie beyond a cut drawn for each pair and unit; a cut may spare or take all."""
    sizes = np.bincount(units)
    order = np.argsort(units, kind="stable")
    place = np.empty(len(units), dtype=np.int64)
    place[order] = np.arange(len(units)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    cuts = rng.integers(0, sizes + 1, (n_pairs, len(sizes)))
    tails: NDArray[np.bool_] = place >= cuts[:, units]
    return tails


def shuffle_probability(errors: FloatArray, n_genes: int) -> FloatArray:
    """Chance `(n,)` that a network's values change places: 1 - ((f - f_min) / (f_max - f_min))^(1 / n_genes).

    Gomez et al. 2008, eq. 1, with the reciprocal error as f.
    """
    # Scaled to 1 for the best, so that an error of 0 does not overflow; errors are sorted.
    best = errors[0]
    fitness = np.where(errors == best, 1.0, 0.0)
    if best > 0 and np.isfinite(best):
        fitness = best / errors
    spread = fitness.max() - fitness.min()
    if spread == 0:
        return np.ones(len(errors))
    chance: FloatArray = 1.0 - ((fitness - fitness.min()) / spread) ** (1.0 / n_genes)
    return chance


def permuted_where(genomes: FloatArray, marked: NDArray[np.bool_], rng: np.random.Generator) -> FloatArray:
    """Genomes `(n, n_genes)` with the marked values of each gene permuted among the marked places."""
    places = np.argsort(~marked, axis=0, kind="stable")
    # Both orders put the unmarked places last and leave them in their order, so they meet themselves.
    sources = np.argsort(np.where(marked, rng.random(genomes.shape), 2.0), axis=0, kind="stable")
    shuffled = np.empty_like(genomes)
    np.put_along_axis(shuffled, places, np.take_along_axis(genomes, sources, axis=0), axis=0)
    return shuffled

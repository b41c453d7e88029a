"""Genetic algorithm on a DEAP toolbox.

Holland 1975, "Adaptation in natural and artificial systems"; Goldberg 1989; DEAP: Fortin et al. 2012, JMLR 13,
https://www.jmlr.org/papers/v13/fortin12a.html. Montana and Davis 1989 trained networks with it first.

Selection, crossover and mutation are what is registered in `strategy.toolbox` as `select`, `mate` and `mutate`; they
work on the whole population matrix. DEAP's own operators may be registered as well and are adapted on the way.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from neuroevo.errors import BadInput
from neuroevo.strategies.base import Axes, Strategy
from neuroevo.strategies.bounds import FloatArray
from neuroevo.strategies.genetic import deap_operators as deap
from neuroevo.strategies.genetic.mutation import Width
from neuroevo.strategies.genetic.selection import Indices
from neuroevo.strategies.genetic.settings import GeneticSettings, make_toolbox
from neuroevo.strategies.schedules import geometric
from neuroevo.strategies.streams import Phase

# A width that has shrunk below this moves no gene of a network any more and could only underflow.
_LEAST_WIDTH = 1e-12


class GeneticAlgorithm(Strategy[GeneticSettings]):
    """Selection, crossover and mutation through a DEAP toolbox, on the whole population at once.

    Attributes:
        toolbox: A `deap.base.Toolbox`; registering another `select`, `mate` or `mutate` changes the run. The forms are
            those of the modules `selection`, `crossover` and `mutation`, or DEAP's own.
    """

    Settings = GeneticSettings
    STATE = ("parents", "parent_error", "parent_widths")

    _parents: FloatArray
    _parent_error: FloatArray
    _parent_widths: FloatArray
    _child_widths: FloatArray

    AXES: ClassVar[Axes] = {
        "parents": ("population_size", "n_genes"),
        "parent_error": ("population_size",),
    }

    def __init__(self, settings: GeneticSettings, **arguments: object) -> None:
        super().__init__(settings, **arguments)  # type: ignore[arg-type]
        self.toolbox = make_toolbox(settings, self.n_genes, self.layout, self.bounds)
        self._parent_widths = self._first_widths()

    def _ask(self) -> FloatArray:
        if self._generation == 0:
            self._child_widths = self._first_widths()
            return self._initial_population()
        n = self.settings.n_children
        n_pairs = (n + 1) // 2
        chosen = self._select(2 * n_pairs)
        children = self._mate(chosen[:n_pairs], chosen[n_pairs:])[:n]
        widths = self._inherited_widths(chosen[:n_pairs], chosen[n_pairs:])[:n]
        children = self._mutate(children, widths)
        self._child_widths = widths
        return children if self.bounds is None else self.bounds.reflect(children)

    def _tell(self, population: FloatArray, error: FloatArray) -> None:
        if self._generation == 0:
            self._parents, self._parent_error, self._parent_widths = population, error, self._child_widths
            return
        if self._parent_widths.ndim == 2 and error.min() == error.max():
            # Equal errors say nothing of widths, which would take steps at random and grow.
            self._child_widths = self._usual_widths(len(population))
        genomes = np.concatenate([self._parents, population])
        errors = np.concatenate([self._parent_error, error])
        widths = np.concatenate([self._parent_widths, self._child_widths])
        self._keep(self._survivors(errors), genomes, errors, widths)

    def _survivors(self, errors: FloatArray) -> Indices:
        """Who goes on: rows of parents and children together, errors `(n_parents + n_children,)`."""
        n = self.settings.population_size
        children = np.arange(n, len(errors))
        if self.settings.scheme == "mu_plus_lambda":
            return _best(errors, n)
        if self.settings.scheme == "mu_comma_lambda":
            return children[_best(errors[n:], n)]
        n_kept = max(self.settings.n_elites, n - len(children))
        return np.concatenate([_best(errors[:n], n_kept), children[_best(errors[n:], n - n_kept)]])

    def _inject(self, genomes: FloatArray, errors: FloatArray) -> None:
        """Immigrants take the places of the worst parents, the best parent's only if they are better."""
        n = len(self._parents)
        order = np.argsort(self._parent_error, kind="stable")
        incoming = _best(errors, n)
        stay = order[: max(1, n - len(incoming))]
        genomes = np.concatenate([self._parents[stay], genomes[incoming]])
        all_errors = np.concatenate([self._parent_error[stay], errors[incoming]])
        widths = np.concatenate([self._parent_widths[stay], self._usual_widths(len(incoming))])
        self._keep(np.sort(_best(all_errors, n)), genomes, all_errors, widths)

    def _figures(self) -> dict[str, float | None]:
        return {"mutation_width": float(np.median(self._parent_widths))}

    def _restored(self) -> None:
        shape, expected = self._parent_widths.shape, self._first_widths().shape
        if shape != expected:
            raise BadInput(f"parent_widths in the state has the shape {shape}, expected {expected}")

    def _members(self) -> tuple[FloatArray, FloatArray]:
        return self._parents, self._parent_error

    def _keep(self, rows: Indices, genomes: FloatArray, errors: FloatArray, widths: FloatArray) -> None:
        self._parents, self._parent_error, self._parent_widths = genomes[rows], errors[rows], widths[rows]

    def _select(self, k: int) -> Indices:
        rng = self._stream(Phase.SELECT)
        operator = self.toolbox.select
        select = deap.adapted_selection(operator) if deap.is_deap(operator) else operator
        # Some operators return their choice in order of merit; couples are formed at random.
        return rng.permutation(np.asarray(select(self._parents, self._parent_error, k, rng)))

    def _mate(self, mothers: Indices, fathers: Indices) -> FloatArray:
        """Children `(2 n_pairs, n_genes)`; a pair that is not crossed leaves copies of itself."""
        rng = self._stream(Phase.MATE)
        operator = self.toolbox.mate
        mate = deap.adapted_crossover(operator) if deap.is_deap(operator) else operator
        first, second = self._parents[mothers], self._parents[fathers]
        crossed = rng.random(len(mothers)) < self.settings.crossover_probability
        if crossed.all():
            first, second = mate(first, second, rng)
        elif crossed.any():
            first[crossed], second[crossed] = mate(first[crossed], second[crossed], rng)
        return np.concatenate([first, second])

    def _mutate(self, children: FloatArray, widths: FloatArray) -> FloatArray:
        rng = self._stream(Phase.MUTATE)
        operator = self.toolbox.mutate
        mutate = deap.adapted_mutation(operator) if deap.is_deap(operator) else operator
        mutated = rng.random(len(children)) < self.settings.mutation_probability
        width: Width = float(widths[0]) if self._is_scheduled else widths[mutated].reshape(-1, widths[0].size)
        if mutated.all():
            return np.asarray(mutate(children, width, rng))
        if mutated.any():
            children[mutated] = mutate(children[mutated], width, rng)
        return children

    @property
    def _is_scheduled(self) -> bool:
        return self.settings.mutation_adaptation in ("fixed", "decaying")

    def _first_widths(self) -> FloatArray:
        """`(population_size,)`, or `(population_size, n_genes)` where each gene has its own."""
        per_gene = (self.n_genes,) if self.settings.mutation_adaptation == "self_adapted_genes" else ()
        return np.full((self.settings.population_size, *per_gene), self.settings.mutation_width)

    def _usual_widths(self, n: int) -> FloatArray:
        """`(n, ...)`, the medians of the parents'."""
        return np.broadcast_to(np.median(self._parent_widths, axis=0), (n, *self._parent_widths.shape[1:]))

    def _inherited_widths(self, mothers: Indices, fathers: Indices) -> FloatArray:
        """The mutation widths of the children `(2 n_pairs, ...)`.

        Self-adapted widths are the parents' geometric mean times log-normal steps: one for the genome with tau = 1 /
        sqrt(n_genes), or one for the genome with tau' = 1 / sqrt(2 n_genes) and one for each gene with tau = 1 /
        sqrt(2 sqrt(n_genes)) (Baeck and Schwefel 1993, eqs. 12 and 13).
        """
        settings, n = self.settings, 2 * len(mothers)
        if settings.mutation_adaptation == "fixed":
            return np.full(n, settings.mutation_width)
        if settings.mutation_adaptation == "decaying":
            # The first children belong to the second generation, so the decay starts there.
            width = geometric(settings.mutation_width, settings.final_width, settings.horizon, self._generation - 1)
            return np.full(n, width)
        rng = self._stream(Phase.ADAPT)
        mean = np.sqrt(self._parent_widths[mothers] * self._parent_widths[fathers])
        if mean.ndim == 1:
            widths: FloatArray = rng.standard_normal(n) / np.sqrt(self.n_genes)
        else:
            shared = rng.standard_normal((n, 1)) / np.sqrt(2 * self.n_genes)
            widths = rng.standard_normal((n, self.n_genes))
            widths *= settings.adaptation_rate / np.sqrt(2 * np.sqrt(self.n_genes))
            widths += shared
        np.exp(widths, out=widths)
        widths[: len(mean)] *= mean
        widths[len(mean) :] *= mean
        return np.maximum(widths, _LEAST_WIDTH, out=widths)


def _best(errors: FloatArray, k: int) -> Indices:
    return np.argsort(errors, kind="stable")[:k]

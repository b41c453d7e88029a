"""NSGA-II: a genetic algorithm for several goals, whose members spread over the front of what cannot be had together.

K. Deb, A. Pratap, S. Agarwal, T. Meyarivan: A fast and elitist multiobjective genetic algorithm: NSGA-II. IEEE
Transactions on Evolutionary Computation 6 (2002), 182-197.

Parents and children together are sorted into fronts; whole fronts go on, and of the last that fits the loneliest
members (section III-C). Parents of the next children win binary tournaments by front, then by crowding distance. A
failed evaluation has +inf in all goals, and so is dominated by all that did not fail. Immigrants, whose goals are not
told, take the places of children and are evaluated with them.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from neuroevo.errors import BadInput
from neuroevo.strategies.base import Axes, Strategy
from neuroevo.strategies.bounds import FloatArray
from neuroevo.strategies.nsga2.hypervolume import hypervolume
from neuroevo.strategies.nsga2.ranking import Indices, chosen, crowding, first_front, ranks
from neuroevo.strategies.nsga2.settings import Nsga2Settings
from neuroevo.strategies.nsga2.variation import crossed, mutated
from neuroevo.strategies.streams import Phase


class Nsga2(Strategy[Nsga2Settings]):
    """NSGA-II: a front of networks that trade goals for each other, such as error for links."""

    Settings = Nsga2Settings
    STATE = ("parents", "errors", "values", "corner", "immigrants")
    AXES: ClassVar[Axes] = {
        "parents": ("n_members", "n_genes"),
        "errors": ("n_members",),
        "values": ("n_members", "n_goals"),
        "corner": ("n_goals",),
        "immigrants": ("n_immigrants", "n_genes"),
    }

    _parents: FloatArray
    _errors: FloatArray
    #: Of the parents in all goals.
    _values: FloatArray
    #: Up to which the hypervolume is measured; None before an evaluation that did not fail.
    _corner: FloatArray | None = None
    _immigrants: FloatArray

    @property
    def goals(self) -> tuple[str, ...]:
        """As in `Strategy`; none where the error is all."""
        return () if self.settings.goals == ("error",) else self.settings.goals

    @property
    def wants(self) -> frozenset[str]:
        """The goals, unless the error is all there is."""
        return frozenset({"goals"} if self.goals else ())

    def _ask(self) -> FloatArray:
        settings, n = self.settings, self.settings.population_size
        if self._generation == 0:
            return self._initial_population()
        pool = self._parents[self._winners()]
        n_pairs = n // 2
        first, second = pool[:n_pairs], pool[n_pairs : 2 * n_pairs]
        rng = self._stream(Phase.MATE)
        together = (rng.random(n_pairs) < settings.crossover_probability)[:, None]
        children = crossed(first, second, settings.crossover_index, rng, self.bounds)
        both = [np.where(together, child, parent) for child, parent in zip(children, (first, second), strict=True)]
        genomes = np.concatenate([*both, pool[2 * n_pairs :]])
        rate = 1.0 / self.n_genes if settings.mutation_rate is None else settings.mutation_rate
        rng = self._stream(Phase.MUTATE)
        genomes = mutated(genomes, rate, settings.mutation_index, settings.mutation_span, rng, self.bounds)
        genomes[: len(self._immigrants)] = self._immigrants
        return genomes

    def _winners(self) -> Indices:
        """The rows of n parents that won binary tournaments: each member is in two, by two shuffles of all."""
        n, rng = len(self._parents), self._stream(Phase.SELECT)
        rank = ranks(self._values)
        lonely = crowding(self._values, rank)
        # Each member's place in the crowded order; pairs are compared by it alone.
        place = np.empty(n, dtype=np.int64)
        place[np.lexsort((-lonely, rank))] = np.arange(n)
        shuffled = np.concatenate([rng.permutation(n), rng.permutation(n)]).reshape(n, 2)
        return np.where(place[shuffled[:, 0]] < place[shuffled[:, 1]], shuffled[:, 0], shuffled[:, 1])

    def _tell(self, population: FloatArray, error: FloatArray, *, goals: FloatArray | None = None) -> None:
        values = error[:, None] if goals is None else goals
        if self._generation > 0:
            population = np.concatenate([self._parents, population])
            error, values = np.concatenate([self._errors, error]), np.concatenate([self._values, values])
        rows = chosen(values, self.settings.population_size)
        self._parents, self._errors, self._values = population[rows], error[rows], values[rows]
        self._immigrants = np.empty((0, self.n_genes))
        if self._corner is None:
            self._corner = self._first_corner()

    def _first_corner(self) -> FloatArray | None:
        """The settings', or the worst in each goal of the better half by error; None where nothing is finite."""
        if self.settings.reference is not None:
            return np.array(self.settings.reference)
        sound = np.flatnonzero(np.isfinite(self._values).all(axis=1))
        if not len(sound):
            return None
        better = sound[np.argsort(self._errors[sound], kind="stable")[: (len(sound) + 1) // 2]]
        return np.asarray(self._values[better].max(axis=0))

    def emigrants(self, n: int) -> tuple[FloatArray, FloatArray]:
        """As in `Strategy`: of the front those that are furthest apart."""
        genomes, errors = super().emigrants(max(n, len(getattr(self, "_parents", ())) or 1))
        if not self.goals:
            return genomes[:n], errors[:n]
        order = np.argsort(self._errors, kind="stable")
        rank = ranks(self._values)[order]
        apart = np.lexsort((errors, -crowding(self._values[order], rank), rank))[:n]
        return genomes[np.sort(apart)], errors[np.sort(apart)]

    def front(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """As in `Strategy`: copies, distinct in their goals and by the first of them on."""
        if not self.goals:
            return super().front()
        self._between("front()")
        rows = first_front(self._values)
        return self._parents[rows], self._errors[rows], self._values[rows]

    def _figures(self) -> dict[str, float | None]:
        if not self.goals:
            return {}
        front = self._values[first_front(self._values)]
        with np.errstate(over="ignore", invalid="ignore"):
            volume = None if self._corner is None else hypervolume(front, self._corner)
        return {"hypervolume": volume, "front_size": float(len(front))}

    def _members(self) -> tuple[FloatArray, FloatArray]:
        return self._parents, self._errors

    def _inject(self, genomes: FloatArray, errors: FloatArray) -> None:
        """Immigrants wait for the next generation; of more than there is room for, the best."""
        waiting = np.concatenate([self._immigrants, genomes[np.argsort(errors, kind="stable")]])
        self._immigrants = waiting[: self.settings.population_size]

    def _restored(self) -> None:
        n, n_goals = self.settings.population_size, len(self.settings.goals)
        if len(self._parents) != n or self._values.shape[1] != n_goals or len(self._immigrants) > n:
            raise BadInput(
                f"the state has {len(self._parents)} members with {self._values.shape[1]} goals and "
                f"{len(self._immigrants)} immigrants, expected {n} with {n_goals}, and no more immigrants"
            )
        if self._corner is None and np.isfinite(self._values).all(axis=1).any():
            raise BadInput("this is no state of Nsga2: corner is missing")

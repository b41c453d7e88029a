"""Evolve, then descend: a search, and from the best distinct genomes that it has found, a descent.

Belew, McInerney and Schraudolph 1991, "Evolving networks: using the genetic algorithm with connectionist learning": the
search finds the valley, the descent its bottom. The switch comes when one of the limits in the settings is reached.
Immigrants and emigrants are those of the strategy at work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge

from neuroevo.errors import BadInput
from neuroevo.evaluation.learning import Learning
from neuroevo.settings import Mistake
from neuroevo.strategies.base import Axes, Strategy
from neuroevo.strategies.bounds import FloatArray
from neuroevo.strategies.descent.partners import (
    Partners,
    PartnerSettings,
    figure_names,
    figures_of,
    members_of,
    strategy_class,
)
from neuroevo.strategies.descent.starting import improved


@dataclass(frozen=True)
class EvolveThenDescendSettings(PartnerSettings):
    """Settings of a search with a descent after it; whichever limit is reached first ends the search.

    Attributes:
        generations: Generations of the search; 0 for no limit.
        evaluations: Evaluations of the search; 0 for no limit.
        patience: Generations of the search without a relative improvement of 1e-4; 0 for no limit.
    """

    generations: Annotated[int, Ge(0)] = 100
    evaluations: Annotated[int, Ge(0)] = 0
    patience: Annotated[int, Ge(0)] = 0

    def _mistakes(self) -> list[Mistake]:
        if self.generations or self.evaluations or self.patience:
            return []
        return [Mistake("", "generations, evaluations or patience must say when the search ends", "0 for all of them")]


class EvolveThenDescend(Partners[EvolveThenDescendSettings]):
    """Two stages: a search, then a descent from the best distinct genomes that it found."""

    Settings = EvolveThenDescendSettings
    STATE = ("best", "best_errors", "starts", "evaluations", "last_best", "waited", "descended")
    AXES: ClassVar[Axes] = {
        "best": ("n_best", "n_genes"),
        "best_errors": ("n_best",),
        "starts": ("n_starts", "n_genes"),
        "last_best": (),
    }

    def __init__(self, settings: EvolveThenDescendSettings, **arguments: Any) -> None:
        super().__init__(settings, **arguments)
        self._descent: Strategy[Any] | None = None
        self._best, self._best_errors = np.empty((0, self.n_genes)), np.empty(0)
        self._starts = np.empty((0, self.n_genes))
        self._evaluations = self._waited = self._descended = 0
        self._last_best = np.inf

    @property
    def wants(self) -> frozenset[str]:
        return self._at_work.wants

    @property
    def learning(self) -> Learning | None:
        return self._at_work.learning

    @property
    def _at_work(self) -> Strategy[Any]:
        return self._search if self._descent is None else self._descent

    def _ask(self) -> FloatArray:
        return self._at_work.ask()

    def _tell(self, population: FloatArray, error: FloatArray, **found: FloatArray) -> None:
        self._at_work.tell(population, error, **found)
        if self._descent is not None:
            self._descended += 1
            return
        self._evaluations += len(error)
        self._keep(found.get("refined", population), error)
        best = error.min(keepdims=True)
        is_better = bool(improved(best, np.array([self._last_best]))[0])
        self._last_best = float(best[0]) if is_better else self._last_best
        self._waited = 0 if is_better else self._waited + 1
        if self._is_over():
            self._switch()

    def _keep(self, genomes: FloatArray, errors: FloatArray) -> None:
        """Add to the best distinct genomes: as many as the descent takes, one where that starts around it."""
        descent = self.settings.descent
        n = descent["population_size"] if strategy_class(descent, "descent").separate else 1
        worst = self._best_errors[-1] if len(self._best_errors) == n else np.inf
        sound = np.flatnonzero(errors < worst)
        genomes = np.concatenate([self._best, genomes[sound]])
        errors = np.concatenate([self._best_errors, errors[sound]])
        order = np.argsort(errors, kind="stable")
        _, first = np.unique(genomes[order], axis=0, return_index=True)
        kept = order[np.sort(first)[:n]]
        self._best, self._best_errors = genomes[kept], errors[kept]

    def _is_over(self) -> bool:
        own = self.settings
        limits = (
            (own.generations, self._search.generation),
            (own.evaluations, self._evaluations),
            (own.patience, self._waited),
        )
        # Without a genome that did not fail there is nothing to descend from.
        return len(self._best) > 0 and any(limit and reached >= limit for limit, reached in limits)

    def _switch(self) -> None:
        self._starts = self._best
        self._descent = self._make_descent(0, self._starts)
        own = self.settings
        n = f"{len(self._starts)} genome" + ("s" if len(self._starts) > 1 else "")
        self._say(
            f"{own.search['kind']} ends after {self._evaluations} evaluations, {own.descent['kind']} begins from {n}"
        )

    def _inject(self, genomes: FloatArray, errors: FloatArray) -> None:
        if self._descent is not None and self._descended:
            self._descent.inject(genomes, errors)
            return
        if self._descent is None:
            self._search.inject(genomes, errors)
        self._keep(genomes, errors)
        if self._descent is not None:
            self._switch()

    def _members(self) -> tuple[FloatArray, FloatArray]:
        if self._descent is None:
            return members_of(self._search)
        return members_of(self._descent) if self._descended else (self._best, self._best_errors)

    def _figures(self) -> dict[str, float | None]:
        stage = "search" if self._descent is None else "descent"
        is_known = self._descent is None or self._descended > 0
        known = figures_of(self._at_work) if is_known else {}
        return self._no_figures | {f"{stage}_{name}": value for name, value in known.items()}

    @cached_property
    def _no_figures(self) -> dict[str, float | None]:
        """The figures of both stages, none of them known."""
        separate = strategy_class(self.settings.descent, "descent").separate
        stages = {"search": self._make_search(), "descent": self._make_descent(0, None, 1 if separate else None)}
        return {f"{stage}_{name}": None for stage, strategy in stages.items() for name in figure_names(strategy)}

    def _inner(self) -> Mapping[str, Strategy[Any]]:
        if self._descent is None:
            return {"search": self._search}
        return {"descent": self._descent} if self._descended else {}

    def _restored(self) -> None:
        if len(self._best) == 0 and len(self._starts):
            raise BadInput("the state has starts of a descent without the best genomes of a search")
        self._search = self._make_search()
        self._descent = self._make_descent(0, self._starts) if len(self._starts) else None

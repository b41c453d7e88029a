"""Logbook: the figures of a run, generation by generation, its incumbent and its champion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroevo.evaluation import fitness_of
from neuroevo.evolution.champion import Champion
from neuroevo.evolution.states import FIGURES, figures_of
from neuroevo.stopping import History, Progress

if TYPE_CHECKING:
    from neuroevo.evolution.generations import Generation


class Logbook:
    """What has come of a run so far.

    Args:
        validated: Whether the champion is chosen by its error on the validation part; otherwise it is the incumbent.
        history: The generations so far; a resumed run brings its own.
        error_name: What the errors are.

    Attributes:
        generation: Generations so far.
        evaluations: Genomes evaluated so far.
        seconds: Wall-clock time so far.
        incumbent_error: The smallest error so far; +inf before the first that did not fail.
        champion: What the run would deliver; None before the first evaluation that did not fail.
    """

    def __init__(self, *, validated: bool, history: History | None = None, error_name: str = "error") -> None:
        self.validated = validated
        self.error_name = error_name
        self.history = History() if history is None else history
        self.generation = 0
        self.evaluations = 0
        self.seconds = 0.0
        self.incumbent_error = np.inf
        self.incumbent_learned = 0.0
        self.validation_error = np.nan
        self.champion: Champion | None = None

    @np.errstate(over="ignore", invalid="ignore")  # errors and genes may be as large as numbers come
    def record(self, generations: Sequence[Generation], seconds: float) -> Progress:
        """Write down a generation of all islands, which took so many seconds.

        Raises:
            RuntimeError: A further figure has the name of a column that every history has.
        """
        error = np.concatenate([generation.error for generation in generations])
        self.generation += 1
        self.evaluations += len(error)
        self.seconds += seconds
        for generation in sorted(generations, key=lambda each: float(each.error.min())):
            self._note(generation.improvement)
        finite = error[np.isfinite(error)]
        some = len(finite) > 0
        row: dict[str, float] = {
            "generation": self.generation,
            "evaluations": self.evaluations,
            "seconds": self.seconds,
            "best_error": float(finite.min()) if some else np.inf,
            "median_error": float(np.median(finite)) if some else np.nan,
            "mean_error": float(finite.mean()) if some else np.nan,
            "worst_error": float(finite.max()) if some else np.nan,
            "incumbent_error": self.incumbent_error,
            "incumbent_fitness": float(fitness_of(np.array([self.incumbent_error]))[0]),
            "incumbent_learned": self.incumbent_learned,
            "validation_error": self.validation_error,
            "n_failed": sum(generation.n_failed for generation in generations),
            "diversity": _diversity(generations),
        }
        further = _figures(generations)
        if taken := row.keys() & further.keys():
            raise RuntimeError(f"strategy or backend give figures called {sorted(taken)}, which every history has")
        row |= further
        self.history.append(row)
        return Progress.of_row(row, population_size=len(error), history=self.history, error_name=self.error_name)

    def state(self) -> dict[str, Any]:
        """Its part of the state of a search."""
        state: dict[str, Any] = {name: getattr(self, name) for name in FIGURES}
        return state if self.champion is None else {**state, **self.champion.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state; the history must end with that state's generation.

        Raises:
            BadInput: It does not, or an entry is missing or of another kind or shape.
        """
        for name, value in figures_of(state, self.history).items():
            setattr(self, name, value)
        self.champion = Champion.of_state(state)

    def _note(self, found: Champion | None) -> None:
        """Take over a better incumbent, and make it the champion unless validation says otherwise."""
        if found is None or not found.error < self.incumbent_error:
            return
        self.incumbent_error = found.error
        self.incumbent_learned = found.learned
        self.validation_error = found.validation_error
        champion = self.champion
        if not self.validated or champion is None or found.validation_error < champion.validation_error:
            self.champion = found


def _figures(generations: Sequence[Generation]) -> dict[str, float]:
    """Further figures: of each its mean over the islands that have it, in the order of their first mention."""
    names = dict.fromkeys(name for generation in generations for name in generation.figures)
    found = {name: [each.figures[name] for each in generations if name in each.figures] for name in names}
    return {name: float(np.mean(values)) for name, values in found.items()}


def _diversity(generations: Sequence[Generation]) -> float:
    """Mean over the genes of their standard deviation in all populations together (law of total variance)."""
    if len(generations) == 1:
        return float(np.sqrt(generations[0].variance).mean())
    n = np.array([float(len(generation.error)) for generation in generations])
    means = np.stack([generation.mean for generation in generations])
    share = (n / n.sum())[:, np.newaxis]
    # Relative to the first mean, which loses no digits where all are far from zero.
    mean = means[0] + (share * (means - means[0])).sum(axis=0)
    within = np.stack([generation.variance for generation in generations])
    return float(np.sqrt((share * (within + (means - mean) ** 2)).sum(axis=0)).mean())

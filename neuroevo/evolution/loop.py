"""The only loop: ask, evaluate, tell, record, stop."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroevo.errors import BadInput
from neuroevo.evaluation import fitness_of
from neuroevo.evolution.states import below, figures_of, numbers_of
from neuroevo.stopping import History, Progress, StopReason

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from neuroevo.evaluation import Evaluation, Evaluator
    from neuroevo.stopping import StoppingCriterion
    from neuroevo.strategies import Strategy

VALIDATION = "validation"
"""The part that, where a problem has it, chooses the champion."""


_NUMBERS = {"error": float, "learned": float, "validation_error": float, "generation": int}


@dataclass(frozen=True)
class Champion:
    """What a run delivers.

    Attributes:
        genome: `(n_genes,)` float64.
        error: On the training part.
        learned: Share of the training targets that it gets right.
        validation_error: On the validation part; NaN where there is none.
        generation: The generation that found it.
    """

    genome: NDArray[np.float64]
    error: float
    learned: float
    validation_error: float
    generation: int

    def state(self) -> dict[str, Any]:
        """Its entries in the state of a search, each called "champion.…"."""
        return {f"champion.{name}": value for name, value in vars(self).items()}

    @classmethod
    def of_state(cls, state: Mapping[str, Any], n_genes: int) -> Champion | None:
        """The champion that a search's state holds, None where it has none; the inverse of `state`.

        Raises:
            BadInput: An entry is missing, or of another kind or shape.
        """
        if "champion.error" not in state:
            return None
        genome = np.asarray(state.get("champion.genome"))
        if genome.shape != (n_genes,) or genome.dtype != np.float64:
            raise BadInput(f"champion.genome in the state must be {n_genes} float64 numbers")
        return cls(np.array(genome), **numbers_of(state, _NUMBERS, "champion."))


class Evolution:
    """A strategy at work on a problem, one generation after the other.

    Args:
        strategy: Proposes genomes.
        evaluator: Computes their errors.
        validated: Whether the champion is chosen by its error on the validation part; otherwise it is the incumbent.
        history: The generations so far; a resumed run brings its own.
    """

    at_rest = True
    """Whether the state can be had; an archipelago has it now and then only."""

    def __init__(
        self, strategy: Strategy[Any], evaluator: Evaluator, *, validated: bool = False, history: History | None = None
    ) -> None:
        self.strategy = strategy
        self.evaluator = evaluator
        self.validated = validated
        self.history = History() if history is None else history
        self.generation = 0
        self.evaluations = 0
        self.seconds = 0.0
        self.champion: Champion | None = None
        self._incumbent_error = np.inf
        self._incumbent_learned = 0.0
        self._validation_error = np.nan

    def step(self) -> Progress:
        """Carry out one generation; what came of it is the last row of the history."""
        start = time.monotonic()
        population = self.strategy.ask()
        evaluation = self.evaluator.evaluate(population)
        self.strategy.tell(population, evaluation.error)
        self.generation += 1
        self.evaluations += len(population)
        self._note_incumbent(evaluation)
        # A clock set back cannot make time run backwards here: the monotonic one does not know of the date.
        self.seconds += time.monotonic() - start
        return self._progress(population, evaluation)

    def run(
        self,
        criterion: StoppingCriterion,
        after: Callable[[Progress], None],
        signals: Callable[[], frozenset[str]] = frozenset,
    ) -> StopReason:
        """Carry out generations until the criterion holds.

        Args:
            criterion: Asked after each generation.
            after: Called after each generation with what came of it: the record and the display.
            signals: The names of the signals received so far.
        """
        while True:
            progress = dataclasses.replace(self.step(), signals=signals())
            after(progress)
            reason = criterion.check(progress)
            if reason is not None:
                return reason

    def last_progress(self) -> Progress | None:
        """What the history says of the last generation, or None before the first; for a run that goes on."""
        if self.generation == 0:
            return None
        row = {name: column[-1].item() for name, column in self.history.items()}
        size = int(row["evaluations"])
        if self.generation > 1:
            size -= int(self.history["evaluations"][-2])
        return Progress(**row, population_size=size, history=self.history)

    def state(self) -> dict[str, Any]:
        """Everything needed to go on: flat, arrays and numbers only; the strategy's own are called "strategy.…"."""
        state: dict[str, Any] = {
            "generation": self.generation,
            "evaluations": self.evaluations,
            "seconds": self.seconds,
            "incumbent_error": self._incumbent_error,
            "incumbent_learned": self._incumbent_learned,
            "validation_error": self._validation_error,
        }
        if self.champion is not None:
            state |= self.champion.state()
        return state | {f"strategy.{name}": value for name, value in self.strategy.state().items()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state; the history must end with that state's generation.

        Raises:
            BadInput: It does not, or an entry is missing or of another kind or shape.
        """
        figures = figures_of(state, self.history)
        self.champion = Champion.of_state(state, self.strategy.n_genes)
        self.strategy.restore(below(state, "strategy."))
        if self.strategy.generation != figures[0]:
            raise BadInput(f"the strategy is of generation {self.strategy.generation}, the search of {figures[0]}")
        self.generation, self.evaluations, self.seconds = figures[:3]
        self._incumbent_error, self._incumbent_learned, self._validation_error = figures[3:]

    def _note_incumbent(self, evaluation: Evaluation) -> None:
        """Take over a better incumbent, and make it the champion unless validation says otherwise."""
        best = int(np.argmin(evaluation.error))
        error = float(evaluation.error[best])
        if not error < self._incumbent_error and self.champion is not None:
            return
        genome, incumbent_error = self.strategy.incumbent
        if not np.isfinite(incumbent_error):
            return
        self._incumbent_error = error
        self._incumbent_learned = float(evaluation.learned[best])
        if self.validated:
            self._validation_error = float(self.evaluator.evaluate(genome[np.newaxis, :], VALIDATION).error[0])
            if self.champion is not None and not self._validation_error < self.champion.validation_error:
                return
        self.champion = Champion(
            np.array(genome), error, self._incumbent_learned, self._validation_error, self.generation
        )

    def _progress(self, population: NDArray[np.float64], evaluation: Evaluation) -> Progress:
        finite = evaluation.error[np.isfinite(evaluation.error)]
        some = len(finite) > 0
        row: dict[str, float] = {
            "generation": self.generation,
            "evaluations": self.evaluations,
            "seconds": self.seconds,
            "best_error": float(finite.min()) if some else np.inf,
            "median_error": float(np.median(finite)) if some else np.nan,
            "mean_error": float(finite.mean()) if some else np.nan,
            "worst_error": float(finite.max()) if some else np.nan,
            "incumbent_error": self._incumbent_error,
            "incumbent_fitness": float(fitness_of(np.array([self._incumbent_error]))[0]),
            "incumbent_learned": self._incumbent_learned,
            "validation_error": self._validation_error,
            "n_failed": evaluation.n_failed,
            "diversity": float(population.std(axis=0).mean()),
        }
        self.history.append(row)
        return Progress(**row, population_size=len(population), history=self.history)  # type: ignore[arg-type]

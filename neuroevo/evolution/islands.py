"""Archipelago: populations that evolve on their own, and exchange genomes now and then.

The island model of Tanese 1989, "Distributed genetic algorithms", and its topologies. It is part of what a scenario
computes; how many processes host the islands, and how many generations they are given at once, is not.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroevo.errors import BadInput
from neuroevo.evaluation import fitness_of
from neuroevo.evolution.hosts import FloatArray, Generation, IslandHost, Order, Stretch
from neuroevo.evolution.loop import Champion
from neuroevo.evolution.migration import Migration
from neuroevo.evolution.states import below, figures_of, numbers_of
from neuroevo.stopping import History, Progress, StopReason

if TYPE_CHECKING:
    from neuroevo.stopping import StoppingCriterion

_STRETCH_SECONDS = 0.5
"""Generations that take about so long are given to the hosts at once: long for messages, short for a person."""
_LONGEST_STRETCH = 1000


class Archipelago:
    """Islands at work on a problem; has the methods and attributes of an `Evolution`.

    Args:
        host: Advances the islands.
        n_islands: How many there are.
        migration: How genomes move between them.
        seed: The run's, for random topologies.
        validated: Whether the champion is chosen by its error on the validation part; the host then computes it.
        history: The generations so far; a resumed run brings its own.
        rest_every: Generations that are multiples of this end a stretch, so that the state can be had there.
    """

    def __init__(
        self,
        host: IslandHost,
        n_islands: int,
        migration: Migration,
        *,
        seed: int,
        validated: bool = False,
        history: History | None = None,
        rest_every: int | None = None,
    ) -> None:
        self.host = host
        self.n_islands = n_islands
        self.migration = migration
        self.seed = seed
        self.validated = validated
        self.history = History() if history is None else history
        self.generation = 0
        self.evaluations = 0
        self.seconds = 0.0
        self.champion: Champion | None = None
        self.at_rest = True
        self._rest_every = rest_every
        self._pace: float | None = None
        self._incumbent_error = np.inf
        self._incumbent_learned = 0.0
        self._validation_error = np.nan
        self._states: list[Mapping[str, Any] | None] = [None] * n_islands
        self._emigrants: list[tuple[FloatArray, FloatArray]] = []

    def step(self) -> Progress:
        """Carry out one generation on all islands; what came of it is the last row of the history."""
        begun = time.monotonic()
        stretches = self.host.advance(self._orders(1))
        self._settle(stretches)
        return self._record([stretch.generations[0] for stretch in stretches], time.monotonic() - begun)

    def run(
        self,
        criterion: StoppingCriterion,
        after: Callable[[Progress], None],
        signals: Callable[[], frozenset[str]] = frozenset,
    ) -> StopReason:
        """Carry out generations until the criterion holds.

        The hosts may be some generations ahead of what has been recorded. Where the criterion ends the run in between,
        the islands go back to where the stretch began and come as far as the record.

        Args:
            criterion: Asked after each generation.
            after: Called after each generation with what came of it; the state can be had if `at_rest`.
            signals: The names of the signals received so far.
        """
        while True:
            begun = time.monotonic()
            n_generations = self._stretch_length()
            orders = self._orders(n_generations)
            stretches = self.host.advance(orders)
            seconds = (time.monotonic() - begun) / n_generations
            self._pace = seconds
            self._settle(stretches)
            for number in range(n_generations):
                progress = self._record([stretch.generations[number] for stretch in stretches], seconds)
                progress = dataclasses.replace(progress, signals=signals())
                self.at_rest = number == n_generations - 1
                after(progress)
                reason = criterion.check(progress)
                if reason is not None:
                    if not self.at_rest:
                        self._go_back(orders, number + 1)
                    return reason

    def last_progress(self) -> Progress | None:
        """What the history says of the last generation, or None before the first; for a run that goes on."""
        if self.generation == 0:
            return None
        row = {name: column[-1].item() for name, column in self.history.items()}
        before = int(self.history["evaluations"][-2]) if self.generation > 1 else 0
        return Progress(**row, population_size=int(row["evaluations"]) - before, history=self.history)

    def state(self) -> dict[str, Any]:
        """Everything needed to go on: flat, arrays and numbers only; those of island 2 are called "island.2.…".

        Raises:
            RuntimeError: Not at rest, or before the first generation.
        """
        if not self.at_rest or self.generation == 0:
            raise RuntimeError("state() is legal only after a generation that ends a stretch: see at_rest")
        state: dict[str, Any] = {
            "generation": self.generation,
            "evaluations": self.evaluations,
            "seconds": self.seconds,
            "incumbent_error": self._incumbent_error,
            "incumbent_learned": self._incumbent_learned,
            "validation_error": self._validation_error,
            "n_islands": self.n_islands,
        }
        if self.champion is not None:
            state |= self.champion.state()
        for island, (own, (genomes, errors)) in enumerate(zip(self._states, self._emigrants, strict=True)):
            state |= {f"island.{island}.{name}": value for name, value in (own or {}).items()}
            state |= {f"emigrants.{island}.genomes": genomes, f"emigrants.{island}.errors": errors}
        return state

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state; the history must end with that state's generation.

        Raises:
            BadInput: The state is of another number of islands, the history does not end with its generation, or an
                entry is missing or of another kind or shape.
        """
        n_islands = numbers_of(state, {"n_islands": int})["n_islands"]
        if n_islands != self.n_islands:
            raise BadInput(f"the state is of {n_islands} islands, here are {self.n_islands}")
        figures = figures_of(state, self.history)
        self._states, self._emigrants = [], []
        for island in range(self.n_islands):
            # The islands are built when they advance; what they will be given is checked here.
            strategy, own = self.host.make_strategy(island), below(state, f"island.{island}.")
            strategy.restore(own)
            if strategy.generation != figures[0]:
                raise BadInput(f"island {island} is of generation {strategy.generation}, the search of {figures[0]}")
            genomes, errors = (np.asarray(state.get(f"emigrants.{island}.{name}")) for name in ("genomes", "errors"))
            whole = errors.ndim == 1 and genomes.shape == (len(errors), strategy.n_genes)
            if not whole or genomes.dtype != np.float64 or errors.dtype != np.float64:
                raise BadInput(f"the emigrants of island {island} in the state are no genomes with an error each")
            self._states.append(own)
            self._emigrants.append((genomes, errors))
        self.champion = Champion.of_state(state, strategy.n_genes)
        self.generation, self.evaluations, self.seconds = figures[:3]
        self._incumbent_error, self._incumbent_learned, self._validation_error = figures[3:]
        self.at_rest = True

    def _stretch_length(self) -> int:
        """Generations until the next migration, or the next multiple to rest at, or until half a second has passed."""
        ends = [self.migration.interval] + ([] if self._rest_every is None else [self._rest_every])
        longest = min(end - self.generation % end for end in ends)
        if self._pace is None:
            return 1
        return max(1, min(longest, _LONGEST_STRETCH, int(_STRETCH_SECONDS / max(self._pace, 1e-9))))

    def _orders(self, n_generations: int) -> list[Order]:
        nothing = np.empty((0, 0)), np.empty(0)
        arriving = [nothing] * self.n_islands
        if self.migration.is_due(self.generation) and self.n_islands > 1:
            sources = self.migration.sources(self.n_islands, self.seed, self.generation)
            arriving = [_together([self._emigrants[source] for source in group]) for group in sources]
        return [
            Order(
                island=island,
                generation=self.generation,
                state=state,
                immigrants=genomes,
                immigrant_errors=errors,
                only_better=self.migration.replacement == "if_better",
                n_generations=n_generations,
                n_emigrants=self.migration.migrants,
                incumbent_error=self._incumbent_error,
            )
            for island, (state, (genomes, errors)) in enumerate(zip(self._states, arriving, strict=True))
        ]

    def _settle(self, stretches: list[Stretch]) -> None:
        """The islands stand where their stretches end."""
        self._states = [stretch.state for stretch in stretches]
        self._emigrants = [(stretch.emigrants, stretch.emigrant_errors) for stretch in stretches]

    def _go_back(self, orders: list[Order], n_generations: int) -> None:
        """Let the islands come only so far from where orders began; it is the same way again."""
        self._settle(self.host.advance([dataclasses.replace(o, n_generations=n_generations) for o in orders]))
        self.at_rest = True

    def _record(self, generations: list[Generation], seconds: float) -> Progress:
        self.generation += 1
        n_genomes = sum(len(generation.error) for generation in generations)
        self.evaluations += n_genomes
        self.seconds += seconds
        for generation in sorted(generations, key=lambda each: float(each.error.min())):
            self._note(generation.improvement)
        error = np.concatenate([generation.error for generation in generations])
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
            "incumbent_error": self._incumbent_error,
            "incumbent_fitness": float(fitness_of(np.array([self._incumbent_error]))[0]),
            "incumbent_learned": self._incumbent_learned,
            "validation_error": self._validation_error,
            "n_failed": sum(generation.n_failed for generation in generations),
            "diversity": _diversity(generations),
        }
        self.history.append(row)
        return Progress(**row, population_size=n_genomes, history=self.history)  # type: ignore[arg-type]

    def _note(self, found: Champion | None) -> None:
        """Take over a better incumbent, and make it the champion unless validation says otherwise."""
        if found is None or not found.error < self._incumbent_error:
            return
        self._incumbent_error = found.error
        self._incumbent_learned = found.learned
        self._validation_error = found.validation_error
        champion = self.champion
        if not self.validated or champion is None or found.validation_error < champion.validation_error:
            self.champion = found


def _together(groups: list[tuple[FloatArray, FloatArray]]) -> tuple[FloatArray, FloatArray]:
    return np.concatenate([genomes for genomes, _ in groups]), np.concatenate([errors for _, errors in groups])


def _diversity(generations: list[Generation]) -> float:
    """Mean over the genes of their standard deviation in all populations together (law of total variance)."""
    n = np.array([float(len(generation.error)) for generation in generations])
    means = np.stack([generation.mean for generation in generations])
    share = (n / n.sum())[:, np.newaxis]
    # Relative to the first mean, so that one island alone has the bits of its own population.
    mean = means[0] + (share * (means - means[0])).sum(axis=0)
    within = np.stack([generation.variance for generation in generations])
    return float(np.sqrt((share * (within + (means - mean) ** 2)).sum(axis=0)).mean())

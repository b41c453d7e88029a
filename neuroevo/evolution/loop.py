"""The only loop: carry out a generation, record it, stop.

One population is the usual case. With more, they evolve on their own and exchange genomes now and then: the island
model of Tanese 1989, "Distributed genetic algorithms", and its topologies. Islands are part of what a scenario
computes; how many processes host them, and how many generations they are given at once, is not.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from neuroevo.errors import BadInput
from neuroevo.evolution.hosts import IslandHost, LocalHost, Migrants
from neuroevo.evolution.logbook import Logbook
from neuroevo.evolution.migration import Migration
from neuroevo.evolution.states import below, numbers_of

if TYPE_CHECKING:
    from neuroevo.evaluation import Evaluator
    from neuroevo.evolution.champion import Champion
    from neuroevo.evolution.generations import Generation
    from neuroevo.stopping import History, Progress, StoppingCriterion, StopReason
    from neuroevo.strategies import Strategy

_STRETCH_SECONDS = 0.5
"""Generations that take about so long are given to a host at once: long for messages, short for a person."""


class Evolution:
    """Populations at work on a problem, one generation after the other.

    Args:
        host: Carries out the generations.
        migration: How genomes move between islands, where there are several.
        seed: The run's, for random topologies.
        validated: Whether the champion is chosen by its error on the validation part; the host then computes it.
        history: The generations so far; a resumed run brings its own.
        rest_every: Generations that are multiples of this end a stretch, so that the state can be had there.
        announce: Told what the strategies say that a user should know.
        error_name: What the errors are, for the sentences of stopping criteria.

    Attributes:
        at_rest: Whether the state can be had; where a host is given many generations at once, now and then only.
        logbook: What has come of it so far.
    """

    def __init__(
        self,
        host: IslandHost,
        migration: Migration | None = None,
        *,
        seed: int = 0,
        validated: bool = False,
        history: History | None = None,
        rest_every: int | None = None,
        announce: Callable[[str], None] | None = None,
        error_name: str = "error",
    ) -> None:
        self.host = host
        self.migration = migration or Migration()
        self.seed = seed
        self.logbook = Logbook(validated=validated, history=history, error_name=error_name)
        self.at_rest = True
        self._rest_every = rest_every
        self._announce = announce or (lambda _text: None)
        self._pace: float | None = None

    @classmethod
    def of(
        cls,
        strategy: Strategy[Any],
        evaluator: Evaluator,
        *,
        validated: bool = False,
        history: History | None = None,
    ) -> Evolution:
        """One population in this process."""
        host = LocalHost(lambda _island: strategy, evaluator, validated=validated)
        return cls(host, validated=validated, history=history)

    @property
    def history(self) -> History:
        """The generations so far."""
        return self.logbook.history

    @property
    def generation(self) -> int:
        """Generations so far."""
        return self.logbook.generation

    @property
    def champion(self) -> Champion | None:
        """What the run would deliver; None before the first evaluation that did not fail."""
        return self.logbook.champion

    def step(self) -> Progress:
        """Carry out one generation; what came of it is the last row of the history."""
        # The monotonic clock: one that is set back cannot make time run backwards here.
        begun = time.monotonic()
        generations = self._advance(1)
        return self._record([own[0] for own in generations], time.monotonic() - begun)

    def run(
        self,
        criterion: StoppingCriterion,
        after: Callable[[Progress], None],
        signals: Callable[[], frozenset[str]] = frozenset,
    ) -> StopReason:
        """Carry out generations until the criterion holds.

        The host may be some generations ahead of what has been recorded. Where the criterion ends the run in between,
        the islands go back to where the stretch began and come as far as the record.

        Args:
            criterion: Asked after each generation.
            after: Called after each generation with what came of it; the state can be had if `at_rest`.
            signals: The names of the signals received so far.
        """
        while True:
            begun = time.monotonic()
            n_generations = self._stretch_length()
            generations = self._advance(n_generations)
            self._pace = (time.monotonic() - begun) / n_generations
            for number in range(n_generations):
                progress = self._record([own[number] for own in generations], self._pace)
                progress = dataclasses.replace(progress, signals=signals())
                self.at_rest = number == n_generations - 1
                after(progress)
                reason = criterion.check(progress)
                if reason is not None:
                    if not self.at_rest:
                        self.host.go_back(number + 1)
                        self.at_rest = True
                    return reason

    def state(self) -> dict[str, Any]:
        """Everything needed to go on: flat, arrays and numbers only.

        What belongs to the strategy is called "strategy.…", or "island.2.…" where there are several.

        Raises:
            RuntimeError: Not at rest, or before the first generation.
        """
        if not self.at_rest or self.generation == 0:
            raise RuntimeError("state() is legal only after a generation that ends a stretch: see at_rest")
        state = self.logbook.state()
        states = self.host.states()
        if len(states) == 1:
            return state | {f"strategy.{name}": value for name, value in states[0].items()}
        state["n_islands"] = len(states)
        for island, (own, group) in enumerate(zip(states, self.host.emigrants(), strict=True)):
            state |= {f"island.{island}.{name}": value for name, value in own.items()}
            state |= {f"emigrants.{island}.{name}": value for name, value in group._asdict().items()}
        return state

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state; the history must end with that state's generation.

        Raises:
            BadInput: The state is of another number of islands, the history does not end with its generation, or an
                entry is missing or of another kind or shape.
        """
        n_islands = numbers_of({"n_islands": 1, **state}, {"n_islands": int})["n_islands"]
        if n_islands != self.host.n_islands:
            raise BadInput(f"the state is of {n_islands} islands, here are {self.host.n_islands}")
        self.logbook.restore(state)
        if n_islands == 1:
            self.host.restore(self.generation, [below(state, "strategy.")])
        else:
            states = [below(state, f"island.{island}.") for island in range(n_islands)]
            leaving = [Migrants.of_state(below(state, f"emigrants.{island}.")) for island in range(n_islands)]
            self.host.restore(self.generation, states, leaving)
        self.at_rest = True

    def _record(self, generations: Sequence[Generation], seconds: float) -> Progress:
        progress = self.logbook.record(generations, seconds)
        for island, generation in enumerate(generations):
            for message in generation.messages:
                self._announce(f"island {island}, {message}" if len(generations) > 1 else message)
        return progress

    def _advance(self, n_generations: int) -> list[list[Generation]]:
        immigrants = None
        if self.host.n_islands > 1 and self.migration.is_due(self.generation):
            leaving = self.host.emigrants()
            sources = self.migration.sources(self.host.n_islands, self.seed, self.generation)
            immigrants = [Migrants.together([leaving[source] for source in group]) for group in sources]
        return self.host.advance(self.generation, n_generations, self.logbook.incumbent_error, immigrants)

    def _stretch_length(self) -> int:
        """Generations until the next migration, or the next multiple to rest at, or until half a second has passed."""
        if self._pace is None or self.host.longest_stretch == 1:
            return 1
        ends = [self.migration.interval] + ([] if self._rest_every is None else [self._rest_every])
        longest = min(self.host.longest_stretch, *(end - self.generation % end for end in ends))
        return max(1, min(longest, int(_STRETCH_SECONDS / max(self._pace, 1e-9))))

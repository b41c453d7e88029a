"""SteppedProblem: something with a state that is moved step by step, all episodes of a part side by side."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroevo.problems.control.base import Chosen, EpisodeProblem, FloatArray, Played

if TYPE_CHECKING:
    from neuroevo.networks import Network

Columns = tuple[Any, ...]
"""The state of something controlled: numbers ``(n_episodes,)``, or one float each where there is a single episode."""


class Round(NamedTuple):
    """One step of episodes.

    Attributes:
        state: What is controlled, after the step.
        outputs: ``(n_episodes, n_outputs)`` of the network, which led there.
        lasts: ``(n_episodes,)`` bool, the episodes that have not ended at this step or before.
    """

    state: Columns
    outputs: FloatArray
    lasts: NDArray[np.bool_]


class SteppedProblem(EpisodeProblem):
    """A control problem in double precision, as readable as its equations.

    A kind says how it starts (`starts`), what is seen (`observed`), what an action does (`moved`), whether it goes on
    (`lasts`) and what it was worth (`judged`).
    """

    state_names: ClassVar[tuple[str, ...]]
    """Names of the numbers of the state, with units, for pictures."""
    step_seconds: ClassVar[float] = 1.0
    """Time of a step, for pictures."""

    @abstractmethod
    def starts(self, part: str) -> FloatArray:
        """``(n_episodes, n_state)``: the states that the episodes of a part begin with."""

    @abstractmethod
    def longest(self, part: str) -> int:
        """Steps after which an episode of a part is over."""

    @abstractmethod
    def observed(self, state: Columns) -> FloatArray:
        """``(n_episodes, n_inputs)``: what networks see of a state."""

    @abstractmethod
    def moved(self, state: Columns, outputs: FloatArray) -> Columns:
        """The state a step after `state`, when networks answer with `outputs` ``(n_episodes, n_outputs)``."""

    @abstractmethod
    def lasts(self, state: Columns) -> NDArray[np.bool_]:
        """``(n_episodes,)``: whether the episode goes on, as far as its state is concerned; False for NaN."""

    @abstractmethod
    def judged(self, part: str, steps: NDArray[np.int64], rounds: list[Columns]) -> tuple[FloatArray, FloatArray]:
        """Error and success ``(n_episodes,)`` of episodes.

        Args:
            part: The part that they belong to.
            steps: ``(n_episodes,)``, the steps after which each still went on.
            rounds: The states after each step where `remembers` says that they are wanted, else the last one.
        """

    def remembers(self, part: str) -> bool:  # noqa: ARG002 - for kinds that judge the way and not the end
        """Whether `judged` wants the states after all steps of a part."""
        return False

    def n_episodes(self, part: str) -> int:
        self.check_part(part)
        return len(self.starts(part))

    def rounds(self, network: Network, genome: FloatArray, starts: FloatArray, n_steps: int) -> Iterator[Round]:
        """Play episodes side by side until the last of them is over, step by step.

        Args:
            network: What the genome means.
            genome: ``(n_genes,)`` float64.
            starts: ``(n_episodes, n_state)``.
            n_steps: Steps after which all are over.
        """
        arrays = network.layout.decode(genome)
        memory = network.start(arrays, len(starts))
        # One episode alone is played in plain floats, which is ten times as fast as arrays of one number.
        state: Columns = tuple(starts[0].tolist()) if len(starts) == 1 else tuple(starts.T.copy())
        lasting = np.ones(len(starts), dtype=bool)
        for _ in range(n_steps):
            outputs, memory = network.advance(arrays, memory, self.observed(state))
            state = self.moved(state, outputs)
            lasting = lasting & self.lasts(state)
            yield Round(state, outputs, lasting)
            if not lasting.any():
                return

    def play(self, network: Network, genome: FloatArray, part: str, episodes: Chosen = None) -> Played:
        self.check_part(part)
        starts, kept = self.starts(part), list[Columns]()
        if episodes is not None:
            starts = starts[episodes]
        steps, failed = np.zeros(len(starts), np.int64), np.zeros(len(starts), bool)
        lasted, remembers = np.ones(len(starts), bool), self.remembers(part)
        with np.errstate(all="ignore"):
            for now in self.rounds(network, genome, starts, self.longest(part)):
                steps += now.lasts
                over = lasted & ~now.lasts
                if over.any():
                    failed |= over & np.isnan(np.stack(now.state)).any(axis=0)
                lasted = now.lasts
                if not remembers:
                    kept.clear()
                kept.append(now.state)
            error, solved = self.judged(part, steps, kept)
        failed |= not np.isfinite(genome).all()
        return Played(np.where(failed, np.inf, error), np.where(failed, 0.0, solved), steps)

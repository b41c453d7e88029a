"""EpisodeProblem: a network acts, step by step, on something that answers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.problems.base import Problem
from neuroevo.settings import parse_settings

if TYPE_CHECKING:
    from neuroevo.networks import Network
    from neuroevo.problems.arrays import Arrays

FloatArray = NDArray[np.float64]
Columns = tuple[Any, ...]
"""The state of something controlled: a number of each episode ``(n_episodes,)``, or one float where there is one."""


class Played(NamedTuple):
    """How episodes went.

    Attributes:
        error: ``(n_episodes,)`` float64; not finite where the evaluation failed.
        solved: ``(n_episodes,)`` float64, 1 for success, else 0.
        steps: ``(n_episodes,)`` int64, how many steps each lasted.
    """

    error: FloatArray
    solved: FloatArray
    steps: NDArray[np.int64]


class Round(NamedTuple):
    """One step of all episodes of a part.

    Attributes:
        state: What is controlled, after the step.
        outputs: ``(n_episodes, n_outputs)`` of the network, which led there.
        lasts: ``(n_episodes,)`` bool, the episodes that have not ended at this step or before.
    """

    state: Columns
    outputs: FloatArray
    lasts: NDArray[np.bool_]


@dataclass(frozen=True)
class EpisodeProblem(Problem):
    """What is learnt by acting: episodes from given starts, one network's state each, kept until the episode ends.

    A kind says how it starts (`starts`), what is seen (`observed`), what an action does (`moved`), when it is over
    (`ends`) and what it was worth (`judged`), in double precision for all episodes of a part side by side; and it may
    name a world of `neuroevo.kernels.control` (`world`) that does the same on vectors. Errors are means over the
    episodes of a part.
    """

    state_names: ClassVar[tuple[str, ...]]
    """Names of the numbers of the state, with units, for pictures."""
    step_seconds: ClassVar[float] = 1.0
    """Time of a step, for pictures."""
    has_world: ClassVar[bool] = False
    """Whether there is a `world`."""

    @property
    def measures(self) -> Mapping[str, str]:
        return {"error": self.error_name, "learned": "share of the episodes solved"}

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
        """``(n_episodes,)``: whether the episode goes on, as far as its state is concerned."""

    @abstractmethod
    def judged(self, part: str, steps: NDArray[np.int64], rounds: list[Columns]) -> tuple[FloatArray, FloatArray]:
        """Error and success ``(n_episodes,)`` of episodes.

        Args:
            part: The part that they belong to.
            steps: ``(n_episodes,)``, how many steps each lasted.
            rounds: The states after each step, where `remembers` says that they are wanted; else the last one.
        """

    def remembers(self, part: str) -> bool:  # noqa: ARG002 - for kinds that judge the way and not the end
        """Whether `judged` wants the states after all steps of a part."""
        return False

    def world(self, part: str) -> Any:
        """The world of `neuroevo.kernels.control` that the episodes of a part are played in, where `has_world`."""
        raise NotImplementedError(f"{type(self).__name__} has no compiled world")

    def rounds(
        self, network: Network, genome: FloatArray, starts: FloatArray, n_steps: int
    ) -> Iterator[Round]:
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

    def play(self, network: Network, genome: FloatArray, part: str) -> Played:
        """How the episodes of a part go, as arguments of `score`."""
        self.check_part(part)
        starts, kept = self.starts(part), list[Columns]()
        steps, failed = np.zeros(len(starts), np.int64), np.zeros(len(starts), bool)
        lasted = np.ones(len(starts), bool)
        with np.errstate(all="ignore"):
            for now in self.rounds(network, genome, starts, self.longest(part)):
                steps += now.lasts
                if (lasted & ~now.lasts).any():
                    failed |= lasted & ~now.lasts & np.isnan(np.stack(now.state)).any(axis=0)
                lasted = now.lasts
                if not self.remembers(part):
                    kept.clear()
                kept.append(now.state)
            error, solved = self.judged(part, steps, kept)
        failed |= not np.isfinite(genome).all()
        return Played(np.where(failed, np.inf, error), np.where(failed, 0.0, solved), steps)

    def score(self, network: Network, genome: FloatArray, part: str) -> tuple[float, float]:
        played = self.play(network, genome, part)
        return float(played.error.mean()), float(played.solved.mean())

    def to_arrays(self) -> Arrays:
        return {field.name: np.array(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        missing = [field.name for field in fields(cls) if field.name not in arrays]
        if missing:
            raise BadInput(f"the arrays of a problem lack {', '.join(missing)}")
        return parse_settings(cls, {field.name: arrays[field.name].tolist() for field in fields(cls)})

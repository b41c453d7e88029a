"""BegunEpisodes: stepped episodes whose starts are drawn, and which end when something is reached or time is up."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from neuroevo.problems.control.base import Chosen, FloatArray, Played
from neuroevo.problems.control.drawn import DrawnEpisodes
from neuroevo.problems.control.stepped import Columns, SteppedProblem

if TYPE_CHECKING:
    from neuroevo.networks import Network


class BegunEpisodes(DrawnEpisodes, SteppedProblem):
    """A compiled control problem whose episodes have starts of their own, drawn from their seeds.

    The step that reaches the end counts. What is over stays as it is: `moved` is not asked for it.
    """

    has_world: ClassVar[bool] = True

    @abstractmethod
    def begun(self, rng: np.random.Generator, number: int) -> FloatArray:
        """``(n_state,)``: the start of the episode of this number in its part; `rng` is the episode's own."""

    @abstractmethod
    def changed(self, state: Columns, outputs: FloatArray) -> Columns:
        """As `moved`, for episodes that go on."""

    @cached_property
    def _starts(self) -> dict[str, FloatArray]:
        return {
            part: np.stack([self.begun(np.random.default_rng(s), k) for k, s in enumerate(self.seeds(part))])
            for part in self.parts
        }

    def starts(self, part: str) -> FloatArray:
        self.check_part(part)
        return self._starts[part]

    def moved(self, state: Columns, outputs: FloatArray) -> Columns:
        lasting, after = self.lasts(state), self.changed(state, outputs)
        moved = [np.where(lasting, new, old) for old, new in zip(state, after, strict=True)]
        return tuple(column.item() for column in moved) if np.ndim(state[0]) == 0 else tuple(moved)

    def play(self, network: Network, genome: FloatArray, part: str, episodes: Chosen = None) -> Played:
        played = super().play(network, genome, part, episodes)
        return played._replace(steps=np.minimum(played.steps + 1, self.longest(part)))


def largest(outputs: FloatArray) -> FloatArray:
    """``(n_episodes,)``: which of the outputs ``(n_episodes, n_outputs)`` is the largest; NaN where one is NaN."""
    return np.where(np.isnan(outputs).any(axis=1), np.nan, outputs.argmax(axis=1))


def shown(*columns: FloatArray | float) -> FloatArray:
    """``(n_episodes, n)``: numbers of a state side by side."""
    return np.stack([np.atleast_1d(column) for column in columns], axis=1)

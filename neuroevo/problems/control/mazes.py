"""T-maze: a sign at the start of a corridor says which arm to take at its end.

B. Bakker, "Reinforcement learning with long short-term memory", NIPS 14, 2002.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray

from neuroevo.problems.control.base import Chosen, FloatArray
from neuroevo.problems.control.begun import BegunEpisodes, largest, shown
from neuroevo.problems.control.stepped import Columns
from neuroevo.settings import Mistake, SettingsError

REWARD, STANDING, WRONG = 4.0, -0.1, -0.1
"""Rewards: the right arm, a step without motion, the wrong arm."""
NORTH, EAST, SOUTH, WEST = range(4)
"""What the outputs mean."""


@dataclass(frozen=True, kw_only=True)
class TMaze(BegunEpisodes):
    """The T-maze: walk along a corridor, then turn to the side that a sign at its beginning has shown.

    The largest of four outputs says where to go: north, east, south or west. Networks see 011 at the beginning if the
    goal is in the north and 110 if it is in the south, 101 in the corridor and 010 at the junction. Either arm ends the
    episode. The error is what the return falls short of 4: 4 for the right arm, -0.1 for the wrong one, -0.1 for
    every step against a wall. Every other episode of a part has its goal in the north.

    Attributes:
        length: Steps from the beginning to the junction, N in the paper.
        test_length: The same in the part "test"; left out, as `length`.
        noise: Whether the corridor shows a0b, with a and b uniform in 0 ... 1 anew in every step.
        n_steps: Limit of an episode; left out, twice the shortest way. In the part "test" it grows by what the corridor
            is longer.
    """

    kind: ClassVar[str] = "t_maze"
    n_inputs: ClassVar[int] = 3  # type: ignore[misc]
    n_outputs: ClassVar[int] = 4  # type: ignore[misc]
    error_name = "return short of 4"
    state_names: ClassVar[tuple[str, ...]] = (
        "position", "goal", "steps against a wall", "arm taken", "junction", "episode", "step",
    )  # fmt: skip

    chooses: ClassVar[bool] = True
    output_names: ClassVar[tuple[str, ...]] = ("north", "east", "south", "west")

    length: Annotated[int, Ge(1), Le(100_000)] = 10
    test_length: Annotated[int, Ge(1), Le(100_000)] | None = None
    noise: bool = False
    n_steps: Annotated[int, Ge(2), Le(1_000_000)] | None = None
    n_train: Annotated[int, Ge(1)] = 2
    n_test: Annotated[int, Ge(0)] = 100

    def __post_init__(self) -> None:
        if self.n_steps is not None and self.n_steps <= self.length:
            expected = f"must be more than length = {self.length}, or no network can reach an arm"
            raise SettingsError([Mistake("n_steps", expected, str(self.n_steps))])

    def corridor(self, part: str) -> int:
        """Its length in a part."""
        return self.test_length if part == "test" and self.test_length is not None else self.length

    def longest(self, part: str) -> int:
        n = self.corridor(part)
        return 2 * (n + 1) if self.n_steps is None else max(self.n_steps + n - self.length, n + 1)

    def begun(self, rng: np.random.Generator, number: int) -> FloatArray:  # noqa: ARG002 - it draws noise alone
        return np.array([0.0, 1.0 if number % 2 == 0 else -1.0, 0.0, 0.0])

    def starts(self, part: str) -> FloatArray:
        drawn = super().starts(part)
        before = sum(self.n_episodes(one) for one in self.parts[: self.parts.index(part)])
        numbers = before + np.arange(len(drawn), dtype=np.float64)
        return np.column_stack([drawn, np.full(len(drawn), float(self.corridor(part))), numbers, 0.0 * numbers])

    @cached_property
    def _noise(self) -> list[FloatArray]:
        """``(n_steps, 2)`` of every episode, of the parts one after the other: what the corridor shows."""
        each = [(seed, self.longest(part)) for part in self.parts for seed in self.seeds(part)]
        return [np.random.default_rng(seed).random((n_steps, 2)) for seed, n_steps in each]

    def observed(self, state: Columns) -> FloatArray:
        position, goal, _, _, junction, episode, step = (np.atleast_1d(column) for column in state)
        left, right = np.ones(len(step)), np.ones(len(step))
        if self.noise:
            places = zip(episode.astype(int), step.astype(int), strict=True)
            # An episode that is over is still shown something.
            left, right = np.array([self._noise[k][min(t, len(self._noise[k]) - 1)] for k, t in places]).T
        at_start, at_end = position == 0, position == junction
        first = np.where(at_start, goal < 0, np.where(at_end, 0.0, left))
        last = np.where(at_start, goal > 0, np.where(at_end, 0.0, right))
        return shown(first, at_start | at_end, last).astype(np.float64)

    def changed(self, state: Columns, outputs: FloatArray) -> Columns:
        position, goal, standing, _, junction, episode, step = (np.atleast_1d(column) for column in state)
        action = largest(outputs)
        to = np.clip(position + (action == EAST) - (action == WEST), 0.0, junction)
        turned = np.where(position == junction, 1.0 * (action == NORTH) - (action == SOUTH), 0.0)
        standing = standing + ((to == position) & (turned == 0))
        return np.where(np.isnan(action), np.nan, to), goal, standing, turned, junction, episode, step + 1

    def lasts(self, state: Columns) -> NDArray[np.bool_]:
        return np.atleast_1d((np.asarray(state[3]) == 0) & ~np.isnan(state[0]))

    def judged(self, part: str, steps: NDArray[np.int64], rounds: list[Columns]) -> tuple[FloatArray, FloatArray]:  # noqa: ARG002
        _, goal, standing, arm, *_ = (np.atleast_1d(column) for column in rounds[-1])
        right = arm == goal
        return REWARD * ~right - STANDING * standing - WRONG * (arm == -goal), right.astype(np.float64)

    def world(self, part: str, episodes: Chosen = None) -> Any:
        from neuroevo.kernels.worlds.mazes import Maze

        starts = self.starts(part)[slice(None) if episodes is None else episodes]
        noise = [self._noise[int(k)].ravel() for k in starts[:, 5]] if self.noise else [np.zeros(1)]
        return Maze(
            n_steps=self.longest(part),
            n_episodes=len(starts),
            goals=starts[:, 1].copy(),
            noise=np.concatenate(noise),
            noisy=self.noise,
            junction=self.corridor(part),
            reward=REWARD,
            standing=STANDING,
            wrong=WRONG,
        )

    def describe(self) -> str:
        longer = "" if self.corridor("test") == self.length else f" ({self.corridor('test')} in the test)"
        noise = ", noise in it" if self.noise else ""
        return f"T-maze, a corridor of {self.length} steps{longer}{noise}: {self.counts()}"

"""An episode in an environment of Gymnasium, with the pictures that it draws of itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neuroevo.errors import BadInput
from neuroevo.networks import Player
from neuroevo.problems.control.bodies import Body
from neuroevo.problems.control.environments import Environment
from neuroevo.problems.control.stages import Maker

_MOST = 200
"""Pictures that are kept of an episode."""


@dataclass
class Frames:
    """Pictures at even distances, of an episode whose length nobody knows.

    Attributes:
        pictures: Arrays ``(height, width, 3)``.
        every: Steps from one to the next.
        wanted: Whether there are to be any.
    """

    pictures: list[Any] = field(default_factory=list)
    every: int = 1
    wanted: bool = True

    def at(self, step: int) -> Any:
        """What the world looked like before a step, or shortly before."""
        return self.pictures[min(step // self.every, len(self.pictures) - 1)]

    def add(self, step: int, environment: Any) -> None:
        """Keep what an environment looks like before a step."""
        if step % self.every or environment.render_mode is None:
            return
        if len(self.pictures) == _MOST:
            self.pictures, self.every = self.pictures[::2], 2 * self.every
            if step % self.every:
                return
        self.pictures.append(np.asarray(environment.render()))


def played_in_sight(
    problem: Environment, player: Player, part: str, episode: int, frames: Frames
) -> tuple[float, bool]:
    """Error and success of one episode as `Environment.play` has it, while frames are added.

    Args:
        problem: The environment.
        player: Who acts, with inputs in the order of the problem.
        part: Whose episode it is.
        episode: Its number in the part, from 0.
        frames: Where pictures go; none where the environment draws none.
    """
    with _made(problem, in_sight=frames.wanted) as environment:
        spaces = environment.observation_space, environment.action_space
        body = Body.of(*spaces, problem.observed, scaled=problem.scaled)
        observation, _ = environment.reset(seed=int(problem.seeds(part)[episode]))
        returned = 0.0
        for step in range(problem.n_steps):
            frames.add(step, environment)
            outputs = player.step(body.seen([observation])[0])
            if not np.isfinite(outputs).all():
                return np.inf, False
            observation, reward, ended, cut, _ = environment.step(body.actions(outputs[np.newaxis])[0])
            returned += float(reward)
            if ended or cut:
                break
    error = max(problem.best - returned, 0.0)
    return error, error == 0


@contextmanager
def _made(problem: Environment, *, in_sight: bool) -> Iterator[Any]:
    """The environment, drawing pictures where that is wanted and it can."""
    if problem.vector:
        raise BadInput(f"{problem.environment} plays all its episodes together (vector = true): none is drawn alone")
    maker = problem.maker()
    environment = maker.make(1)
    if in_sight and "rgb_array" in environment.metadata.get("render_modes", ()):
        seen = maker._replace(options={**maker.options, "render_mode": "rgb_array"})
        if _draws(seen):
            environment.close()
            environment = seen.make(1)
    try:
        yield environment
    finally:
        environment.close()


def _draws(maker: Maker) -> bool:
    """Whether what the environment draws with is installed."""
    import gymnasium

    try:
        trial = maker.make(1)
        trial.reset(seed=0)
        picture = trial.render()
        trial.close()
    except (BadInput, gymnasium.error.Error, ImportError):
        return False
    return getattr(picture, "ndim", 0) == 3

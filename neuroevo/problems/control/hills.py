"""Mountain car: a car too weak for the hill has to swing up, and sees where it is but not how fast it goes.

A. W. Moore, "Efficient memory-based learning for robot control", PhD thesis, University of Cambridge, 1990; in the form
of R. S. Sutton and A. G. Barto, "Reinforcement learning: an introduction", 1998, example 8.2, with the constants of
MountainCar-v0 and MountainCarContinuous-v0 of Gymnasium.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray

from neuroevo.problems.control.base import Chosen, FloatArray
from neuroevo.problems.control.begun import BegunEpisodes, largest, shown
from neuroevo.problems.control.stepped import Columns
from neuroevo.settings import Mistake, SettingsError

LEFT, RIGHT, FASTEST, GRAVITY = -1.2, 0.6, 0.07, 0.0025
"""Ends of the road, largest speed a step, and the pull of the hill."""


@dataclass(frozen=True)
class Car:
    """What the two environments do differently.

    Attributes:
        power: Change of the speed by a full push.
        goal: Position of the flag.
        n_steps: Limit of an episode.
        threshold: The return that counts as solved.
        bonus: Reward for the flag.
        step_cost: Of every step.
        push_cost: Of the square of every push.
    """

    power: float
    goal: float
    n_steps: int
    threshold: float
    bonus: float
    step_cost: float
    push_cost: float


CARS = {
    "discrete": Car(0.001, 0.5, 200, -110.0, 0.0, 1.0, 0.0),
    "continuous": Car(0.0015, 0.45, 999, 90.0, 100.0, 0.0, 0.1),
}


@dataclass(frozen=True, kw_only=True)
class MountainCar(BegunEpisodes):
    """The mountain car, of which the position is seen, and the speed where it is asked for.

    Attributes:
        velocities: Whether networks see the speed too.
        action: "discrete", the largest of three outputs says push left, don't, or push right (MountainCar-v0); or
            "continuous", one output is the push, cut at -1 and 1 (MountainCarContinuous-v0).
        fitness: "goal", the error is the share of the road to the flag that was never reached; or "return", it is what
            Gymnasium's return falls short of its threshold.
        n_steps: Limit of an episode; left out, that of Gymnasium, 200 or 999.
    """

    kind: ClassVar[str] = "mountain_car"
    state_names: ClassVar[tuple[str, ...]] = ("position", "speed", "farthest right", "sum of squared pushes")

    velocities: bool = False
    action: Literal["discrete", "continuous"] = "discrete"
    fitness: Literal["goal", "return"] = "goal"
    n_steps: Annotated[int, Ge(1), Le(1_000_000)] | None = None

    def __post_init__(self) -> None:
        shortest = -self.car.threshold / self.car.step_cost if self.car.step_cost else 0
        if self.fitness == "return" and self.longest("train") <= shortest:
            expected = f"must be more than {shortest:g}, which the threshold of the return allows"
            raise SettingsError([Mistake("n_steps", expected, str(self.n_steps))])

    @property
    def car(self) -> Car:
        """What it is like."""
        return CARS[self.action]

    @property
    def chooses(self) -> bool:  # type: ignore[override]
        return self.action == "discrete"

    @property
    def output_names(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("push left", "no push", "push right") if self.action == "discrete" else ("push",)

    @property
    def input_names(self) -> tuple[str, ...]:
        return self.state_names[: self.n_inputs]

    @property
    def n_inputs(self) -> int:  # type: ignore[override]
        return 2 if self.velocities else 1

    @property
    def n_outputs(self) -> int:  # type: ignore[override]
        return 3 if self.action == "discrete" else 1

    @property
    def error_name(self) -> str:  # type: ignore[override]
        returned = f"return short of {self.car.threshold:g}"
        return returned if self.fitness == "return" else "share of the road not reached"

    def begun(self, rng: np.random.Generator, number: int) -> FloatArray:  # noqa: ARG002 - all are drawn alike
        position = rng.uniform(-0.6, -0.4)
        return np.array([position, 0.0, position, 0.0])

    def longest(self, part: str) -> int:  # noqa: ARG002 - the same for all parts
        return self.car.n_steps if self.n_steps is None else self.n_steps

    def observed(self, state: Columns) -> FloatArray:
        position, speed = (state[0] - (LEFT + RIGHT) / 2) / ((RIGHT - LEFT) / 2), state[1] / FASTEST
        return shown(position, speed) if self.velocities else shown(position)

    def pushes(self, outputs: FloatArray) -> FloatArray:
        """``(n_episodes,)``: -1 to the left ... 1 to the right."""
        return largest(outputs) - 1.0 if self.action == "discrete" else np.clip(outputs[:, 0], -1.0, 1.0)

    def changed(self, state: Columns, outputs: FloatArray) -> Columns:
        position, speed, farthest, squares = state
        push = self.pushes(outputs)
        speed = np.clip(speed + push * self.car.power - GRAVITY * np.cos(3 * position), -FASTEST, FASTEST)
        position = np.clip(position + speed, LEFT, RIGHT)
        speed = np.where((position == LEFT) & (speed < 0), 0.0, speed)
        return position, speed, np.maximum(farthest, position), squares + push**2

    def lasts(self, state: Columns) -> NDArray[np.bool_]:
        # Gymnasium asks for a speed of at least 0 at the flag: whoever comes there from the left has it.
        return np.atleast_1d(state[0]) < self.car.goal

    def judged(self, part: str, steps: NDArray[np.int64], rounds: list[Columns]) -> tuple[FloatArray, FloatArray]:
        _, _, farthest, squares = (np.atleast_1d(column) for column in rounds[-1])
        if self.fitness == "goal":
            error = np.maximum(self.car.goal - farthest, 0.0) / (self.car.goal - LEFT)
        else:
            n = np.minimum(steps + 1, self.longest(part))
            bonus = np.where(farthest >= self.car.goal, self.car.bonus, 0.0)
            returned = bonus - self.car.step_cost * n - self.car.push_cost * squares
            error = np.maximum(self.car.threshold - returned, 0.0)
        return error, (error == 0).astype(np.float64)

    def world(self, part: str, episodes: Chosen = None) -> Any:
        from neuroevo.kernels.worlds.hills import Hill

        starts = self.starts(part)[slice(None) if episodes is None else episodes]
        return Hill(
            n_steps=self.longest(part),
            n_episodes=len(starts),
            starts=starts[:, 0].copy(),
            velocities=self.velocities,
            discrete=self.action == "discrete",
            returned=self.fitness == "return",
            left=LEFT,
            right=RIGHT,
            fastest=FASTEST,
            gravity=GRAVITY,
            power=self.car.power,
            goal=self.car.goal,
            threshold=self.car.threshold,
            bonus=self.car.bonus,
            step_cost=self.car.step_cost,
            push_cost=self.car.push_cost,
        )

    def describe(self) -> str:
        seen = "position and speed" if self.velocities else "the position alone"
        return f"mountain car, {self.action} pushes, {seen} in sight, {self.longest('train')} steps: {self.counts()}"

"""Acrobot: two links hang from a bar, a motor between them has to swing the tip up.

R. S. Sutton, "Generalization in reinforcement learning: successful examples using sparse coarse coding", NIPS 8, 1996;
equations and constants of R. S. Sutton and A. G. Barto, "Reinforcement learning: an introduction", 1998, section 11.3,
as in Acrobot-v1 of Gymnasium, which takes one Runge-Kutta step of 0.2 s under a constant torque.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray

from neuroevo.problems.control.base import Chosen, FloatArray
from neuroevo.problems.control.begun import BegunEpisodes, largest, shown
from neuroevo.problems.control.stepped import Columns
from neuroevo.settings import Mistake, SettingsError

GRAVITY = 9.8
"""m / s^2; links have 1 m, 1 kg, their masses in the middle, and a moment of inertia of 1 kg m^2."""
FASTEST = 4 * math.pi, 9 * math.pi
"""Largest angular speed of either joint, rad / s."""
GOAL, LOWEST = 1.0, -2.0
"""Height that the tip has to pass, and its lowest one, m above the bar."""
THRESHOLD = -100.0
"""The return that Gymnasium counts as solved."""


@dataclass(frozen=True, kw_only=True)
class Acrobot(BegunEpisodes):
    """The acrobot, of whose joints the angles are seen, and their speeds where they are asked for.

    The largest of three outputs says which torque the motor gives, -1, 0 or 1 N m. Networks see cosine and sine of
    both angles, the second of which is measured from the direction of the first link.

    Attributes:
        velocities: Whether networks see the angular speeds too.
        fitness: "goal", the error is the share of the height to the goal that was never reached; or "return", it is
            what Gymnasium's return, -1 for every step that does not reach it, falls short of its threshold -100.
        n_steps: Limit of an episode.
    """

    kind: ClassVar[str] = "acrobot"
    step_seconds: ClassVar[float] = 0.2
    n_outputs: ClassVar[int] = 3  # type: ignore[misc]
    state_names: ClassVar[tuple[str, ...]] = (
        "first angle [rad]", "second angle [rad]", "its speed [rad/s]", "speed of the second [rad/s]", "highest [m]",
    )  # fmt: skip

    chooses: ClassVar[bool] = True
    output_names: ClassVar[tuple[str, ...]] = ("torque -1", "torque 0", "torque 1")

    velocities: bool = False
    fitness: Literal["goal", "return"] = "goal"
    n_steps: Annotated[int, Ge(1), Le(1_000_000)] = 500

    def __post_init__(self) -> None:
        if self.fitness == "return" and self.n_steps <= -THRESHOLD:
            expected = f"must be more than {-THRESHOLD:g}, which the threshold of the return allows"
            raise SettingsError([Mistake("n_steps", expected, str(self.n_steps))])

    @property
    def n_inputs(self) -> int:  # type: ignore[override]
        return 6 if self.velocities else 4

    @property
    def input_names(self) -> tuple[str, ...]:
        seen = "cos first", "sin first", "cos second", "sin second", "speed", "second speed"
        return seen[: self.n_inputs]

    @property
    def error_name(self) -> str:  # type: ignore[override]
        return f"return short of {THRESHOLD:g}" if self.fitness == "return" else "share of the height not reached"

    def begun(self, rng: np.random.Generator, number: int) -> FloatArray:  # noqa: ARG002 - all are drawn alike
        # Rounded to single precision as in Gymnasium.
        angles = rng.uniform(-0.1, 0.1, 4).astype(np.float32).astype(np.float64)
        return np.array([*angles, height(angles)])

    def longest(self, part: str) -> int:  # noqa: ARG002 - the same for all parts
        return self.n_steps

    def observed(self, state: Columns) -> FloatArray:
        first, second, speed, second_speed, _ = state
        seen = np.cos(first), np.sin(first), np.cos(second), np.sin(second)
        return shown(*seen, speed / FASTEST[0], second_speed / FASTEST[1]) if self.velocities else shown(*seen)

    def changed(self, state: Columns, outputs: FloatArray) -> Columns:
        now, torque, h = np.array(state[:4]).reshape(4, -1), largest(outputs) - 1.0, self.step_seconds
        k1 = slopes(now, torque)
        k2 = slopes(now + h / 2 * k1, torque)
        k3 = slopes(now + h / 2 * k2, torque)
        k4 = slopes(now + h * k3, torque)
        first, second, speed, second_speed = now + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        first, second = wrapped(first), wrapped(second)
        speeds = (np.clip(s, -most, most) for s, most in zip((speed, second_speed), FASTEST, strict=True))
        return first, second, *speeds, np.maximum(state[4], height((first, second)))

    def lasts(self, state: Columns) -> NDArray[np.bool_]:
        return np.atleast_1d(height(state)) <= GOAL

    def judged(self, part: str, steps: NDArray[np.int64], rounds: list[Columns]) -> tuple[FloatArray, FloatArray]:
        highest = np.atleast_1d(rounds[-1][4])
        if self.fitness == "goal":
            error = np.maximum(GOAL - highest, 0.0) / (GOAL - LOWEST)
        else:
            error = np.maximum(np.where(steps < self.longest(part), steps, self.longest(part)) + THRESHOLD, 0.0)
        return error, (error == 0).astype(np.float64)

    def world(self, part: str, episodes: Chosen = None) -> Any:
        from neuroevo.kernels.worlds.acrobot import Links

        starts = self.starts(part)[slice(None) if episodes is None else episodes]
        return Links(
            n_steps=self.longest(part),
            n_episodes=len(starts),
            starts=starts.ravel(),
            velocities=self.velocities,
            returned=self.fitness == "return",
            gravity=GRAVITY,
            time_step=self.step_seconds,
            fastest=FASTEST[0],
            second_fastest=FASTEST[1],
            goal=GOAL,
            lowest=LOWEST,
            threshold=THRESHOLD,
        )

    def describe(self) -> str:
        seen = "angles and their speeds" if self.velocities else "angles alone"
        return f"acrobot, {seen} in sight, {self.n_steps} steps of 0.2 s: {self.counts()}"


def height(state: Any) -> Any:
    """Of the tip above the bar, m, from a state or its two angles."""
    return -np.cos(state[0]) - np.cos(state[0] + state[1])


def wrapped(angle: FloatArray) -> FloatArray:
    """The same angle within -pi ... pi."""
    turned: FloatArray = angle - 2 * math.pi * np.round(angle / (2 * math.pi))
    return np.where(np.abs(angle) <= math.pi, angle, turned)


def slopes(state: FloatArray, torque: FloatArray) -> FloatArray:
    """Derivatives by time of angles and speeds ``(4, n_episodes)`` under a torque, N m (Sutton and Barto, 11.3)."""
    first, second, speed, second_speed = state
    d1 = 0.25 + (1.25 + np.cos(second)) + 2.0
    d2 = 0.25 + 0.5 * np.cos(second) + 1.0
    phi2 = 0.5 * GRAVITY * np.sin(first + second)
    turning = 0.5 * second_speed**2 * np.sin(second) + second_speed * speed * np.sin(second)
    phi1 = -turning + 1.5 * GRAVITY * np.sin(first) + phi2
    second_change = (torque + d2 / d1 * phi1 - 0.5 * speed**2 * np.sin(second) - phi2) / (1.25 - d2**2 / d1)
    return np.array([speed, second_speed, -(d2 * second_change + phi1) / d1, second_change])

"""Balancing one or two poles on a cart, with the positions and velocities in sight or the positions alone.

Equations, constants, integration and the standard fitness: F. Gomez, J. Schmidhuber, R. Miikkulainen, "Accelerated
neural evolution through cooperatively coevolved synapses", Journal of Machine Learning Research 9:937-965, 2008,
section 5 and appendix A ("gsm08"); for two poles A. P. Wieland, "Evolving neural network controllers for unstable
systems", IJCNN 1991. Damping fitness and generalisation test: F. Gruau, D. Whitley, L. Pyeatt, "A comparison between
cellular encoding and direct encoding for genetic neural networks", Genetic Programming 1996. What programs do
differently: F. Gomez's own ("gomez"), the Shark library ("shark"), K. O. Stanley and R. Miikkulainen, "Evolving neural
networks through augmenting topologies", Evolutionary Computation 10(2):99-127, 2002 ("neat"), and C. Igel,
"Neuroevolution for reinforcement learning using evolution strategies", CEC 2003 ("igel").
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray

from neuroevo.problems.control.base import Chosen, FloatArray
from neuroevo.problems.control.stepped import Columns, SteppedProblem

GRAVITY = 9.8
"""m / s^2."""
TRACK = 2.4
"""Largest distance of the cart from the middle, m."""
WOBBLES = 100
"""Steps at the end of an episode whose wobble the damping fitness counts."""

Start = Literal["gsm08", "gomez", "shark", "neat", "igel"]
STARTS: dict[str, float] = {
    "gsm08": math.radians(4.0),
    "gomez": 4.0156035 * 0.0174532,
    "shark": 0.07,
    "neat": math.radians(1.0),
    "igel": math.radians(4.5),
}
"""Angle of the first pole at the start, rad, by who has published it; all else is at rest in the middle."""

Inputs = Literal["unit", "gomez", "shark"]
GRUAU = np.array([[4.32, -2.16], [2.70, -1.35], [0.12566304, -0.06283152], [0.30019504, -0.15009752]])
"""Range and lower end of position, speed, angle and angular speed in the generalisation test, as in Shark."""


@dataclass(frozen=True)
class Pole:
    """A pole: mass in kg, and half of its length in m."""

    mass: float
    half_length: float


@dataclass(frozen=True)
class _Poles(SteppedProblem):
    """Poles on a cart, upright as long as possible.

    Attributes:
        velocities: Whether networks see velocities too, or positions and angles alone.
        fitness: "standard", the steps balanced; or "damping", Gruau's F = 0.1 t / damping_steps + 0.9 f of an episode
            of t steps, f = 0.75 over the sum of |x| + |x'| + |angle| + |angle'| in the last 100 of them, or 0 before
            there are 100.
        n_steps: Control steps of 0.02 s in which the poles have to be balanced.
        n_starts: Starts that train; 1 is the published one, more are drawn from the ranges of the generalisation test.
        data_seed: Seed of the starts that are drawn.
        start: Angle of the first pole at the start: 4 degrees ("gsm08"), 4.0156 ("gomez"), 0.07 rad ("shark"), 1 degree
            ("neat") or 4.5 ("igel").
        inputs: How inputs are scaled: by their largest values ("unit"), or as in the programs "gomez" and "shark".
        bias: A constant that is shown as a further input; 0 for none. Gomez's program shows 0.01.
        least_force: Smallest force in either direction, N; at most 10.
        cart_friction: Coefficient of friction of the cart on its track, N.
        pole_friction: Coefficient of friction of the poles' hinges, kg m^2 / s.
        damping_steps: Steps of the episode that the damping fitness is of.
        test_steps: Steps in which the poles have to be balanced from each of the 625 starts of the test.
    """

    poles: ClassVar[tuple[Pole, ...]]
    lean: ClassVar[float]
    n_outputs: ClassVar[int] = 1  # type: ignore[misc]
    step_seconds: ClassVar[float] = 0.02
    has_world: ClassVar[bool] = True
    n_substeps: ClassVar[int] = 2
    largest_force: ClassVar[float] = 10.0
    cart_mass: ClassVar[float] = 1.0

    output_names: ClassVar[tuple[str, ...]] = ("force",)

    velocities: bool = False
    fitness: Literal["standard", "damping"] = "standard"
    n_steps: Annotated[int, Ge(1), Le(10_000_000)] = 100_000
    n_starts: Annotated[int, Ge(1)] = 1
    data_seed: Annotated[int, Ge(0)] = 0
    start: Start = "gsm08"
    inputs: Inputs = "unit"
    bias: float = 0.0
    least_force: Annotated[float, Ge(0), Le(10)] = 10 / 256
    cart_friction: Annotated[float, Ge(0)] = 0.0
    pole_friction: Annotated[float, Ge(0)] = 0.0
    damping_steps: Annotated[int, Ge(1), Le(10_000_000)] = 1000
    test_steps: Annotated[int, Ge(1), Le(10_000_000)] = 1000

    @property
    def n_inputs(self) -> int:  # type: ignore[override]
        return len(self._shown[0])

    @property
    def input_names(self) -> tuple[str, ...]:
        names = [name.partition(" [")[0] for name in self.state_names]
        return tuple(names[number] if number >= 0 else "bias" for number in self._shown[0])

    @property
    def parts(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("train", "validation", "test") if self.fitness == "damping" else ("train", "test")

    @property
    def error_name(self) -> str:  # type: ignore[override]
        return "1 / damping fitness" if self.fitness == "damping" else "share of the time fallen"

    def starts(self, part: str) -> FloatArray:
        if part != "test" and self.n_starts == 1:
            return np.array([[0.0, 0.0, STARTS[self.start], 0.0, *[0.0] * (2 * len(self.poles) - 2)]])
        shares = np.array(list(itertools.product((0.05, 0.25, 0.5, 0.75, 0.95), repeat=4)))
        if part != "test":
            shares = np.random.default_rng(self.data_seed).random((self.n_starts, 4))
        return np.hstack([shares * GRUAU[:, 0] + GRUAU[:, 1], np.zeros((len(shares), 2 * len(self.poles) - 2))])

    def longest(self, part: str) -> int:
        if part == "test":
            return self.test_steps
        return self.damping_steps if self._damps(part) else self.n_steps

    def _damps(self, part: str) -> bool:
        return part == "train" and self.fitness == "damping"

    @cached_property
    def _shown(self) -> tuple[NDArray[np.int64], FloatArray, FloatArray]:
        """Which number of the state each input shows, -1 for none; input = (number + offset) * factor."""
        n = len(self.poles)
        numbers = list(range(2 + 2 * n)) if self.velocities else [0, *range(2, 2 + 2 * n, 2)]
        scale = _scales(self.inputs, self.lean, self.velocities)
        rows = [(number, *scale[number]) for number in numbers]
        if self.bias:
            rows.append((-1, 1.0, self.bias))
        seen, factors, offsets = zip(*rows, strict=True)
        return np.array(seen, np.int64), np.array(factors, np.float64), np.array(offsets, np.float64)

    def observed(self, state: Columns) -> FloatArray:
        seen, factors, offsets = self._shown
        columns = np.array([*state, 0.0 * state[0]]).reshape(len(state) + 1, -1)
        return (columns[seen].T + offsets) * factors

    def moved(self, state: Columns, outputs: FloatArray) -> Columns:
        force: Any = self.largest_force * np.clip(outputs[:, 0], -1.0, 1.0)
        force = np.where(np.abs(force) < self.least_force, np.where(force < 0, -1, 1) * self.least_force, force)
        if isinstance(state[0], float):
            force = force.item()
        for _ in range(self.n_substeps):
            state = self._integrated(state, force, self.step_seconds / self.n_substeps)
        return state

    def _integrated(self, state: Columns, force: Any, h: float) -> Columns:
        """The state after `h` s by the classical Runge-Kutta method."""
        k1 = self.slopes(state, force)
        k2 = self.slopes(tuple(s + h / 2 * k for s, k in zip(state, k1, strict=True)), force)
        k3 = self.slopes(tuple(s + h / 2 * k for s, k in zip(state, k2, strict=True)), force)
        k4 = self.slopes(tuple(s + h * k for s, k in zip(state, k3, strict=True)), force)
        slopes = zip(state, k1, k2, k3, k4, strict=True)
        return tuple(s + h / 6 * (a + 2 * b + 2 * c + d) for s, a, b, c, d in slopes)

    def slopes(self, state: Columns, force: Any) -> Columns:
        """The derivatives of a state by time under a force, N (gsm08, appendix A)."""
        maths: Any = math if isinstance(force, float) else np
        speed, total, mass, poles = state[1], force, self.cart_mass, []
        if self.cart_friction:
            total = total - self.cart_friction * ((speed > 0) * 1.0 - (speed < 0) * 1.0)
        for k, pole in enumerate(self.poles, 1):
            angle, turning = state[2 * k : 2 * k + 2]
            sine, cosine = maths.sin(angle), maths.cos(angle)
            pull = self.pole_friction * turning / (pole.mass * pole.half_length) - GRAVITY * sine
            total = total + pole.mass * (pole.half_length * turning**2 * sine + 0.75 * cosine * pull)
            mass = mass + pole.mass * (1 - 0.75 * cosine**2)
            poles.append((turning, pull, cosine, pole.half_length))
        acceleration = total / mass
        slopes = [speed, acceleration]
        for turning, pull, cosine, half_length in poles:
            slopes += [turning, -0.75 / half_length * (acceleration * cosine + pull)]
        return tuple(slopes)

    def lasts(self, state: Columns) -> NDArray[np.bool_]:
        upright: NDArray[np.bool_] = np.abs(np.atleast_1d(state[0])) <= TRACK
        for angle in state[2::2]:
            upright &= np.abs(angle) <= self.lean
        return upright

    def remembers(self, part: str) -> bool:
        return self._damps(part)

    def judged(self, part: str, steps: NDArray[np.int64], rounds: list[Columns]) -> tuple[FloatArray, FloatArray]:
        n_steps = self.longest(part)
        solved = (steps == n_steps).astype(np.float64)
        if not self._damps(part):
            return 1 - steps / n_steps, solved
        wobble = np.abs(np.array(rounds)[:, :4].reshape(len(rounds), 4, -1)).sum(axis=1)
        fitness = 0.1 * steps / n_steps
        for k in np.flatnonzero(steps >= WOBBLES):
            fitness[k] += 0.9 * 0.75 / max(wobble[steps[k] - WOBBLES : steps[k], k].sum(), 1e-300)
        return np.where(fitness > 0, 1 / fitness, np.finfo(np.float64).max), solved

    def world(self, part: str, episodes: Chosen = None) -> Any:
        from neuroevo.kernels.worlds import poles as code

        starts = self.starts(part)
        if episodes is not None:
            starts = starts[episodes]
        seen, factors, offsets = self._shown
        n_wobbles = WOBBLES if self._damps(part) else 0
        kind = (code.OnePole, code.TwoPoles)[len(self.poles) - 1]
        poles = [code.Pole(pole.mass, pole.half_length, self.pole_friction) for pole in self.poles]
        return kind(
            n_rows=code.n_rows(starts.shape[1], n_wobbles),
            n_steps=self.longest(part),
            n_episodes=len(starts),
            n_inputs=self.n_inputs,
            starts=starts.ravel(),
            seen=np.where(seen >= 0, seen + code.POSITION, -1),
            factors=factors,
            offsets=offsets,
            cart_mass=self.cart_mass,
            cart_friction=self.cart_friction,
            force=self.largest_force,
            least_force=self.least_force,
            track=TRACK,
            lean=self.lean,
            time_step=self.step_seconds / self.n_substeps,
            n_substeps=self.n_substeps,
            n_wobbles=n_wobbles,
            **dict(zip(("pole", "other"), poles, strict=False)),
        )

    def describe(self) -> str:
        seen = "positions and velocities" if self.velocities else "positions alone"
        n = self.n_steps * self.step_seconds
        start = f"{math.degrees(STARTS[self.start]):.3g} degrees" if self.n_starts == 1 else f"{self.n_starts} starts"
        judged = f"the damping fitness of {self.damping_steps} steps, then " if self.fitness == "damping" else ""
        return (
            f"{len(self.poles)} pole{'s' * (len(self.poles) > 1)} on a cart, {seen} in sight; {judged}{self.n_steps} "
            f"steps ({n:g} s) to balance from {start}\n"
            f"test: {self.test_steps} steps from each of 625 starts"
        )


def _scales(inputs: Inputs, lean: float, velocities: bool) -> list[tuple[float, float]]:
    """Factor and offset of each number of the state: what is seen of it is (number + offset) * factor.

    Gomez's program shows 10 (x / 2.4 - 0.01) of the position. Velocities, for which the papers give no largest value,
    have that of Shark in "unit" too.
    """
    if inputs == "gomez":
        second = 0.628329 if velocities else 0.52
        cart = [(10 / TRACK, -0.01 * TRACK), (10 / 10, -0.01 * 10)]
        return [*cart, (1 / 0.2094384, 0), (10 / 5, 0), (1 / second, 0), (1 / 16, 0)]
    length, angle = (TRACK, lean) if inputs == "unit" else (4.8, 0.52)
    return [(1 / length, 0), (1 / 2, 0), (1 / angle, 0), (1 / 2, 0), (1 / angle, 0), (1 / 2, 0)]


@dataclass(frozen=True)
class SinglePole(_Poles):
    """A pole on a cart, to be kept upright within 12 degrees."""

    kind: ClassVar[str] = "single_pole"
    poles: ClassVar[tuple[Pole, ...]] = (Pole(0.1, 0.5),)
    lean: ClassVar[float] = 0.2094384
    state_names: ClassVar[tuple[str, ...]] = ("position [m]", "speed [m/s]", "angle [rad]", "turning [rad/s]")


@dataclass(frozen=True)
class DoublePole(_Poles):
    """Two poles on a cart, one ten times as long as the other, to be kept upright within 36 degrees."""

    kind: ClassVar[str] = "double_pole"
    poles: ClassVar[tuple[Pole, ...]] = (Pole(0.1, 0.5), Pole(0.01, 0.05))
    lean: ClassVar[float] = 0.628329
    state_names: ClassVar[tuple[str, ...]] = (
        "position [m]", "speed [m/s]", "long pole [rad]", "its turning [rad/s]", "short pole [rad]",
        "its turning [rad/s]",
    )  # fmt: skip

    cart_friction: Annotated[float, Ge(0)] = 0.0005
    pole_friction: Annotated[float, Ge(0)] = 0.000002

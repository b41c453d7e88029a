"""Chaotic series: Mackey-Glass and Lorenz."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Gt, MinLen
from numpy.typing import NDArray

from neuroevo.problems.sequence import SequenceProblem
from neuroevo.problems.tables.columns import Columns
from neuroevo.problems.tables.windows import Forecast, Scales
from neuroevo.settings import Mistake, SettingsError

Axis = Literal["x", "y", "z"]


def _halves() -> dict[str, object]:
    return {"train": 0.5, "test": "rest"}


@dataclass(frozen=True, kw_only=True)
class MackeyGlass(Forecast):
    """The Mackey-Glass series: dx/dt = 0.2 x(t - tau) / (1 + x(t - tau)^10) - 0.1 x, one value a time unit.

    Starts at x(0) = 1.2 with x = 0 before. Michael C. Mackey and Leon Glass, "Oscillation and chaos in physiological
    control systems", Science 197:287-289, 1977. Defaults: Rohitash Chandra and Mengjie Zhang, Neurocomputing
    86:116-123, 2012 (1000 values, scaled to [0, 1], half of them training); "euler" and `squash` as in Herbert
    Jaeger, GMD Report 148, 2001.

    Attributes:
        tau: The delay; chaotic from about 17.
        n_values: Values of the series.
        discard: Values left out at the beginning.
        method: "rk4" (fourth order, delayed value interpolated) or "euler".
        time_step: Of the integration; 1 and tau are multiples of it.
        start: x(0).
        squash: Whether the series is tanh(x - 1).
    """

    tau: Annotated[float, Gt(0)] = 17.0
    n_values: Annotated[int, Ge(10)] = 1000
    discard: Annotated[int, Ge(0)] = 0
    method: Literal["rk4", "euler"] = "rk4"
    time_step: Annotated[float, Gt(0)] = 0.1
    start: float = 1.2
    squash: bool = False
    parts: dict[str, object] = field(default_factory=_halves)
    scaling: Scales = "range"
    scaling_range: tuple[float, float] = (0.0, 1.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, span in (("time_step", 1.0), ("tau", self.tau)):
            if abs(span / self.time_step - round(span / self.time_step)) > 1e-9 or span < self.time_step:
                raise SettingsError(
                    [Mistake(name, "1 and tau must be multiples of time_step", f"{getattr(self, name)}")]
                )

    def build(self, folder: Path) -> SequenceProblem:  # noqa: ARG002 - every problem kind is built in the same way
        """Integrate the equation.

        Args:
            folder: Not used: nothing is read.
        """
        values = mackey_glass(
            self.n_values + self.discard, self.tau, self.time_step, start=self.start, rk4=self.method == "rk4"
        )[self.discard :]
        values = np.tanh(values - 1.0) if self.squash else values
        columns = values[:, None]
        return self.forecast(Columns(columns, columns, ("x",), ("x",), (0,)))


def mackey_glass(
    n_values: int, tau: float = 17.0, time_step: float = 0.1, *, start: float = 1.2, rk4: bool = True
) -> NDArray[np.float64]:
    """``(n_values,)``: x(0), x(1) ... with x = 0 before."""
    delay, stride = round(tau / time_step), round(1.0 / time_step)
    # history[i + delay] is x at i time steps.
    history = [0.0] * delay + [start]
    for i in range((n_values - 1) * stride):
        x, past = history[i + delay], history[i]
        # The step that ends where the jump from 0 to the start comes into view sees none of it yet.
        later = history[i + 1] if i + 1 != delay else past
        growth = 0.2 * past / (1.0 + past**10)
        slope = growth - 0.1 * x
        if rk4:
            between = 0.5 * (past + later)
            middle, end = 0.2 * between / (1.0 + between**10), 0.2 * later / (1.0 + later**10)
            second = middle - 0.1 * (x + 0.5 * time_step * slope)
            third = middle - 0.1 * (x + 0.5 * time_step * second)
            fourth = end - 0.1 * (x + time_step * third)
            slope = (slope + 2.0 * second + 2.0 * third + fourth) / 6.0
        history.append(x + time_step * slope)
    return np.array(history[delay::stride])


@dataclass(frozen=True, kw_only=True)
class Lorenz(Forecast):
    """The Lorenz system: dx/dt = 10 (y - x), dy/dt = x (28 - z) - y, dz/dt = x y - 8/3 z.

    Edward N. Lorenz, "Deterministic nonperiodic flow", Journal of the Atmospheric Sciences 20:130-141, 1963. Defaults:
    Rohitash Chandra and Mengjie Zhang, Neurocomputing 86:116-123, 2012 (x, 1000 values, scaled to [-1, 1], half of them
    training). They do not state the sampling interval; 0.01 matches their figure. It decides how hard the task is.

    Attributes:
        n_values: Values of the series.
        discard: Values left out at the beginning.
        time_step: Of the integration (fourth-order Runge-Kutta) and of the sampling.
        start: x, y and z at the beginning.
        input: The coordinates that the network sees.
        target: The coordinates that it predicts.
    """

    n_values: Annotated[int, Ge(10)] = 1000
    discard: Annotated[int, Ge(0)] = 1000
    time_step: Annotated[float, Gt(0)] = 0.01
    start: tuple[float, float, float] = (1.0, 1.0, 1.0)
    input: Annotated[tuple[Axis, ...], MinLen(1)] = ("x",)
    target: Annotated[tuple[Axis, ...], MinLen(1)] = ("x",)
    parts: dict[str, object] = field(default_factory=_halves)
    scaling: Scales = "range"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.horizon == 0 and set(self.input) & set(self.target):
            raise SettingsError([Mistake("horizon", "must be at least 1 where an input is a target too", "0")])

    def build(self, folder: Path) -> SequenceProblem:  # noqa: ARG002 - every problem kind is built in the same way
        """Integrate the system.

        Args:
            folder: Not used: nothing is read.
        """
        states = lorenz(self.n_values + self.discard, self.time_step, self.start)[self.discard :]
        inputs, targets = (["xyz".index(axis) for axis in axes] for axes in (self.input, self.target))
        tied = [self.input.index(axis) if axis in self.input else -1 for axis in self.target]
        return self.forecast(Columns(states[:, inputs], states[:, targets], self.input, self.target, tied))


def lorenz(
    n_values: int, time_step: float = 0.01, start: tuple[float, float, float] = (1.0, 1.0, 1.0)
) -> NDArray[np.float64]:
    """``(n_values, 3)``: x, y and z, the start first."""
    states = np.empty((n_values, 3))
    state = states[0] = np.array(start)
    for i in range(1, n_values):
        first = _lorenz_slope(state)
        second = _lorenz_slope(state + 0.5 * time_step * first)
        third = _lorenz_slope(state + 0.5 * time_step * second)
        fourth = _lorenz_slope(state + time_step * third)
        state = states[i] = state + time_step / 6.0 * (first + 2.0 * second + 2.0 * third + fourth)
    return states


def _lorenz_slope(state: NDArray[np.float64]) -> NDArray[np.float64]:
    x, y, z = state.tolist()
    return np.array([10.0 * (y - x), x * (28.0 - z) - y, x * y - 8.0 / 3.0 * z])

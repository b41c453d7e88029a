"""Signals: sine waves, and the NARMA-10 system driven by noise."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Interval
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.problems.generators.base import data_stream
from neuroevo.problems.sequence import SequenceProblem
from neuroevo.problems.tables.columns import Columns
from neuroevo.problems.tables.windows import Forecast, Scales
from neuroevo.settings import Mistake, SettingsError

FREQUENCIES = (0.2, 0.311, 0.42, 0.51, 0.63, 0.74, 0.85, 0.97)
MAX_DRAWS = 100


@dataclass(frozen=True, kw_only=True)
class Sine(Forecast):
    """A sine wave, forecast from itself: the smallest problem there is, for trying things out.

    Attributes:
        period: Steps of one wave.
        n_values: Values of the series.
    """

    period: Annotated[float, Gt(2)] = 20.0
    n_values: Annotated[int, Ge(10)] = 200
    scaling: Scales = "none"

    def build(self, folder: Path) -> SequenceProblem:  # noqa: ARG002 - every problem kind is built in the same way
        """Compute the wave.

        Args:
            folder: Not used: nothing is read.
        """
        values = np.sin(2.0 * np.pi * np.arange(self.n_values) / self.period)[:, None]
        return self.forecast(Columns(values, values, ("wave",), ("wave",), (0,)))


@dataclass(frozen=True, kw_only=True)
class SuperimposedSines(Forecast):
    """Superimposed sine waves (MSO): y(t) = sin(0.2 t) + sin(0.311 t) + ..., up to eight incommensurable waves.

    Frequencies 0.2, 0.311, 0.42, 0.51, 0.63, 0.74, 0.85, 0.97. Steps 0-99 are washout, 100-399 train, 400-699 test,
    as in Danil Koryakin, Johannes Lohmann and Martin V. Butz, "Balanced echo state networks", Neural Networks
    36:35-45, 2012, after Jürgen Schmidhuber, Daan Wierstra, Matteo Gagliolo and Faustino Gomez, "Training recurrent
    networks by Evolino", Neural Computation 19(3):757-779, 2007. They test in a closed loop, as `free_run` of 300 steps
    after 100 does, with a washout of 0; without it every step sees the true value before it. The task is linear: an
    autoregression of order 2 n_sines solves it.

    Attributes:
        n_sines: How many waves, 1 to 8.
        n_values: Values of the series.
    """

    n_sines: Annotated[int, Interval(ge=1, le=8)] = 2
    n_values: Annotated[int, Ge(10)] = 700
    washout: Annotated[int, Ge(0)] = 100
    parts: dict[str, object] = field(default_factory=lambda: {"train": 400, "test": "rest"})
    scaling: Scales = "none"

    def build(self, folder: Path) -> SequenceProblem:  # noqa: ARG002 - every problem kind is built in the same way
        """Compute the waves.

        Args:
            folder: Not used: nothing is read.
        """
        times = np.arange(self.n_values)
        values = np.sin(np.outer(times, FREQUENCIES[: self.n_sines])).sum(axis=1)[:, None]
        return self.forecast(Columns(values, values, ("wave",), ("wave",), (0,), labels=times))


@dataclass(frozen=True, kw_only=True)
class Narma10(Forecast):
    """NARMA-10: a nonlinear system with ten steps of memory, driven by noise; predict what comes out from what goes in.

    y(t+1) = 0.3 y(t) + 0.05 y(t) (y(t) + ... + y(t-9)) + 1.5 u(t-9) u(t) + 0.1 with u in U[0, 0.5]. Amir F. Atiya and
    Alexander G. Parlos, "New results on recurrent network training", IEEE Transactions on Neural Networks
    11(3):697-709, 2000. The network sees u(t) and predicts y(t+1). A draw that diverges, which is rare, is replaced
    by the next one.

    Attributes:
        n_values: Values of the series, the first ten of which, y = 0, are left out.
        data_seed: Seed of the data; the seed of a run does not change them.
    """

    n_values: Annotated[int, Ge(20)] = 4000
    data_seed: Annotated[int, Ge(0)] = 0
    washout: Annotated[int, Ge(0)] = 20
    parts: dict[str, object] = field(default_factory=lambda: {"train": 0.5, "test": "rest"})

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.horizon != 1:
            raise SettingsError(
                [Mistake("horizon", "must be 1: the system itself is one step ahead", str(self.horizon))]
            )

    def build(self, folder: Path) -> SequenceProblem:  # noqa: ARG002 - every problem kind is built in the same way
        """Run the system.

        Args:
            folder: Not used: nothing is read.
        """
        driven, values = narma10(self.n_values, data_stream(self.data_seed, 0))
        return self.forecast(Columns(driven[:, None], values[:, None], ("u",), ("y",), (-1,)))


def narma10(n_values: int, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Inputs u and outputs y, each ``(n_values,)``, after the ten steps in which y starts at 0.

    Raises:
        ValueError: Every draw diverged.
    """
    for _ in range(MAX_DRAWS):
        driven = rng.uniform(0.0, 0.5, n_values + 10)
        values = np.zeros(n_values + 10)
        for t in range(9, n_values + 9):
            now = values[t]
            values[t + 1] = 0.3 * now + 0.05 * now * values[t - 9 : t + 1].sum() + 1.5 * driven[t - 9] * driven[t] + 0.1
            if values[t + 1] > 10.0:
                break
        else:
            return driven[10:], values[10:]
    raise BadInput(f"NARMA-10 diverged in each of {MAX_DRAWS} draws of {n_values} values; ask for fewer")

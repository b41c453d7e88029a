"""PGPE with ClipUp: gradient descent on the error expected of a normal distribution of genomes.

Sehnke, Osendorfer, Rueckstiess, Graves, Peters and Schmidhuber 2010, "Parameter-exploring policy gradients", Neural
Networks 23(4):551-559 (https://doi.org/10.1016/j.neunet.2009.12.004), with its symmetric samples, and Toklu, Liskowski
and Srivastava 2020, "ClipUp: a simple and powerful optimizer for distribution-based policy evolution", PPSN
(https://arxiv.org/abs/2008.02387), with centred ranks for errors. A mean and a width for each gene follow the gradient;
the mean by normalised steps with momentum and a largest speed.

Failed evaluations share the lowest rank, and a generation whose errors are all equal moves nothing. Bounds: what is
asked is the sample mirrored at the bounds, and the mean is clipped to them. Immigrants take the place of samples in the
next generation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Gt, Interval

from neuroevo.errors import BadInput
from neuroevo.machine import one_blas_thread
from neuroevo.strategies.base import Axes, Strategy
from neuroevo.strategies.bounds import FloatArray
from neuroevo.strategies.openai_es import centred_ranks
from neuroevo.strategies.search_scale import gene_scale, search_centre
from neuroevo.strategies.separable import sampled, widening
from neuroevo.strategies.settings import StrategySettings
from neuroevo.strategies.streams import Phase


@dataclass(frozen=True)
class PgpeSettings(StrategySettings):
    """Settings of PGPE.

    The width rate of Toklu et al. suits policies that are trained with little narrowing; on small recurrent networks
    five times as much was best of 18 combinations over five tasks (docs/choosing-a-strategy.md).

    Attributes:
        population_size: Samples of a generation, an even number: they come in mirrored pairs.
        step_size: First standard deviation, in units of the scale of each gene: that of Glorot's start where the layout
            is known, 1 otherwise.
        max_speed: Longest step of the mean, in units of the length of the vector of the first standard deviations
            (1 / 15 in Toklu et al.).
        learning_rate: Step of the mean without momentum, as a share of max_speed (1 / 2 in Toklu et al.).
        momentum: Share of the last step that is made again (0.9 there).
        width_rate: Step of the standard deviations along their gradient (0.1 there).
        max_change: Largest share by which a standard deviation changes in a generation (0.2 there).
    """

    population_size: Annotated[int, Ge(2)] = 32
    step_size: Annotated[float, Gt(0)] = 0.3
    max_speed: Annotated[float, Gt(0)] = 1 / 15
    learning_rate: Annotated[float, Gt(0)] = 0.5
    momentum: Annotated[float, Interval(ge=0, lt=1)] = 0.9
    width_rate: Annotated[float, Ge(0)] = 0.5
    max_change: Annotated[float, Interval(gt=0, lt=1)] = 0.2

    def __post_init__(self) -> None:
        if self.population_size % 2:
            raise BadInput(
                f"population_size must be even, since samples come in mirrored pairs: {self.population_size}"
            )


class Pgpe(Strategy[PgpeSettings]):
    """PGPE with ClipUp: mirrored samples of a normal distribution whose mean and widths descend the expected error."""

    Settings = PgpeSettings
    memoryless = True
    STATE = ("mean", "width", "velocity", "immigrants")

    AXES: ClassVar[Axes] = {
        **dict.fromkeys(("mean", "width", "velocity"), ("n_genes",)),
        "immigrants": ("n_immigrants", "n_genes"),
    }

    def __init__(self, settings: PgpeSettings, **arguments: Any) -> None:
        super().__init__(settings, **arguments)
        n = self.n_genes
        self._mean = search_centre(n, self.initial, self.bounds)
        self._width = settings.step_size * gene_scale(n, self.layout, self.bounds)
        self._max_speed = settings.max_speed * float(np.sqrt(np.square(self._width).sum()))
        self._velocity = np.zeros(n)
        self._immigrants = np.empty((0, n)) if self.initial is None else self.initial[: settings.population_size]

    def _ask(self) -> FloatArray:
        half = self._stream(Phase.SAMPLE).standard_normal((self.settings.population_size // 2, self.n_genes))
        self._z = np.concatenate([half, -half])
        return sampled(self._mean, self._width, self._z, self._immigrants, self.bounds)

    def _tell(self, population: FloatArray, error: FloatArray) -> None:  # noqa: ARG002 - it works on the steps
        self._immigrants = np.empty((0, self.n_genes))
        if error.min() == error.max():
            return
        ranks = centred_ranks(error)
        with one_blas_thread():
            # The updates of Sehnke et al. 2010, summed over single samples; the baseline of centred ranks is 0.
            mean_gradient = self._width * (ranks @ self._z) / len(ranks)
            width_gradient = self._width * (ranks @ (np.square(self._z) - 1)) / len(ranks)
        self._descend(mean_gradient)
        s = self.settings
        change = np.clip(s.width_rate * width_gradient, -s.max_change * self._width, s.max_change * self._width)
        self._width = self._width - change
        self._width *= widening(self, self._mean, self._width, len(error))

    def _descend(self, gradient: FloatArray) -> None:
        """One step of ClipUp (Toklu et al. 2020)."""
        length = np.sqrt(np.square(gradient).sum())
        if length == 0:
            return
        step = self.settings.learning_rate * self._max_speed / length * gradient
        velocity = self.settings.momentum * self._velocity - step
        speed = np.sqrt(np.square(velocity).sum())
        self._velocity = velocity * min(1.0, self._max_speed / max(speed, 1e-300))
        mean = self._mean + self._velocity
        self._mean = mean if self.bounds is None else self.bounds.clip(mean)

    def _restored(self) -> None:
        n_samples = self.settings.population_size
        if len(self._immigrants) > n_samples:
            raise BadInput(f"the state has {len(self._immigrants)} immigrants for {n_samples} samples")

    def _figures(self) -> dict[str, float | None]:
        speed = float(np.sqrt(np.square(self._velocity).sum()))
        return {"step_size": float(np.exp(np.log(self._width).mean())), "speed": speed}

    def _inject(self, genomes: FloatArray, errors: FloatArray) -> None:
        best = np.argsort(errors, kind="stable")[: max(1, self.settings.population_size // 2)]
        self._immigrants = genomes[best]

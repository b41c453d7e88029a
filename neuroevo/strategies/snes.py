"""SNES: the separable natural evolution strategy.

Schaul, Glasmachers and Schmidhuber 2011, "High dimensions and heavy tails for natural evolution strategies", GECCO
(https://doi.org/10.1145/2001576.2001692), algorithm 2; constants from Wierstra et al. 2014, "Natural evolution
strategies", JMLR 15:949-980 (https://jmlr.org/papers/v15/wierstra14a.html), table 1. A normal distribution with one
standard deviation per gene follows the natural gradient of the expected utility.

Failed evaluations have the lowest utilities, equal errors share theirs, and a generation whose errors are all equal
moves nothing. Bounds: what is asked
is the sample mirrored at the bounds. Immigrants take the place of samples in the next generation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Gt

from neuroevo.errors import BadInput
from neuroevo.machine import one_blas_thread
from neuroevo.strategies.base import Axes, Strategy
from neuroevo.strategies.bounds import FloatArray
from neuroevo.strategies.search_scale import gene_scale, search_centre
from neuroevo.strategies.separable import sampled, widening
from neuroevo.strategies.settings import StrategySettings
from neuroevo.strategies.streams import Phase


@dataclass(frozen=True)
class SnesSettings(StrategySettings):
    """Settings of SNES.

    Attributes:
        population_size: Samples of a generation; 0 takes 4 + floor(3 ln n_genes) (Wierstra et al. 2014, table 1).
        step_size: First standard deviation, in units of the scale of each gene: that of Glorot's start where the layout
            is known, 1 otherwise. 0.2 was best on five tasks (docs/choosing-a-strategy.md).
        mean_rate: eta_mu, 1 in table 1.
        width_rate: Factor of eta_sigma = (3 + ln n) / (5 sqrt(n)), 1 in table 1.
    """

    population_size: Annotated[int, Ge(0)] = 0
    step_size: Annotated[float, Gt(0)] = 0.2
    mean_rate: Annotated[float, Gt(0)] = 1.0
    width_rate: Annotated[float, Gt(0)] = 1.0

    def __post_init__(self) -> None:
        if self.population_size == 1:
            raise BadInput("population_size must be 0 (for the default) or at least 2: one sample has no rank")


def utilities(n: int) -> FloatArray:
    """`(n,)` utilities by rank, best first; they sum to 0 (Wierstra et al. 2014, section 3.1)."""
    raw = np.maximum(0, np.log(n / 2 + 1) - np.log(np.arange(1, n + 1)))
    return np.asarray(raw / raw.sum() - 1 / n, dtype=np.float64)


class Snes(Strategy[SnesSettings]):
    """SNES: a normal distribution with a width per gene that climbs the natural gradient."""

    Settings = SnesSettings
    memoryless = True
    STATE = ("mean", "width", "immigrants")

    AXES: ClassVar[Axes] = {"mean": ("n_genes",), "width": ("n_genes",), "immigrants": ("n_immigrants", "n_genes")}

    def __init__(self, settings: SnesSettings, **arguments: Any) -> None:
        super().__init__(settings, **arguments)
        n = self.n_genes
        self._n_samples = settings.population_size or 4 + int(3 * np.log(n))
        self._utilities = utilities(self._n_samples)
        self._width_rate = settings.width_rate * (3 + np.log(n)) / (5 * np.sqrt(n))
        self._mean = search_centre(n, self.initial, self.bounds)
        self._width = settings.step_size * gene_scale(n, self.layout, self.bounds)
        self._immigrants = np.empty((0, n)) if self.initial is None else self.initial[: self._n_samples]

    def _ask(self) -> FloatArray:
        self._z = self._stream(Phase.SAMPLE).standard_normal((self._n_samples, self.n_genes))
        return sampled(self._mean, self._width, self._z, self._immigrants, self.bounds)

    def _tell(self, population: FloatArray, error: FloatArray) -> None:  # noqa: ARG002 - it works on the steps
        self._immigrants = np.empty((0, self.n_genes))
        if error.min() == error.max():
            return
        utility = np.empty(len(error))
        utility[np.argsort(error, kind="stable")] = self._utilities
        # Equal errors share their utilities: their order is chance, and no width may follow chance.
        _, inverse, counts = np.unique(error, return_inverse=True, return_counts=True)
        utility = (np.bincount(inverse, weights=utility) / counts)[inverse]
        with one_blas_thread():
            mean_gradient = utility @ self._z  # eq. 9 of Schaul et al.
            # The utilities sum to 0, so the -1 of the gradient s^2 - 1 drops out.
            width_gradient = utility @ np.square(self._z)
        self._mean = self._mean + self.settings.mean_rate * self._width * mean_gradient
        self._width = self._width * np.exp(self._width_rate / 2 * width_gradient)
        self._width *= widening(self, self._mean, self._width, self._n_samples)

    def _restored(self) -> None:
        if len(self._immigrants) > self._n_samples:
            raise BadInput(f"the state has {len(self._immigrants)} immigrants for {self._n_samples} samples")

    def _figures(self) -> dict[str, float | None]:
        widths = np.log(self._width)
        return {"step_size": float(np.exp(widths.mean())), "condition": float(np.exp(2 * np.ptp(widths)))}

    def _inject(self, genomes: FloatArray, errors: FloatArray) -> None:
        best = np.argsort(errors, kind="stable")[: max(1, self._n_samples // 2)]
        self._immigrants = genomes[best]

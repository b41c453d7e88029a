"""CMA-ES: the covariance matrix adaptation evolution strategy.

Hansen 2016, "The CMA evolution strategy: a tutorial" (https://arxiv.org/abs/1604.00772), figure 6, with the active
update and restarts. Samples come from N(mean, sigma^2 C); the mean moves to the better half of them, C learns which
steps went well, and sigma grows while the steps agree. Ranks are all that it sees of the errors.

The algorithm is here; its constants are in `cma_parameters`, the forms of C in `cma_covariance`, the ends of runs and
the sizes of new ones in `cma_restarts`.

- Failed evaluations rank last and never pull the mean. A generation whose errors are all equal, or all failed, tells
  nothing and changes nothing.
- Bounds: the search itself is free, and what is asked is the sample mirrored at the bounds (as in pycma's default
  transformation), so samples outside are neither lost nor piled up on the bound.
- Immigrants take the place of samples in the next generation; their steps are shortened to a usual length (Hansen 2011,
  https://hal.inria.fr/inria-00628254, eq. 4) and never count as bad examples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Gt
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.machine import one_blas_thread
from neuroevo.strategies.base import Axes, Strategy
from neuroevo.strategies.bounds import FloatArray
from neuroevo.strategies.cma_covariance import (
    Covariance,
    FullCovariance,
    LimitedMemoryCovariance,
    Samples,
    SeparableCovariance,
)
from neuroevo.strategies.cma_parameters import default_population
from neuroevo.strategies.cma_restarts import RestartPlan, RunMonitor
from neuroevo.strategies.search_scale import gene_scale, search_centre
from neuroevo.strategies.separable import widening
from neuroevo.strategies.settings import StrategySettings
from neuroevo.strategies.streams import Phase

MOST_GENES_FULL = 5000
_COVARIANCE_ARRAYS = tuple(
    dict.fromkeys((*FullCovariance.ARRAYS, *SeparableCovariance.ARRAYS, *LimitedMemoryCovariance.ARRAYS))
)


@dataclass(frozen=True)
class CmaEsSettings(StrategySettings):
    """Settings of CMA-ES.

    Attributes:
        population_size: Samples of a generation in the first run; 0 takes 4 + floor(3 ln n_genes) (eq. 48).
        step_size: First step size, in units of the scale of each gene: the standard deviation of Glorot's start where
            the layout is known, 1 otherwise. 0.3 was best of 0.3, 1 and 2 on five forecasting and memory tasks
            (docs/choosing-a-strategy.md); control with few genes may want 1 (240 evaluations to balance two poles
            with one unit, 2436 with 5).
        covariance: What is learnt: the full matrix, its diagonal, or a few directions (for more than 5000 genes).
        active: Whether bad samples push the full covariance away (Hansen 2016, section 3.2; the default of pycma).
        restarts: How to go on when a run is over: with a doubled population (Auger and Hansen 2005), with two regimes
            (Hansen 2009), or not at all.
        max_doublings: Most doublings of the first population; later runs keep the largest (Hansen 2009: nine).
        restart_width: Standard deviation of the mean at the start of a run but the first, in units of the scale.
    """

    population_size: Annotated[int, Ge(0)] = 0
    step_size: Annotated[float, Gt(0)] = 0.3
    covariance: Literal["full", "separable", "limited"] = "full"
    active: bool = True
    restarts: Literal["none", "ipop", "bipop"] = "ipop"
    max_doublings: Annotated[int, Ge(0)] = 9
    restart_width: Annotated[float, Ge(0)] = 1.0

    def __post_init__(self) -> None:
        if self.population_size == 1:
            raise BadInput("population_size must be 0 (for the default) or at least 2: one sample has no rank")


class CmaEs(Strategy[CmaEsSettings]):
    """CMA-ES: samples a normal distribution and adapts its mean, size and covariance to the best of them."""

    Settings = CmaEsSettings
    memoryless = True
    STATE = (
        "mean",
        "sigma",
        "sigma_start",
        "p_sigma",
        "immigrants",
        "population_size",
        *_COVARIANCE_ARRAYS,
        *RunMonitor.ARRAYS,
        *RestartPlan.NUMBERS,
    )

    _mean: FloatArray
    _sigma: float
    _sigma_start: float
    _p_sigma: FloatArray
    _immigrants: FloatArray
    _population_size: int
    _distribution: Covariance
    _monitor: RunMonitor
    _plan: RestartPlan

    AXES: ClassVar[Axes] = {
        "mean": ("n_genes",),
        "sigma": (),
        "sigma_start": (),
        "p_sigma": ("n_genes",),
        "immigrants": ("n_immigrants", "n_genes"),
        "best": ("n_remembered",),
        "median": ("n_remembered",),
    }

    def __init__(self, settings: CmaEsSettings, **arguments: Any) -> None:
        super().__init__(settings, **arguments)
        if settings.covariance == "full" and self.n_genes > MOST_GENES_FULL:
            raise BadInput(
                f"covariance = 'full' with {self.n_genes} genes would need {2 * 8 * self.n_genes**2 / 1e9:.1f} GB; "
                f"above {MOST_GENES_FULL} genes use covariance = 'limited' or 'separable'"
            )
        for name in _COVARIANCE_ARRAYS:
            setattr(self, f"_{name}", None)  # those of the other forms stay empty
        self._scale = gene_scale(self.n_genes, self.layout, self.bounds)
        self._plan = RestartPlan(settings.population_size or default_population(self.n_genes), settings.max_doublings)
        self._begin(self._plan.first_size, settings.step_size, search_centre(self.n_genes, self.initial, self.bounds))
        if self.initial is not None:
            self._immigrants = self.initial[: self._population_size]
        self._publish()

    def _begin(self, population_size: int, sigma: float, mean: FloatArray) -> None:
        """Start a run."""
        self._population_size = population_size
        self._mean = mean
        self._sigma = self._sigma_start = sigma
        self._p_sigma = np.zeros(self.n_genes)
        self._immigrants = np.empty((0, self.n_genes))
        self._make_parts()

    def _make_parts(self) -> None:
        size, covariance = self._population_size, self.settings.covariance
        if covariance == "full":
            self._distribution = FullCovariance(self._scale, size, active=self.settings.active)
        elif covariance == "separable":
            self._distribution = SeparableCovariance(self._scale, size)
        else:
            self._distribution = LimitedMemoryCovariance(self._scale, size)
        self._monitor = RunMonitor(self.n_genes, size)

    def _ask(self) -> FloatArray:
        rng = self._stream(Phase.SAMPLE)
        self._z = rng.standard_normal((self._population_size, self.n_genes))
        with one_blas_thread():
            self._y = self._distribution.steps(self._z)
            genomes = self._mean + self._sigma * self._y
            if self.bounds is not None:
                genomes = self.bounds.reflect(genomes)
            self._place_immigrants(genomes)
        return genomes

    def _place_immigrants(self, genomes: FloatArray) -> None:
        """Put immigrants into the first rows of the population and shorten their steps to a usual length."""
        m, n = self._immigrants.shape
        if m == 0:
            return
        genomes[:m] = self._immigrants
        y = (self._immigrants - self._mean) / self._sigma
        z = self._distribution.normals(y)
        length = np.sqrt(np.square(z).sum(axis=1, keepdims=True))
        factor = np.minimum(1.0, (np.sqrt(n) + 2 * n / (n + 2)) / np.maximum(length, 1e-300))
        self._y[:m], self._z[:m] = factor * y, factor * z

    def _tell(self, population: FloatArray, error: FloatArray) -> None:  # noqa: ARG002 - it works on the steps
        order = np.argsort(error, kind="stable")
        with one_blas_thread():
            if error[order[0]] < error[order[-1]]:
                self._update(self._weights(error, order))
            self._immigrants = np.empty((0, self.n_genes))
            self._monitor.note(error[order])
            over = self._plan.count(len(error)) or self._is_over()
        if over and self.settings.restarts != "none":
            self._start_anew()
        self._publish()

    def _weights(self, error: FloatArray, order: NDArray[np.intp]) -> FloatArray:
        """`(n,)` weight of each sample: by rank, without parents that failed and immigrants as bad examples."""
        weights = np.empty(len(error))
        weights[order] = self._distribution.parameters.weights
        weights[(weights > 0) & np.isinf(error)] = 0
        weights[: len(self._immigrants)] = np.maximum(weights[: len(self._immigrants)], 0)
        is_parent = weights > 0
        weights[is_parent] /= weights[is_parent].sum()
        return weights

    def _update(self, weights: FloatArray) -> None:
        """Move the mean, then adapt covariance and size; equation numbers of the tutorial."""
        covariance, n = self._distribution, self.n_genes
        mu_eff, c_sigma = covariance.parameters.mu_eff, covariance.c_sigma
        parents = np.maximum(weights, 0)
        shift = parents @ self._y  # eq. 41
        self._mean = self._mean + self._sigma * shift  # eq. 42
        path_step = covariance.isotropic(parents @ self._z)
        self._p_sigma = (1 - c_sigma) * self._p_sigma + np.sqrt(c_sigma * (2 - c_sigma) * mu_eff) * path_step  # eq. 43
        # h_sigma: no rank-one update while the step size is far too small (page 28, in pycma's form).
        settled = 1 - (1 - c_sigma) ** (2 * (self._monitor.age + 1))
        is_on = float(self._p_sigma @ self._p_sigma) / n / settled < 2 + 4 / (n + 1)
        covariance.learn(Samples(self._y, self._z, weights, shift, is_on))
        # pycma holds the growth of one generation at a factor of e.
        self._sigma = float(self._sigma * np.exp(np.clip(covariance.log_growth(self._p_sigma), -1.0, 1.0)))  # eq. 44
        if self.margin is not None:
            widths = self._sigma * covariance.deviations
            self._sigma *= widening(self, self._mean, widths, self._population_size)

    def _is_over(self) -> bool:
        covariance = self._distribution
        return self._monitor.is_over(
            mean=self._mean,
            sigma=self._sigma,
            deviations=covariance.deviations,
            start_width=self._sigma_start * self._scale,
            p_c=covariance.p_c,
            condition=covariance.condition,
        )

    def _start_anew(self) -> None:
        rng = self._stream(Phase.RESTART)
        size, factor = self._next_run(rng)
        centre = search_centre(self.n_genes, self.initial, self.bounds)
        mean = centre + self.settings.restart_width * self._scale * rng.standard_normal(self.n_genes)
        if self.bounds is not None:
            mean = self.bounds.reflect(mean)
        self._begin(size, self.settings.step_size * factor, mean)
        self._restart += 1

    def _next_run(self, rng: np.random.Generator) -> tuple[int, float]:
        """Population of the next run and the factor of its first step size."""
        plan, size, n_grown = self._plan, self._population_size, self._plan.n_grown
        if not np.isfinite(self._monitor.best).any():
            return size, 1.0  # nothing but failures: another start may help, more samples would not
        narrowing = self._sigma * self._distribution.deviations / (self._sigma_start * self._scale)
        if self._monitor.is_on_plateau(narrowing):
            factor = plan.next_on_plateau()
            if plan.n_plateaus == 1:
                self._say(
                    f"a plateau of equal errors: the search starts afresh with a step size {factor:g} times as wide"
                )
            return size, factor
        size, factor = plan.next_ipop() if self.settings.restarts == "ipop" else plan.next_bipop(rng)
        if plan.n_grown > n_grown:
            last = ", the largest that max_doublings allows" if plan.n_grown == plan.max_doublings else ""
            self._say(f"restart {self._restart + 1} with a population of {size}{last}")
        return size, factor

    def _figures(self) -> dict[str, float | None]:
        return {
            "step_size": self._sigma,
            "condition": self._distribution.condition,
            "next_population_size": self._population_size,
            "n_restarts": self._restart,
        }

    def _inject(self, genomes: FloatArray, errors: FloatArray) -> None:
        # At most half of a generation: the distribution has to see samples of its own.
        best = np.argsort(errors, kind="stable")[: max(1, self._population_size // 2)]
        self._immigrants = genomes[best]

    def _publish(self) -> None:
        """Show the arrays of the parts under the names of the state."""
        for part, names in self._parts():
            for name in names:
                setattr(self, f"_{name}", getattr(part, name))

    def _restored(self) -> None:
        self._make_parts()
        if len(self._immigrants) > self._population_size:
            raise BadInput(f"the state has {len(self._immigrants)} immigrants for {self._population_size} samples")
        for name in self._distribution.ARRAYS:
            if np.shape(getattr(self, f"_{name}")) != np.shape(getattr(self._distribution, name)):
                raise BadInput(f"{name} in the state has the shape {np.shape(getattr(self, f'_{name}'))}")
        for part, names in self._parts():
            for name in names:
                if getattr(self, f"_{name}") is not None:
                    setattr(part, name, getattr(self, f"_{name}"))

    def _parts(self) -> tuple[tuple[object, tuple[str, ...]], ...]:
        return (
            (self._distribution, self._distribution.ARRAYS),
            (self._monitor, RunMonitor.ARRAYS),
            (self._plan, RestartPlan.NUMBERS),
        )

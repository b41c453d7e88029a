"""CR-FM-NES: the fast moving natural evolution strategy with a covariance that takes linear time and space.

Nomura and Ono 2022, "Fast moving natural evolution strategy for high-dimensional problems", CEC
(https://arxiv.org/abs/2201.11422), with the constants of the authors' code
(https://github.com/nomuramasahir0/crfmnes). Samples are m + sigma D (I + v v^T)^(1/2) z, with a scale for each gene in
D and one direction v in which genes move together. D and v follow the natural gradient of VD-CMA (Akimoto, Auger and
Hansen 2014, "Comparison-based natural gradient optimization in high dimension", GECCO,
https://doi.org/10.1145/2576768.2598258) and an evolution path as in CMA-ES. How fast the size changes depends on how
far the search has moved; while it moves, samples far out weigh more.

Failed evaluations rank last, those nearest to the mean first (as in the paper); equal errors share their weights, and a
generation whose errors are all equal moves nothing. No scale changes by more than 0.7 of itself in a generation, and
there is no rank-one update below six genes, where its rate would be negative. Bounds: what is asked is the sample
mirrored at the bounds. Immigrants take the place of samples in the next generation.
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
from neuroevo.strategies.separable import widening
from neuroevo.strategies.settings import StrategySettings
from neuroevo.strategies.streams import Phase


@dataclass(frozen=True)
class CrFmNesSettings(StrategySettings):
    """Settings of CR-FM-NES.

    Attributes:
        population_size: Samples of a generation, an even number: they come in mirrored pairs; 0 takes 4 + floor(3 ln
            n_genes), made even.
        step_size: First standard deviation, in units of the scale of each gene: that of Glorot's start where the layout
            is known, 1 otherwise.
    """

    population_size: Annotated[int, Ge(0)] = 0
    step_size: Annotated[float, Gt(0)] = 0.3

    def __post_init__(self) -> None:
        if self.population_size % 2:
            raise BadInput(
                f"population_size must be even, since samples come in mirrored pairs: {self.population_size}"
            )


class Constants:
    """What stays the same over a run: weights by rank, and rates from genes, samples and those that did not fail."""

    def __init__(self, n_genes: int, n_samples: int) -> None:
        n, size = float(n_genes), float(n_samples)
        self.n, self.size = n, size
        self.raw = np.maximum(0, np.log(size / 2 + 1) - np.log(np.arange(1, n_samples + 1)))
        share = self.raw / self.raw.sum()
        self.mu_eff = float(1 / np.square(share).sum())
        self.c_sigma = (self.mu_eff + 2) / (n + self.mu_eff + 5)
        self.c_c = (4 + self.mu_eff / n) / (n + 4 + 2 * self.mu_eff / n)
        self.usual_length = np.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n**2))
        self._emphasis = emphasis(n_genes) * min(1.0, np.sqrt(size / n))
        self._c_1 = max(0.0, 2 / ((n + 1.3) ** 2 + self.mu_eff) * (n - 5) / 6)

    def distance_rate(self, n_whole: int) -> float:
        """Alpha: the weight of a sample grows as exp(alpha |z|) while the search moves."""
        return float(self._emphasis * np.sqrt(n_whole / self.size))

    def shape_rate(self, n_whole: int) -> float:
        """eta_B, of the scales and the direction."""
        return float(np.tanh((min(0.02 * n_whole, 3 * np.log(self.n)) + 5) / (0.23 * self.n + 25)))

    def path_rate(self, n_whole: int) -> float:
        """c_1, of the rank-one update."""
        return self._c_1 * n_whole / self.size

    def size_rate(self, path_length: float, n_whole: int) -> float:
        """eta_sigma, where the search moves, stagnates and converges."""
        if path_length >= self.usual_length:
            return 1.0
        if path_length >= 0.1 * self.usual_length:
            return float(np.tanh((0.024 * n_whole + 0.7 * self.n + 20) / (self.n + 12)))
        return float(2 * np.tanh((0.025 * n_whole + 0.75 * self.n + 10) / (self.n + 4)))


def emphasis(n_genes: int) -> float:
    """The root a of (1 + a^2) exp(a^2 / 2) / 0.24 = n_genes + 10, found by bisection to the last bit."""
    low, high = 0.0, 40.0
    while low < (middle := (low + high) / 2) < high:
        if (1 + middle**2) * np.exp(middle**2 / 2) / 0.24 < n_genes + 10:
            low = middle
        else:
            high = middle
    return high


def natural_gradients(y: FloatArray, v: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Of the log-likelihood of steps `y` `(m, n)` where D = 1: that of v times |v|, and that of D, each `(m, n)`.

    As in VD-CMA: the blocks of the Fisher information between v and D are damped by alpha where its inverse would not
    be positive.
    """
    square = float(v @ v)
    unit, gamma = v / np.sqrt(square), 1 + square
    unit2 = np.square(unit)
    damping = min(1.0, np.sqrt(square**2 + (2 * gamma - np.sqrt(gamma)) / unit2.max()) / (2 + square))
    b = -(1 - damping**2) * square**2 / gamma + 2 * damping**2
    inverse = 1 / (2 - (b + 2 * damping**2) * unit2)
    along = (y @ unit)[:, np.newaxis]
    t = y * along - unit * (np.square(along) + gamma) / 2
    s = np.square(y) - square / gamma * along * y * unit - 1
    s -= damping / gamma * ((2 + square) * t * unit - square * np.outer(t @ unit, unit2))
    weighted = inverse * unit2
    s = s * inverse - b / (1 + b * (unit2 @ weighted)) * np.outer(s @ weighted, weighted)
    t -= damping * ((2 + square) * s * unit - np.outer(s @ unit2, unit))
    return t, s


class CrFmNes(Strategy[CrFmNesSettings]):
    """CR-FM-NES: a normal distribution with a width per gene and one joint direction, and a fast path."""

    Settings = CrFmNesSettings
    memoryless = True
    STATE = ("mean", "sigma", "scale", "direction", "sigma_path", "path", "immigrants")

    AXES: ClassVar[Axes] = {
        **dict.fromkeys(("mean", "scale", "direction", "sigma_path", "path"), ("n_genes",)),
        "sigma": (),
        "immigrants": ("n_immigrants", "n_genes"),
    }

    def __init__(self, settings: CrFmNesSettings, **arguments: Any) -> None:
        super().__init__(settings, **arguments)
        n = self.n_genes
        usual = 4 + int(3 * np.log(n))
        self._n_samples = settings.population_size or usual + usual % 2
        self._constants = Constants(n, self._n_samples)
        self._mean = search_centre(n, self.initial, self.bounds)
        self._scale = gene_scale(n, self.layout, self.bounds)
        # The scales keep a geometric mean near 1; the size takes it over.
        size = np.exp(np.log(self._scale).mean())
        self._sigma, self._scale = float(settings.step_size * size), self._scale / size
        self._direction = self._stream(Phase.START).standard_normal(n) / np.sqrt(n)
        self._sigma_path, self._path = np.zeros(n), np.zeros(n)
        self._immigrants = np.empty((0, n)) if self.initial is None else self.initial[: self._n_samples]

    def _ask(self) -> FloatArray:
        half = self._stream(Phase.SAMPLE).standard_normal((self._n_samples // 2, self.n_genes))
        self._z = np.concatenate([half, -half])
        with one_blas_thread():
            self._y = stretched(self._z, self._direction)
            genomes = self._mean + self._sigma * self._scale * self._y
            if self.bounds is not None:
                genomes = self.bounds.reflect(genomes)
            m = len(self._immigrants)
            if m:
                genomes[:m] = self._immigrants
                y = (self._immigrants - self._mean) / (self._sigma * self._scale)
                z = stretched(y, self._direction, back=True)
                # Far immigrants would throw the distribution off: no step is longer than samples' are.
                length = np.sqrt(np.square(z).sum(axis=1, keepdims=True))
                factor = np.minimum(1.0, self._constants.usual_length / np.maximum(length, 1e-300))
                self._y[:m], self._z[:m] = factor * y, factor * z
        return genomes

    def _tell(self, population: FloatArray, error: FloatArray) -> None:  # noqa: ARG002 - it works on the steps
        self._immigrants = np.empty((0, self.n_genes))
        if error.min() < error.max():
            with one_blas_thread():
                self._update(self._raw_weights(error), int(np.isfinite(error).sum()))

    def _raw_weights(self, error: FloatArray) -> FloatArray:
        """`(n,)` weight of each sample by its rank; they do not sum to 1 yet."""
        raw = np.empty(len(error))
        raw[np.lexsort((np.square(self._z).sum(axis=1), error))] = self._constants.raw
        # Equal errors share their weights: their order is chance, and no width may follow chance.
        _, inverse, counts = np.unique(error, return_inverse=True, return_counts=True)
        shared = (np.bincount(inverse, weights=raw) / counts)[inverse]
        return np.where(np.isfinite(error), shared, raw)

    def _update(self, raw: FloatArray, n_whole: int) -> None:
        """The paths, the mean, the shape and the size, from weights of samples of which n_whole count."""
        c, z = self._constants, self._z
        by_rank = raw / raw.sum() - 1 / c.size
        self._sigma_path = (1 - c.c_sigma) * self._sigma_path + np.sqrt(c.c_sigma * (2 - c.c_sigma) * c.mu_eff) * (
            by_rank @ z
        )
        path_length = float(np.sqrt(self._sigma_path @ self._sigma_path))
        weights = by_rank
        if path_length >= c.usual_length:
            length = np.sqrt(np.square(z).sum(axis=1))
            far = raw * np.exp(c.distance_rate(n_whole) * (length - length.max()))
            weights = far / far.sum() - 1 / c.size
        shift = self._scale * (weights @ self._y)
        self._path = (1 - c.c_c) * self._path + np.sqrt(c.c_c * (2 - c.c_c) * c.mu_eff) * shift
        self._mean = self._mean + self._sigma * shift
        growth = float((weights @ (np.square(z) - 1)).mean())
        self._reshape(np.append(c.shape_rate(n_whole) * weights, c.path_rate(n_whole)))
        self._sigma = float(self._sigma * np.exp(c.size_rate(path_length, n_whole) / 2 * growth))
        # The direction widens genes along it beyond their scales, which are enough.
        self._sigma *= widening(self, self._mean, self._sigma * self._scale, self._n_samples)

    def _reshape(self, weights: FloatArray) -> None:
        """Move direction and scales by weights `(n + 1,)` of the steps and the path; their determinant becomes 1."""
        v = self._direction
        t, s = natural_gradients(np.vstack([self._y, self._path / self._scale]), v)
        square = float(v @ v)
        turn, change = weights @ t / np.sqrt(square), weights @ s
        # As in the code of VD-CMA's authors: what would more than 0.7 of the old values is shortened as a whole.
        share = max(float(np.sqrt(turn @ turn / square)), float(np.abs(change).max()))
        factor = min(1.0, 0.7 / max(share, 1e-300))
        self._direction = v + factor * turn
        scale = self._scale * (1 + factor * change)
        volume = np.log(scale).mean() + np.log1p(self._direction @ self._direction) / (2 * len(v))
        self._scale = scale / np.exp(volume)

    def _restored(self) -> None:
        if len(self._immigrants) > self._n_samples:
            raise BadInput(f"the state has {len(self._immigrants)} immigrants for {self._n_samples} samples")
        if not (self._sigma > 0 and np.all(self._scale > 0) and np.any(self._direction)):
            raise BadInput("the state has a size or a scale that is not positive, or no direction")

    def _figures(self) -> dict[str, float | None]:
        condition, joint = np.exp(2 * np.ptp(np.log(self._scale))), np.square(self._direction).sum()
        return {"step_size": self._sigma, "condition": float(condition), "joint_variance": float(joint)}

    def _inject(self, genomes: FloatArray, errors: FloatArray) -> None:
        best = np.argsort(errors, kind="stable")[: max(1, self._n_samples // 2)]
        self._immigrants = genomes[best]


def stretched(z: FloatArray, v: FloatArray, *, back: bool = False) -> FloatArray:
    """(I + v v^T)^(1/2) z for each row of z `(m, n)`; or the other way back."""
    square = float(v @ v)
    root = np.sqrt(1 + square)
    return np.asarray(z + np.outer(z @ v, v) * (((1 / root if back else root) - 1) / square))

"""Covariances of the search distribution of CMA-ES: a full matrix, its diagonal, or a few directions.

It turns standard normal numbers z into steps y, and learns from the steps that went well. Its arrays are part of the
strategy's state under the names that it lists in `ARRAYS`.

- `FullCovariance`: Hansen 2016, https://arxiv.org/abs/1604.00772 (equation numbers below are its).
- `SeparableCovariance`: Ros and Hansen 2008, "A simple modification in CMA-ES achieving linear time and space
  complexity".
- `LimitedMemoryCovariance`: LM-MA-ES of Loshchilov, Glasmachers and Beyer 2017, https://arxiv.org/abs/1705.06693,
  algorithm 1.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from neuroevo.strategies.bounds import FloatArray
from neuroevo.strategies.cma_parameters import CmaParameters, cma_parameters

#: Eigenvalues below this share of the largest one are lifted to it: rounding may make them negative.
_SMALLEST_EIGENVALUE = 1e-15


@dataclass(frozen=True)
class Samples:
    """What one generation teaches.

    Attributes:
        y: `(m, n_genes)`, the steps of the samples, in units of the step size.
        z: `(m, n_genes)`, their normal numbers.
        weights: `(m,)` recombination weights.
        shift: `(n_genes,)`, the step of the mean, in units of the step size.
        is_on: h_sigma: whether the step-size path is short enough for the rank-one update.
    """

    y: FloatArray
    z: FloatArray
    weights: FloatArray
    shift: FloatArray
    is_on: bool


class Covariance(ABC):
    """What the search distribution looks like, apart from its mean and its size.

    Attributes:
        parameters: The constants of the update.
        c_sigma: Learning rate of the step-size path.
        p_c: `(n_genes,)`, path of the covariance; zeros in forms without one.
    """

    ARRAYS: ClassVar[tuple[str, ...]]

    parameters: CmaParameters
    c_sigma: float
    p_c: FloatArray

    @abstractmethod
    def steps(self, z: FloatArray) -> FloatArray:
        """Steps `(m, n_genes)` from standard normal numbers z `(m, n_genes)`."""

    @abstractmethod
    def normals(self, y: FloatArray) -> FloatArray:
        """The z that give the steps y, both `(m, n_genes)`."""

    def isotropic(self, z: FloatArray) -> FloatArray:
        """A recombined z `(n_genes,)` in coordinates that do not turn from generation to generation."""
        return z

    @abstractmethod
    def log_growth(self, p_sigma: FloatArray) -> float:
        """By how much the logarithm of the step size changes, given its path `(n_genes,)`."""

    @abstractmethod
    def learn(self, samples: Samples) -> None:
        """Adapt to one generation."""

    @property
    @abstractmethod
    def deviations(self) -> FloatArray:
        """`(n_genes,)`: standard deviation of each gene at step size 1."""

    @property
    def condition(self) -> float:
        """Largest variance of the distribution over its smallest, as far as it is known."""
        return 1.0


class _CumulativeCovariance(Covariance):
    """What the two forms with variances share: cumulative step-size adaptation and the path of the covariance."""

    def __init__(self, n_genes: int, population_size: int, *, active: bool, separable: bool) -> None:
        self.parameters = cma_parameters(n_genes, population_size, active=active, separable=separable)
        self.c_sigma = self.parameters.c_sigma
        self.p_c = np.zeros(n_genes)
        # Expected length of a standard normal vector (below eq. 43).
        self._chi = math.sqrt(2) * math.exp(math.lgamma((n_genes + 1) / 2) - math.lgamma(n_genes / 2))

    def log_growth(self, p_sigma: FloatArray) -> float:
        """Cumulative step-size adaptation (eq. 44)."""
        length = float(np.sqrt(p_sigma @ p_sigma))
        return self.parameters.c_sigma / self.parameters.d_sigma * (length / self._chi - 1)  # eq. 44

    def _cumulate(self, samples: Samples) -> None:
        c_c, mu_eff = self.parameters.c_c, self.parameters.mu_eff
        self.p_c = (1 - c_c) * self.p_c  # eq. 45
        if samples.is_on:
            self.p_c = self.p_c + float(np.sqrt(c_c * (2 - c_c) * mu_eff)) * samples.shift

    def _decay(self, samples: Samples) -> float:
        """Factor of the old covariance in eq. 47; a rank-one update left out is made up for."""
        p = self.parameters
        missing = 0.0 if samples.is_on else p.c_c * (2 - p.c_c)
        return 1 - p.c_1 * (1 - missing) - p.c_mu * float(samples.weights.sum())


class FullCovariance(_CumulativeCovariance):
    """A full covariance matrix: learns every pair of genes, O(n_genes**2) a sample."""

    ARRAYS = ("p_c", "covariance", "axes", "lengths", "n_learnt", "n_decomposed")

    def __init__(self, scale: FloatArray, population_size: int, *, active: bool) -> None:
        super().__init__(len(scale), population_size, active=active, separable=False)
        self.covariance = np.diag(np.square(scale))
        # Diagonal until the first decomposition, in which order does not matter.
        self.axes = np.eye(len(scale))
        self.lengths = scale.copy()
        self.n_learnt = 0
        self.n_decomposed = 0
        # The tutorial decomposes every 1 / (10 n (c_1 + c_mu)) generations (appendix B.2), which in 305 dimensions with
        # 256 samples is every time. Twenty times rarer, the ellipsoid in 40 dimensions takes no more evaluations; the
        # limit of 0.1 keeps the active update safe in few dimensions, where it relies on fresh lengths.
        rate = self.parameters.c_1 + self.parameters.c_mu
        self._gap = max(1, int(min(2 / len(scale), 0.1) / rate))

    def steps(self, z: FloatArray) -> FloatArray:
        """The steps B D z (eq. 39)."""
        return (z * self.lengths) @ self.axes.T

    def normals(self, y: FloatArray) -> FloatArray:
        """The normals D^-1 B' y."""
        return (y @ self.axes) / self.lengths

    def isotropic(self, z: FloatArray) -> FloatArray:
        """C^-1/2 y = B z: back from the axes of C."""
        return self.axes @ z

    def learn(self, samples: Samples) -> None:
        """Rank-one and rank-mu update (eq. 47), and the decomposition when it is due."""
        p, y, weights = self.parameters, samples.y, samples.weights
        self._cumulate(samples)
        good, bad = weights > 0, weights < 0
        parents = y[good] * np.sqrt(p.c_mu * weights[good])[:, np.newaxis]
        self.covariance *= self._decay(samples)
        self.covariance += p.c_1 * np.multiply.outer(self.p_c, self.p_c)
        # A product of a matrix with its own transpose is one symmetric BLAS call, half the work.
        self.covariance += parents.T @ parents
        if bad.any():
            lengths = np.sqrt(np.square(samples.z[bad]).sum(axis=1)) + 1e-9  # pycma's guard against a division by zero
            factor = -p.c_mu * weights[bad] * len(self.p_c) / np.square(lengths)  # eq. 46
            losers = y[bad] * np.sqrt(factor)[:, np.newaxis]
            self.covariance -= losers.T @ losers
        self.n_learnt += 1
        if self.n_learnt - self.n_decomposed >= self._gap:
            self._decompose()

    def _decompose(self) -> None:
        values, self.axes = np.linalg.eigh(self.covariance)
        least = _SMALLEST_EIGENVALUE * max(float(values[-1]), 1e-300)
        if values[0] < least:
            values = np.maximum(values, least)
            self.covariance = (self.axes * values) @ self.axes.T
            self.covariance = (self.covariance + self.covariance.T) / 2
        self.lengths = np.sqrt(values)
        self.n_decomposed = self.n_learnt

    @property
    def deviations(self) -> FloatArray:
        """Roots of the diagonal of C."""
        return np.sqrt(np.maximum(np.diag(self.covariance), 0))

    @property
    def condition(self) -> float:
        """From the eigenvalues of the last decomposition."""
        return float(np.square(self.lengths.max() / self.lengths.min()))


class SeparableCovariance(_CumulativeCovariance):
    """A diagonal covariance matrix: O(n_genes) a sample, learns no pairs.

    No negative weights, as in the paper.
    """

    ARRAYS = ("p_c", "variances")

    def __init__(self, scale: FloatArray, population_size: int) -> None:
        super().__init__(len(scale), population_size, active=False, separable=True)
        self.variances = np.square(scale)

    def steps(self, z: FloatArray) -> FloatArray:
        """Each gene by its own deviation."""
        return z * self.deviations

    def normals(self, y: FloatArray) -> FloatArray:
        """Each gene by its own deviation."""
        return y / self.deviations

    def learn(self, samples: Samples) -> None:
        """Eq. 47 on the diagonal."""
        p, weights = self.parameters, samples.weights
        self._cumulate(samples)
        good = weights > 0
        self.variances = (
            self._decay(samples) * self.variances
            + p.c_1 * np.square(self.p_c)
            + p.c_mu * (weights[good] @ np.square(samples.y[good]))
        )

    @property
    def deviations(self) -> FloatArray:
        """Roots of the variances."""
        return np.sqrt(self.variances)

    @property
    def condition(self) -> float:
        """From the variances."""
        return float(self.variances.max() / self.variances.min())


class LimitedMemoryCovariance(Covariance):
    """A product of 4 + floor(3 ln n) rank-one transformations: O(n_genes log n_genes) a sample.

    Meant for many genes with the default population: the rates are proportional to population_size / n_genes and are
    held at 1/2, which the paper's range never reaches.
    """

    ARRAYS = ("directions", "n_learnt")

    def __init__(self, scale: FloatArray, population_size: int) -> None:
        n = len(scale)
        self.parameters = cma_parameters(n, population_size, active=False)
        self.c_sigma = min(0.5, 2 * population_size / n)
        self.p_c = np.zeros(n)
        self._scale = scale
        rank = np.arange(4 + int(3 * np.log(n)))
        self._c_d = np.minimum(0.5, 1 / (1.5**rank * n))
        self._c_c = np.minimum(0.5, population_size / (4.0**rank * n))
        self.directions = np.zeros((len(rank), n))
        self.n_learnt = 0

    def steps(self, z: FloatArray) -> FloatArray:
        """One direction after the other stretches or shrinks all samples (algorithm 1, line 8).

        Every transformation y <- (1 - c) y + c (y m') m leaves y in the span of z and the directions m, so that only
        coefficients change: products with the directions follow from their Gram matrix, and the samples are touched
        by two matrix products instead of by every transformation.
        """
        directions, rates = self.directions[: self.n_learnt], self._c_d[: self.n_learnt]
        gram = directions @ directions.T
        along = z @ directions.T  # (m, k): products of the samples, as far as transformed, with every direction
        coefficients = np.zeros_like(along)
        keep = 1.0
        for k, c_d in enumerate(rates.tolist()):
            added = c_d * along[:, k]
            coefficients *= 1 - c_d
            coefficients[:, k] = added
            along = (1 - c_d) * along + np.multiply.outer(added, gram[k])
            keep *= 1 - c_d
        y = keep * z
        y += coefficients @ directions
        y *= self._scale
        return y

    def normals(self, y: FloatArray) -> FloatArray:
        """The transformations undone in the opposite order."""
        z = y / self._scale
        for c_d, direction in reversed(self._used()):
            # Inverse of (1 - c) I + c m m' (Sherman and Morrison).
            keep = 1 - c_d
            part = c_d / keep / (keep + c_d * float(direction @ direction))
            z = z / keep - np.multiply.outer(part * (z @ direction), direction)
        return z

    def log_growth(self, p_sigma: FloatArray) -> float:
        """The paper's form of it, by the squared length (algorithm 1, line 18)."""
        return self.c_sigma / 2 * (float(p_sigma @ p_sigma) / len(p_sigma) - 1)

    def learn(self, samples: Samples) -> None:
        """Move each direction towards the drift of the samples, the later ones more slowly."""
        good = samples.weights > 0
        drift = samples.weights[good] @ samples.z[good]
        gain = np.sqrt(self.parameters.mu_eff * self._c_c * (2 - self._c_c))
        self.directions = (1 - self._c_c)[:, np.newaxis] * self.directions + np.multiply.outer(gain, drift)
        self.n_learnt += 1

    def _used(self) -> list[tuple[float, FloatArray]]:
        """In generation t only the first t directions transform."""
        return list(zip(self._c_d.tolist(), self.directions, strict=True))[: self.n_learnt]

    @property
    def deviations(self) -> FloatArray:
        """Those of the start: the directions are not followed up for this."""
        return self._scale

"""Constants of CMA-ES: recombination weights, learning rates and damping, all from the numbers of genes and of samples.

Hansen 2016, "The CMA evolution strategy: a tutorial" (https://arxiv.org/abs/1604.00772), table 1. Where pycma 4.5 (the
author's own implementation) has moved on, its newer formula is taken and the line says so: evaluation counts are
compared with it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neuroevo.strategies.bounds import FloatArray


def default_population(n_genes: int) -> int:
    """Samples of a generation: 4 + floor(3 ln n) (eq. 48)."""
    return 4 + int(3 * np.log(n_genes))


@dataclass(frozen=True)
class CmaParameters:
    """Everything that stays fixed between two restarts.

    Attributes:
        weights: ``(population_size,)`` recombination weights by rank, best first; the positive ones sum to 1, the
            negative ones (active update) are scaled by eqs. 50 to 53, or 0 where the update is not active.
        n_parents: How many weights are positive (mu).
        mu_eff: Variance-effective number of parents (eq. 8).
        c_sigma: Learning rate of the step-size path (eq. 55).
        d_sigma: Damping of the step size (eq. 55).
        c_c: Learning rate of the covariance path (eq. 56).
        c_1: Learning rate of the rank-one update (eq. 57).
        c_mu: Learning rate of the rank-mu update (eq. 58).
    """

    weights: FloatArray
    n_parents: int
    mu_eff: float
    c_sigma: float
    d_sigma: float
    c_c: float
    c_1: float
    c_mu: float


def cma_parameters(
    n_genes: int, population_size: int, *, active: bool = True, separable: bool = False
) -> CmaParameters:
    """The parameters for that many genes and samples.

    Args:
        n_genes: Length of the genome.
        population_size: Samples in a generation, at least 2.
        active: Whether bad samples push the covariance away (negative weights).
        separable: Whether only the diagonal is learnt: it has n instead of n**2 / 2 numbers and is learnt faster, by
            (n + 2) / 3 (Ros & Hansen 2008, section 3).
    """
    n = n_genes
    raw = np.log((population_size + 1) / 2) - np.log(np.arange(1, population_size + 1))  # eq. 49
    n_parents = population_size // 2
    positive, negative = raw[:n_parents], raw[n_parents:]
    mu_eff = float(positive.sum() ** 2 / np.square(positive).sum())  # eq. 8

    # pycma shrinks c_1 below 6 samples and caps c_sigma; its c_sigma has n + mu_eff + 3 where the tutorial has + 5.
    c_1 = min(1.0, population_size / 6) * 2 / ((n + 1.3) ** 2 + mu_eff)  # eq. 57
    c_mu = min(1 - c_1, 2 * (0.25 + mu_eff + 1 / mu_eff - 2) / ((n + 2) ** 2 + mu_eff))  # eq. 58
    c_c = (4 + mu_eff / n) / (n + 4 + 2 * mu_eff / n)  # eq. 56
    c_sigma = min(0.5, (mu_eff + 2) / (n + mu_eff + 3))  # eq. 55
    # pycma 4 damps large populations more than the tutorial: the factor grows from 1 to 3 with the number of genes.
    inner = max(1.0, 3 * (1 - 0.5 ** (n / 9)))
    d_sigma = 1 + c_sigma + 2 * max(0.0, inner * float(np.sqrt((mu_eff - 1) / (n + 1))) - 1)  # eq. 55

    if separable:
        c_1 = min(1.0, c_1 * (n + 2) / 3)
        c_mu = min(1 - c_1, c_mu * (n + 2) / 3)
    weights = np.concatenate([positive / positive.sum(), np.zeros(len(negative))])
    if active and negative.sum() < 0 and c_mu > 0:
        mu_eff_minus = negative.sum() ** 2 / np.square(negative).sum()
        size = min(
            1 + c_1 / c_mu,  # eq. 50: no decay of the covariance
            1 + 2 * mu_eff_minus / (mu_eff + 2),  # eq. 51
            (1 - c_1 - c_mu) / (n * c_mu),  # eq. 52: the covariance stays positive definite
        )
        weights[n_parents:] = size * negative / -negative.sum()  # eq. 53
    return CmaParameters(weights, n_parents, mu_eff, c_sigma, d_sigma, c_c, c_1, c_mu)

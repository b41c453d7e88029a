"""Selection operators: which genomes become parents.

All have the form `select(genomes, error, k, rng, **options) -> (k,) indices`, with genomes `(n, n_genes)` and error
`(n,)`, finite or +inf. A failed evaluation is never preferred, and is chosen only where an operator draws blindly or
where everything failed.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.strategies.bounds import FloatArray

Indices: TypeAlias = NDArray[np.intp]


def tournament(genomes: FloatArray, error: FloatArray, k: int, rng: np.random.Generator, *, size: int = 3) -> Indices:
    """The best of `size` genomes drawn with replacement, the first drawn on a tie (Goldberg and Deb 1991)."""
    return best_of_draws(error, rng.integers(0, len(genomes), (k, size)))


def best_of_draws(error: FloatArray, draws: NDArray[np.int64]) -> Indices:
    """The winner of each tournament, given who takes part: draws `(k, size)`."""
    winners = np.argmin(error[draws], axis=1)
    chosen: Indices = draws[np.arange(len(draws)), winners]
    return chosen


def roulette(_genomes: FloatArray, error: FloatArray, k: int, rng: np.random.Generator) -> Indices:
    """Chosen in proportion to fitness, the reciprocal error (Holland 1975; De Jong 1975)."""
    return spin(np.cumsum(reciprocal_weights(error)), rng.random(k))


def stochastic_universal_sampling(_genomes: FloatArray, error: FloatArray, k: int, rng: np.random.Generator) -> Indices:
    """As roulette, with k equally spaced pointers and one draw, so that counts differ from their mean by less than 1.

    Baker 1987, "Reducing bias and inefficiency in the selection algorithm".
    """
    return spin(np.cumsum(reciprocal_weights(error)), (np.arange(k) + rng.random()) / k)


def rank(
    _genomes: FloatArray, error: FloatArray, k: int, rng: np.random.Generator, *, pressure: float = 2.0
) -> Indices:
    """Chosen in proportion to the rank, the best `pressure` times as often as the average (Baker 1985)."""
    return spin(np.cumsum(rank_weights(error, pressure)), rng.random(k))


def truncation(
    _genomes: FloatArray, error: FloatArray, k: int, rng: np.random.Generator, *, share: float = 0.5
) -> Indices:
    """Drawn with replacement from the best `share` of the genomes (Muehlenbein and Schlierkamp-Voosen 1993)."""
    n_best = max(1, round(share * len(error)))
    return np.argsort(error, kind="stable")[rng.integers(0, n_best, k)]


def spin(cumulative: FloatArray, places: FloatArray) -> Indices:
    """Where `places` in [0, 1) fall on a wheel with the given cumulative weights `(n,)`."""
    found = np.searchsorted(cumulative, places * cumulative[-1], side="right")
    # Rounding can put a place on the very end, behind trailing weights of zero.
    last = int(np.searchsorted(cumulative, cumulative[-1], side="left"))
    rows: Indices = np.minimum(found, last)
    return rows


def reciprocal_weights(error: FloatArray) -> FloatArray:
    """Fitness 1 / error scaled to 1 for the best, so that an error of 0 does not overflow; 1 for all if all failed.

    Raises:
        ValueError: A negative error, whose reciprocal would turn the order round.
    """
    least = float(error.min())
    if least < 0:
        raise BadInput(
            f"selection in proportion to the reciprocal error needs errors >= 0, got {least}; "
            "use 'tournament' or 'rank'"
        )
    if least == 0 or np.isinf(least):
        return np.where(error == least, 1.0, 0.0)
    weights: FloatArray = least / error
    return weights


def rank_weights(error: FloatArray, pressure: float) -> FloatArray:
    """Linear ranking: `pressure` for the best down to 2 - `pressure` for the worst; 0 for failed evaluations."""
    n = len(error)
    failed = np.isinf(error)
    if n == 1 or failed.all():
        return np.ones(n)
    weights = np.empty(n)
    weights[np.argsort(error, kind="stable")] = np.linspace(pressure, 2.0 - pressure, n)
    weights[failed] = 0.0
    return weights

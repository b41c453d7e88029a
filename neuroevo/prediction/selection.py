"""Ensemble selection: how much each of several models should have to say, chosen by their errors on a validation part.

Rich Caruana, Alexandru Niculescu-Mizil, Geoff Crew and Alex Ksikes, "Ensemble selection from libraries of models",
ICML 2004: from nothing, the model that lowers the error of the mean most is added again and again, with replacement.
Here that is repeated on bootstrap resamples of the validation targets and the weights are averaged (their section 2.3
draws models instead): where few targets tell models apart, many of them have a say, and where the evidence is clear,
the best alone. Models much worse than the best have no say, however well they complement it: what they do on new data
is least like what they did here (Caruana, Munson and Niculescu-Mizil, "Getting the most out of ensemble selection",
ICDM 2006, prune the library likewise). A target that a resample lacks had no part in choosing that resample's weights,
which gives an error that selection has not made look small (Leo Breiman, "Out-of-bag estimation", University of
California, 1996).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.machine import one_blas_thread

Values = NDArray[np.float64]

N_RESAMPLES = 200
N_ADDED = 20
"""Additions in each resample; the best mean on the way is taken."""
MOST_WORSE = 2.0
"""Models with more than this many times the squared error of the best are left out."""


@dataclass(frozen=True, eq=False)
class Selection:
    """How candidates are to be combined.

    Attributes:
        weights: ``(n_candidates,)``, from 0 on, sum 1.
        out_of_bag: ``(n, n_outputs)``: for each row of the validation part the weighted mean of the resamples that lack
            it.
    """

    weights: Values
    out_of_bag: Values


def ensemble_selection(
    predictions: Values,
    targets: Values,
    *,
    units: NDArray[np.int64] | None = None,
    doubt: float | None = None,
    seed: int = 0,
) -> Selection:
    """Weights of candidates whose mean has a small squared error; for one-hot targets that is the Brier score.

    Args:
        predictions: ``(n_candidates, n, n_outputs)`` of the validation part, finite; outputs that do not count equal
            their targets.
        targets: ``(n, n_outputs)``, in units in which the outputs weigh alike.
        units: ``(n,)``: rows with equal numbers are drawn together, such as those of one sequence. None: each alone.
        doubt: The squared error on one more target that no one has seen, and that each model misses in a way of its
            own, so that models without an error on few targets are not told apart by nothing. None: as large as the
            best model's mean.
        seed: Of the resamples.

    Raises:
        BadInput: There is no candidate, or there are fewer than two units.
    """
    n = len(targets)
    units = np.arange(n) if units is None else np.unique(units, return_inverse=True)[1]
    n_units = int(units.max(initial=-1)) + 1
    if not len(predictions) or n_units < 2:
        raise BadInput(
            f"models are chosen by two validation targets at least, got {len(predictions)} models and {n_units} targets"
        )
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed)))
    counts = rng.multinomial(n_units, np.full(n_units, 1 / n_units), size=N_RESAMPLES)
    misses = predictions - targets
    sums = (misses**2).sum(axis=(1, 2))
    doubt = float(sums.min()) / n if doubt is None else doubt
    kept = np.flatnonzero(sums + doubt <= MOST_WORSE * (sums.min() + doubt))
    weights = np.zeros((N_RESAMPLES, len(predictions)))
    with one_blas_thread():
        for resample, drawn in enumerate(counts):
            products = _products(misses[kept], drawn[units])
            weights[resample, kept] = _greedy(products + doubt * np.eye(len(kept)))
        lacks = (counts == 0).astype(np.float64)
        n_lacking = np.maximum(lacks.sum(axis=0), 1.0)
        shares = (lacks.T @ weights) / n_lacking[:, None]
    whole = weights.mean(axis=0)
    # A unit that all resamples hold can't be judged so.
    shares[~lacks.any(axis=0)] = whole
    return Selection(whole, np.einsum("nk,kno->no", shares[units], predictions))


def _products(misses: Values, times: NDArray[np.int64]) -> Values:
    """``(n_candidates, n_candidates)``: sums of products of misses, each row counted so many times."""
    flat = (misses * np.sqrt(times)[:, None]).reshape(len(misses), -1)
    return np.asarray(flat @ flat.T)


def _greedy(products: Values) -> Values:
    """The weights of forward selection with replacement, of the best number of additions up to `N_ADDED`."""
    n = len(products)
    added, best, least = np.zeros(n), np.zeros(n), np.inf
    for count in range(1, N_ADDED + 1):
        # The sum of squares of the mean of what was added and each candidate.
        errors = (added @ products @ added + 2 * (products @ added) + products.diagonal()) / count**2
        chosen = int(np.argmin(errors))
        added[chosen] += 1
        if errors[chosen] < least:
            best, least = added / count, errors[chosen]
    return best

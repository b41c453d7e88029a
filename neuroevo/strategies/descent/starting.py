"""What descents of all orders share: where they start, when they make progress, and who gives way to immigrants."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from neuroevo.strategies.bounds import FloatArray
from neuroevo.strategies.settings import StartSettings
from neuroevo.strategies.starts import initial_population

if TYPE_CHECKING:
    from neuroevo.strategies.base import Strategy

LEAST_PROGRESS = 1e-4
"""A smaller relative improvement is none."""


def starts(strategy: Strategy[Any], initial: FloatArray | None, rng: np.random.Generator) -> FloatArray:
    """``(n, n_genes)``: a start for every descent, whether or not it is taken, so that each has its own numbers.

    Args:
        strategy: Whose settings, layout and bounds count; without a layout, the start "glorot" is "gaussian".
        initial: Genomes to start from.
        rng: Where the numbers come from.
    """
    settings = cast("StartSettings", strategy.settings)
    if strategy.layout is None and settings.start == "glorot":
        settings = dataclasses.replace(settings, start="gaussian")
    return initial_population(
        settings,
        settings.population_size,
        strategy.n_genes,
        rng,
        layout=strategy.layout,
        initial=initial,
        bounds=strategy.bounds,
    )


def improved(errors: FloatArray, best: FloatArray) -> NDArray[np.bool_]:
    """Which errors are smaller than the best so far by more than rounding and crawling; all ``(n,)``."""
    with np.errstate(invalid="ignore"):
        return (errors < best - LEAST_PROGRESS * np.abs(best)) | (np.isinf(best) & (errors < best))


def replaced(
    genomes: FloatArray, errors: FloatArray, arriving: FloatArray, arriving_errors: FloatArray
) -> tuple[NDArray[np.bool_], FloatArray, FloatArray]:
    """Who gives way to immigrants: the worst, where these are better.

    Args:
        genomes: ``(n, n_genes)``.
        errors: ``(n,)``, theirs.
        arriving: ``(m, n_genes)``, the immigrants.
        arriving_errors: ``(m,)``, theirs.

    Returns:
        The rows that change ``(n,)``, and genomes and errors as they are then.
    """
    best = np.argsort(arriving_errors, kind="stable")[: len(errors)]
    worst = np.argsort(-errors, kind="stable")[: len(best)]
    wins = arriving_errors[best] < errors[worst]
    rows, places, values = np.zeros(len(errors), dtype=bool), genomes.copy(), errors.copy()
    rows[worst[wins]] = True
    places[worst[wins]], values[worst[wins]] = arriving[best[wins]], arriving_errors[best[wins]]
    return rows, places, values

"""What a strategy is told of its population: the errors, and beside them what it wants of `evaluation.FINDINGS`."""

from __future__ import annotations

from collections.abc import Mapping, Set

import numpy as np
from numpy.typing import ArrayLike

from neuroevo.errors import BadInput
from neuroevo.evaluation.base import FINDINGS
from neuroevo.strategies.bounds import Bounds, FloatArray


def read_errors(error: ArrayLike, n: int, of: str) -> FloatArray:
    """The errors `(n,)` of the rows of `of`, finite or +inf, read-only.

    Raises:
        BadInput: Another shape, NaN or -inf.
    """
    values = np.array(error, dtype=np.float64)
    if values.shape != (n,):
        raise BadInput(f"error has shape {values.shape}, expected ({n},): one value per row of {of}, in that order")
    # NaN compares as False, so both go at once.
    if not np.all(values > -np.inf):
        raise BadInput("error holds NaN or -inf; mark a failed evaluation with +inf")
    return _frozen(values)


def read_wanted(
    wants: Set[str],
    given: Mapping[str, ArrayLike],
    asked: FloatArray,
    error: FloatArray,
    bounds: Bounds | None,
    n_goals: int = 0,
) -> dict[str, FloatArray]:
    """The arrays told beside the errors, checked and read-only.

    Args:
        wants: Names of what the strategy wants.
        given: Arrays by name.
        asked: `(n, n_genes)`, the population.
        error: `(n,)`, finite or +inf.
        bounds: The box that refined genomes stay in.
        n_goals: How many goals there are.

    Raises:
        BadInput: Something is missing or was not wanted, has another shape, or is not finite where the error is.
    """
    if set(given) != set(wants):
        wanted, came = (", ".join(sorted(names)) or "nothing" for names in (wants, given))
        raise BadInput(
            f"the strategy wants {wanted} beside the errors, got {came}: tell(population, error, NAME=array)"
        )
    return {
        name: _read_goals(values, (len(asked), n_goals))
        if name == "goals"
        else _read(name, values, asked, error, bounds)
        for name, values in given.items()
    }


def _read_goals(given: ArrayLike, shape: tuple[int, int]) -> FloatArray:
    values = np.array(given, dtype=np.float64)
    if values.shape != shape:
        raise BadInput(f"goals have shape {values.shape}, expected {shape}: one row per genome that was asked")
    if not np.all(values > -np.inf):
        raise BadInput("goals hold NaN or -inf; mark what has no value with +inf")
    return _frozen(values)


def _read(name: str, given: ArrayLike, asked: FloatArray, error: FloatArray, bounds: Bounds | None) -> FloatArray:
    values = np.array(given, dtype=np.float64)
    n, n_genes = asked.shape
    expected = (n, *[n_genes] * FINDINGS[name])
    if values.shape != expected:
        raise BadInput(f"{name} has shape {values.shape}, expected {expected}: one entry per genome that was asked")
    whole = np.isfinite(values).all(axis=tuple(range(1, values.ndim)))
    if not np.all(whole | np.isinf(error)):
        row = int(np.argmin(whole | np.isinf(error)))
        raise BadInput(f"{name} holds NaN or infinite numbers for genome {row}, whose error is finite")
    if name == "refined":
        values[~whole] = asked[~whole]
        if bounds is not None and not bounds.contain(values):
            raise BadInput("refined leaves the bounds that the population keeps")
    return _frozen(values)


def _frozen(values: FloatArray) -> FloatArray:
    values.flags.writeable = False
    return values

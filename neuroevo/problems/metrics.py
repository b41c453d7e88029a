"""How good outputs are on a part of a problem, in the measures that reports and the literature use."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput

if TYPE_CHECKING:
    from neuroevo.problems.sequence import SequenceProblem

TITLES = {
    "arv": "average relative variance",
    "rmse": "root mean squared error",
    "nmse": "normalised mean squared error",
    "learned": "share learnt",
}
"""How tables call the measures that tell most: fields of `PartMetrics`."""


@dataclass(frozen=True)
class PartMetrics:
    """Measures over the counted targets of one part.

    Attributes:
        n_targets: How many targets were compared.
        error: The objective, in scaled units, without weight decay: what training minimises; of the residual where the
            problem has one.
        learned: Share of the steps that the problem's rule calls right.
        mse: Mean squared error in original units.
        rmse: Its square root.
        nmse: Squared error by the squared distance of the part's targets from their mean; 1 is what their mean would
            give. NaN where the targets are constant.
        arv: Average relative variance, ``mse / reference_variance``; None where the problem has no such constant.
    """

    n_targets: int
    error: float
    learned: float
    mse: float
    rmse: float
    nmse: float
    arv: float | None


def measure(
    problem: SequenceProblem, outputs: NDArray[np.float64], part: str = "train", where: NDArray[np.bool_] | None = None
) -> PartMetrics:
    """The measures of a part.

    Args:
        problem: In the units that the outputs are in.
        outputs: ``(n_rows, n_outputs)``, or ``(n_sequences, n_steps, n_outputs)``, as the network gives them, in scaled
            units.
        part: Name of the part.
        where: bool of that shape: compare only these of the counted targets. None: all of them.

    Raises:
        ValueError: Wrong shape, unknown part, or nothing to compare.
    """
    rows, n_outputs = problem.rows, problem.n_outputs
    if outputs.shape not in ((rows.n_rows, n_outputs), (rows.n_sequences, rows.n_steps, n_outputs)):
        expected = (rows.n_sequences, rows.n_steps, n_outputs)
        raise BadInput(f"outputs must have the shape of the targets, {expected}; got {outputs.shape}")
    outputs, where = rows.of(outputs), None if where is None else rows.of(where)
    with np.errstate(over="ignore", invalid="ignore"):
        return compare(problem, outputs, problem.predictions(outputs), part, where)


def compare(
    problem: SequenceProblem,
    outputs: NDArray[np.float64],
    predictions: NDArray[np.float64],
    part: str,
    where: NDArray[np.bool_] | None = None,
) -> PartMetrics:
    """The measures of outputs in the problem's units that are `predictions` in original units.

    As in `measure`, all of rows.
    """
    counted = problem.counted_rows(part) if where is None else problem.counted_rows(part) & where
    n_targets = int(counted.sum())
    if not n_targets:
        raise BadInput(f"nothing to compare in part {part!r}")
    with np.errstate(over="ignore", invalid="ignore"):
        error = problem.objective.error(problem, outputs, counted)
        squares = (predictions - problem.original.target_rows) ** 2
        mse = float(squares[counted].mean())
        right = problem.learned.right(outputs, problem.target_rows, counted)
    spread = _spread(problem.original.target_rows, counted)
    constant = problem.reference_variance
    return PartMetrics(
        n_targets=n_targets,
        error=error,
        learned=float(right.sum() / counted.any(axis=1).sum()),
        mse=mse,
        rmse=math.sqrt(mse) if mse >= 0 else math.nan,
        nmse=mse * n_targets / spread if spread > 0 else math.nan,
        arv=None if constant is None else mse / constant,
    )


def _spread(targets: NDArray[np.float64], counted: NDArray[np.bool_]) -> float:
    """Sum over the outputs of the squared distances of the counted targets from their mean."""
    columns = (targets[:, o][counted[:, o]] for o in range(targets.shape[1]))
    return float(sum(((values - values.mean()) ** 2).sum() for values in columns if values.size))

"""New inputs in the units that a champion was trained in: what a network needs to predict where no target is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroevo.problems.sequence import SequenceProblem


def unseen(
    inputs: NDArray[np.float64], lengths: ArrayLike | None, n_outputs: int, scaling: Mapping[str, NDArray[Any]]
) -> SequenceProblem:
    """A problem of those inputs whose `inputs` are as the champion saw them, and whose `predictions` are its own.

    Args:
        inputs: ``(n_sequences, n_steps, n_inputs)``, original units; or rows ``(n_rows, n_inputs)``.
        lengths: ``(n_sequences,)``; None: n_steps for all. Rows need them.
        n_outputs: Outputs of the network.
        scaling: What `scaling_arrays` of the champion's problem gave; empty where it saw original units.

    Raises:
        ValueError: The inputs are not as described, or too large to be scaled; or the scaling is none.
    """
    # Any value stands for the targets that nobody knows, but one that has a logarithm.
    known = SequenceProblem(inputs, np.ones((*inputs.shape[:-1], n_outputs)), lengths=lengths)
    if not scaling:
        return known
    arrays = {name: array for name, array in known.to_arrays().items() if not name.startswith("scaling_")}
    return SequenceProblem.from_arrays({**arrays, **scaling})

"""Networks without a kernel: evaluated one genome at a time by their own `predict`, with the same error.

This is how a network kind of one's own works from its first day. It is some hundred times slower than a kernel.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from neuroevo.networks import Network
    from neuroevo.problems import SequenceProblem

_warned: set[type] = set()


def warn_once(network: Network) -> None:
    """Say that a class of networks has no kernel, once a process."""
    cls = type(network)
    if cls not in _warned:
        _warned.add(cls)
        name = f"network kind {cls.kind!r}" if "kind" in vars(cls) else f"{cls.__name__}, derived from {cls.kind!r},"
        warnings.warn(
            f"{name} has no kernel: every genome is evaluated by its predict method, which is slow", stacklevel=3
        )


def evaluate_by_predict(
    network: Network, problem: SequenceProblem, population: NDArray[np.float64], part: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Errors and learned shares ``(n,)`` of a population ``(n, n_genes)``."""
    counted = problem.counted(part)
    error, learned = np.empty(len(population)), np.empty(len(population))
    for k, genome in enumerate(population):
        with np.errstate(all="ignore"):
            outputs = network.predict(genome, problem.inputs, problem.lengths)
            difference = np.where(counted, outputs - problem.targets, 0.0)
            # Sequence by sequence, so that the order of the sum is the kernels' order.
            total = sum(float((row * row).sum()) for row in difference)
            error[k] = total / counted.sum() + problem.weight_decay * float((genome * genome).mean())
            right = problem.learned.right(outputs, problem.targets, counted)
        learned[k] = right.sum() / counted.any(axis=2).sum()
    return error, learned

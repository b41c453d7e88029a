"""Networks and problems without a kernel: evaluated one genome at a time by the problem's `score`, with the same error.

This is how a network or a problem of one's own works from its first day. It is some hundred times slower than a kernel.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from neuroevo.networks import Network
    from neuroevo.problems import Problem

_warned: set[str] = set()


def warn_once(kind: str) -> None:
    """Say that a network kind has no kernel, once a process."""
    if kind not in _warned:
        _warned.add(kind)
        warnings.warn(
            f"network kind {kind!r} has no kernel: every genome is evaluated by its predict method, which is slow",
            stacklevel=3,
        )


def evaluate_by_score(
    network: Network, problem: Problem, population: NDArray[np.float64], part: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Errors and learned shares ``(n,)`` of a population ``(n, n_genes)``."""
    problem.check_part(part)
    error, learned = np.empty(len(population)), np.empty(len(population))
    for k, genome in enumerate(population):
        with np.errstate(all="ignore"):
            error[k], learned[k] = problem.score(network, genome, part)
    return error, learned

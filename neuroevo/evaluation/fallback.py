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

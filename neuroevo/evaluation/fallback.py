"""Networks and problems without a kernel: evaluated by the problem's `score`, or to its bits many genomes at a time.

This is how a network or a problem of one's own works from its first day.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from neuroevo.networks.populations import does_populations, predict_population
from neuroevo.problems import SequenceProblem
from neuroevo.problems.control.base import EpisodeProblem

if TYPE_CHECKING:
    from neuroevo.networks import Network
    from neuroevo.problems import Problem

_BLOCK_NUMBERS = 4_000_000
"""Outputs that are held at once."""
_warned: set[type] = set()


def warn_once(network: Network) -> None:
    """Say that a class of networks has no kernel, once a process."""
    cls = type(network)
    if cls not in _warned:
        _warned.add(cls)
        name = f"network kind {cls.kind!r}" if "kind" in vars(cls) else f"{cls.__name__}, derived from {cls.kind!r},"
        warnings.warn(
            f"{name} has no kernel: genomes are evaluated by its own Python code, which is slow", stacklevel=3
        )


def goes_together(network: Network, problem: Problem, population: NDArray[np.float64]) -> bool:
    """Whether genomes can be evaluated many at a time; it is tried out on the first of the population."""
    if not isinstance(problem, SequenceProblem) or type(problem).score is not SequenceProblem.score:
        return False
    if problem.free_run is not None:
        return False
    return does_populations(network, population, problem.input_rows, problem.lengths)


def evaluate_by_score(
    network: Network, problem: Problem, population: NDArray[np.float64], part: str, *, together: bool | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Errors and learned shares ``(n,)`` of a population ``(n, n_genes)``.

    Args:
        network: What a genome means.
        problem: What is to be learnt.
        population: The genomes.
        part: Whose targets count.
        together: What `goes_together` has found before; None: it is asked.
    """
    problem.check_part(part)
    together = goes_together(network, problem, population) if together is None else together
    if together and isinstance(problem, SequenceProblem):
        return _by_blocks(network, problem, population, part)
    if isinstance(problem, EpisodeProblem):
        return problem.scores(network, population, part)
    error, learned = np.empty(len(population)), np.empty(len(population))
    for k, genome in enumerate(population):
        with np.errstate(all="ignore"):
            error[k], learned[k] = problem.score(network, genome, part)
    return error, learned


def _by_blocks(
    network: Network, problem: SequenceProblem, population: NDArray[np.float64], part: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    error, learned = np.empty(len(population)), np.empty(len(population))
    size = max(1, _BLOCK_NUMBERS // problem.target_rows.size)
    for first in range(0, len(population), size):
        block = population[first : first + size]
        outputs = predict_population(network, block, problem.input_rows, problem.lengths)
        for k, (genome, own) in enumerate(zip(block, outputs, strict=True), first):
            with np.errstate(all="ignore"):
                error[k], learned[k] = problem.judged(genome, own, part)
    return error, learned

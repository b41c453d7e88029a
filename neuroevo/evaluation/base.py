"""Evaluator and Evaluation: the contract between a population and its errors, and the policy for failures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroevo.errors import BadInput, WrongType
from neuroevo.evaluation.memory import require

if TYPE_CHECKING:
    from neuroevo.evaluation.learning import Learning
    from neuroevo.problems.noise import InputNoise
    from neuroevo.problems.stretches import Stretches

FINDINGS: Mapping[str, int] = MappingProxyType({"gradient": 1, "curvature": 2, "refined": 1, "goals": 0})
"""What an evaluation can give beside the error, and how many axes of n_genes it has behind the one of the population.

- `gradient` `(n, n_genes)`: the derivative of each genome's error by its genes.
- `curvature` `(n, n_genes, n_genes)`: how each error bends: its Hessian, or the Gauss-Newton approximation of it.
- `refined` `(n, n_genes)`: a better genome in the place of each one asked, whose error is the one told.
- `goals` `(n, n_goals)`: all that is to be small, in the strategy's order; +inf where the evaluation failed.

Where an evaluation failed, derivatives may hold anything; where they alone are beyond all numbers, they are zeros. A
refined genome that is not finite gives way to the one asked.
"""

NOTHING_MORE: frozenset[str] = frozenset()


def fitness_of(error: ArrayLike) -> NDArray[np.float64]:
    """Fitness, the reciprocal of the error: of error 0 the largest finite float, of a failed evaluation (+inf) 0.

    Args:
        error: float64 of any shape, at least 0; NaN counts as failed.
    """
    errors = np.asarray(error, dtype=np.float64)
    with np.errstate(divide="ignore", over="ignore"):
        fitness = np.minimum(1.0 / errors, np.finfo(np.float64).max)
    return np.where(np.isnan(errors), 0.0, fitness)


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What is known of a population after its evaluation, in the order asked.

    Attributes:
        error: ``(n,)`` float64, the problem's error (plus weight decay); +inf where the evaluation failed.
        fitness: ``(n,)`` float64, `fitness_of` the error.
        learned: ``(n,)`` float64, share of the steps with a counted target that the network gets right; 0 where failed.
        n_failed: Evaluations whose result was not finite.
        seconds: Wall-clock time.
        more: What was wanted beside the error: names of `FINDINGS` to arrays whose first axis is that of `error`.
        figures: Further figures of each genome, ``(n,)`` by name; the history has their means over those that did not
            fail.
    """

    error: NDArray[np.float64]
    fitness: NDArray[np.float64]
    learned: NDArray[np.float64]
    n_failed: int
    seconds: float
    more: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    figures: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        error: NDArray[np.float64],
        learned: NDArray[np.float64],
        seconds: float,
        found: Mapping[str, NDArray[np.float64]] | None = None,
    ) -> Evaluation:
        """The evaluation with these errors; whatever is not finite becomes a failed evaluation.

        Args:
            error: ``(n,)``.
            learned: ``(n,)``.
            seconds: Wall-clock time.
            found: What else is known of each genome: `FINDINGS` by their names, and figures by any other.
        """
        failed = ~np.isfinite(error)
        error = np.where(failed, np.inf, error)
        learned = np.where(failed, 0.0, learned)
        fitness = fitness_of(error)
        given = dict(found or {})
        for array in (error, learned, fitness, *given.values()):
            array.flags.writeable = False
        findings = {name: given.pop(name) for name in FINDINGS if name in given}
        return cls(error, fitness, learned, int(failed.sum()), seconds, findings, given)


class Evaluator(ABC):
    """Computes errors of populations; a context manager, because it may hold threads or processes."""

    @property
    def offers(self) -> frozenset[str]:
        """The names of `FINDINGS` that it can give."""
        return NOTHING_MORE

    @abstractmethod
    def evaluate(
        self,
        population: ArrayLike,
        part: str = "train",
        wants: frozenset[str] = NOTHING_MORE,
        *,
        batch: Stretches | None = None,
        noise: InputNoise | None = None,
        learning: Learning | None = None,
    ) -> Evaluation:
        """Evaluate a population.

        Args:
            population: ``(n, n_genes)`` real numbers, one genome of the search space per row. One that is not finite
                fails.
            part: The part of the problem whose targets count.
            wants: What is wanted beside the error, of what it `offers`.
            batch: The stretches of sequences that are run, of which counts what counts in the part; None for all data.
            noise: What is added to their inputs; None for nothing.
            learning: How derivatives are found; None for any way.

        Raises:
            BadInput: The population has another shape, the problem has no such part, more is wanted than offered, or
                the batch does not lie within sequences of the problem.
        """

    def gradient(
        self, population: ArrayLike, part: str = "train", *, learning: Learning | None = None
    ) -> NDArray[np.float64]:
        """The derivative of each genome's error by its genes: ``(n, n_genes)``; arguments as of `evaluate`.

        Raises:
            BadInput: As in `evaluate`, or the evaluator offers no gradient.
        """
        return self.evaluate(population, part, frozenset({"gradient"}), learning=learning).more["gradient"]

    def express(self, genomes: NDArray[np.float64]) -> NDArray[np.float64]:
        """The network genomes ``(n, network.n_genes)`` that genomes ``(n, n_genes)`` of the search space stand for."""
        return genomes

    def close(self) -> None:  # noqa: B027 - an evaluator that holds nothing has nothing to release
        """Release threads or processes; closing twice is allowed."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def checked_population(population: ArrayLike, n_genes: int) -> NDArray[np.float64]:
    """The population as a C-contiguous float64 array.

    Raises:
        MemoryError: There is not enough memory for it.
        TypeError: It does not hold real numbers.
        ValueError: It has another shape.
    """
    array = np.asarray(population)
    if array.dtype.kind not in "fiub":
        raise WrongType(f"population must hold real numbers, got {array.dtype}")
    if array.ndim != 2 or array.shape[1] != n_genes:
        raise BadInput(
            f"population must have shape (n, {n_genes}), one genome per row, got {array.shape}"
            + ("; a single genome is population[None, :]" if array.shape == (n_genes,) else "")
        )
    if array.dtype != np.float64 or not array.flags.c_contiguous:
        require(8 * array.size, f"a population of {len(array)} genomes with {n_genes} genes")
    return np.ascontiguousarray(array, dtype=np.float64)

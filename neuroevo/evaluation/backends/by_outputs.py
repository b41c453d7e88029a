"""ByOutputs: objectives of one's own, on the outputs that the kernels give, some genomes at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.evaluation.backends.base import Backend
from neuroevo.evaluation.base import NOTHING_MORE
from neuroevo.evaluation.cells import has_kernel
from neuroevo.evaluation.traces import trace
from neuroevo.problems import SequenceProblem, as_sequences
from neuroevo.problems.objectives import Own

if TYPE_CHECKING:
    from neuroevo.evaluation.precision import Precision
    from neuroevo.networks import Network
    from neuroevo.problems import Problem

BLOCK_BYTES = 2**26
"""What outputs and states of a block of genomes may take, for each thread; but a genome at least."""
MOST_GENOMES = 64
"""Genomes of a block: several vectors of them, and few enough to keep all threads busy."""


class ByOutputs(Backend):
    """Traces blocks of genomes and hands their outputs to the function.

    The kernels and the rule of what is learnt run on all threads, the function where it lets them (numpy mostly does).
    """

    def __init__(self, network: Network, problem: Problem, *, n_threads: int, precision: Precision) -> None:
        self._network, self._n_threads, self._precision = network, n_threads, precision
        self._problem = as_sequences(problem, "objectives of one's own")
        self._objective = self._problem.objective
        self._pool: ThreadPoolExecutor | None = None

    @classmethod
    def supports(cls, network: Network, problem: Problem) -> bool:
        return isinstance(problem, SequenceProblem) and isinstance(problem.objective, Own) and has_kernel(network)

    def evaluate(
        self,
        genomes: NDArray[Any],
        part: str,
        wants: frozenset[str] = NOTHING_MORE,  # noqa: ARG002 - it offers nothing more
    ) -> dict[str, NDArray[Any]]:
        counted = self._problem.counted(part)
        size = self._block_size()
        blocks = [genomes[first : first + size] for first in range(0, len(genomes), size)]
        found = list(self._threads().map(lambda block: self._block(block, counted), blocks))
        errors = [np.empty(0), *(error for error, _ in found)]
        return {"error": np.concatenate(errors), "learned": np.concatenate([np.empty(0), *(own for _, own in found)])}

    @property
    def is_compiled(self) -> bool:
        return False

    def compile(self) -> None:
        self._outputs(np.zeros((1, self._network.n_genes)))

    def close(self) -> None:
        """Stop the threads."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None

    def _threads(self) -> ThreadPoolExecutor:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._n_threads, thread_name_prefix="neuroevo")
        return self._pool

    def _outputs(self, block: NDArray[Any]) -> NDArray[Any]:
        """``(n, n_sequences, n_steps, n_outputs)`` in C order, whatever lies beside them in the kernels' memory."""
        problem = self._problem
        traced = trace(self._network, block, problem.inputs, problem.lengths, precision=self._precision)
        return np.ascontiguousarray(traced["outputs"])

    def _block(self, block: NDArray[Any], counted: NDArray[np.bool_]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Errors and learned shares of some genomes."""
        problem, outputs = self._problem, self._outputs(block)
        n_steps = counted.any(axis=2).sum()
        with np.errstate(all="ignore"):
            error = self._objective.errors(problem, outputs, counted)
            right = [problem.learned.right(own, problem.targets, counted).sum() for own in outputs]
            error = error + problem.weight_decay * (block * block).mean(axis=1)
        return error, np.array(right) / n_steps

    def _block_size(self) -> int:
        return ...

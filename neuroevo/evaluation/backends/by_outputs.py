"""ByOutputs: objectives of one's own, on the outputs that the kernels give, one block of genomes at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from neuroevo.evaluation.backends.compiled import Compiled
from neuroevo.evaluation.base import NOTHING_MORE
from neuroevo.evaluation.memory import require
from neuroevo.problems import SequenceProblem
from neuroevo.problems.objectives import Own

if TYPE_CHECKING:
    from neuroevo.evaluation.precision import Precision
    from neuroevo.networks import Network
    from neuroevo.problems import Problem


class ByOutputs(Compiled):
    """Hands the outputs of as many genomes as a vector has lanes to the function.

    A thread keeps no more than those. The kernels run on all threads; the function and the rule of what is learnt do so
    where numpy lets them.
    """

    def __init__(self, network: Network, problem: Problem, *, n_threads: int, precision: Precision) -> None:
        super().__init__(network, problem, n_threads=n_threads, precision=precision)
        self._outputs_of: list[NDArray[Any]] = []

    def on(self, problem: SequenceProblem) -> Compiled:
        other = super().on(problem)
        vars(other).update(_outputs_of=[])
        return other

    judges = Own

    def evaluate(
        self,
        genomes: NDArray[Any],
        part: str,
        wants: frozenset[str] = NOTHING_MORE,  # noqa: ARG002 - it offers nothing more
    ) -> dict[str, NDArray[Any]]:
        counted = self._problem.counted_rows(part)
        error, learned = np.empty(len(genomes)), np.empty(len(genomes))
        size = self._block_size()
        n_threads = min(self._n_threads, max(1, -(-len(genomes) // size)))
        memories = [(self._memory(k), self._kept(k)) for k in range(n_threads)]

        def work(thread: int) -> None:
            for first in range(thread * size, len(genomes), n_threads * size):
                block = slice(first, first + size)
                outputs = self._outputs(genomes[block], *memories[thread])
                error[block], learned[block] = self._judged(genomes[block], outputs, counted)

        futures = [self._threads().submit(work, thread) for thread in range(1, n_threads)]
        try:
            work(0)
        finally:
            for future in futures:
                future.result()
        return {"error": error, "learned": learned}

    def _outputs(self, block: NDArray[Any], memory: Any, kept: NDArray[Any]) -> NDArray[Any]:
        """``(n, n_rows, n_outputs)`` of a block of genomes, in C order whatever their number."""
        plan, task, counter, nothing = self._plan, self._data.outputs(kept), np.zeros(1, np.int64), np.empty(0)
        self._kernel()(plan.cell, plan.packing, task, block, memory, counter, nothing, nothing)
        by_lane = kept.reshape(*self._problem.target_rows.shape, self._block_size())
        return np.ascontiguousarray(np.moveaxis(by_lane[..., : len(block)], -1, 0))

    def _judged(
        self, block: NDArray[Any], outputs: NDArray[Any], counted: NDArray[np.bool_]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Errors and learned shares of a block of genomes."""
        problem, n_steps = self._problem, counted.any(axis=1).sum()
        with np.errstate(all="ignore"):
            right = [problem.learned.right(own, problem.target_rows, counted).sum() for own in outputs]
            decay = problem.weight_decay * (block * block).mean(axis=1)
            error = cast("Own", problem.objective).errors(problem, outputs, counted) + decay
        return error, np.array(right) / n_steps

    def _kept(self, thread: int) -> NDArray[Any]:
        """Where a thread's kernel writes outputs."""
        from neuroevo.kernels.scratch import aligned_empty

        while len(self._outputs_of) <= thread:
            size = self._problem.target_rows.size * self._block_size()
            require(3 * size * np.dtype(self._dtype).itemsize, "the outputs of a block of genomes")
            self._outputs_of.append(aligned_empty(size, self._dtype))
            self._outputs_of[-1][:] = 0.0
        return self._outputs_of[thread]

    def _no_work(self) -> tuple[Any, ...]:
        """Arguments of the kernel with an empty population."""
        task, nothing = self._data.outputs(self._kept(0)), np.empty(0)
        genomes = np.empty((0, self._network.n_genes))
        counter = np.zeros(1, np.int64)
        return self._plan.cell, self._plan.packing, task, genomes, self._memory(0), counter, nothing, nothing

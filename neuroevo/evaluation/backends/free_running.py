"""FreeRunning: problems whose outputs come back as inputs, with genomes as lanes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.evaluation.backends.by_steps import BySteps
from neuroevo.evaluation.backends.compiled import Compiled
from neuroevo.evaluation.free_runs import FreeRunData
from neuroevo.evaluation.memory import require
from neuroevo.problems import SequenceProblem

if TYPE_CHECKING:
    from neuroevo.evaluation.precision import Precision
    from neuroevo.networks import Network
    from neuroevo.problems import Problem


class FreeRunning(Compiled):
    """Lets blocks of genomes run freely, each run a sequence of its own."""

    freely = True

    def __init__(self, network: Network, problem: Problem, *, n_threads: int, precision: Precision) -> None:
        super().__init__(network, problem, n_threads=n_threads, precision=precision)
        self._free = FreeRunData(self._problem, self._dtype, network.n_genes)
        self._data = self._free
        self._rooms: list[NDArray[Any]] = []

    def on(self, problem: SequenceProblem) -> Compiled:  # noqa: ARG002 - there are none
        raise BadInput("free runs know neither [batch] nor input_noise: leave them out")

    def _run(self, genomes: Any, task: Any, error: Any, right: Any) -> None:
        from neuroevo.kernels.loops.driver import for_sequences

        evaluate, plan = self._kernel(), self._plan

        def work(thread: int, counter: NDArray[np.int64]) -> None:
            own, memory = task._replace(room=self._room(thread)), self._memory(thread)
            memory = for_sequences(memory, len(task.order), self._dtype)
            evaluate(plan.cell, plan.packing, own, genomes, memory, counter, error, right)

        self._share(work, len(genomes))

    def _no_work(self) -> tuple[Any, ...]:
        """Arguments of the kernel with an empty population."""
        cell, packing, task, *nothing = super()._no_work()
        return cell, packing, task._replace(room=self._room(0)), *nothing

    def _room(self, thread: int) -> NDArray[Any]:
        """What a thread remembers of the runs of a group, kept from one generation to the next."""
        from neuroevo.kernels.processor import GROUP_SEQUENCES
        from neuroevo.kernels.scratch import aligned_empty

        while len(self._rooms) <= thread:
            size = self._free.n_room_rows * GROUP_SEQUENCES * self._block_size()
            require(3 * size * np.dtype(self._dtype).itemsize, "the misses of free runs")
            self._rooms.append(aligned_empty(size, self._dtype))
        return self._rooms[thread]


class FreeRunningBySteps(BySteps, FreeRunning):
    """The same with a function of one's own as what a step costs."""

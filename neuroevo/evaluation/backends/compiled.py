"""Compiled: kernels with genomes as lanes, on a pool of threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from neuroevo.evaluation.backends.base import Backend
from neuroevo.evaluation.base import NOTHING_MORE
from neuroevo.evaluation.cells import has_kernel
from neuroevo.evaluation.data import ProblemData
from neuroevo.evaluation.memory import require
from neuroevo.evaluation.plans import Plan, plan_of
from neuroevo.evaluation.precision import Precision, type_of
from neuroevo.problems import SequenceProblem, as_sequences
from neuroevo.problems.objectives import Mean, Objective

if TYPE_CHECKING:
    from neuroevo.networks import Network
    from neuroevo.problems import Problem


class Compiled(Backend):
    """Evaluates blocks of genomes, as many at once as a vector has lanes; threads take them from one counter."""

    judges: ClassVar[type[Objective]] = Mean  # type: ignore[type-abstract]
    """Objectives that it knows."""
    freely: ClassVar[bool] = False
    """Whether outputs come back as inputs."""

    def __init__(self, network: Network, problem: Problem, *, n_threads: int, precision: Precision) -> None:
        self._network, self._n_threads = network, n_threads
        self._problem = as_sequences(problem, "kernels")
        self._dtype = type_of(precision)
        self._plan = self._make_plan()
        self._data = ProblemData(self._problem, self._dtype, network.n_genes)
        self._scratch: list[Any] = []
        self._pool: ThreadPoolExecutor | None = None

    @classmethod
    def supports(cls, network: Network, problem: Problem) -> bool:
        if not isinstance(problem, SequenceProblem) or (problem.free_run is not None) != cls.freely:
            return False
        return isinstance(problem.objective, cls.judges) and has_kernel(network)

    def on(self, problem: SequenceProblem) -> Compiled:
        if self._n_threads > 1:
            self._threads()
        other = copy(self)
        vars(other).update(_problem=problem, _data=ProblemData(problem, self._dtype, self._network.n_genes))
        return other

    def evaluate(
        self,
        genomes: NDArray[Any],
        part: str,
        wants: frozenset[str] = NOTHING_MORE,  # noqa: ARG002 - it offers nothing more
    ) -> dict[str, NDArray[Any]]:
        task, n_steps = self._data.part(part)
        error, right = np.empty(len(genomes)), np.empty(len(genomes))
        self._run(genomes, task, error, right)
        return {"error": error, "learned": right / n_steps}

    @property
    def is_compiled(self) -> bool:
        from neuroevo.kernels.compilation import is_compiled

        return is_compiled(self._kernel(), *self._no_work())

    def compile(self) -> None:
        self._kernel()(*self._no_work())

    def close(self) -> None:
        """Stop the threads."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None

    def _make_plan(self) -> Plan:
        plan = plan_of(self._network)
        if plan is None:
            raise TypeError(f"{type(self._network).__name__} has no kernel")
        return plan

    def _kernel(self) -> Any:
        from neuroevo.kernels.loops.driver import evaluate

        return evaluate

    def _block_size(self) -> int:
        """Genomes that a thread takes at once."""
        from neuroevo.kernels.processor import LANES

        return LANES[np.dtype(self._dtype).name]

    def _no_work(self) -> tuple[Any, ...]:
        """Arguments of the kernel with an empty population."""
        task, _ = self._data.part(next(iter(self._problem.parts)))
        nothing = np.empty((0, self._network.n_genes)), self._memory(0), np.zeros(1, np.int64), np.empty(0), np.empty(0)
        return self._plan.cell, self._plan.packing, task, *nothing

    def _run(self, genomes: Any, task: Any, error: Any, right: Any) -> None:
        """Errors and right steps of genomes, into arrays."""
        evaluate, plan = self._kernel(), self._plan

        def work(thread: int, counter: NDArray[np.int64]) -> None:
            evaluate(plan.cell, plan.packing, task, genomes, self._memory(thread), counter, error, right)

        self._share(work, len(genomes))

    def _share(self, work: Callable[[int, NDArray[np.int64]], None], n_genomes: int, size: int | None = None) -> None:
        """Let every thread take blocks of `size` genomes from one counter; this thread is one of them."""
        n_blocks = -(-n_genomes // (size or self._block_size()))
        counter = np.zeros(1, np.int64)
        futures = [self._threads().submit(work, k, counter) for k in range(1, min(self._n_threads, n_blocks))]
        try:
            work(0, counter)
        finally:
            counter[0] = n_blocks
            for future in futures:
                future.result()

    def _threads(self) -> ThreadPoolExecutor:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._n_threads - 1, thread_name_prefix="neuroevo")
        return self._pool

    def _memory(self, thread: int) -> Any:
        """The scratch memory of a thread, kept from one generation to the next."""
        from neuroevo.kernels.loops.driver import for_sequences, make_scratch

        while len(self._scratch) <= thread:
            plan, n_sequences = self._plan, self._problem.n_sequences
            n_packed, n_rows = len(plan.packing.genes), plan.n_slots * plan.n_rows
            require(64 * (n_packed + 8 * n_rows + 4 * n_sequences), "the working memory of a thread")
            self._scratch.append(make_scratch(n_packed, n_rows, n_sequences, self._dtype))
        return for_sequences(self._scratch[thread], self._problem.n_sequences, self._dtype)

"""LocalEvaluator: errors of a population inside this process, on a pool of threads."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from neuroevo.errors import BadInput, WrongType
from neuroevo.evaluation.base import Evaluation, Evaluator, checked_population
from neuroevo.evaluation.data import ProblemData
from neuroevo.evaluation.fallback import evaluate_by_predict, warn_once
from neuroevo.evaluation.memory import require
from neuroevo.evaluation.plans import Plan, plan_by_units, plan_of, suits_units
from neuroevo.evaluation.precision import Precision, type_of
from neuroevo.machine import available_processors

if TYPE_CHECKING:
    from neuroevo.networks import Network
    from neuroevo.problems import SequenceProblem

__all__ = ["LocalEvaluator", "Precision"]

_log = logging.getLogger("neuroevo")


class LocalEvaluator(Evaluator):
    """Evaluates populations with compiled kernels on threads.

    A genome's error is a pure function of its bits, the problem and the precision: neither the other genomes, nor the
    number of threads, nor the width of the processor's vectors changes a bit of it.

    Args:
        network: What a genome means.
        problem: What is to be learnt; its data are converted once, here.
        n_threads: Threads; by default one for each processor that this process may use.
        precision: "single" or "double".

    Raises:
        ValueError: Network and problem differ in inputs or outputs, or an argument is out of range.
    """

    def __init__(
        self,
        network: Network,
        problem: SequenceProblem,
        *,
        n_threads: int | None = None,
        precision: Precision = "single",
    ) -> None:
        for name in ("n_inputs", "n_outputs"):
            if getattr(network, name) != getattr(problem, name):
                raise BadInput(
                    f"network and problem must have the same {name}, got {getattr(network, name)} "
                    f"and {getattr(problem, name)}"
                )
        self._dtype = type_of(precision)
        self.network = network
        self.problem = problem
        self.precision = precision
        self.n_threads = _checked_threads(n_threads)
        self._by_units = suits_units(network, problem)
        self._plan: Plan | None = plan_by_units(network, self._dtype) if self._by_units else plan_of(network)
        self._data: ProblemData | None = None
        if self._plan is None:
            warn_once(network)
        else:
            self._data = ProblemData(problem, self._dtype, network.n_genes)
        self._is_prepared = False
        self._scratch: list[Any] = []
        self._pool: ThreadPoolExecutor | None = None

    def evaluate(self, population: ArrayLike, part: str = "train") -> Evaluation:
        """As in `Evaluator`."""
        begun = perf_counter()
        genomes = checked_population(population, self.network.n_genes)
        if self._data is None:
            error, learned = evaluate_by_predict(self.network, self.problem, genomes, part)
            return Evaluation.of(error, learned, perf_counter() - begun)
        data, n_steps = self._data.part(part)
        self.compile()
        error, right = np.empty(len(genomes)), np.empty(len(genomes))
        self._run(genomes, data, error, right)
        return Evaluation.of(error, right / n_steps, perf_counter() - begun)

    def close(self) -> None:
        """Stop the threads."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None

    @property
    def is_compiled(self) -> bool:
        """False if the next evaluation has to compile its kernel first, which takes some seconds."""
        if self._data is None or self._is_prepared:
            return True
        from neuroevo.kernels.compilation import is_compiled

        return is_compiled(self._kernel(), *self._no_work())

    def compile(self) -> None:
        """Compile the kernel, or load it from the disk; `evaluate` does so by itself. Logs before it compiles."""
        if self._data is None or self._is_prepared:
            return
        if not self.is_compiled:
            _log.info(
                "compiling the %s kernel in %s precision: once per version and computer, some seconds",
                self.network.kind, self.precision,
            )  # fmt: skip
        self._kernel()(*self._no_work())
        self._is_prepared = True

    def _kernel(self) -> Any:
        from neuroevo.kernels.driver import evaluate
        from neuroevo.kernels.series import evaluate_by_units

        return evaluate_by_units if self._by_units else evaluate

    def _no_work(self) -> tuple[Any, ...]:
        """Arguments of the kernel with an empty population."""
        data, _ = self._data.part(next(iter(self.problem.parts)))  # type: ignore[union-attr]
        nothing = np.empty((0, self.network.n_genes)), self._memory(0), np.zeros(1, np.int64), np.empty(0), np.empty(0)
        return (self._plan.cell, self._plan.packing, data, *nothing)  # type: ignore[union-attr]

    def _run(self, genomes: Any, data: Any, error: Any, right: Any) -> None:
        """Let every thread take blocks of genomes from one counter; this thread is one of them."""
        from neuroevo.kernels.processor import LANES

        evaluate = self._kernel()
        width = 1 if self._by_units else LANES[data.inputs.dtype.name]
        n_blocks = -(-len(genomes) // width)
        n_threads = max(1, min(self.n_threads, n_blocks))
        counter = np.zeros(1, np.int64)
        shared: tuple[Any, ...] = (self._plan.cell, self._plan.packing, data, genomes)  # type: ignore[union-attr]
        futures = [
            self._threads().submit(evaluate, *(*shared, self._memory(k), counter, error, right))
            for k in range(1, n_threads)
        ]
        try:
            evaluate(*shared, self._memory(0), counter, error, right)
        finally:
            counter[0] = n_blocks
            for future in futures:
                future.result()

    def _threads(self) -> ThreadPoolExecutor:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.n_threads - 1, thread_name_prefix="neuroevo")
        return self._pool

    def _memory(self, thread: int) -> Any:
        """The scratch memory of a thread, kept from one generation to the next."""
        from neuroevo.kernels.driver import make_scratch

        while len(self._scratch) <= thread:
            plan, n_sequences = self._plan, self.problem.n_sequences
            n_packed, n_rows = len(plan.packing.genes), plan.n_slots * plan.n_rows  # type: ignore[union-attr]
            require(64 * (n_packed + 8 * n_rows + 4 * n_sequences), "the working memory of a thread")
            self._scratch.append(make_scratch(n_packed, n_rows, n_sequences, self._dtype))
        return self._scratch[thread]


def _checked_threads(n_threads: int | None) -> int:
    if n_threads is None:
        return available_processors()
    if isinstance(n_threads, bool) or not isinstance(n_threads, int | np.integer):
        raise WrongType(f"n_threads must be a whole number, got {n_threads!r}")
    if n_threads < 1:
        raise BadInput(f"n_threads must be at least 1, got {n_threads}")
    return int(n_threads)

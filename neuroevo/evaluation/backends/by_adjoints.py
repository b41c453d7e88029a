"""ByAdjoints: errors and their derivatives by the kernels' backward steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.evaluation.backends.compiled import Compiled
from neuroevo.evaluation.base import NOTHING_MORE
from neuroevo.evaluation.cells import has_backward_step
from neuroevo.evaluation.memory import require
from neuroevo.networks import Ctrnn, Graph
from neuroevo.problems import SequenceProblem
from neuroevo.problems.objectives import Mean

if TYPE_CHECKING:
    from neuroevo.evaluation.learning import Learning
    from neuroevo.evaluation.precision import Precision
    from neuroevo.networks import Network
    from neuroevo.problems import Problem

KEPT_BYTES = 1 << 24
"""Memory of a thread for the steps of a group of sequences; longer ones run forward twice, stretch by stretch."""


class ByAdjoints(Compiled):
    """Gradients of the populations of every network whose cell has a backward step, on the same threads.

    The errors are those of `Compiled`, to the last bit. The adjoint signal-flow graph of a `Graph` is its backward step;
    of a `Ctrnn` the adjoint equations of continuous time are one more.
    """

    offers = frozenset({"gradient"})

    def __init__(self, network: Network, problem: Problem, *, n_threads: int, precision: Precision) -> None:
        super().__init__(network, problem, n_threads=n_threads, precision=precision)
        self._rooms: dict[tuple[int, int], list[Any]] = {}

    @classmethod
    def supports(cls, network: Network, problem: Problem) -> bool:
        if not isinstance(problem, SequenceProblem) or not isinstance(problem.objective, Mean):
            return False
        return has_backward_step(network) and problem.objective.loss_name(problem) != "wrong_step"

    @classmethod
    def methods(cls, network: Network) -> frozenset[str]:
        own = {Graph: "signal_flow", Ctrnn: "pearlmutter"}
        return frozenset({"bptt", own.get(type(network), "bptt")})

    def evaluate(
        self,
        genomes: NDArray[Any],
        part: str,
        wants: frozenset[str] = NOTHING_MORE,
        learning: Learning | None = None,
    ) -> dict[str, NDArray[Any]]:
        if not wants:
            return super().evaluate(genomes, part)
        from neuroevo.kernels.gradient import gradient

        task, n_steps = self._data.part(part)
        error, right, slopes = np.empty(len(genomes)), np.empty(len(genomes)), np.empty(genomes.shape)
        truncation = 0 if learning is None else learning.truncation
        plan = self._plan
        if learning is not None and learning.method == "pearlmutter":
            plan = plan._replace(cell=plan.cell._replace(continuous=1))

        def work(thread: int, counter: NDArray[np.int64]) -> None:
            room = self._room(thread, task)
            gradient(plan.cell, plan.packing, task, genomes, room, truncation, counter, error, right, slopes)

        self._share(work, len(genomes))
        return {"error": error, "learned": right / n_steps, "gradient": slopes}

    def _room(self, thread: int, task: Any) -> Any:
        """The memory of a thread for sequences of these lengths, kept from one generation to the next."""
        from neuroevo.kernels.gradient import Shape, make_room, sizes, steps_kept

        n_steps, n_sequences = int(task.n_run[0]), task.order.size
        rooms = self._rooms.setdefault((n_steps, n_sequences), [])
        plan, dtype = self._plan, self._dtype
        shape = Shape(len(plan.packing.genes), plan.cell.n_inputs, plan.n_rows - plan.cell.n_inputs, plan.n_deltas)
        kept = steps_kept(shape, n_steps, dtype, KEPT_BYTES)
        while len(rooms) <= thread:
            require(64 * (sum(sizes(shape, n_steps, kept)) + 3 * shape.n_packed), "the working memory of a gradient")
            rooms.append(make_room(shape, n_steps, kept, n_sequences, dtype))
        return rooms[thread]

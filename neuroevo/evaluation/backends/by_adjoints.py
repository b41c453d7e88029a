"""ByAdjoints: errors and their derivatives by the kernels' backward steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.evaluation.backends.compiled import Compiled
from neuroevo.evaluation.base import NOTHING_MORE
from neuroevo.evaluation.cells import has_backward_step
from neuroevo.evaluation.data import ProblemData
from neuroevo.evaluation.learning import Learning
from neuroevo.evaluation.memory import require
from neuroevo.networks import Ctrnn, Graph
from neuroevo.problems import SequenceProblem
from neuroevo.problems.objectives import Mean

if TYPE_CHECKING:
    from neuroevo.evaluation.learning import Online
    from neuroevo.evaluation.plans import Plan
    from neuroevo.evaluation.precision import Precision
    from neuroevo.networks import Network
    from neuroevo.problems import Problem

KEPT_BYTES = 1 << 25
"""Memory of a thread for the steps of a group of sequences; longer ones run forward twice, stretch by stretch."""


class ByAdjoints(Compiled):
    """Gradients of the populations of every network whose cell has a backward step, on the same threads.

    The errors are those of `Compiled`, to the last bit. The adjoint signal-flow graph of a `Graph` is its backward
    step; a `Ctrnn` has the adjoint equations of continuous time as well.
    """

    offers = frozenset({"gradient", "curvature", "refined"})

    def __init__(self, network: Network, problem: Problem, *, n_threads: int, precision: Precision) -> None:
        super().__init__(network, problem, n_threads=n_threads, precision=precision)
        self._rooms: dict[tuple[Any, ...], list[Any]] = {}
        self._double: ProblemData | None = None

    @classmethod
    def supports(cls, network: Network, problem: Problem) -> bool:
        if not super().supports(network, problem) or not has_backward_step(network):
            return False
        sequences = cast("SequenceProblem", problem)
        return cast("Mean", sequences.objective).loss_name(sequences) != "wrong_step"

    @classmethod
    def methods(cls, network: Network) -> frozenset[str]:
        """As in `Backend`: those that all cells with a backward step have, and those of some."""
        own = {Graph: "signal_flow", Ctrnn: "pearlmutter"}
        return frozenset({"bptt", "rtrl", "hybrid", own.get(type(network), "bptt")})

    def on(self, problem: SequenceProblem) -> Compiled:
        other = super().on(problem)
        vars(other).update(_double=None)
        return other

    def evaluate(
        self,
        genomes: NDArray[Any],
        part: str,
        wants: frozenset[str] = NOTHING_MORE,
        learning: Learning | None = None,
    ) -> dict[str, NDArray[Any]]:
        how = learning or Learning()
        if ("refined" in wants) != (how.online is not None and bool(wants)):
            raise BadInput("genomes are refined where the weights move during the pass, and nothing else is found then")
        if not wants:
            return super().evaluate(genomes, part)
        # A signal-flow graph's errors run back so many steps each; those of BPTT stay in windows, one after the other.
        in_one_pass = how.method in ("bptt", "pearlmutter") or (how.method == "signal_flow" and how.truncation == 0)
        if wants == {"gradient"} and in_one_pass:
            return self._by_bptt(genomes, part, how.truncation, self._plan_by(how))
        found = self._carried_on(genomes, part, how, curved="curvature" in wants)
        told = found["gradient"] if "refined" in wants else genomes
        found["refined"] = found["gradient"]
        return within_numbers({**super().evaluate(told, part), **{name: found[name] for name in wants}})

    def _plan_by(self, how: Learning) -> Plan:
        """The plan, with the adjoint equations of continuous time where they are wanted."""
        if how.method != "pearlmutter":
            return self._plan
        return self._plan._replace(cell=self._plan.cell._replace(continuous=1))

    def _by_bptt(self, genomes: NDArray[Any], part: str, truncation: int, plan: Plan) -> dict[str, NDArray[Any]]:
        """Errors and gradients in one pass forward and one back; NaN where the error is +inf."""
        from neuroevo.kernels.loops.gradient import gradient

        task, n_steps = self._data.part(part)
        error, right, slopes = np.empty(len(genomes)), np.empty(len(genomes)), np.empty(genomes.shape)

        def work(thread: int, counter: NDArray[np.int64]) -> None:
            room = self._room(thread, task)
            gradient(plan.cell, plan.packing, task, genomes, room, truncation, counter, error, right, slopes)

        self._share(work, len(genomes))
        slopes[np.isinf(error)] = np.nan
        return within_numbers({"error": error, "learned": right / n_steps, "gradient": slopes})

    def _room(self, thread: int, task: Any) -> Any:
        """The memory of a thread for sequences of these lengths, kept from one generation to the next."""
        from neuroevo.kernels.loops.gradient import Shape, make_room, sizes, steps_kept
        from neuroevo.kernels.processor import GROUP_SEQUENCES

        n_steps, n_sequences = int(task.n_run[0]), task.order.size
        rooms = self._rooms.setdefault((n_steps, n_sequences), [])
        plan, dtype = self._plan, self._dtype
        n_slot, n_columns = plan.n_rows - plan.cell.n_inputs, min(n_sequences, GROUP_SEQUENCES)
        shape = Shape(len(plan.packing.genes), plan.cell.n_inputs, n_slot, plan.n_deltas, n_columns)
        kept = steps_kept(shape, n_steps, dtype, KEPT_BYTES)
        while len(rooms) <= thread:
            require(64 * (sum(sizes(shape, n_steps, kept)) + 3 * shape.n_packed), "the working memory of a gradient")
            rooms.append(make_room(shape, n_steps, kept, n_sequences, dtype))
        return rooms[thread]

    def _carried_on(self, genomes: NDArray[Any], part: str, how: Learning, *, curved: bool) -> dict[str, NDArray[Any]]:
        """Gradient (or the genomes after an online pass) and curvature, by what is carried forward, in double."""
        from neuroevo.kernels.loops.sensitivities import WIDTH, sensitivities

        if self._double is None:
            self._double = ProblemData(self._problem, np.dtype(np.float64), self._network.n_genes)
        task, _ = self._double.part(part)
        way, update = self._way(task, how, curved), update_of(how.online)
        n, n_genes = genomes.shape
        if curved:
            require(8 * n * n_genes**2, f"the curvature of {n} genomes with {n_genes} genes")
        found, curvature = np.empty(genomes.shape), np.empty((n if curved else 0, n_genes, n_genes))
        turns, plan = np.argsort(task.order, kind="stable"), self._plan_by(how)

        def work(thread: int, counter: NDArray[np.int64]) -> None:
            room = self._carrying_room(thread, way)
            sensitivities(
                plan.cell, plan.packing, task, turns, genomes, room, way, update, counter, found, curvature
            )  # fmt: skip

        self._share(work, len(genomes), WIDTH)
        if curved:
            curvature *= task.per_target
            curvature[:, np.arange(n_genes), np.arange(n_genes)] += 2.0 * task.decay
        return {"gradient": found, "curvature": curvature}

    def _way(self, task: Any, how: Learning, curved: bool) -> Any:
        from neuroevo.kernels.loops.sensitivities import Way

        n_steps = int(task.n_run[0])
        if curved:
            return Way(1, 1, 1, 1) if self._is_forward_cheaper(task) else Way(n_steps, n_steps, 0, 1)
        if how.method == "rtrl":
            return Way(1, 1, 1, 0)
        if how.method == "hybrid":
            block = min(how.block or len(self._plan.carried), n_steps)
            return Way(block, block, 1, 0)
        interval = min(how.online.interval if how.online else 1, n_steps)
        return Way(interval, min(max(interval, how.truncation or n_steps), n_steps), 0, 0)

    def _is_forward_cheaper(self, task: Any) -> bool:
        """Whether derivatives of all outputs that count cost less forward, with sensitivities, than each by itself.

        In products for each weight: a step back takes two; sensitivities take one step back for each of n rows, and
        their own product n for each row; an output takes a step back and n more.
        """
        n, counted = len(self._plan.carried), task.mask.reshape(-1, task.n_outputs).sum(axis=1, dtype=np.int64)
        backward = 2 * int(counted @ (self._problem.rows.step + 1))
        forward = int(task.n_run.sum()) * n * (2 + n) + int(counted.sum()) * (2 + n)
        return forward <= backward

    def _carrying_room(self, thread: int, way: Any) -> Any:
        from neuroevo.kernels.loops.sensitivities import Shape, make_room, sizes

        rooms = self._rooms.setdefault(tuple(way), [])
        plan = self._plan
        shape = Shape(
            len(plan.packing.genes), plan.cell.n_inputs, plan.n_rows - plan.cell.n_inputs, plan.n_deltas,
            len(plan.carried), self._network.n_genes,
        )  # fmt: skip
        while len(rooms) <= thread:
            require(64 * sum(sizes(shape, way).values()), "the sensitivities of a block of genomes")
            rooms.append(make_room(shape, way, plan.carried))
        return rooms[thread]


def within_numbers(found: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """What is found, with zeros for all derivatives of a genome where some are beyond all numbers and its error is not.

    Errors stay small where units saturate, while adjoints grow with every step back; strategies take a gradient of
    zeros for none.
    """
    known = np.isfinite(found["error"])
    for name in sorted({"gradient", "curvature"} & set(found)):
        values = found[name].reshape(len(known), -1)
        found[name][known & ~np.isfinite(values).all(axis=1)] = 0.0
    return found


def update_of(online: Online | None) -> Any:
    """`kernels.online.Update` of what a strategy says."""
    from neuroevo.kernels.loops.online import Update

    if online is None:
        return Update(0.0, 0.0, 1, 0.0)
    return Update(float(online.rate), float(online.momentum), int(online.interval), float(online.clip))

"""From a problem to the arrays that kernels read, converted once per problem and part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuroevo.problems.objectives import Mean, PerStep, Squared

if TYPE_CHECKING:
    from neuroevo.problems import SequenceProblem


class ProblemData:
    """The data of a problem in the kernels' precision, with a mask per part, made when first asked for.

    Args:
        problem: The sequences.
        dtype: float32 or float64.
        n_genes: Length of a genome, for the weight decay.
    """

    def __init__(self, problem: SequenceProblem, dtype: Any, n_genes: int) -> None:
        self._problem = problem
        self._decay = problem.weight_decay / n_genes
        self._inputs = in_precision(problem.input_rows, dtype)
        self._targets = in_precision(problem.target_rows, dtype)
        self._tolerance, self._by_class = problem.learned.tolerance, problem.learned.by_class
        self._classes = problem.target_rows.argmax(axis=1).astype(dtype) if self._by_class else np.empty(0, dtype)
        self._parts: dict[str, tuple[Any, int]] = {}

    def part(self, name: str) -> tuple[Any, int]:
        """`kernels.sequences.Sequences` of a part, and how many steps of it count.

        Raises:
            ValueError: There is no such part.
        """
        if name not in self._parts:
            self._parts[name] = self._make_part(name)
        return self._parts[name]

    def outputs(self, kept: Any) -> Any:
        """`kernels.outputs.Outputs` of all steps, which writes into `kept`."""
        from neuroevo.kernels.tasks.outputs import Outputs

        problem = self._problem
        order = np.argsort(-problem.lengths, kind="stable")
        return Outputs(
            n_inputs=problem.n_inputs,
            n_outputs=problem.n_outputs,
            inputs=self._inputs,
            order=order.astype(np.int64),
            n_run=problem.lengths[order].astype(np.int64),
            starts=problem.rows.offsets[order],
            kept=kept,
        )

    def _make_part(self, name: str) -> tuple[Any, int]:
        from neuroevo.kernels.tasks.sequences import ALL, NOTHING, SOME, Sequences

        loss, weights, sum_of_weights = self._objective(name)
        rows, mask = self._problem.rows, np.ascontiguousarray(self._problem.counted_rows(name))
        some, whole = np.asarray(mask.any(axis=1)), np.asarray(mask.all(axis=1))
        n_run = rows.ends(some)
        order = np.argsort(-n_run, kind="stable")
        data = Sequences(
            n_inputs=self._problem.n_inputs,
            n_outputs=self._problem.n_outputs,
            inputs=self._inputs,
            targets=self._targets,
            counts=np.where(whole, ALL, np.where(some, SOME, NOTHING)).astype(np.uint8),
            mask=mask.view(np.uint8).ravel(),
            classes=self._classes,
            order=order.astype(np.int64),
            n_run=n_run[order].astype(np.int64),
            starts=rows.offsets[order],
            by_class=int(self._by_class),
            tolerance=float(self._tolerance),
            per_target=1.0 / sum_of_weights,
            decay=float(self._decay),
            loss=loss,
            weights=weights,
        )
        return data, int(some.sum())

    def _objective(self, name: str) -> tuple[Any, Any, float]:
        """`kernels.losses.Loss`, or None for the squared difference; the weights in it, flat; and their sum."""
        from neuroevo.kernels.tasks.losses import CODES, Loss

        problem, objective = self._problem, self._problem.objective
        if not isinstance(objective, Mean | PerStep):
            raise TypeError(f"{objective.title} has no kernel")
        counted = problem.counted_rows(name)
        where, weights = objective.where(counted), objective.weights(problem, counted)
        total = int(where.sum()) if weights is None else float(weights[where].sum())
        if isinstance(objective, Squared) and weights is None:
            return None, np.empty(0, self._inputs.dtype), total
        if isinstance(objective, PerStep):
            from neuroevo.kernels.tasks.own import cost_of

            objective.refuse_half_counted(counted)
            loss: Any = cost_of(objective.found, self._inputs.dtype, objective.sees_counted, objective.called)
        else:
            loss = Loss(CODES[objective.loss_name(problem)], float(objective.parameter or 0.0))
        every = np.ones(where.shape) if weights is None else weights
        return loss, in_precision(every, self._inputs.dtype), total


def in_precision(array: Any, dtype: Any) -> Any:
    """The numbers of an array in a kernel's precision, flat in C order."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.array(array, dtype=dtype, order="C").ravel()

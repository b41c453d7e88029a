"""From a problem with free runs to the arrays that kernels read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuroevo.evaluation.data import ProblemData, in_precision
from neuroevo.problems.free_running.responses import linear_responses, places_back, responses, teachers

if TYPE_CHECKING:
    from neuroevo.problems import SequenceProblem


class FreeRunData(ProblemData):
    """As `ProblemData`, with free runs in the place of sequences."""

    def __init__(self, problem: SequenceProblem, dtype: Any, n_genes: int) -> None:
        super().__init__(problem, dtype, n_genes)
        self._dtype, self._n_genes, self._runs = dtype, n_genes, problem.free_runs
        self._by_inputs, self._by_outputs = responses(self._runs)
        self._linear = linear_responses(self._runs)

    @property
    def n_room_rows(self) -> int:
        """Rows of `kernels.tasks.free_runs.FreeRuns.room` for each sequence of a group."""
        from neuroevo.kernels.tasks.free_runs import n_room_rows

        runs, problem = self._runs, self._problem
        sizes = max(runs.last, 0), len(runs.loop.outputs), problem.n_outputs, problem.n_inputs
        return n_room_rows(*sizes, linear=len(self._linear[0]) > 0)

    def _make_part(self, name: str) -> tuple[Any, int]:
        from neuroevo.kernels.tasks.free_runs import FreeRuns

        runs, problem = self._runs, self._problem
        judged, n_steps = ProblemData(runs.problem_of(name), self._dtype, self._n_genes).part("train")
        origins, outputs_of = runs.origins[name], runs.loop.outputs
        units = problem.scaling.target_factor
        first_outputs = {output: its[0] for its in outputs_of for output in its}
        gains = [units[output] / units[first_outputs[output]] for output in range(problem.n_outputs)]
        given = {
            "inputs": self._inputs,
            "order": np.arange(len(origins)),
            "n_run": np.full(len(origins), runs.n_known + runs.last),
            "starts": origins - (runs.n_known - 1),
            "n_known": runs.n_known,
            "first": runs.first,
            "n_judged": len(runs.judged),
            "n_free": max(runs.last, 0),
            "n_series": len(outputs_of),
            "teachers": self._real(teachers(runs, name)),
            "back": places_back(runs).ravel(),
            "gains": self._real(gains),
            "room": np.empty(0, self._dtype),
        }
        terms = {"input": self._by_inputs, "output": self._by_outputs, "linear": self._linear}
        for kind, (places, factors) in terms.items():
            given |= {f"n_{kind}_terms": len(places), f"{kind}_terms": places.ravel()}
            given |= {f"{kind}_factors": self._real(factors)}
        return FreeRuns(**{**judged._asdict(), **given}), n_steps

    def _real(self, values: Any) -> Any:
        return in_precision(values, self._dtype)

"""ByScore: any network on any problem, one genome at a time, by the problem's own definition of its error."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from neuroevo.evaluation.backends.base import Backend
from neuroevo.evaluation.base import NOTHING_MORE
from neuroevo.evaluation.cells import has_kernel
from neuroevo.evaluation.fallback import evaluate_by_score, goes_together, warn_once
from neuroevo.problems import SequenceProblem

if TYPE_CHECKING:
    from neuroevo.evaluation.precision import Precision
    from neuroevo.networks import Network
    from neuroevo.problems import Problem


class ByScore(Backend):
    """Evaluates what nothing quicker supports, in double precision and one thread."""

    def __init__(
        self,
        network: Network,
        problem: Problem,
        *,
        n_threads: int,  # noqa: ARG002
        precision: Precision,  # noqa: ARG002
    ) -> None:
        self._network, self._problem = network, problem
        self._together: bool | None = None
        if isinstance(problem, SequenceProblem) and not has_kernel(network):
            # Sequences are worth a kernel; other problems have none to miss.
            warn_once(network)

    @classmethod
    def supports(cls, network: Network, problem: Problem) -> bool:  # noqa: ARG003 - every problem has a score
        return True

    def on(self, problem: Problem) -> ByScore:
        other = copy(self)
        vars(other).update(_problem=problem)
        return other

    def evaluate(
        self,
        genomes: NDArray[Any],
        part: str,
        wants: frozenset[str] = NOTHING_MORE,  # noqa: ARG002 - it offers nothing more
    ) -> dict[str, NDArray[Any]]:
        if self._together is None and len(genomes) > 1:
            self._together = goes_together(self._network, self._problem, genomes)
        together = bool(self._together)
        error, learned = evaluate_by_score(self._network, self._problem, genomes, part, together=together)
        return {"error": error, "learned": learned}

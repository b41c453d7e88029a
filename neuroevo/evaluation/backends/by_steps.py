"""BySteps: objectives of one's own that are functions of one step, compiled into the loop over the steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.evaluation.backends.compiled import Compiled
from neuroevo.evaluation.base import NOTHING_MORE
from neuroevo.evaluation.cells import has_kernel
from neuroevo.problems import SequenceProblem
from neuroevo.problems.objectives import PerStep

if TYPE_CHECKING:
    from neuroevo.networks import Network
    from neuroevo.problems import Problem


class BySteps(Compiled):
    """Evaluates as `Compiled` does, with a function of one's own as what a step costs."""

    @classmethod
    def supports(cls, network: Network, problem: Problem) -> bool:
        if not isinstance(problem, SequenceProblem) or problem.free_run is not None:
            return False
        return isinstance(problem.objective, PerStep) and has_kernel(network)

    def evaluate(
        self,
        genomes: NDArray[Any],
        part: str,
        wants: frozenset[str] = NOTHING_MORE,
    ) -> dict[str, NDArray[Any]]:
        found = super().evaluate(genomes, part, wants)
        cast("PerStep", self._problem.objective).refuse_negative(found["error"])
        return found

    def _run(self, genomes: Any, task: Any, error: Any, right: Any) -> None:
        try:
            super()._run(genomes, task, error, right)
        except (BadInput, MemoryError):
            raise
        except Exception as raised:
            # Kernels raise nothing themselves.
            what = cast("PerStep", self._problem.objective).called
            raise BadInput(f"{what} has failed: {type(raised).__name__}: {raised}") from raised

    def _kernel(self) -> Any:
        from neuroevo.kernels.tasks import own  # noqa: F401 - it registers code

        return super()._kernel()

"""BySteps: objectives of one's own that are functions of one step, compiled into the loop over the steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from numpy.typing import NDArray

from neuroevo.evaluation.backends.compiled import Compiled
from neuroevo.evaluation.base import NOTHING_MORE
from neuroevo.problems.functions import in_words
from neuroevo.problems.objectives import PerStep

if TYPE_CHECKING:
    pass


class BySteps(Compiled):
    """Evaluates as `Compiled` does, with a function of one's own as what a step costs."""

    judges = PerStep

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
        with in_words(cast("PerStep", self._problem.objective).called):  # kernels raise nothing themselves
            super()._run(genomes, task, error, right)

    def _kernel(self) -> Any:
        from neuroevo.kernels.tasks import own  # noqa: F401 - it registers code

        return super()._kernel()

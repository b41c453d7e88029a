"""ByUnits: the kernel with the units of one genome as lanes; the same bits as `Compiled`, sooner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuroevo.evaluation import plans
from neuroevo.evaluation.backends.compiled import Compiled
from neuroevo.problems import SequenceProblem

if TYPE_CHECKING:
    from neuroevo.networks import Network
    from neuroevo.problems import Problem


class ByUnits(Compiled):
    """Evaluates genome by genome, whose weights fit into the first-level cache where those of a block do not."""

    @classmethod
    def supports(cls, network: Network, problem: Problem) -> bool:
        return isinstance(problem, SequenceProblem) and plans.suits_units(network, problem)

    def _make_plan(self) -> plans.Plan:
        return plans.plan_by_units(self._network, self._dtype)

    def _kernel(self) -> Any:
        from neuroevo.kernels.series import evaluate_by_units

        return evaluate_by_units

    def _block_size(self) -> int:
        return 1

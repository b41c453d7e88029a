"""ByUnits: the kernel with the units of one genome as lanes; the same bits as `Compiled`, sooner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuroevo.evaluation import plans
from neuroevo.evaluation.backends.compiled import Compiled
from neuroevo.problems import SequenceProblem

if TYPE_CHECKING:
    from neuroevo.evaluation.precision import Precision
    from neuroevo.networks import Network
    from neuroevo.problems import Problem


class ByUnits(Compiled):
    """Evaluates genome by genome, whose weights fit into the first-level cache where those of a block do not."""

    def __init__(self, network: Network, problem: Problem, *, n_threads: int, precision: Precision) -> None:
        super().__init__(network, problem, n_threads=n_threads, precision=precision)
        self._precision: Precision = precision
        self._by_genomes: Compiled | None = None

    def on(self, problem: SequenceProblem) -> Compiled:
        """As in `Backend`; many sequences at once are quicker with genomes as lanes."""
        if plans.suits_units(self._network, problem):
            return super().on(problem)
        if self._by_genomes is None:
            self._by_genomes = Compiled(self._network, problem, n_threads=self._n_threads, precision=self._precision)
        return self._by_genomes.on(problem)

    def close(self) -> None:
        """Stop the threads."""
        super().close()
        if self._by_genomes is not None:
            self._by_genomes.close()

    @classmethod
    def supports(cls, network: Network, problem: Problem) -> bool:
        return isinstance(problem, SequenceProblem) and plans.suits_units(network, problem)

    def _make_plan(self) -> plans.Plan:
        return plans.plan_by_units(self._network, self._dtype)

    def _kernel(self) -> Any:
        from neuroevo.kernels.loops.series import evaluate_by_units

        return evaluate_by_units

    def _block_size(self) -> int:
        return 1

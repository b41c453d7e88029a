"""ByCrbp: causal recursive backpropagation for locally recurrent networks, beside all that `ByAdjoints` can."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.evaluation.backends.by_adjoints import ByAdjoints, update_of, within_numbers
from neuroevo.evaluation.base import NOTHING_MORE
from neuroevo.evaluation.learning import Learning
from neuroevo.evaluation.memory import require
from neuroevo.networks import LocallyRecurrent

if TYPE_CHECKING:
    from neuroevo.networks import Network
    from neuroevo.problems import Problem


class ByCrbp(ByAdjoints):
    """Gradients by recursive backpropagation, and genomes that moved while the sequences ran.

    Online, the sequences run one after the other in the order of the data, each from the state zero; the errors told
    are those of the genomes at the end.
    """

    @classmethod
    def supports(cls, network: Network, problem: Problem) -> bool:
        return type(network) is LocallyRecurrent and super().supports(network, problem)

    @classmethod
    def methods(cls, network: Network) -> frozenset[str]:
        """As in `Backend`; "crbp" needs units whose slope is a number of each, which a softmax fed back has not."""
        mixed = isinstance(network, LocallyRecurrent) and network.dynamic_output and network.feedback == "output"
        known = super().methods(network)
        return known if mixed and network.output_activation == "softmax" else known | {"crbp"}

    def evaluate(
        self,
        genomes: NDArray[Any],
        part: str,
        wants: frozenset[str] = NOTHING_MORE,
        learning: Learning | None = None,
    ) -> dict[str, NDArray[Any]]:
        if not wants or learning is None or learning.method != "crbp":
            return super().evaluate(genomes, part, wants, learning)
        if learning.truncation:
            raise BadInput(f"crbp is truncated by its delay, got truncation = {learning.truncation}: set delay alone")
        if len(wants) > 1 or "curvature" in wants:
            raise BadInput(f"crbp finds a gradient or refined genomes, one at a time, got wants={sorted(wants)}")
        if ("refined" in wants) != (learning.online is not None):
            raise BadInput("crbp refines genomes with learning.online, and without it finds gradients")
        found = self._find(genomes, part, learning)
        told = found if "refined" in wants else genomes
        return within_numbers({**super().evaluate(told, part), next(iter(wants)): found})

    def _find(self, genomes: NDArray[Any], part: str, learning: Learning) -> NDArray[Any]:
        """``(n, n_genes)``: gradients, or genomes after an online pass."""
        from neuroevo.kernels.loops.crbp import crbp, make_room
        from neuroevo.kernels.loops.crbp_layers import horizon_of, n_vectors

        task, _ = self._data.part(part)
        plan, found = self._plan, np.empty(genomes.shape)
        horizon = horizon_of(plan.cell, min(learning.delay, int(task.n_run[0]) - 1))
        update = update_of(learning.online)
        turns, n_packed = np.argsort(task.order).astype(np.int64), len(plan.packing.genes)
        require(64 * self._n_threads * n_vectors(plan.cell, horizon, n_packed), "the working memory of crbp")

        def work(thread: int, counter: NDArray[np.int64]) -> None:  # noqa: ARG001 - memory is made for each call
            room = make_room(plan.cell, horizon, n_packed, self._dtype)
            crbp(plan.cell, plan.packing, task, turns, genomes, room, horizon, update, counter, found)

        self._share(work, len(genomes))
        # With a rate of 0 the kernel finds gradients, and genomes stay where they are.
        return genomes.copy() if learning.online is not None and update.rate == 0.0 else found

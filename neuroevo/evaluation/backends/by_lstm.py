"""ByLstm: the truncated gradient of the first LSTM, beside all that `ByAdjoints` can."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.evaluation.backends.by_adjoints import ByAdjoints
from neuroevo.evaluation.base import NOTHING_MORE
from neuroevo.networks import Lstm

if TYPE_CHECKING:
    from neuroevo.evaluation.learning import Learning, Online
    from neuroevo.evaluation.precision import Precision
    from neuroevo.networks import Network
    from neuroevo.problems import Problem


class ByLstm(ByAdjoints):
    """Gradients that end at the gates (kernels, `cells.gated_back`), and weights that follow while sequences run."""

    def __init__(self, network: Network, problem: Problem, *, n_threads: int, precision: Precision) -> None:
        super().__init__(network, problem, n_threads=n_threads, precision=precision)
        self._desks: list[Any] = []

    @classmethod
    def supports(cls, network: Network, problem: Problem) -> bool:
        return type(network) is Lstm and super().supports(network, problem)

    @classmethod
    def methods(cls, network: Network) -> frozenset[str]:
        """As in `Backend`; the truncated gradient is that of one layer."""
        known = super().methods(network)
        return known | {"lstm_truncated"} if isinstance(network, Lstm) and network.n_layers == 1 else known

    def evaluate(
        self,
        genomes: NDArray[Any],
        part: str,
        wants: frozenset[str] = NOTHING_MORE,
        learning: Learning | None = None,
    ) -> dict[str, NDArray[Any]]:
        if not wants or learning is None or learning.method != "lstm_truncated":
            return super().evaluate(genomes, part, wants, learning)
        if wants == {"gradient"} and learning.online is None:
            plan = self._plan._replace(cell=self._plan.cell._replace(truncated=1))
            return self._by_bptt(genomes, part, learning.truncation, plan)
        if wants == {"refined"} and learning.online is not None:
            refined = self._learnt(genomes, part, learning.online)
            return {**super().evaluate(refined, part), "refined": refined}
        raise BadInput("the truncated gradient of an LSTM comes without learning.online, and refined genomes with it")

    def _learnt(self, genomes: NDArray[Any], part: str, online: Online) -> NDArray[Any]:
        """The genomes after learning while the sequences ran."""
        from neuroevo.kernels.loops.lstm_online import learn, make_desk, make_pace

        plan, refined = self._plan, np.empty(genomes.shape)
        task, _ = self._data.part(part)
        pace = make_pace(plan.packing, task.order, online.rate, online.momentum, online.clip, online.interval)

        def work(thread: int, counter: NDArray[np.int64]) -> None:
            while len(self._desks) <= thread:
                self._desks.append(make_desk(plan.cell, len(plan.packing.genes), self._dtype))
            learn(plan.cell, plan.packing, task, genomes, self._desks[thread], pace, counter, refined)

        self._share(work, len(genomes))
        return refined

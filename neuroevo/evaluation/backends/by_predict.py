"""ByPredict: any network, one genome at a time, by its own `predict`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from neuroevo.evaluation.backends.base import Backend
from neuroevo.evaluation.base import NOTHING_MORE
from neuroevo.evaluation.fallback import evaluate_by_predict, warn_once

if TYPE_CHECKING:
    from neuroevo.evaluation.precision import Precision
    from neuroevo.networks import Network
    from neuroevo.problems import SequenceProblem


class ByPredict(Backend):
    """Evaluates what has no kernel, in double precision and one thread."""

    def __init__(
        self,
        network: Network,
        problem: SequenceProblem,
        *,
        n_threads: int,  # noqa: ARG002
        precision: Precision,  # noqa: ARG002
    ) -> None:
        self._network, self._problem = network, problem
        warn_once(network)

    @classmethod
    def supports(cls, network: Network, problem: SequenceProblem) -> bool:  # noqa: ARG003 - every network can predict
        return True

    def evaluate(
        self,
        genomes: NDArray[Any],
        part: str,
        wants: frozenset[str] = NOTHING_MORE,  # noqa: ARG002 - it offers nothing more
    ) -> dict[str, NDArray[Any]]:
        error, learned = evaluate_by_predict(self._network, self._problem, genomes, part)
        return {"error": error, "learned": learned}

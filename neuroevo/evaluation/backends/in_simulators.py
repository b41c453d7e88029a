"""InSimulators: simulators of one's own whose functions are compiled together with the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from neuroevo.evaluation.backends.in_worlds import InWorlds
from neuroevo.evaluation.base import NOTHING_MORE
from neuroevo.evaluation.cells import has_kernel
from neuroevo.problems.control.compiled import CompiledSimulator
from neuroevo.problems.functions import in_words

if TYPE_CHECKING:
    from neuroevo.evaluation.precision import Precision
    from neuroevo.networks import Network
    from neuroevo.problems import Problem


class InSimulators(InWorlds):
    """Plays as `InWorlds` does; what is wrong with the functions is said in words."""

    def __init__(self, network: Network, problem: Problem, *, n_threads: int, precision: Precision) -> None:
        super().__init__(network, problem, n_threads=n_threads, precision=precision)
        if not isinstance(problem, CompiledSimulator):
            raise TypeError(f"{type(problem).__name__} is no simulator of one's own")
        self._simulator = problem

    @classmethod
    def supports(cls, network: Network, problem: Problem) -> bool:
        return isinstance(problem, CompiledSimulator) and has_kernel(network)

    def evaluate(
        self,
        genomes: NDArray[Any],
        part: str,
        wants: frozenset[str] = NOTHING_MORE,
    ) -> dict[str, NDArray[Any]]:
        with in_words(self._simulator.called):  # kernels raise nothing themselves
            found = super().evaluate(genomes, part, wants)
        self._simulator.refuse_negative(found["error"])
        return found

    def _world(self, part: str) -> Any:
        from neuroevo.kernels.worlds.simulated import check_functions

        if part not in self._worlds:
            check_functions(super()._world(part), self._dtype, self._simulator.called)
        return self._worlds[part]

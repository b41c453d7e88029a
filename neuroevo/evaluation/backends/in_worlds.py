"""InWorlds: control problems whose world is compiled, with genomes as lanes that play one episode after the other."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.evaluation.backends.compiled import Compiled
from neuroevo.evaluation.base import NOTHING_MORE
from neuroevo.evaluation.cells import has_kernel
from neuroevo.evaluation.memory import require
from neuroevo.evaluation.precision import type_of
from neuroevo.problems.control.base import EpisodeProblem

if TYPE_CHECKING:
    from neuroevo.evaluation.precision import Precision
    from neuroevo.networks import Network
    from neuroevo.problems import Problem


class InWorlds(Compiled):
    """Plays the episodes of blocks of genomes; threads take the blocks from one counter."""

    def __init__(self, network: Network, problem: Problem, *, n_threads: int, precision: Precision) -> None:
        if not isinstance(problem, EpisodeProblem):
            raise TypeError(f"{type(problem).__name__} is not made of episodes")
        self._network, self._n_threads, self._episodes = network, n_threads, problem
        self._dtype = type_of(precision)
        self._plan = self._make_plan()
        self._worlds: dict[str, Any] = {}
        self._rooms: dict[int, list[Any]] = {}
        self._pool = None

    @classmethod
    def supports(cls, network: Network, problem: Problem) -> bool:
        return isinstance(problem, EpisodeProblem) and problem.has_world and has_kernel(network)

    def on(self, problem: Problem) -> InWorlds:
        if not isinstance(problem, EpisodeProblem):
            raise TypeError(f"{type(problem).__name__} is not made of episodes")
        if self._n_threads > 1:
            self._threads()
        other = copy(self)
        vars(other).update(_episodes=problem, _worlds={})
        return other

    def evaluate(
        self,
        genomes: NDArray[Any],
        part: str,
        wants: frozenset[str] = NOTHING_MORE,  # noqa: ARG002 - it offers nothing more
    ) -> dict[str, NDArray[Any]]:
        self._episodes.check_part(part)
        world, plan, play = self._world(part), self._plan, self._kernel()
        error, solved = (np.empty((len(genomes), world.n_episodes)) for _ in range(2))

        def work(thread: int, counter: NDArray[np.int64]) -> None:
            play(plan.cell, plan.packing, world, genomes, self._room(world.n_rows, thread), counter, error, solved)

        self._share(work, len(genomes))
        means = [_mean(error), _mean(solved)]
        means[0][~np.isfinite(genomes).all(axis=1)] = np.inf
        return dict(zip(("error", "learned"), means, strict=True))

    def _world(self, part: str) -> Any:
        if part not in self._worlds:
            self._worlds[part] = self._episodes.world(part)
        return self._worlds[part]

    def _kernel(self) -> Any:
        from neuroevo.kernels.loops.control import play

        return play

    def _no_work(self) -> tuple[Any, ...]:
        """Arguments of the kernel with an empty population."""
        world, genomes, nothing = self._world("train"), np.empty((0, self._network.n_genes)), np.empty((0, 1))
        room, counter = self._room(world.n_rows, 0), np.zeros(1, np.int64)
        return self._plan.cell, self._plan.packing, world, genomes, room, counter, nothing, nothing

    def _room(self, n_world_rows: int, thread: int) -> Any:
        """The working memory of a thread, kept from one generation to the next."""
        from neuroevo.kernels.loops.control import make_room, n_numbers

        rooms = self._rooms.setdefault(n_world_rows, [])
        sizes = len(self._plan.packing.genes), self._plan.n_rows, n_world_rows
        while len(rooms) <= thread:
            require(64 * n_numbers(*sizes), "the working memory of a thread")
            rooms.append(make_room(*sizes, self._dtype))
        return rooms[thread]


def _mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means over episodes, added in their order whatever numpy's own sums do."""
    total = np.zeros(len(values))
    for column in values.T:
        total += column
    return np.divide(total, values.shape[1], out=total)

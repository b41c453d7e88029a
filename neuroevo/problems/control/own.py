"""Simulator: episodes that a Python function of one's own plays."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge

from neuroevo.errors import BadInput
from neuroevo.networks import Player
from neuroevo.problems.control.base import Chosen, FloatArray, Played
from neuroevo.problems.control.drawn import DrawnEpisodes
from neuroevo.problems.functions import call, check_place, found

if TYPE_CHECKING:
    from neuroevo.networks import Network


@dataclass(frozen=True, kw_only=True)
class Simulator(DrawnEpisodes):
    """A simulator of one's own: a Python function that plays an episode with a network.

    ``function(player, rng)`` asks ``player.step(inputs)`` as often as it likes and returns the error of the episode, a
    number of at least 0, or the error and whether the episode was solved. All that is drawn comes from `rng`, a
    `numpy.random.Generator` of the episode, so that every genome meets the same episodes. With `together` it is called
    once for all episodes of a part, ``function(player, rngs)``: `player.step` takes ``(n_episodes, n_inputs)``, and
    errors and successes are arrays ``(n_episodes,)``. An error that is not finite is a failed evaluation.

    Attributes:
        function: Where it is found, "module:function".
        n_inputs: Inputs that it gives to networks.
        n_outputs: Outputs that it wants.
        together: Whether it plays all episodes side by side.
    """

    kind: ClassVar[str] = "simulator"

    function: str
    n_inputs: Annotated[int, Ge(1)]
    n_outputs: Annotated[int, Ge(1)]
    together: bool = False

    def __post_init__(self) -> None:
        check_place(self.function, "a simulator")

    @property
    def error_name(self) -> str:  # type: ignore[override]
        return f"error of {self.function.rpartition(':')[2]}"

    @property
    def called(self) -> str:
        """What messages call it."""
        return f"the simulator {self.function}"

    def build(self, folder: Path) -> Simulator:  # noqa: ARG002 - the function is found by Python
        found(self.function, "the simulator")
        return self

    def play(self, network: Network, genome: FloatArray, part: str, episodes: Chosen = None) -> Played:
        function: Any = found(self.function, "the simulator")
        rngs = [np.random.default_rng(seed) for seed in self.seeds(part, episodes)]
        if self.together:
            player = Player(network, genome, len(rngs))
            error, solved = self._checked(call(self.called, function, player, rngs), len(rngs))
            return Played(error, solved, np.full(len(rngs), player.n_steps))
        played = []
        for rng in rngs:
            player = Player(network, genome)
            error, solved = self._checked(call(self.called, function, player, rng), 1)
            played.append((error[0], solved[0], player.n_steps))
        errors, successes, steps = zip(*played, strict=True)
        return Played(np.array(errors), np.array(successes), np.array(steps, np.int64))

    def _checked(self, result: Any, n: int) -> tuple[FloatArray, FloatArray]:
        """Errors and successes of `n` episodes, from what the function has returned."""
        error, solved = result if isinstance(result, tuple) and len(result) == 2 else (result, np.zeros(n))
        arrays = [np.asarray(values) for values in (error, solved)]
        wanted = {(n,)} if self.together else {(), (1,)}
        if any(array.dtype.kind not in "fiub" or array.shape not in {*wanted, (n,)} for array in arrays):
            raise BadInput(
                f"{self.function} must return {f'{n} errors' if self.together else 'an error'}, or that and what was "
                f"solved, as real numbers; it returned {result!r:.80}"
            )
        errors, successes = (np.atleast_1d(array).astype(np.float64) for array in arrays)
        if (errors < 0).any():
            raise BadInput(f"{self.function} must return errors of at least 0, got {errors.min():g}")
        return errors, (successes != 0).astype(np.float64)

    def describe(self) -> str:
        return f"{self.function}: {self.counts()}"

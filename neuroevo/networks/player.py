"""A network at work, one step after the other, for whoever closes the loop by himself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroevo.checks import whole_number
from neuroevo.errors import BadInput
from neuroevo.networks.populations import mapped

if TYPE_CHECKING:
    from neuroevo.networks.base import Network


class Player:
    """A network with the weights of a genome, and the state that it has reached.

    Args:
        network: What the genome means.
        genome: ``(n_genes,)``.
        n_episodes: Episodes that run side by side, each with a state of its own.

    Attributes:
        network: As given.
        n_episodes: As given.
        n_steps: Steps since the beginning, or the last `reset` of all episodes.

    Raises:
        BadInput: The genome does not fit the network, or the network sees whole sequences alone.
    """

    def __init__(self, network: Network, genome: ArrayLike, n_episodes: int = 1) -> None:
        self.network = network
        self.n_episodes = whole_number("n_episodes", n_episodes)
        self._arrays = network.layout.decode(genome)
        self.reset()

    def reset(self, episodes: ArrayLike | None = None) -> None:
        """Begin anew: the state is that before the first step.

        Args:
            episodes: ``(n_episodes,)`` truth values, which of them begin anew while the others go on; None: all.

        Raises:
            BadInput: They have another shape or are no truth values.
        """
        start = self.network.start(self._arrays, self.n_episodes)
        if episodes is None:
            self.n_steps, self._state = 0, start
            return
        chosen = np.asarray(episodes)
        if chosen.shape != (self.n_episodes,) or chosen.dtype != np.bool_:
            raise BadInput(
                f"episodes must be {self.n_episodes} truth values, got {chosen.dtype} of shape {chosen.shape}"
            )

        def begun(old: NDArray[Any], new: NDArray[Any]) -> NDArray[Any]:
            # What has no axis of episodes is the same for all of them and at any time.
            if new.shape[:1] != chosen.shape:
                return old
            return np.where(chosen.reshape(-1, *[1] * (new.ndim - 1)), new, old)

        self._state = mapped(begun, self._state, start)

    def step(self, inputs: ArrayLike) -> NDArray[np.float64]:
        """The outputs of the next step.

        Args:
            inputs: ``(n_inputs,)`` of a single episode, or ``(n_episodes, n_inputs)``.

        Returns:
            ``(n_outputs,)`` or ``(n_episodes, n_outputs)``.

        Raises:
            BadInput: The inputs have another shape.
        """
        given = np.asarray(inputs, dtype=np.float64)
        block = given[np.newaxis] if given.ndim == 1 else given
        if block.shape != (self.n_episodes, self.network.n_inputs):
            raise BadInput(
                f"inputs must have shape ({self.n_episodes}, {self.network.n_inputs}), one row an episode, or "
                f"({self.network.n_inputs},) of a single one; got {given.shape}"
            )
        with np.errstate(over="ignore", invalid="ignore"):
            outputs, self._state = self.network.advance(self._arrays, self._state, block)
        self.n_steps += 1
        return outputs[0] if given.ndim == 1 else outputs

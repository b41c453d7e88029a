"""A network at work, one step after the other, for whoever closes the loop by himself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroevo.checks import whole_number
from neuroevo.errors import BadInput

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
        n_steps: Steps since the beginning, or the last `reset`.

    Raises:
        BadInput: The genome does not fit the network, or the network sees whole sequences alone.
    """

    def __init__(self, network: Network, genome: ArrayLike, n_episodes: int = 1) -> None:
        self.network = network
        self.n_episodes = whole_number("n_episodes", n_episodes)
        self._arrays = network.layout.decode(genome)
        self.reset()

    def reset(self) -> None:
        """Begin anew: the state is that before the first step."""
        self.n_steps = 0
        self._state = self.network.start(self._arrays, self.n_episodes)

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

"""Genomes of one network that act side by side, each in episodes of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.networks.base import Array, Network
from neuroevo.networks.populations import mapped, sees_single_steps, stacked

_TRIED, _TRIED_STEPS = 3, 12
"""Genomes and steps on which is tried out whether a network can do several at once."""


class Players(ABC):
    """Genomes that act side by side; they may leave and others join after any step."""

    @abstractmethod
    def step(self, inputs: Array) -> Array:
        """``(n, n_episodes, n_outputs)``: what `Network.advance` gives each genome, to the last bit.

        Args:
            inputs: ``(n, n_episodes, n_inputs)`` float64.
        """

    @abstractmethod
    def replace(self, stays: NDArray[np.bool_], genomes: Array) -> None:
        """Go on with some in their order, and after them genomes that begin.

        Args:
            stays: ``(n,)``.
            genomes: ``(n_new, n_genes)``; somebody stays or begins.
        """


class OneByOne(Players):
    """Each genome alone.

    Args:
        network: What genomes mean.
        genomes: ``(n, n_genes)``, those that begin.
        n_episodes: Episodes of each, with a state of their own.
    """

    def __init__(self, network: Network, genomes: Array, n_episodes: int) -> None:
        self._network, self._n_episodes = network, n_episodes
        self._players = self._started(genomes)

    def step(self, inputs: Array) -> Array:
        with np.errstate(all="ignore"):
            found = [
                self._network.advance(arrays, state, block)
                for (arrays, state), block in zip(self._players, inputs, strict=True)
            ]
        self._players = [(arrays, state) for (arrays, _), (_, state) in zip(self._players, found, strict=True)]
        return np.stack([outputs for outputs, _ in found])

    def replace(self, stays: NDArray[np.bool_], genomes: Array) -> None:
        kept = [player for player, chosen in zip(self._players, stays, strict=True) if chosen]
        self._players = kept + self._started(genomes)

    def _started(self, genomes: Array) -> list[tuple[dict[str, Array], Any]]:
        decoded = [self._network.layout.decode(genome) for genome in genomes]
        return [(arrays, self._network.start(arrays, self._n_episodes)) for arrays in decoded]


class Together(Players):
    """All genomes in one call of `Network.advance`, whose arrays get a leading axis for them."""

    def __init__(self, network: Network, genomes: Array, n_episodes: int) -> None:
        self._network, self._n_episodes = network, n_episodes
        self._arrays, self._state = self._started(genomes)

    def step(self, inputs: Array) -> Array:
        with np.errstate(all="ignore"):
            outputs, self._state = self._network.advance(self._arrays, self._state, inputs)
        return outputs

    def replace(self, stays: NDArray[np.bool_], genomes: Array) -> None:
        parts = [mapped(lambda array: array[stays], (self._arrays, self._state))] if stays.any() else []
        if len(genomes):
            parts.append(self._started(genomes))
        self._arrays, self._state = mapped(lambda *arrays: np.concatenate(arrays), *parts)

    def _started(self, genomes: Array) -> tuple[dict[str, Array], Any]:
        arrays = stacked(self._network, genomes)
        alone = self._network.start(self._network.layout.decode(genomes[0]), self._n_episodes)
        # A state that no gene decides has no axis for genomes yet.
        state = mapped(
            lambda one, every: np.broadcast_to(every, (len(genomes), *one.shape)),
            alone,
            self._network.start(arrays, self._n_episodes),
        )
        return arrays, state


def players(network: Network, genomes: Array, n_episodes: int) -> Players:
    """Genomes that begin: together where that gives each the bits that it has alone, else one by one.

    Args:
        network: What genomes mean.
        genomes: ``(n, n_genes)`` float64, at least one.
        n_episodes: Episodes of each.

    Raises:
        BadInput: The network sees whole sequences alone.
    """
    kind = Together if _go_together(network, n_episodes) else OneByOne
    return kind(network, genomes, n_episodes)


@lru_cache(maxsize=64)
def _go_together(network: Network, n_episodes: int) -> bool:
    if not sees_single_steps(network):
        return False
    rng = np.random.default_rng(0)
    genomes = rng.normal(size=(_TRIED, network.n_genes))
    inputs = rng.normal(size=(_TRIED_STEPS, _TRIED, n_episodes, network.n_inputs))
    stays = np.arange(_TRIED) != 1
    try:
        found = []
        for kind in (OneByOne, Together):
            tried = kind(network, genomes, n_episodes)
            first = [tried.step(block) for block in inputs]
            tried.replace(stays, genomes[:1])
            found.append(np.array(first + [tried.step(block) for block in inputs]))
    # Code that is written for one genome may fail in any way with more of them.
    except Exception:
        return False
    alone, together = found
    return np.array_equal(alone, together, equal_nan=True)

"""A population at once through networks that are written for one genome, where their steps allow it.

Each array of the network gets a leading axis of genomes, and vectors another one for the sequences, so that
``x @ W.mT + b`` means for a population what it means for one genome. NumPy multiplies stacked matrices one by one, so
every genome has the bits that it has alone; whether that holds for a network is tried out on its first genomes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.networks.base import Array, Network

TRIED, TRIED_STEPS = 3, 20
"""Genomes, and steps of each sequence, on which is tried out whether a network can do it."""


def sees_single_steps(network: Network) -> bool:
    """Whether outputs follow from the network's `start` and `advance` alone."""
    names = "predict", "predict_rows", "_run"
    # By name: something that only looks like a network may lack them.
    return all(getattr(type(network), name, None) is getattr(Network, name) for name in names)


def predict_population(network: Network, population: Array, rows: Array, lengths: NDArray[np.int64]) -> Array:
    """``(n, n_rows, n_outputs)``: what `predict_rows` gives for each genome.

    Args:
        network: One that `does_populations`.
        population: ``(n, n_genes)``.
        rows: ``(n_rows, n_inputs)`` float64, finite.
        lengths: ``(n_sequences,)`` int64 that sum up to n_rows.
    """
    arrays = stacked(network, population)
    starts = np.cumsum(lengths) - lengths
    block, state = np.zeros((len(lengths), network.n_inputs)), network.start(arrays, len(lengths))
    outputs = np.empty((len(population), len(rows), network.n_outputs))
    with np.errstate(all="ignore"):
        for step in range(int(lengths.max())):
            lasting = lengths > step
            at = starts[lasting] + step
            block[lasting], block[~lasting] = rows[at], 0.0
            found, state = network.advance(arrays, state, block)
            outputs[:, at] = found[:, lasting]
    return outputs


def stacked(network: Network, population: Array) -> dict[str, Array]:
    """The arrays of genomes ``(n, n_genes)`` with a leading axis for them, vectors with one more for the sequences."""
    decoded = [network.layout.decode(genome) for genome in population]
    arrays = {name: np.stack([each[name] for each in decoded]) for name in network.layout.names}
    return {name: array[:, None] if array.ndim == 2 else array for name, array in arrays.items()}


def does_populations(network: Network, population: Array, rows: Array, lengths: NDArray[np.int64]) -> bool:
    """Whether the network gives the first genomes of a population the outputs together that they have alone."""
    some, short = population[:TRIED], np.minimum(lengths, TRIED_STEPS)
    if len(some) < 2 or not sees_single_steps(network):
        return False
    steps = np.arange(len(rows)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    first = rows[steps < TRIED_STEPS]
    try:
        together = predict_population(network, some, first, short)
        alone = np.stack([network.predict_rows(genome, first, short) for genome in some])
    # Code that is written for one genome may fail in any way with more of them.
    except Exception:
        return False
    return np.array_equal(together, alone, equal_nan=True)


def mapped(function: Callable[..., Array], *trees: Any) -> Any:
    """Nested tuples, lists and dicts of arrays like the first tree, with `function` of the arrays at the same place."""
    first = trees[0]
    if isinstance(first, dict):
        return {name: mapped(function, *(tree[name] for tree in trees)) for name in first}
    if isinstance(first, tuple | list):
        branches = [mapped(function, *branches) for branches in zip(*trees, strict=True)]
        return type(first)(*branches) if hasattr(first, "_fields") else type(first)(branches)
    return function(*trees)

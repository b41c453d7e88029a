"""The weights of one block of genomes, turned so that a vector holds the same weight of all genomes of the block.

A cell says once, as a list of slots, in which order its kernel reads the weights: `[unit block][source][unit in
block]`. A slot is an entry of the network's weight arrays; it has a gene, or a fixed value. Packing follows the list
for a block of genomes into scratch memory; the population is never packed as a whole.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroevo.kernels.compilation import helper
from neuroevo.kernels.processor import TILE_UNITS


class Packing(NamedTuple):
    """What each packed weight is.

    Attributes:
        genes: ``(n_packed,)`` int64, index of the gene, or -1.
        fixed: ``(n_packed,)`` float64, the value where there is no gene, else 0.
    """

    genes: NDArray[np.int64]
    fixed: NDArray[np.float64]


def packing(order: NDArray[np.int64], slots: NDArray[np.int64], fixed_values: NDArray[np.float64]) -> Packing:
    """The packing of an order ``(n_packed,)`` of slots; -1 in the order is a weight that is always 0."""
    exists = order >= 0
    genes = np.where(exists, slots[order], -1)
    fixed = np.where(exists & (genes < 0), fixed_values[order], 0.0)
    return Packing(np.ascontiguousarray(genes, dtype=np.int64), np.ascontiguousarray(fixed))


def unit_blocks(rows: NDArray[np.int64], block: int = TILE_UNITS) -> NDArray[np.int64]:
    """Order of a matrix ``(n_units, n_sources)`` of slots: blocks of units, in each source by source.

    The last block holds the units that remain and no padding.
    """
    pieces = [rows[first : first + block].T.ravel() for first in range(0, len(rows), block)]
    return np.concatenate(pieces) if pieces else np.empty(0, np.int64)


@helper
def pack(genes, fixed, population, first, weights, n_lanes):
    """Weights of the genomes from row `first` on; lanes beyond the population repeat its last genome."""
    last = population.shape[0] - 1
    for lane in range(n_lanes):
        genome = population[min(first + lane, last)]
        for k in range(genes.size):
            gene = genes[k]
            weights[k * n_lanes + lane] = genome[gene] if gene >= 0 else fixed[k]

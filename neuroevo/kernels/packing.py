"""The weights of one block of genomes, turned so that a vector holds the same weight of all genomes of the block.

A cell says once, as a list of slots, in which order its kernel reads the weights: `[unit block][source][unit in
block]`. A slot is an entry of the network's weight arrays; it has a gene, or a fixed value. Packing follows the list
for a block of genomes into scratch memory; the population is never packed as a whole.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroevo.kernels.compilation import called
from neuroevo.kernels.processor import BLOCK_UNITS
from neuroevo.kernels.vectors import broadcast, gather, load, peek, poke, store, view


class Packing(NamedTuple):
    """What each packed weight is.

    Attributes:
        genes: ``(n_packed,)`` int64, index of the gene, or -1.
        fixed: ``(n_packed,)`` float64, the value where there is no gene, else 0.
        factors: ``(n_packed,)`` float64, what the weight is multiplied by.
    """

    genes: NDArray[np.int64]
    fixed: NDArray[np.float64]
    factors: NDArray[np.float64]


class Order(NamedTuple):
    """The order in which a cell reads the weights.

    Attributes:
        slots: ``(n_packed,)`` int64; -1 is a weight that is always 0.
        factors: ``(n_packed,)`` float64.
    """

    slots: NDArray[np.int64]
    factors: NDArray[np.float64]


def packing(order: Order, slots: NDArray[np.int64], fixed_values: NDArray[np.float64]) -> Packing:
    """The packing of a cell's order for a layout's slots and fixed values."""
    exists = order.slots >= 0
    genes = np.where(exists, slots[order.slots], -1)
    fixed = np.where(exists & (genes < 0), fixed_values[order.slots], 0.0)
    return Packing(genes.astype(np.int64), fixed, np.ascontiguousarray(order.factors, dtype=np.float64))


def plain_order(pieces: list[NDArray[np.int64]]) -> Order:
    """These slots one after the other, as they are."""
    slots = np.concatenate([piece.ravel() for piece in pieces])
    return Order(slots, np.ones(slots.size))


def unit_blocks(rows: NDArray[np.int64], block: int = BLOCK_UNITS) -> NDArray[np.int64]:
    """Order of a matrix ``(n_units, n_sources)`` of slots: blocks of units, in each source by source.

    The last block holds the units that remain and no padding.
    """
    pieces = [rows[first : first + block].T.ravel() for first in range(0, len(rows), block)]
    return np.concatenate(pieces) if pieces else np.empty(0, np.int64)


@called
def pack(packing, population, first, weights, width):
    """Weights of the genomes from row `first` on; lanes beyond the population repeat its last genome."""
    n_genomes, n_genes = population.shape
    genes, fixed, factors, genomes = view(packing.genes), view(packing.fixed), view(packing.factors), view(population)
    for k in range(packing.genes.size):
        gene, factor = peek(genes, k), peek(factors, k)
        if gene < 0:
            store(weights, k * width, broadcast(weights, peek(fixed, k) * factor))
        elif first + width <= n_genomes:
            value = gather(weights, genomes, first * n_genes + gene, n_genes)
            store(weights, k * width, value * broadcast(weights, factor))
        else:
            for lane in range(width):
                row = min(first + lane, n_genomes - 1)
                poke(weights, k * width + lane, peek(genomes, row * n_genes + gene))
            store(weights, k * width, load(weights, k * width) * broadcast(weights, factor))


@called
def unpack_gradient(packing, packed, first, n_genomes, gradient):
    """The derivatives by genes, from those by packed weights ``(n_packed * width,)``, into rows from `first` on.

    A gene that stands in several places gets the sum, in the order of packing.
    """
    n_packed = packing.genes.size
    width = packed.size // max(1, n_packed)
    gradient[first : first + n_genomes] = 0.0
    for k in range(n_packed):
        gene, factor = packing.genes[k], packing.factors[k]
        if gene >= 0:
            for lane in range(n_genomes):
                gradient[first + lane, gene] += packed[k * width + lane] * factor

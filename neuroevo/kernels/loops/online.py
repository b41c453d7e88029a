"""Weights that move while a sequence runs: steps down the gradient since the last one, genome by genome."""

from __future__ import annotations

import math
from typing import NamedTuple

from neuroevo.kernels.compilation import called, inlined
from neuroevo.kernels.packing import pack, unpack_gradient
from neuroevo.kernels.vectors import lanes


class Update(NamedTuple):
    """How weights move while a sequence runs; a rate of 0 is for none, and the gradient is what is wanted.

    Attributes:
        rate: Step by gradient of the losses, summed up since the last step.
        momentum: Share of the last step.
        interval: Steps of the sequence between two steps of the weights.
        clip: Largest norm of such a gradient; 0 for none.
    """

    rate: float
    momentum: float
    interval: int
    clip: float


@inlined
def _factor(slopes, lane, clip):
    """What shortens a gradient to the norm `clip`."""
    square = 0.0
    for gene in range(slopes.shape[1]):
        square += slopes[lane, gene] * slopes[lane, gene]
    return clip / math.sqrt(square) if square > clip * clip else 1.0


@called
def move(packing, total, genes, slopes, moves, update, weights):
    """Move the genes of a block of genomes down their gradient, and pack their weights anew.

    Args:
        packing: `Packing`.
        total: ``(n_packed * lanes,)`` float64, the gradient of the packed weights.
        genes: ``(lanes, n_genes)`` float64, changed.
        slopes: ``(lanes, n_genes)`` float64, written.
        moves: ``(lanes, n_genes)`` float64, the last change, changed.
        update: `Update`.
        weights: View of the packed weights, written.
    """
    width = lanes(weights)
    unpack_gradient(packing, total, 0, width, slopes)
    for lane in range(width):
        factor = _factor(slopes, lane, update.clip) if update.clip > 0.0 else 1.0
        for gene in range(genes.shape[1]):
            moves[lane, gene] = update.momentum * moves[lane, gene] + update.rate * (factor * slopes[lane, gene])
            genes[lane, gene] -= moves[lane, gene]
    pack(packing, genes, 0, weights, width)

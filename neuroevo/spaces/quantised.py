"""Weights of few bits with a scale for each array, found with the strategies for real numbers.

References:
    F. Li, B. Liu et al.: Ternary weight networks (2016), https://arxiv.org/abs/1605.04711: threshold and scale.
    M. Rastegari, V. Ordonez, J. Redmon, A. Farhadi: XNOR-Net. ECCV (2016), eq. 6: the scale of binary weights.
    M. Courbariaux, Y. Bengio, J.-P. David: BinaryConnect. NeurIPS (2015): real weights behind those of few bits.
    Y. Bengio, N. Leonard, A. Courville: Estimating or propagating gradients through stochastic neurons (2013),
    https://arxiv.org/abs/1308.3432: the straight-through estimator.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from neuroevo.spaces.base import FloatArray, SearchSpace

if TYPE_CHECKING:
    from neuroevo.networks import Network
    from neuroevo.problems import Problem

Levels = Literal["binary", "ternary", "int4", "int8"]

_MATRICES = ("input", "recurrent", "output", "links", "feedback")
_LARGEST = {"int4": 7.0, "int8": 127.0}
_THRESHOLD = 0.7
_IN_CACHE = 16384
"""Genes that are rounded at a time: what arises on the way stays in the processor's cache."""


@dataclass(frozen=True)
class Quantised(SearchSpace):
    """Weights are whole numbers of few bits times a scale of their array, the nearest to their genes.

    A gene is the real weight behind one of the network, and scales follow from the genes of their array: for binary
    weights (-1, 1) it is the mean of sizes; for ternary ones (-1, 0, 1) the mean of those sizes that lie above 0.7 of
    the mean, the others being 0; for int4 (-7 to 7) and int8 (-127 to 127) the largest size is the largest number.
    Scales are single precision numbers. So a start, an `initial` file and a network that is rounded after its
    training all mean what they mean without a grid.

    A gradient is passed on as that of the genes, the straight-through estimator, for want of one: the error is
    constant between the thresholds.

    Attributes:
        weights: Of arrays of links.
        biases: Of biases, initial states and time constants, which are few; "real" leaves them as they are.
        keep_step: Whether strategies that adapt widths keep them so wide that a generation reaches another network than
            that of their mean (`neuroevo.strategies.separable.widening`).
    """

    kind: ClassVar[str] = "quantised"
    passes: ClassVar[frozenset[str]] = frozenset({"gradient"})
    weights: Levels = "int8"
    biases: Literal[Levels, "real"] = "int8"
    keep_step: bool = True

    def express(self, genomes: FloatArray, network: Network, problem: Problem) -> FloatArray:  # noqa: ARG002
        weights = np.empty(genomes.shape)
        for genes, levels in self._arrays(network):
            n_rows = max(1, _IN_CACHE // (genes.stop - genes.start))
            for first in range(0, len(genomes), n_rows):
                some = slice(first, first + n_rows), genes
                weights[some] = genomes[some] if levels == "real" else _nearest(genomes[some], levels)
        return weights

    def margin(self, genome: FloatArray, network: Network) -> FloatArray | None:
        """As in `SearchSpace`, scales taken as they are; 0 for genes that are not rounded."""
        if not self.keep_step:
            return None
        found = np.zeros(genome.shape)
        for genes, levels in self._arrays(network):
            if levels == "real":
                continue
            scale, threshold = (values[0, 0] for values in _scales(genome[None, genes], levels))
            if levels in _LARGEST:
                steps = genome[genes] / (scale or 1.0)
                found[genes] = scale * (0.5 - np.abs(steps - np.rint(steps)))
            else:
                found[genes] = np.abs(np.abs(genome[genes]) - threshold)
        return found

    def _arrays(self, network: Network) -> Iterator[tuple[slice, str]]:
        """The genes of each array, which lie together, and what becomes of them."""
        start = 0
        for block in network.layout.blocks:
            stop = start + int((block.genes >= 0).sum())
            if stop > start:
                yield slice(start, stop), self.weights if block.role in _MATRICES else self.biases
            start = stop


def _scales(genes: FloatArray, levels: str) -> tuple[FloatArray, FloatArray]:
    """Scales ``(n, 1)`` of ``(n, n_entries)`` genes of an array, NaN where they are not finite; ternary thresholds."""
    with np.errstate(all="ignore"):
        threshold = np.zeros((len(genes), 1))
        if levels in _LARGEST:
            scales = np.maximum(genes.max(axis=1, keepdims=True), -genes.min(axis=1, keepdims=True)) / _LARGEST[levels]
        else:
            sizes = np.abs(genes)
            scales = sizes.mean(axis=1, keepdims=True)
            if levels == "ternary":
                threshold = _THRESHOLD * scales
                counted = sizes > threshold
                n_counted = np.maximum(counted.sum(axis=1, keepdims=True), 1)
                scales = np.multiply(sizes, counted, out=sizes).sum(axis=1, keepdims=True) / n_counted
        single = scales.astype(np.float32).astype(np.float64)
    # Below the normal numbers a scale has few digits, and the largest size would not be the largest number.
    single[single < np.finfo(np.float32).tiny] = 0.0
    return np.where(np.isfinite(single), single, np.nan), threshold


def _nearest(genes: FloatArray, levels: str) -> FloatArray:
    """``(n, n_entries)``: the weights of an array for its genes."""
    scales, threshold = _scales(genes, levels)
    if levels == "binary":
        return np.where(genes < 0.0, 0.0 - scales, scales)
    if levels == "ternary":
        signs = (genes > threshold).view(np.int8) - (genes < -threshold).view(np.int8)
        return np.asarray(signs * scales + 0.0)  # where a scale is 0, -0.0 becomes 0.0
    with np.errstate(all="ignore"):
        weights = genes / np.where(scales > 0.0, scales, 1.0)
        np.rint(weights, out=weights)
        weights *= scales
    weights += 0.0  # which turns -0.0 into 0.0
    return weights

"""Genes that switch links on and off: the strategy chooses which links there are, and their weights, in one search.

References:
    D. Whitley, T. Starkweather, C. Bogart: Genetic algorithms and neural networks: optimizing connections and
    connectivity. Parallel Computing 14 (1990), 347-361.
    X. Yao: Evolving artificial neural networks. Proceedings of the IEEE 87 (1999), 1423-1447, section III: weights and
    connections in one genome.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Gt, Le
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.networks.layout import ArraySpec
from neuroevo.networks.links import link_genes
from neuroevo.spaces.base import FloatArray, SearchSpace
from neuroevo.spaces.quantised import Quantised

if TYPE_CHECKING:
    from neuroevo.networks import GenomeLayout, Network
    from neuroevo.problems import Problem

_GIVEN = 0.5
"""How far the switches of a given network are from the level: some steps of usual widths."""


@dataclass(frozen=True)
class Switched(SearchSpace):
    """A gene for each link says whether it is there; the weight of an absent link is exactly 0.

    A genome has the network's genes, then a switch for each link, and without a `share` a last gene, the level: a link
    is there where its switch is larger than the level. Where all three are drawn alike, as by every start, the share of
    links that are there is spread evenly from none to all over the first population. With a `share`, so many of the
    switches count as on, the largest ones, and there is no level.

    A gradient is that of the weights that are there; of a switch it is that of the links that it would add, the
    straight-through estimator, as long as it is no further than 1 from the level (or the last of the largest).

    Attributes:
        by: "link": a switch for each link; "unit": one for all links of an array that lead to the same unit, those to
            all gates of a gated unit together.
        share: The share of switches that are always on; left out, the level decides.
        biases: Whether biases have switches too; initial states and time constants never do.
        weights: Of the links that are there: "real", or of few bits as in `Quantised`.
        real_biases: Whether biases, initial states and time constants stay real where weights are of few bits;
            otherwise they are of 8 bits.
    """

    kind: ClassVar[str] = "switched"
    passes: ClassVar[frozenset[str]] = frozenset({"gradient"})
    by: Literal["link", "unit"] = "link"
    share: Annotated[float, Gt(0), Le(1)] | None = None
    biases: bool = False
    weights: Literal["real", "ternary", "int4", "int8"] = "real"
    real_biases: bool = False

    def __post_init__(self) -> None:
        if self.real_biases and self.weights == "real":
            raise BadInput('real_biases goes with weights of few bits, such as weights = "int8": all are real here')

    def n_genes(self, network: Network) -> int:
        """As in `SearchSpace`: weights, switches, and the level."""
        return network.n_genes + self._n_switches(network) + (self.share is None)

    def layout(self, network: Network) -> GenomeLayout:
        """As in `SearchSpace`: the network's, then the arrays "switches" and "level"."""
        switch, units = self._switches(network), network.layout.units
        of_switch = np.zeros(self._n_switches(network), dtype=np.int64)
        of_switch[switch[switch >= 0]] = units[switch >= 0]
        specs = [ArraySpec("switches", of_switch.shape, "switch", of_switch)]
        if self.share is None:
            specs.append(ArraySpec("level", (1,), "switch", np.zeros(1, dtype=np.int64)))
        return network.layout.extended(*specs)

    def express(self, genomes: FloatArray, network: Network, problem: Problem) -> FloatArray:
        present, weights = self._present(genomes, network), genomes[:, : network.n_genes]
        weights = np.where(present, weights, 0.0)
        if self._quantised is not None:
            # Rounding may make a few more links absent, and none of those present that were not.
            weights = self._quantised.express(weights, network, problem)
        # A genome that is not finite fails, wherever it is so.
        weights[~np.isfinite(genomes).all(axis=1)] = np.nan
        return weights

    def embedded(self, genomes: FloatArray, network: Network) -> FloatArray:
        """As in `SearchSpace`: links whose weight is 0 are off; with a `share`, the largest weights come first."""
        switch = self._switches(network)
        sizes = np.zeros((len(genomes), self._n_switches(network)))
        for gene in np.flatnonzero(switch >= 0):
            sizes[:, switch[gene]] = np.maximum(sizes[:, switch[gene]], np.abs(genomes[:, gene]))
        if self.share is None:
            return np.hstack([genomes, np.where(sizes > 0.0, _GIVEN, -_GIVEN), np.zeros((len(genomes), 1))])
        largest = sizes.max(axis=1, keepdims=True)
        return np.hstack([genomes, sizes / np.where(largest > 0.0, largest, 1.0)])

    def margin(self, genome: FloatArray, network: Network) -> FloatArray | None:
        """As in `SearchSpace`; None for real weights, which every step changes."""
        if self._quantised is None:
            return None
        (present,), (above,) = self._present(genome[None], network), self._above(genome[None], network)
        weights = self._quantised.margin(np.where(present, genome[: network.n_genes], 0.0), network)
        known = np.zeros(network.n_genes) if weights is None else weights
        return np.concatenate([known, np.abs(above), np.zeros(int(self.share is None))])

    def passed(self, name: str, found: FloatArray, genomes: FloatArray, network: Network) -> FloatArray:  # noqa: ARG002 - gradients alone are passed
        """As in `SearchSpace`."""
        switch, above = self._switches(network), self._above(genomes, network)
        of_switch, has_one = np.zeros(above.shape), switch >= 0
        for_link = found * genomes[:, : network.n_genes]
        np.add.at(of_switch.T, switch[has_one], for_link[:, has_one].T)
        of_switch[np.abs(above) > 1.0] = 0.0
        weights = np.where(self._present(genomes, network), found, 0.0)
        of_level = [] if self.share is not None else [-of_switch.sum(axis=1, keepdims=True)]
        return np.hstack([weights, of_switch, *of_level])

    @property
    def _quantised(self) -> Quantised | None:
        if self.weights == "real":
            return None
        return Quantised(self.weights, "real" if self.real_biases else "int8")

    def _above(self, genomes: FloatArray, network: Network) -> FloatArray:
        """How far each switch ``(n, n_switches)`` lies above the level, or above the last one that is on."""
        n_switches = self._n_switches(network)
        switches = genomes[:, network.n_genes : network.n_genes + n_switches]
        if self.share is None:
            return switches - genomes[:, -1:]
        place = n_switches - self._n_on(n_switches)
        return switches - np.sort(switches, axis=1)[:, place, None]

    def _present(self, genomes: FloatArray, network: Network) -> NDArray[np.bool_]:
        """Which weights ``(n, network.n_genes)`` there are."""
        switch, n_switches = self._switches(network), self._n_switches(network)
        switches = genomes[:, network.n_genes : network.n_genes + n_switches]
        if self.share is None:
            on = switches > genomes[:, -1:]
        else:
            on = np.zeros(switches.shape, dtype=np.bool_)
            first = np.argsort(-switches, axis=1, kind="stable")[:, : self._n_on(n_switches)]
            np.put_along_axis(on, first, True, axis=1)
        return np.where(switch < 0, True, on[:, switch])

    def _n_on(self, n_switches: int) -> int:
        return max(1, round((self.share or 0.0) * n_switches))

    def _n_switches(self, network: Network) -> int:
        return int(self._switches(network).max()) + 1

    def _switches(self, network: Network) -> NDArray[np.int64]:
        return _switch_numbers(network, self.by, self.biases)


@lru_cache(maxsize=16)
def _switch_numbers(network: Network, by: str, biases: bool) -> NDArray[np.int64]:
    """``(network.n_genes,)``: the number of the switch of each gene, -1 where it has none.

    Raises:
        BadInput: No link has a gene.
    """
    layout, switched = network.layout, link_genes(network)
    if not switched.any():
        raise BadInput("no link of the network has a gene that could be switched off: all of them are fixed")
    roles = [np.full((block.genes >= 0).sum(), block.role in ("bias", "links")) for block in layout.blocks]
    switched = switched | (np.concatenate(roles) & biases)
    of_gene = np.full(network.n_genes, -1, dtype=np.int64)
    if by == "link":
        of_gene[switched] = np.arange(switched.sum())
    else:
        arrays = [np.full((block.genes >= 0).sum(), number) for number, block in enumerate(layout.blocks)]
        keys = np.stack([np.concatenate(arrays), layout.units], axis=1)[switched]
        of_gene[switched] = np.unique(keys, axis=0, return_inverse=True)[1].ravel()
    of_gene.flags.writeable = False
    return of_gene

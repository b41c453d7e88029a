"""The contract between what a strategy moves and what a network needs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from neuroevo.networks import GenomeLayout, Network
    from neuroevo.problems import Problem

FloatArray: TypeAlias = NDArray[np.float64]


class SearchSpace(ABC):
    """What a strategy searches, and how a genome of it becomes one of a network.

    Kinds are frozen dataclasses: their fields are the settings of a scenario's table [space]. They travel to workers,
    and they are pure: equal genomes stand for equal networks.
    """

    kind: ClassVar[str]

    passes: ClassVar[frozenset[str]] = frozenset()
    """What an evaluator finds of network genomes (names of `evaluation.FINDINGS`) that is passed on to genomes of this
    space (`passed`)."""

    def n_genes(self, network: Network) -> int:
        """Length of a genome that the strategy moves."""
        return network.n_genes

    def layout(self, network: Network) -> GenomeLayout | None:
        """What its genes mean, for operators and starts that respect units; None where they are no weights."""
        return network.layout

    def bounds(self, network: Network) -> tuple[float, float] | None:  # noqa: ARG002 - a space may ask the network
        """The box that genomes stay in where the strategy's table names none; None leaves them free."""
        return None

    def passed(self, name: str, found: FloatArray, genomes: FloatArray, network: Network) -> FloatArray:  # noqa: ARG002 - as above
        """What was found of the network genomes that genomes ``(n, n_genes)`` stand for, as found of these themselves.

        Args:
            name: Of `passes`.
            found: Of the network genomes; its first axis is the genomes, the others those of their genes.
            genomes: Of this space.
            network: Whose genes they stand for.
        """
        return found

    def embedded(self, genomes: FloatArray, network: Network) -> FloatArray:  # noqa: ARG002 - for spaces with other genes
        """Genomes ``(n, n_genes)`` that stand for those of the network or come near them, for a given start."""
        return genomes

    def margin(self, genome: FloatArray, network: Network) -> FloatArray | None:  # noqa: ARG002 - for grids
        """``(n_genes,)``: how far each gene of a genome must move until it stands for another weight.

        Strategies that adapt widths keep them so wide that some genes do. None where every step is one of a weight, or
        where widths may become as small as they like.
        """
        return None

    @abstractmethod
    def express(self, genomes: FloatArray, network: Network, problem: Problem) -> FloatArray:
        """The network genomes ``(n, network.n_genes)`` that genomes ``(n, n_genes)`` stand for.

        Args:
            genomes: Of this space; never written to.
            network: Whose weights are wanted.
            problem: What it is to learn, for spaces in which data decide a part of the weights.
        """


def expressed(space: SearchSpace, genomes: FloatArray, network: Network, problem: Problem) -> FloatArray:
    """What a space expresses, C-contiguous: kernels trust its shape, and would read whatever lies beyond.

    Raises:
        RuntimeError: The space gave another shape than it has to.
    """
    found = np.ascontiguousarray(space.express(genomes, network, problem), dtype=np.float64)
    if found.shape != (len(genomes), network.n_genes):
        raise RuntimeError(
            f"{type(space).__name__}.express gave the shape {found.shape}, expected {(len(genomes), network.n_genes)}"
        )
    return found

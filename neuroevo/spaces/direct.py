"""The usual space: one gene is one weight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from neuroevo.spaces.base import FloatArray, SearchSpace

if TYPE_CHECKING:
    from neuroevo.networks import Network
    from neuroevo.problems import Problem


@dataclass(frozen=True)
class Direct(SearchSpace):
    """Every gene is a weight of the network."""

    kind: ClassVar[str] = "direct"
    passes: ClassVar[frozenset[str]] = frozenset({"gradient", "curvature", "refined"})

    def express(self, genomes: FloatArray, network: Network, problem: Problem) -> FloatArray:  # noqa: ARG002
        return genomes

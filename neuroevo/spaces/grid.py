"""Weights on a grid: networks for hardware whose weights have few bits, found with the strategies for real numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
from annotated_types import Gt

from neuroevo.errors import BadInput
from neuroevo.spaces.base import FloatArray, SearchSpace

if TYPE_CHECKING:
    from neuroevo.networks import Network
    from neuroevo.problems import Problem


@dataclass(frozen=True)
class Grid(SearchSpace):
    """Weights are multiples of a step, each the nearest to its gene; step = 1 and largest = 1 give -1, 0 and 1.

    The strategy moves real numbers and never learns that they are rounded. Errors are those of the rounded weights, so
    they are equal all over a cell of the grid.

    Attributes:
        step: Distance between neighbouring weights.
        largest: Largest weight in size, a multiple of the step; left out, weights are as large as they come.
    """

    kind: ClassVar[str] = "grid"
    step: Annotated[float, Gt(0)]
    largest: Annotated[float, Gt(0)] | None = None

    def __post_init__(self) -> None:
        if self.largest is not None and not np.isclose(self.largest / self.step, np.rint(self.largest / self.step)):
            raise BadInput(f"largest must be a multiple of step, got {self.largest!r} and {self.step!r}")

    def express(self, genomes: FloatArray, network: Network, problem: Problem) -> FloatArray:  # noqa: ARG002
        # Adding zero turns -0.0, which np.rint makes of -0.3, into 0.0.
        weights = np.rint(genomes / self.step) * self.step + 0.0
        return weights if self.largest is None else np.clip(weights, -self.largest, self.largest)

"""Box bounds on genes, and the two repairs that strategies share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroevo.errors import BadInput

FloatArray: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Bounds:
    """The box that every genome stays in.

    Attributes:
        low: `(n_genes,)` float64, smallest value of each gene; may be -inf.
        high: `(n_genes,)` float64, largest value of each gene, above `low`; may be +inf.
    """

    low: FloatArray
    high: FloatArray

    @classmethod
    def of(cls, bounds: tuple[ArrayLike, ArrayLike], n_genes: int) -> Bounds:
        """Read (low, high), each a number or one number per gene.

        Raises:
            ValueError: Not a pair, wrong lengths, NaN, or a low that is not below its high.
        """
        try:
            low, high = bounds
        except (TypeError, ValueError):
            raise BadInput(f"bounds must be None or a pair (low, high), got {bounds!r}") from None
        pair = []
        for name, side in (("low", low), ("high", high)):
            values = np.array(side, dtype=np.float64)
            if values.ndim > 1 or (values.ndim == 1 and values.shape != (n_genes,)):
                raise BadInput(
                    f"bounds: {name} has shape {values.shape}, expected a number or shape ({n_genes},), one per gene"
                )
            values = np.broadcast_to(values, (n_genes,)).copy()
            values.flags.writeable = False
            pair.append(values)
        # Written so that NaN fails too.
        if not np.all(pair[0] < pair[1]):
            gene = int(np.argmin(pair[0] < pair[1]))
            raise BadInput(
                f"bounds: low must be below high for every gene; gene {gene} has {pair[0][gene]} and {pair[1][gene]}"
            )
        return cls(pair[0], pair[1])

    def contain(self, genomes: FloatArray) -> bool:
        """Whether all of `(n, n_genes)` genomes lie in the box."""
        return bool(np.all((genomes >= self.low) & (genomes <= self.high)))

    def clip(self, genomes: FloatArray) -> FloatArray:
        """A copy of `(n, n_genes)` genomes, each gene that is outside moved to the nearest bound."""
        return np.clip(genomes, self.low, self.high)

    def reflect(self, genomes: FloatArray) -> FloatArray:
        """A copy of `(n, n_genes)` genomes, each gene that is outside mirrored at the bound that it crossed.

        A gene that would be mirrored beyond the other bound goes to the nearest one, so one pass is enough.
        """
        mirrored = np.where(genomes < self.low, 2.0 * self.low - genomes, genomes)
        mirrored = np.where(genomes > self.high, 2.0 * self.high - genomes, mirrored)
        return np.clip(mirrored, self.low, self.high)

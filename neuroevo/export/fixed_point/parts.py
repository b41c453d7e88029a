"""What a network in whole numbers is made of: lines of values, matrices, vectors, and columns in original units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neuroevo.errors import BadInput
from neuroevo.export.c.tables import OnGrid, on_grid
from neuroevo.export.fixed_point import arithmetic as fixed
from neuroevo.export.fixed_point.arithmetic import LARGEST, WIDE, Factor, Whole
from neuroevo.export.plan import Values

_HEADROOM = 2.0
"""How far values may lie beyond those of the examples, as a factor, before they stay at the end of their range."""
_FINE = 14
"""Bits that a scaled unit of an input or output has at least."""


@dataclass(frozen=True)
class Line:
    """Values that links see.

    Attributes:
        fraction: Of these values.
        n_bytes: Of a value: 2, or 1 for those of `EXACT` and spikes.
    """

    fraction: int
    n_bytes: int = 2

    @property
    def limit(self) -> int:
        """The largest size of a value."""
        return 32767 if self.n_bytes == 2 else 1


SPIKES = Line(0, 1)


def line_for(largest: float) -> Line:
    """Values of 16 bits up to this size, and `_HEADROOM` times it.

    Raises:
        BadInput: They are too large.
    """
    if not largest * _HEADROOM < 32767:
        raise BadInput(
            f"values inside of the network reach {largest:.3g}, more than fixed-point numbers of 16 bits hold"
        )
    fraction = 14
    while fraction and _HEADROOM * largest * (1 << fraction) > 32767:
        fraction -= 1
    return Line(fraction)


@dataclass(frozen=True, eq=False)
class Product:
    """A matrix of weights, and the line that it sees.

    Attributes:
        name: Of its array.
        grid: The weights; None where all are 0.
        factor: From a sum of whole numbers to the fraction WIDE.
        line: What it sees.
    """

    name: str
    grid: OnGrid | None
    factor: Factor
    line: Line

    @classmethod
    def of(cls, name: str, values: Values, line: Line) -> Product:
        """The array as it lies on its grid.

        Raises:
            BadInput: It lies on none, or its sums leave 32 bits.
        """
        grid = on_grid(values)
        if grid is None and values.any():
            raise BadInput(
                f"the weights {name} are on no grid of 8 bits, which fixed-point numbers need: train the network with "
                '[space] kind = "quantised", or leave out --precision fixed'
            )
        scale = grid.scale if grid else 1.0
        found = cls(name, grid, Factor.of(scale * 2.0 ** (WIDE - line.fraction), name), line)
        if grid and int(np.abs(grid.codes).sum(axis=-1).max()) * line.limit > LARGEST:
            raise BadInput(f"sums of {values.shape[-1]} products in {name} may leave 32 bits")
        return found

    @property
    def largest(self) -> int:
        """The largest size of a result."""
        if self.grid is None:
            return 0
        sums = np.abs(self.grid.codes).sum(axis=-1).max() * self.line.limit
        return int(self.factor.times(np.array(sums, dtype=np.int64))) + 1

    def __call__(self, values: Whole) -> Whole:
        """``(..., n_rows)`` of values ``(..., n)``."""
        if self.grid is None:
            return np.zeros(1, dtype=np.int64)
        return self.factor.times(values @ self.grid.codes.T)


@dataclass(frozen=True, eq=False)
class Bias:
    """A vector with the fraction WIDE, kept as whole numbers of few bits where that takes fewer bytes.

    Attributes:
        name: Of its array.
        grid: None where it is kept as it is.
        factor: From numbers of the grid to the vector.
        values: The vector.
    """

    name: str
    grid: OnGrid | None
    factor: Factor
    values: Whole

    @classmethod
    def of(cls, name: str, values: Values) -> Bias:
        """The nearest one.

        Raises:
            BadInput: A value leaves 32 bits.
        """
        grid = on_grid(values)
        if grid is not None and grid.packed().size + 5 < 4 * values.size:
            factor = Factor.of(grid.scale * 2.0**WIDE, name)
            return cls(name, grid, factor, factor.times(grid.codes))
        found = np.rint(values * 2.0**WIDE)
        if np.abs(found).max(initial=0.0) > LARGEST:
            raise BadInput(
                f"{name} reaches {np.abs(values).max():.3g}, more than 32 bits with 16 behind the point hold"
            )
        return cls(name, None, Factor(1, 1), found.astype(np.int64))


@dataclass(frozen=True, eq=False)
class Scales:
    """Columns in original units: a whole number is the value times 2**bits.

    Attributes:
        bits: ``(n,)`` int64, of each column; below 0 where values are large.
        offsets: ``(n,)`` int64.
        factors: One a column; empty where nothing is scaled.
    """

    bits: Whole
    offsets: Whole
    factors: tuple[Factor, ...]

    def to_whole(self, values: Values) -> Whole:
        """The whole numbers of values in original units, the nearest within 32 bits."""
        return fixed.wide(np.clip(np.rint(values * 2.0**self.bits), -LARGEST, LARGEST).astype(np.int64))

    def to_real(self, values: Whole) -> Values:
        """Values in original units."""
        return np.asarray(values * 2.0 ** -self.bits.astype(np.float64))

    def times(self, values: Whole) -> Whole:
        """Each column times its factor."""
        return np.stack([factor.times(values[..., k]) for k, factor in enumerate(self.factors)], axis=-1)


def columns(offsets: Values, factors: Values, fraction: int, *, into: bool) -> Scales:
    """Columns in original units; `fraction` is that of the scaled values on the other side."""
    if not offsets.any() and (factors == 1).all():
        return Scales(np.full(len(factors), fraction), np.zeros(len(factors), dtype=np.int64), ())
    bits = _FINE - np.floor(np.log2(factors)).astype(np.int64)
    room = 29 - np.ceil(np.log2(np.maximum(np.abs(offsets), 1e-300))).astype(np.int64)
    bits = np.minimum(bits, room)
    whole = np.rint(offsets * 2.0**bits).astype(np.int64)
    scales = 2.0 ** (fraction - bits) / factors if into else factors * 2.0 ** (bits - fraction)
    return Scales(bits, whole, tuple(Factor.of(float(scale), "a column") for scale in scales))

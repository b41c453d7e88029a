"""Functions on whole numbers that C computes to the same bits: the arithmetic of networks without floating point.

A number is a whole number times 2**-F; F is called its fraction. Weighted sums and what is made of them have a fraction
of 16 (`WIDE`) in 32 bits, values of squashing functions one of 15 (`UNIT`), so that 1 is 32768. Arrays are int64, which
holds every intermediate result that C has in 64 bits.

References:
    B. Jacob et al.: Quantization and training of neural networks for efficient integer-arithmetic-only inference. CVPR
    (2018), section 2.2: a real factor as a multiplier of 31 bits and a shift.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput

Whole: TypeAlias = NDArray[np.int64]

WIDE, UNIT = 16, 15
LARGEST = (1 << 31) - 1
ONE = 1 << UNIT
"""1 with the fraction `UNIT`."""
SEGMENT = 14
"""Fraction of the way through a segment of a table: a quarter of 1 with the fraction `WIDE`."""
TANH = tuple(round(math.tanh(k / 4) * ONE) for k in range(33))
POWERS = tuple(round(2 ** (-k / 4) * ONE) for k in range(5))
SLOPE = round(math.log(2) / 4 * ONE)
SHARE_BITS = 20
"""Fraction of the powers whose shares a softmax takes."""


@dataclass(frozen=True)
class Factor:
    """A real factor above 0 as multiplier * 2**-shift.

    Attributes:
        multiplier: Below 2**31.
        shift: 1 to 62.
    """

    multiplier: int
    shift: int

    @classmethod
    def of(cls, value: float, what: str) -> Factor:
        """The nearest one.

        Raises:
            BadInput: It is so large that products would leave 64 bits; `what` is named.
        """
        mantissa, exponent = math.frexp(value)
        multiplier, shift = round(mantissa * (1 << 31)), 31 - exponent
        if multiplier > LARGEST:
            multiplier, shift = multiplier >> 1, shift - 1
        if shift > 62:
            multiplier, shift = multiplier >> min(shift - 62, 32), 62
        if shift < 1:
            raise BadInput(
                f"{what} has so large a scale ({value:.3g}) that fixed-point numbers of 32 bits cannot hold it"
            )
        return cls(multiplier, shift)

    def times(self, values: Whole) -> Whole:
        """Values of 32 bits times the factor, rounded."""
        return shifted(values * self.multiplier, self.shift)


LOG2_E = Factor.of(math.log2(math.e), "")


def shifted(values: Whole, shift: int) -> Whole:
    """Values divided by 2**shift, rounded to the nearest, halves up; shift above 0."""
    return (values + (1 << (shift - 1))) >> shift


def short(values: Whole) -> Whole:
    """Values within 16 bits, symmetrically; those beyond stay at the ends."""
    return np.clip(values, -32767, 32767)


def wide(values: Whole) -> Whole:
    """Values within 32 bits; those beyond stay at the ends."""
    return np.clip(values, -LARGEST, LARGEST)


def hermite(first: Whole, last: Whole, rise: Whole, end: Whole, t: Whole) -> Whole:
    """The cubic from `first` to `last` with these slopes at its ends, at t of 2**SEGMENT of the way."""
    step = last - first
    third = rise + end - 2 * step
    second = 3 * step - 2 * rise - end
    inner = shifted(third * t, SEGMENT) + second
    return np.asarray(first + shifted((shifted(inner * t, SEGMENT) + rise) * t, SEGMENT))


def tanh(values: Whole) -> Whole:
    """The hyperbolic tangent, -ONE to ONE, of values with the fraction WIDE; its slope is 1 - tanh**2."""
    size = np.minimum(np.abs(values), (8 << WIDE) - 1)
    table, k = np.array(TANH), size >> SEGMENT
    ends = [table[k], table[k + 1]]
    slopes = [(ONE - (y * y >> UNIT)) >> 2 for y in ends]
    found = hermite(ends[0], ends[1], slopes[0], slopes[1], size & ((1 << SEGMENT) - 1))
    return np.where(values < 0, -found, found)


def logistic(values: Whole) -> Whole:
    """1 / (1 + exp(-x)), 0 to ONE, of values with the fraction WIDE."""
    return (ONE + tanh(values >> 1) + 1) >> 1


def softsign(values: Whole) -> Whole:
    """The quotient x / (1 + |x|), fraction UNIT, of values with the fraction WIDE."""
    size = np.abs(values)
    found: Whole = (size << UNIT) // ((1 << WIDE) + size)
    return np.where(values < 0, -found, found)


def softmax(values: Whole) -> Whole:
    """Shares ``(..., n)``, fraction WIDE, of exp(x) of values with the fraction WIDE."""
    below = LOG2_E.times(np.maximum(values - values.max(axis=-1, keepdims=True), -(31 << WIDE)))
    size = -below
    table, k = np.array(POWERS), (size >> SEGMENT) & 3
    ends = [table[k], table[k + 1]]
    slopes = [-(y * SLOPE >> UNIT) for y in ends]
    power = hermite(ends[0], ends[1], slopes[0], slopes[1], size & ((1 << SEGMENT) - 1))
    powers = (power << (SHARE_BITS - UNIT)) >> np.minimum(size >> WIDE, 31)
    return np.asarray((powers << WIDE) // powers.sum(axis=-1, keepdims=True))


def k_winners(values: Whole, k: int) -> Whole:
    """1 for the k largest of the last axis, else 0; equal ones win together."""
    larger = (values[..., None, :] > values[..., :, None]).sum(axis=-1)
    return np.asarray(larger < k, dtype=np.int64)

"""Split conformal prediction: intervals as wide as a share of the misses on data that training has not seen.

References:
    H. Papadopoulos, K. Proedrou, V. Vovk and A. Gammerman: Inductive confidence machines for regression. ECML 2002,
    LNCS 2430, 345-356.
    J. Lei, M. G'Sell, A. Rinaldo, R. J. Tibshirani and L. Wasserman: Distribution-free predictive inference for
    regression. Journal of the American Statistical Association 113 (2018), 1094-1111; section 2.2 for the quantile,
    section 5.2 for widths that follow the difficulty.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.checks import number
from neuroevo.errors import BadInput

if TYPE_CHECKING:
    from neuroevo.problems import SequenceProblem

Values = NDArray[np.float64]

VALIDATION = "validation"
_NAMES = ("absolute", "scaled", "n_targets", "floor")


@dataclass(frozen=True, eq=False)
class Calibration:
    """How far predictions missed the targets of the validation part, output by output.

    A target y with prediction f and spread s has the score abs(y - f), or abs(y - f) / (s + floor) for widths that
    follow the spread. The floor, the mean spread on the training part, keeps steps on which all members agree from
    having an infinite score; it must not depend on the validation targets.

    Attributes:
        absolute: For each output its ``(n_targets,)`` scores, rising, in original units.
        scaled: The same divided by the spread and the floor, rising.
        floor: ``(n_outputs,)``, original units, above 0.
    """

    absolute: tuple[Values, ...]
    scaled: tuple[Values, ...]
    floor: Values

    def __post_init__(self) -> None:
        for scores in (*self.absolute, *self.scaled):
            # NaN fails both comparisons.
            if scores.ndim != 1 or not len(scores) or not (scores[0] >= 0 and (scores[:-1] <= scores[1:]).all()):
                raise BadInput("the scores of a calibration must be rising numbers from 0 on, one at least an output")
        n_targets = [len(scores) for scores in self.absolute]
        if n_targets != [len(scores) for scores in self.scaled] or self.floor.shape != (len(n_targets),):
            raise BadInput("a calibration needs as many scaled scores as absolute ones, and a floor, for each output")
        if not (np.isfinite(self.floor) & (self.floor > 0)).all():
            raise BadInput("the floor of a calibration must be a finite number above 0 for each output")

    @classmethod
    def of(cls, problem: SequenceProblem, predicted: Values, spread: Values) -> Calibration | None:
        """What the validation part says of predictions; None where there is none, or not for every output.

        Args:
            problem: Has the targets.
            predicted: ``(n_rows, n_outputs)``, or ``(n_sequences, n_steps, n_outputs)``, original units.
            spread: Of the same shape, original units.
        """
        if VALIDATION not in problem.parts:
            return None
        predicted, spread = problem.rows.of(predicted), problem.rows.of(spread)
        counted, trained = problem.counted_rows(VALIDATION), problem.counted_rows("train")
        if not counted.any(axis=0).all():
            return None
        floor = np.array([_mean(spread[..., o][trained[..., o]]) for o in range(problem.n_outputs)])
        with np.errstate(over="ignore", invalid="ignore"):
            misses = np.abs(problem.original.target_rows - predicted)
            scaled = misses / (spread + floor)

        def of_outputs(scores: Values) -> tuple[Values, ...]:
            return tuple(_rising(scores[..., o][counted[..., o]]) for o in range(problem.n_outputs))

        return cls(of_outputs(misses), of_outputs(scaled), floor)

    @property
    def n_targets(self) -> int:
        """Validation targets of the output that has the fewest."""
        return min(map(len, self.absolute))

    def half_width(self, level: float, spread: Values | None = None) -> Values:
        """How far an interval reaches from the prediction to either side, original units.

        Of n scores the one of rank ceil((n + 1) level): among exchangeable data, an interval of that width holds a new
        target with a probability from level to level + 1 / (n + 1).

        Args:
            level: Above 0 and below 1.
            spread: ``(..., n_outputs)``: the width follows it. None: the same width everywhere.

        Returns:
            ``(n_outputs,)``, or of the shape of the spread.

        Raises:
            ValueError: The level is none, or the validation part has too few targets for it.
        """
        needed = least_targets(level)
        if self.n_targets < needed:
            raise BadInput(
                f"an interval of level {level:g} needs at least {needed} validation targets of each output, there are "
                f"{self.n_targets}; ask for a lower level, or give the validation part more"
            )
        scores = self.absolute if spread is None else self.scaled
        found = np.array([each[math.ceil((len(each) + 1) * exact_level(level)) - 1] for each in scores])
        return found if spread is None else np.asarray(found * (spread + self.floor))

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Plain arrays, names beginning with "calibration_"; `from_arrays` reads them back bit for bit."""
        values = (
            np.concatenate(self.absolute),
            np.concatenate(self.scaled),
            np.array([len(scores) for scores in self.absolute], dtype=np.int64),
            self.floor,
        )
        return {f"calibration_{name}": value for name, value in zip(_NAMES, values, strict=True)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Calibration | None:
        """What `to_arrays` wrote; None where there is nothing of it.

        Raises:
            ValueError: An array is missing or is not what `to_arrays` writes.
        """
        names = [f"calibration_{name}" for name in _NAMES]
        missing = [name for name in names if name not in arrays]
        if len(missing) == len(names):
            return None
        if missing:
            raise BadInput(f"the arrays of a calibration lack {', '.join(missing)}")
        absolute, scaled, counts, floor = (arrays[name] for name in names)
        if any(array.dtype != np.float64 or array.ndim != 1 for array in (absolute, scaled, floor)):
            raise BadInput("the arrays of a calibration must be vectors of float64 numbers")
        # One at a time: the sum of lying counts may overflow.
        if counts.dtype.kind not in "iu" or counts.ndim != 1 or sum(counts.tolist()) != len(absolute):
            raise BadInput("calibration_n_targets must be whole numbers whose sum is the number of scores")
        if (counts < 1).any() or len(scaled) != len(absolute):
            raise BadInput("a calibration needs as many scaled scores as absolute ones, at least one an output")
        ends = np.cumsum(counts)[:-1]
        return cls(tuple(np.split(absolute, ends)), tuple(np.split(scaled, ends)), floor)


def least_targets(level: float) -> int:
    """The least number of validation targets that an interval of that level can be had from: level / (1 - level).

    Raises:
        ValueError: The level is not above 0 and below 1.
    """
    exact = exact_level(level)
    return math.ceil(exact / (1 - exact))


def exact_level(level: float) -> Fraction:
    """The level as it is written: 0.9 is nine tenths, not the float beside it."""
    if not 0 < number("level", level) < 1:
        raise BadInput(f"level must be above 0 and below 1, got {level!r}; 0.9 is nine targets of ten")
    return Fraction(repr(float(level)))


def _rising(scores: Values) -> Values:
    """Sorted; a prediction that is no number misses by infinity."""
    return np.sort(np.where(np.isnan(scores), np.inf, scores))


def _mean(spread: Values) -> float:
    """The mean of finite spreads; 1 where there is none or it is 0, so that the width is the same everywhere."""
    mean = float(np.mean(spread[np.isfinite(spread)])) if np.isfinite(spread).any() else 0.0
    return mean if 0 < mean < math.inf else 1.0

"""Predictor: one champion, or several as one, from inputs to predictions in original units. It needs numpy alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroevo.errors import BadInput
from neuroevo.networks import Network
from neuroevo.networks.checks import sequences
from neuroevo.prediction.conformal import VALIDATION, Calibration
from neuroevo.prediction.logistic import LogisticMember
from neuroevo.prediction.stream import Stream
from neuroevo.problems import SequenceProblem
from neuroevo.problems.unseen import unseen

Values = NDArray[np.float64]
Combine = Literal["median", "mean"]
COMBINE: tuple[str, ...] = ("median", "mean")


@dataclass(frozen=True, eq=False)
class Member:
    """One network of a predictor, with its weights and the units that it was trained in.

    Attributes:
        network: What the genome means.
        genome: ``(network.n_genes,)`` float64.
        scaling: What `scaling_arrays` of its problem gave; empty where it saw original units.
        name: What people call it, such as its run's.
        figures: Numbers about it, such as its validation error.
    """

    network: Network
    genome: Values
    scaling: Mapping[str, NDArray[Any]] = field(repr=False)
    name: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.network.layout.checked(self.genome)
        # Arrays that are no scaling of this network are known here, not at the first prediction.
        unseen(np.zeros((1, 1, self.network.n_inputs)), None, self.network.n_outputs, self.scaling)

    @property
    def n_inputs(self) -> int:
        """Columns of the inputs."""
        return self.network.n_inputs

    @property
    def n_outputs(self) -> int:
        """Columns of a prediction."""
        return self.network.n_outputs

    def predict(self, inputs: ArrayLike, lengths: ArrayLike | None = None) -> Values:
        """As `Predictor.predict`, of this network alone."""
        checked, n_steps = sequences(inputs, lengths, self.network.n_inputs)
        padded = np.full((*checked.shape[:2], self.network.n_outputs), np.nan)
        padded[np.arange(checked.shape[1]) < n_steps[:, None]] = self._outputs(checked, n_steps)
        return padded

    def predict_rows(self, rows: ArrayLike, lengths: ArrayLike) -> Values:
        """As `Predictor.forecast_rows`, of this network alone."""
        return self._outputs(np.asarray(rows, dtype=np.float64), lengths)

    def _outputs(self, inputs: Values, lengths: ArrayLike) -> Values:
        """``(n_rows, n_outputs)`` in original units, from padded inputs or rows."""
        problem = unseen(inputs, lengths, self.network.n_outputs, self.scaling)
        outputs = self.network.predict_rows(self.genome, problem.input_rows, problem.lengths)
        with np.errstate(over="ignore", invalid="ignore"):
            return problem.predictions(outputs)


@dataclass(frozen=True, eq=False)
class Forecast:
    """What a predictor says of some inputs. All in original units; NaN beyond a sequence's length.

    Of `Predictor.forecast_rows`, the axes n_sequences and n_steps are one, n_rows.

    A member whose prediction is not finite at a step, because its network overflows, has no say there.

    Attributes:
        members: ``(n_members, n_sequences, n_steps, n_outputs)``: each member's prediction.
        combine: "median" or "mean": how they become one.
        calibration: What intervals are made of; None where there are none.
        weights: ``(n_members,)`` of their mean; None: all alike.
    """

    members: Values
    combine: Combine
    calibration: Calibration | None = None
    weights: tuple[float, ...] | None = None

    @cached_property
    def prediction(self) -> Values:
        """``(n_sequences, n_steps, n_outputs)``: the median or mean of the members."""
        if self.weights is not None:
            return self._weighted(self.members)
        return self._over("median" if self.combine == "median" else "mean")

    @cached_property
    def spread(self) -> Values:
        """``(n_sequences, n_steps, n_outputs)``: the standard deviation over the members (divided by their number)."""
        if self.weights is not None:
            with np.errstate(over="ignore", invalid="ignore"):
                return np.sqrt(self._weighted((self.members - self.prediction) ** 2))
        return self._over("std")

    def _weighted(self, values: Values) -> Values:
        """The weighted mean of what is finite at each step, NaN where nothing is."""
        weights: Values = np.reshape(self.weights or (), (-1, *[1] * (values.ndim - 1)))
        known = np.isfinite(values)
        with np.errstate(over="ignore", invalid="ignore"):
            total = np.where(known, values, 0.0) * weights
            return np.asarray(_summed(total) / _summed(known * weights))

    def _over(self, how: Literal["median", "mean", "std"]) -> Values:
        """That of the members' finite predictions at each step, whatever other steps there are; or NaN."""
        if len(self.members) == 1 and how != "std":
            return np.asarray(self.members[0])
        known = np.isfinite(self.members)
        n_known = known.sum(axis=0)
        with np.errstate(over="ignore", invalid="ignore"):
            if how == "median":
                # What has no say is sorted to the end.
                values = np.sort(np.where(known, self.members, np.nan), axis=0)
                middle = [(n_known - 1).clip(0) // 2, n_known // 2]
                lower, upper = (np.take_along_axis(values, place[None], axis=0)[0] for place in middle)
                return np.asarray((lower + upper) / 2)
            mean = np.asarray(_summed(np.where(known, self.members, 0.0)) / n_known)
            if how == "mean":
                return mean
            misses = np.where(known, self.members - mean, 0.0)
            return np.asarray(np.sqrt(_summed(misses * misses) / n_known))

    def interval(self, level: float = 0.9, *, scaled: bool = False) -> tuple[Values, Values]:
        """As `Predictor.interval`."""
        if self.calibration is None:
            raise BadInput(
                "there are no intervals without a validation part: their width is learnt from numbers that training "
                "has not seen. Add a part called validation to the problem; classes have none"
            )
        if scaled and len(self.members) < 2:
            raise BadInput("scaled intervals follow the spread of several members, and there is only one")
        width = self.calibration.half_width(level, self.spread if scaled else None)
        with np.errstate(over="ignore", invalid="ignore"):
            return self.prediction - width, self.prediction + width


def _summed(values: Values) -> Values:
    """The sum over the first axis, in order: numpy's own order depends on how many steps there are."""
    total = values[0].copy()
    for each in values[1:]:
        total += each
    return np.asarray(total)


@dataclass(frozen=True, eq=False)
class Predictor:
    """The champion of a run, or an ensemble of champions, as one object that predicts from new inputs.

    Each member sees the inputs in its own units, and its outputs are turned back to original units before they are
    combined.

    Attributes:
        champions: One member or more, of equally many inputs and outputs.
        combine: "median" or "mean" of their predictions; for classes the mean.
        by_class: Whether the largest output is the class.
        calibration: What intervals are made of; None where there are none.
        weights: ``(n_members,)`` above 0 of their mean, whose sum is 1; None: all alike.
    """

    champions: tuple[Member | LogisticMember, ...]
    combine: Combine = "median"
    by_class: bool = False
    calibration: Calibration | None = None
    weights: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "champions", tuple(self.champions))
        if not self.champions:
            raise BadInput("a predictor needs at least one member")
        sizes = {(each.n_inputs, each.n_outputs) for each in self.champions}
        if len(sizes) > 1:
            raise BadInput(f"the members need equally many inputs and outputs, got {sorted(sizes)}")
        if self.combine not in COMBINE:
            raise BadInput(f"combine must be one of {', '.join(COMBINE)}; got {self.combine!r}")
        if self.weights is not None:
            self._check_weights(np.array(self.weights, dtype=np.float64))
        if self.by_class and (self.combine != "mean" or self.calibration is not None):
            raise BadInput('classes are combined by the "mean" of the outputs, and have no intervals')
        if self.calibration is not None and len(self.calibration.absolute) != self.n_outputs:
            raise BadInput(f"the calibration is for {len(self.calibration.absolute)} outputs, not {self.n_outputs}")

    def _check_weights(self, weights: Values) -> None:
        if self.combine != "mean":
            raise BadInput('weights are those of a mean: combine must be "mean"')
        if weights.shape != (len(self.champions),) or not (weights > 0).all() or abs(weights.sum() - 1) > 1e-9:
            raise BadInput(f"weights must be {len(self.champions)} numbers above 0 whose sum is 1, got {self.weights}")

    @property
    def n_inputs(self) -> int:
        """Columns of the inputs."""
        return self.champions[0].n_inputs

    @property
    def n_outputs(self) -> int:
        """Columns of a prediction."""
        return self.champions[0].n_outputs

    def forecast(self, inputs: ArrayLike, lengths: ArrayLike | None = None) -> Forecast:
        """All that the predictor says of these inputs, for whoever wants more than one of the things below.

        Args:
            inputs: ``(n_sequences, n_steps, n_inputs)``, original units; what lies beyond a length is not read.
            lengths: ``(n_sequences,)`` whole numbers, by default n_steps for all.

        Raises:
            ValueError: A shape or a length is wrong, or an input is not finite or too large to be scaled.
        """
        return self.combined(np.stack([each.predict(inputs, lengths) for each in self.champions]))

    def combined(self, members: Values) -> Forecast:
        """The forecast that these predictions of the members are: ``(n_members, n_sequences, n_steps, n_outputs)``."""
        return Forecast(members, self.combine, self.calibration, self.weights)

    def forecast_rows(self, rows: ArrayLike, lengths: ArrayLike) -> Forecast:
        """As `forecast`, of sequences that lie one after the other without padding.

        Args:
            rows: ``(n_rows, n_inputs)``, original units.
            lengths: ``(n_sequences,)`` whole numbers that sum up to n_rows.

        Raises:
            ValueError: As of `forecast`.
        """
        return self.combined(np.stack([each.predict_rows(rows, lengths) for each in self.champions]))

    def stream(self, n_sequences: int = 1) -> Stream:
        """The predictor at work on rows that arrive one at a time, from the beginning; several go on independently.

        Raises:
            BadInput: A network sees whole sequences alone and has no single steps.
        """
        return Stream(self, n_sequences)

    @cached_property
    def _stream(self) -> Stream:
        return self.stream()

    def step(self, inputs: ArrayLike) -> Values:
        """``(n_outputs,)``: the prediction for the row that comes next, `predict`'s to the bit; `reset` begins anew.

        Args:
            inputs: ``(n_inputs,)``, original units.

        Raises:
            ValueError: As of `Stream.step`, or a network sees whole sequences alone.
        """
        return self._stream.step(inputs)

    def reset(self) -> None:
        """The next `step` is the first one again."""
        self._stream.reset()

    def predict(self, inputs: ArrayLike, lengths: ArrayLike | None = None) -> Values:
        """``(n_sequences, n_steps, n_outputs)``: the median or mean of the members; arguments as of `forecast`."""
        return self.forecast(inputs, lengths).prediction

    def members(self, inputs: ArrayLike, lengths: ArrayLike | None = None) -> Values:
        """``(n_members, n_sequences, n_steps, n_outputs)``: each member's own; arguments as of `forecast`."""
        return self.forecast(inputs, lengths).members

    def spread(self, inputs: ArrayLike, lengths: ArrayLike | None = None) -> Values:
        """``(n_sequences, n_steps, n_outputs)``: standard deviation over the members; arguments as of `forecast`."""
        return self.forecast(inputs, lengths).spread

    def interval(
        self, inputs: ArrayLike, lengths: ArrayLike | None = None, *, level: float = 0.9, scaled: bool = False
    ) -> tuple[Values, Values]:
        """Lower and upper ends of an interval around each prediction that holds about `level` of the targets.

        Split conformal prediction from the validation part. Among exchangeable data `level` would be reached or passed;
        steps of a series are not exchangeable, and the validation part has chosen the champions, so it is reached
        about.

        Args:
            inputs: As of `forecast`.
            lengths: As of `forecast`.
            level: Above 0 and below 1.
            scaled: Whether the width follows the members' spread; otherwise it is the same everywhere.

        Returns:
            Two arrays ``(n_sequences, n_steps, n_outputs)``.

        Raises:
            ValueError: As of `forecast`; there was no validation part, or one too short for the level (the message says
                how many targets it needs); scaled with only one member.
        """
        return self.forecast(inputs, lengths).interval(level, scaled=scaled)

    def classes(self, inputs: ArrayLike, lengths: ArrayLike | None = None) -> NDArray[np.int64]:
        """``(n_sequences, n_steps)``: the number of the largest output, from 0; -1 beyond a length or where it is NaN.

        Raises:
            ValueError: As of `forecast`, or the predictor is one of numbers.
        """
        if not self.by_class:
            raise BadInput("this predictor was trained on numbers, not on classes")
        outputs = self.predict(inputs, lengths)
        return np.where(np.isnan(outputs).any(axis=2), -1, outputs.argmax(axis=2))

    def calibrated(self, problem: SequenceProblem, said: Forecast | None = None) -> Predictor:
        """The same predictor with intervals from a problem's validation part; without any where there is none.

        Args:
            problem: Its units do not matter.
            said: The forecast of all its inputs, padded or of rows, where that is known.
        """
        if self.by_class or VALIDATION not in problem.parts:
            return self
        said = said or self.forecast_rows(problem.original.input_rows, problem.lengths)
        return dataclasses.replace(self, calibration=Calibration.of(problem, said.prediction, said.spread))

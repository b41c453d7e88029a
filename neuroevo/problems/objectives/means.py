"""Means of losses, one for each counted target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from neuroevo.checks import number
from neuroevo.errors import BadInput
from neuroevo.problems.objectives.base import Floats, Mask, Mean

if TYPE_CHECKING:
    from neuroevo.networks import Network
    from neuroevo.problems.sequence import SequenceProblem

SMALLEST_PROBABILITY = 1e-7
"""What a smaller probability counts as in a cross-entropy, which so stays finite and alike in both precisions."""


@dataclass(frozen=True)
class Squared(Mean):
    """Mean of ``(output - target)**2``."""

    name: ClassVar[str] = "squared"

    @property
    def title(self) -> str:
        return "mean squared error (scaled units)"

    def loss_name(self, problem: SequenceProblem) -> str:  # noqa: ARG002
        return "squared"

    def losses(self, problem: SequenceProblem, outputs: Floats) -> Floats:
        difference = outputs - problem.target_rows
        return np.asarray(difference * difference)


@dataclass(frozen=True)
class Absolute(Mean):
    """Mean of ``|output - target|``; its best constant answer is the median."""

    name: ClassVar[str] = "absolute"

    @property
    def title(self) -> str:
        return "mean absolute error (scaled units)"

    def loss_name(self, problem: SequenceProblem) -> str:  # noqa: ARG002
        return "absolute"

    def losses(self, problem: SequenceProblem, outputs: Floats) -> Floats:
        return np.abs(outputs - problem.target_rows)


@dataclass(frozen=True)
class Huber(Mean):
    """Mean of ``d**2 / 2`` up to ``|d| = threshold``, and of ``threshold (|d| - threshold / 2)`` beyond.

    d is output - target in scaled units. P. J. Huber, "Robust estimation of a location parameter", Annals of
    Mathematical Statistics 35:73-101, 1964.

    Attributes:
        threshold: Above 0.
    """

    name: ClassVar[str] = "huber"
    threshold: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "threshold", number("threshold", self.threshold, above=0))

    @property
    def parameter(self) -> float:  # type: ignore[override]
        return self.threshold

    @property
    def title(self) -> str:
        return f"mean Huber loss with threshold {self.threshold:g} (scaled units)"

    def loss_name(self, problem: SequenceProblem) -> str:  # noqa: ARG002
        return "huber"

    def losses(self, problem: SequenceProblem, outputs: Floats) -> Floats:
        size = np.abs(outputs - problem.target_rows)
        bounded = np.minimum(size, self.threshold)
        return np.asarray(bounded * (size - bounded / 2))


@dataclass(frozen=True)
class Pinball(Mean):
    """Mean of ``q (t - y)`` where the output y lies below the target t, and of ``(1 - q) (y - t)`` above.

    Its best constant answer is the quantile q. R. Koenker and G. Bassett, "Regression quantiles", Econometrica
    46:33-50, 1978.

    Attributes:
        quantile: q, between 0 and 1.
    """

    name: ClassVar[str] = "pinball"
    quantile: float = 0.5

    def __post_init__(self) -> None:
        object.__setattr__(self, "quantile", number("quantile", self.quantile, above=0))
        if not self.quantile < 1:
            raise BadInput(f"quantile must lie between 0 and 1, got {self.quantile:g}")

    @property
    def parameter(self) -> float:  # type: ignore[override]
        return self.quantile

    @property
    def title(self) -> str:
        return f"mean pinball loss of quantile {self.quantile:g} (scaled units)"

    def loss_name(self, problem: SequenceProblem) -> str:  # noqa: ARG002
        return "pinball"

    def losses(self, problem: SequenceProblem, outputs: Floats) -> Floats:
        above = outputs - problem.target_rows
        return np.maximum(-self.quantile * above, (1.0 - self.quantile) * above)


@dataclass(frozen=True)
class CrossEntropy(Mean):
    """The cross-entropy of targets t and outputs y, which are probabilities, in nats.

    Where a step has a right class (`RightClass`): the mean over the steps of ``-ln y`` of the right class, for networks
    whose outputs are a softmax. Otherwise the mean over the targets of ``-t ln y - (1 - t) ln(1 - y)``, for logistic
    outputs. Probabilities below 1e-7 count as that.
    """

    name: ClassVar[str] = "cross_entropy"

    @property
    def title(self) -> str:
        return "mean cross-entropy (nats)"

    def loss_name(self, problem: SequenceProblem) -> str:
        return "categorical" if problem.learned.by_class else "binary"

    def losses(self, problem: SequenceProblem, outputs: Floats) -> Floats:
        if problem.learned.by_class:
            return -_log_probability(outputs)
        targets = problem.target_rows
        return -targets * _log_probability(outputs) - (1.0 - targets) * _log_probability(1.0 - outputs)

    def weights(self, problem: SequenceProblem, counted: Mask) -> Floats | None:  # noqa: ARG002
        """Of classes, the targets themselves are factors: 1 for the right one."""
        if not problem.learned.by_class:
            return problem.weight_rows
        return problem.target_rows if problem.weight_rows is None else problem.weight_rows * problem.target_rows

    def check(self, problem: SequenceProblem) -> None:
        targets = problem.target_rows[problem.mask_rows]
        wrong = targets[(targets < 0) | (targets > 1)]
        if wrong.size:
            raise BadInput(
                f'objective "cross_entropy" needs targets that are probabilities, in 0 ... 1, and got {wrong[0]:g}; '
                'leave them in their own units (scaling = "none"), or take "squared"'
            )

    def check_network(self, problem: SequenceProblem, network: Network) -> None:
        needed = "softmax" if problem.learned.by_class else "logistic"
        found = getattr(network, "output_activation", needed)
        if found != needed:
            what = "classes" if problem.learned.by_class else "targets that are no classes"
            raise BadInput(f'objective "cross_entropy" over {what} needs output_activation = "{needed}", got {found!r}')


def _log_probability(values: Floats) -> Floats:
    return np.asarray(np.log(np.clip(values, SMALLEST_PROBABILITY, 1.0)))

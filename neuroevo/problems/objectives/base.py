"""The contract of objectives, and what those that are weighted means share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from neuroevo.networks import Network
    from neuroevo.problems.sequence import SequenceProblem

Floats: TypeAlias = NDArray[np.float64]
Mask: TypeAlias = NDArray[np.bool_]


class Objective(ABC):
    """What the error of outputs is.

    Attributes:
        name: In scenarios and stored data.
        parameter: Its number, for those that have one.
    """

    name: ClassVar[str]
    parameter: float | None = None

    @property
    @abstractmethod
    def title(self) -> str:
        """What the error is, for axes and tables; its unit in brackets."""

    @abstractmethod
    def error(self, problem: SequenceProblem, outputs: Floats, counted: Mask) -> float:
        """The error of outputs, which may be not finite.

        Args:
            problem: Has the targets and their weights.
            outputs: ``(n_rows, n_outputs)``, as the problem's `target_rows` lie.
            counted: bool of that shape, the targets that count.
        """

    def check(self, problem: SequenceProblem) -> None:  # noqa: B027 - most suit every problem
        """Check that the problem can be judged so.

        Raises:
            BadInput: It can't.
        """

    def check_network(self, problem: SequenceProblem, network: Network) -> None:  # noqa: B027 - most suit every network
        """Check that the outputs of a network can be judged so.

        Raises:
            BadInput: They can't.
        """


class Mean(Objective):
    """A weighted mean of losses, one for each counted target."""

    @abstractmethod
    def losses(self, problem: SequenceProblem, outputs: Floats) -> Floats:
        """The loss of every target, counted or not."""

    @abstractmethod
    def loss_name(self, problem: SequenceProblem) -> str:
        """The loss in `kernels.losses.CODES`."""

    def where(self, counted: Mask) -> Mask:
        """Which losses count."""
        return counted

    def weights(self, problem: SequenceProblem, counted: Mask) -> Floats | None:  # noqa: ARG002 - others depend on it
        """The weights of the losses; None where all are equal."""
        return problem.weight_rows

    def error(self, problem: SequenceProblem, outputs: Floats, counted: Mask) -> float:
        """As in `Objective`."""
        where, weights = self.where(counted), self.weights(problem, counted)
        losses = np.where(where, self.losses(problem, outputs), 0.0)
        if weights is not None:
            losses = losses * np.where(where, weights, 0.0)
        # Sequence by sequence, so that the order of the sum is the kernels' order.
        total = sum(float(own.sum()) for own in problem.rows.split(losses))
        return total / float(where.sum() if weights is None else weights[where].sum())

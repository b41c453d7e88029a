"""Shares of steps that are wrong by the problem's rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from neuroevo.errors import BadInput
from neuroevo.problems.objectives.base import Floats, Mask, Mean

if TYPE_CHECKING:
    from neuroevo.problems.sequence import SequenceProblem


def step_weights(problem: SequenceProblem, counted: Mask) -> Floats | None:
    """``(n_rows, 1)``: the mean weight of the counted targets of each step; None where all are equal."""
    if problem.weight_rows is None:
        return None
    total = np.where(counted, problem.weight_rows, 0.0).sum(axis=1, keepdims=True)
    return np.asarray(total / np.maximum(counted.sum(axis=1, keepdims=True), 1))


class _ShareOfSteps(Mean):
    """The weighted share of steps that are wrong by the problem's rule; the weight of a step is that of its targets."""

    def loss_name(self, problem: SequenceProblem) -> str:  # noqa: ARG002
        return "wrong_step"

    def where(self, counted: Mask) -> Mask:
        return np.asarray(counted.any(axis=1, keepdims=True))

    def losses(self, problem: SequenceProblem, outputs: Floats) -> Floats:
        raise NotImplementedError("which steps are wrong depends on what counts")

    def weights(self, problem: SequenceProblem, counted: Mask) -> Floats | None:
        """The mean weight of the counted targets of each step."""
        return step_weights(problem, counted)

    def error(self, problem: SequenceProblem, outputs: Floats, counted: Mask) -> float:
        """As in `Objective`; NaN where an output is not finite."""
        if not np.isfinite(outputs[counted]).all():
            return float("nan")
        wrong = ~problem.learned.right(outputs, problem.target_rows, counted)[:, None]
        where, weights = self.where(counted), self.weights(problem, counted)
        return float(np.average(wrong[where], weights=None if weights is None else weights[where]))


@dataclass(frozen=True)
class ClassificationError(_ShareOfSteps):
    """The share of steps whose largest output is not that of the right class."""

    name: ClassVar[str] = "classification_error"

    @property
    def title(self) -> str:
        return "classification error (share of steps)"

    def check(self, problem: SequenceProblem) -> None:
        if not problem.learned.by_class:
            raise BadInput(f'objective "{self.name}" needs classes; "not_learned" counts targets outside a tolerance')


@dataclass(frozen=True)
class BalancedError(ClassificationError):
    """1 - balanced accuracy: the mean over the classes of a part of the share of their steps that are wrong."""

    name: ClassVar[str] = "balanced_error"

    @property
    def title(self) -> str:
        return "balanced classification error (mean share over classes)"

    def weights(self, problem: SequenceProblem, counted: Mask) -> Floats:
        """As in `ClassificationError`, divided by their sum over the steps of the same class."""
        of_steps, where = super().weights(problem, counted), self.where(counted)
        each = np.where(where, 1.0 if of_steps is None else of_steps, 0.0)[:, 0]
        classes = problem.target_rows.argmax(axis=1)
        of_classes = np.bincount(classes, each, problem.n_outputs)
        return np.asarray(each / np.maximum(of_classes, np.finfo(np.float64).tiny)[classes])[:, None]

    def check(self, problem: SequenceProblem) -> None:
        super().check(problem)
        if problem.class_weights is not None:
            raise BadInput('objective "balanced_error" weighs all classes alike: leave out class_weights')


@dataclass(frozen=True)
class NotLearned(_ShareOfSteps):
    """1 - the share learnt: the steps that the rule `learned` does not call right."""

    name: ClassVar[str] = "not_learned"

    @property
    def title(self) -> str:
        return "share not learnt"

"""Objectives: the error of outputs that a `SequenceProblem` minimises, by name or as a function of one's own.

`OBJECTIVES` has those with a name. All of them are weighted means, over the counted targets or over the steps that have
one; `Own` is any function.
"""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from neuroevo.checks import number
from neuroevo.errors import BadInput, WrongType
from neuroevo.registry import UnknownName, nearest

if TYPE_CHECKING:
    from neuroevo.networks import Network
    from neuroevo.problems.sequence import SequenceProblem

Floats: TypeAlias = NDArray[np.float64]
Mask: TypeAlias = NDArray[np.bool_]

SMALLEST_PROBABILITY = 1e-7
"""What a smaller probability counts as in a cross-entropy, which so stays finite and alike in both precisions."""


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
            outputs: ``(n_sequences, n_steps, n_outputs)``.
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
        return problem.weights

    def error(self, problem: SequenceProblem, outputs: Floats, counted: Mask) -> float:
        """As in `Objective`."""
        where, weights = self.where(counted), self.weights(problem, counted)
        losses = np.where(where, self.losses(problem, outputs), 0.0)
        if weights is not None:
            losses = losses * np.where(where, weights, 0.0)
        # Sequence by sequence, so that the order of the sum is the kernels' order.
        total = sum(float(own.sum()) for own in losses)
        return total / float(where.sum() if weights is None else weights[where].sum())


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
        difference = outputs - problem.targets
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
        return np.abs(outputs - problem.targets)


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
        size = np.abs(outputs - problem.targets)
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
        above = outputs - problem.targets
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
        targets = problem.targets
        return -targets * _log_probability(outputs) - (1.0 - targets) * _log_probability(1.0 - outputs)

    def weights(self, problem: SequenceProblem, counted: Mask) -> Floats | None:  # noqa: ARG002
        """Of classes, the targets themselves are factors: 1 for the right one."""
        if not problem.learned.by_class:
            return problem.weights
        return problem.targets if problem.weights is None else problem.weights * problem.targets

    def check(self, problem: SequenceProblem) -> None:
        targets = problem.targets[problem.target_mask & problem.present[:, :, None]]
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


class _ShareOfSteps(Mean):
    """The weighted share of steps that are wrong by the problem's rule; the weight of a step is that of its targets."""

    def loss_name(self, problem: SequenceProblem) -> str:  # noqa: ARG002
        return "wrong_step"

    def where(self, counted: Mask) -> Mask:
        return np.asarray(counted.any(axis=2, keepdims=True))

    def losses(self, problem: SequenceProblem, outputs: Floats) -> Floats:
        raise NotImplementedError("which steps are wrong depends on what counts")

    def weights(self, problem: SequenceProblem, counted: Mask) -> Floats | None:
        """The mean weight of the counted targets of each step."""
        if problem.weights is None:
            return None
        total = np.where(counted, problem.weights, 0.0).sum(axis=2, keepdims=True)
        return np.asarray(total / np.maximum(counted.sum(axis=2, keepdims=True), 1))

    def error(self, problem: SequenceProblem, outputs: Floats, counted: Mask) -> float:
        """As in `Objective`; NaN where an output is not finite."""
        if not np.isfinite(outputs[counted]).all():
            return float("nan")
        wrong = ~problem.learned.right(outputs, problem.targets, counted)[:, :, None]
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
        each = np.where(where, 1.0 if of_steps is None else of_steps, 0.0)[:, :, 0]
        classes = problem.targets.argmax(axis=2)
        of_classes = np.bincount(classes.ravel(), each.ravel(), problem.n_outputs)
        return np.asarray(each / np.maximum(of_classes, np.finfo(np.float64).tiny)[classes])[:, :, None]

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


@dataclass(frozen=True)
class Own(Objective):
    """A function of one's own, ``function(outputs, targets, counted) -> errors``, over a block of genomes.

    `outputs` is ``(n, n_sequences, n_steps, n_outputs)``, 0 beyond a sequence's length, in double or single precision;
    `targets` ``(n_sequences, n_steps, n_outputs)`` float64 in scaled units; `counted` bool of that shape, the targets
    of the part. `errors` is ``(n,)`` real numbers of at least 0; one that is not finite is a failed evaluation. The
    error of a genome must depend on its own outputs alone, to the last bit where runs are to be repeated: sum along the
    axes of a genome, without matrix products over genomes.

    Attributes:
        function: The function, or where it is found, "module:function". It is looked up when it is first called, so
            that a record can be opened where there is none.
    """

    name: ClassVar[str] = "own"
    function: Callable[..., object] | str

    def __post_init__(self) -> None:
        if isinstance(self.function, str):
            module, _, name = self.function.partition(":")
            if not all(part.isidentifier() for part in [*module.split("."), *name.split(".")]):
                raise BadInput(f'an objective of one\'s own is a function or "module:function", got {self.function!r}')
        elif not callable(self.function):
            raise WrongType(f"an objective must be a name, an Objective or a function, got {self.function!r}")

    @property
    def title(self) -> str:
        name = self.function if isinstance(self.function, str) else getattr(self.function, "__qualname__", "")
        return f"{name.rpartition(':')[2] or 'error'} (objective of one's own)"

    @property
    def place(self) -> str | None:
        """Where another process finds it, "module:function"; None where it can't."""
        if isinstance(self.function, str):
            return self.function
        module, name = getattr(self.function, "__module__", None), getattr(self.function, "__qualname__", "")
        if module in (None, "__main__"):
            return None
        try:
            return f"{module}:{name}" if _found(f"{module}:{name}") is self.function else None
        except BadInput:
            return None

    def errors(self, problem: SequenceProblem, outputs: NDArray[np.floating], counted: Mask) -> Floats:
        """``(n,)``: the errors of genomes with outputs ``(n, n_sequences, n_steps, n_outputs)``, all of them present.

        Raises:
            BadInput: The function is not found, or gives something else than errors.
        """
        function = _found(self.function) if isinstance(self.function, str) else self.function
        given = np.where(problem.present[:, :, None], outputs, outputs.dtype.type(0))
        errors = np.asarray(function(given, problem.targets, counted))
        if errors.shape != (len(outputs),) or errors.dtype.kind not in "fiub":
            raise BadInput(
                f"{self.title} must give ({len(outputs)},) real numbers, one error a genome; it gave "
                f"{errors.dtype} of shape {errors.shape}"
            )
        if (errors < 0).any():
            raise BadInput(f"{self.title} must give errors of at least 0, got {errors.min():g}")
        return errors.astype(np.float64)

    def error(self, problem: SequenceProblem, outputs: Floats, counted: Mask) -> float:
        return float(self.errors(problem, outputs[np.newaxis], counted)[0])

    def check(self, problem: SequenceProblem) -> None:
        if problem.weights is not None:
            raise BadInput("target_weights and class_weights go with a named objective; a function has its own")


def _found(place: str) -> Callable[..., object]:
    """The function at "module:function".

    Raises:
        BadInput: There is none.
    """
    module, _, name = place.partition(":")
    try:
        found: object = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise BadInput(f"the objective {place!r} is not found: {error}; it must be importable where it runs") from error
    if not callable(found):
        raise BadInput(f"the objective {place!r} must be a function, got {found!r}")
    return found


def _log_probability(values: Floats) -> Floats:
    return np.asarray(np.log(np.clip(values, SMALLEST_PROBABILITY, 1.0)))


OBJECTIVES: dict[str, type[Objective]] = {
    cls.name: cls
    for cls in (
        Squared, Absolute, Huber, Pinball, CrossEntropy, ClassificationError, BalancedError, NotLearned,
    )
}  # fmt: skip
"""Objectives by the name in scenarios."""


def as_objective(objective: Objective | str | Callable[..., object] | None) -> Objective:
    """The objective that a caller means: a name of `OBJECTIVES`, "module:function", a function, or one itself.

    Raises:
        UnknownName: No objective has that name.
        WrongType: It is none of these.
    """
    if objective is None:
        return Squared()
    if isinstance(objective, Objective):
        return objective
    if not isinstance(objective, str) or ":" in objective:
        return Own(objective)
    if objective not in OBJECTIVES:
        near = nearest(objective, OBJECTIVES)
        guess = f"; did you mean {near!r}?" if near else ""
        raise UnknownName(f"there is no objective {objective!r}{guess} Known: {', '.join(OBJECTIVES)}")
    return OBJECTIVES[objective]()


def stored(objective: Objective) -> dict[str, str | float]:
    """What stored data say of an objective; nothing of the usual one.

    Raises:
        BadInput: It is a function that nobody else could find.
    """
    if isinstance(objective, Own):
        if objective.place is None:
            raise BadInput(
                f"{objective.title} can't be written down or sent to workers: define the function at the top level of "
                'a module that can be imported, and give it or "module:function"'
            )
        return {"objective": objective.place}
    parameter = {} if objective.parameter is None else {"objective_parameter": objective.parameter}
    return {} if isinstance(objective, Squared) else {"objective": objective.name, **parameter}


def restored(name: str, parameter: float | None) -> Objective:
    """The objective that stored data name.

    Raises:
        BadInput: There is none, or its parameter is out of range.
    """
    if parameter is None or ":" in name:
        return as_objective(name)
    return {"huber": Huber, "pinball": Pinball}[name](parameter) if name in ("huber", "pinball") else as_objective(name)

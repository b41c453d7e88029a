"""Functions of one's own as objectives."""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput, WrongType
from neuroevo.problems.functions import call, found, is_place
from neuroevo.problems.objectives.base import Floats, Mask, Objective
from neuroevo.problems.objectives.shares import step_weights

if TYPE_CHECKING:
    from neuroevo.problems.sequence import SequenceProblem


@dataclass(frozen=True)
class OfOnesOwn(Objective):
    """What objectives of one's own have in common.

    Attributes:
        function: The function, or where it is found, "module:function". It is looked up when it is first called, so
            that a record can be opened where there is none.
    """

    function: Callable[..., object] | str

    def __post_init__(self) -> None:
        if isinstance(self.function, str):
            if not is_place(self.function):
                raise BadInput(f'an objective of one\'s own is a function or "module:function", got {self.function!r}')
        elif not callable(self.function):
            raise WrongType(f"an objective must be a name, an Objective or a function, got {self.function!r}")

    @property
    def title(self) -> str:
        name = self.function if isinstance(self.function, str) else getattr(self.function, "__qualname__", "")
        return f"{self._kind}{name.rpartition(':')[2] or 'error'} (objective of one's own)"

    @property
    def called(self) -> str:
        """What messages call it."""
        name = self.function if isinstance(self.function, str) else getattr(self.function, "__qualname__", "")
        return f"the objective {name or 'of your own'}"

    @property
    @abstractmethod
    def _kind(self) -> str:
        """What the title begins with."""

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

    @abstractmethod
    def check_arguments(self) -> None:
        """Check that the function is there and can take what it is to be given.

        Raises:
            BadInput: It is not, or can't.
        """

    @property
    def found(self) -> Callable[..., Any]:
        """The function itself.

        Raises:
            BadInput: There is none at its place.
        """
        return _found(self.function) if isinstance(self.function, str) else self.function


@dataclass(frozen=True)
class Own(OfOnesOwn):
    """A function of one's own, ``function(outputs, targets, counted) -> errors``, over a block of genomes.

    It sees padded arrays, also where sequences are of unequal lengths: it may be one that looks along the steps.

    `outputs` is ``(n, n_sequences, n_steps, n_outputs)``, 0 beyond a sequence's length, in double or single precision;
    `targets` ``(n_sequences, n_steps, n_outputs)`` float64 in scaled units; `counted` bool of that shape, the targets
    of the part. `errors` is ``(n,)`` real numbers of at least 0; one that is not finite is a failed evaluation. The
    error of a genome must depend on its own outputs alone, to the last bit where runs are to be repeated: sum along the
    axes of a genome, without matrix products over genomes.
    """

    name: ClassVar[str] = "own"
    _kind: ClassVar[str] = ""

    def check_arguments(self) -> None:
        function = self.found
        try:
            inspect.signature(function).bind(None, None, None)
        except TypeError as error:
            raise BadInput(
                f"{self.called} must take outputs, targets and counted, those of all steps; a function of one step, of "
                "outputs and targets, goes with per_step = true of [problem] alone"
            ) from error
        except ValueError:
            return  # compiled functions of other libraries don't tell

    def errors(self, problem: SequenceProblem, outputs: NDArray[np.floating], counted: Mask) -> Floats:
        """``(n,)``: the errors of genomes with outputs ``(n, n_rows, n_outputs)``; `counted` is of rows too.

        Raises:
            BadInput: The function is not found, fails, or gives something else than errors.
        """
        rows = problem.rows
        given = np.stack([rows.padded(own) for own in outputs])
        errors = np.asarray(call(self.called, self.found, given, problem.targets, rows.padded(counted)))
        if errors.shape != (len(outputs),) or errors.dtype.kind not in "fiub":
            raise BadInput(
                f"{self.called} must give ({len(outputs)},) real numbers, one error a genome; it gave "
                f"{errors.dtype} of shape {errors.shape}"
            )
        self.refuse_negative(errors)
        return errors.astype(np.float64)

    def refuse_negative(self, errors: NDArray[Any]) -> None:
        """Check errors.

        Raises:
            BadInput: One of them is below 0.
        """
        if (errors < 0).any():
            raise BadInput(f"{self.called} must give errors of at least 0, got {errors.min():g}")

    def error(self, problem: SequenceProblem, outputs: Floats, counted: Mask) -> float:
        return float(self.errors(problem, outputs[np.newaxis], counted)[0])

    def check(self, problem: SequenceProblem) -> None:
        if problem.weight_rows is not None:
            raise BadInput(
                "target_weights and class_weights go with a named objective or a function of one step (per_step); a "
                "function of all outputs has its own"
            )


@dataclass(frozen=True)
class PerStep(OfOnesOwn):
    """The mean over the counted steps of a function of one step, ``function(outputs, targets) -> cost``.

    `outputs` and `targets` are ``(n_outputs,)`` arrays of one step, in scaled units and the precision of the
    evaluation. The cost is a real number of at least 0; one that is not finite is a failed evaluation. Numba
    compiles the function, so that it joins the loop over the steps; helpers that it calls have to be numba functions
    themselves. A step counts where a target of it does; where only some of its targets do, the function has to take a
    third argument, ``counted``, a ``(n_outputs,)`` array whose entries are 0 for the others. A step weighs what its
    counted targets weigh on average.
    """

    name: ClassVar[str] = "per_step"
    _kind: ClassVar[str] = "mean "

    def check_arguments(self) -> None:
        _ = self.sees_counted

    @property
    def sees_counted(self) -> bool:
        """Whether the function asks which targets count.

        Raises:
            BadInput: It takes neither two arguments nor three.
        """
        function = self.found
        n = len(inspect.signature(getattr(function, "py_func", function)).parameters)
        if n not in (2, 3):
            raise BadInput(
                f"{self.called} must take outputs and targets, or outputs, targets and counted; it takes {n}"
            )
        return n == 3

    def where(self, counted: Mask) -> Mask:
        """``(n_rows, 1)``: the steps that count."""
        return np.asarray(counted.any(axis=1, keepdims=True))

    def weights(self, problem: SequenceProblem, counted: Mask) -> Floats | None:
        """``(n_rows, 1)``: what each step weighs; None where all are equal."""
        return step_weights(problem, counted)

    def error(self, problem: SequenceProblem, outputs: Floats, counted: Mask) -> float:
        where, weights = self.where(counted)[:, 0], self.weights(problem, counted)
        costs = np.zeros(len(where))
        with np.errstate(all="ignore"):
            costs[where] = self._costs(outputs[where], problem.target_rows[where], counted[where])
        self.refuse_negative(costs)
        if weights is not None:
            costs = costs * np.where(where, weights[:, 0], 0.0)
        # Sequence by sequence, so that the order of the sum is the kernels' order.
        total = sum(float(own.sum()) for own in problem.rows.split(costs))
        return total / float(where.sum() if weights is None else weights[where].sum())

    def _costs(self, outputs: Floats, targets: Floats, counted: Mask) -> Floats:
        """``(n,)``: the costs of n steps."""
        function: Any = getattr(self.found, "py_func", self.found)
        self.refuse_half_counted(counted)
        columns = (outputs, targets, counted) if self.sees_counted else (outputs, targets)
        costs = [call(self.called, function, *step) for step in zip(*columns, strict=True)]
        try:
            return np.array([float(cost) for cost in costs])
        except (TypeError, ValueError) as error:
            raise BadInput(f"{self.called} must give a real number for each step: {error}") from error

    def refuse_half_counted(self, counted: Mask) -> None:
        """Check that the function can judge all steps.

        Raises:
            BadInput: A target does not count in a step whose others do, and the function asks for no `counted`.
        """
        some = counted[counted.any(axis=1)]
        if not some.all() and not self.sees_counted:
            raise BadInput(
                f"{self.called}: only some targets of a step count (their mask); the function has to take "
                "a third argument, counted"
            )

    def refuse_negative(self, costs: NDArray[Any]) -> None:
        """Check costs of steps, or their means.

        Raises:
            BadInput: One of them is below 0.
        """
        if (costs < 0).any():
            raise BadInput(f"{self.called} must give costs of at least 0, got {costs.min():g}")


def _found(place: str) -> Callable[..., object]:
    return found(place, "the objective")

"""A function of one's own as objective."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput, WrongType
from neuroevo.problems.functions import found
from neuroevo.problems.objectives.base import Floats, Mask, Objective

if TYPE_CHECKING:
    from neuroevo.problems.sequence import SequenceProblem


@dataclass(frozen=True)
class Own(Objective):
    """A function of one's own, ``function(outputs, targets, counted) -> errors``, over a block of genomes.

    It sees padded arrays, also where sequences are of unequal lengths: it may be one that looks along the steps.

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
        """``(n,)``: the errors of genomes with outputs ``(n, n_rows, n_outputs)``; `counted` is of rows too.

        Raises:
            BadInput: The function is not found, or gives something else than errors.
        """
        function = _found(self.function) if isinstance(self.function, str) else self.function
        rows = problem.rows
        given = np.stack([rows.padded(own) for own in outputs])
        errors = np.asarray(function(given, problem.targets, rows.padded(counted)))
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
        if problem.weight_rows is not None:
            raise BadInput("target_weights and class_weights go with a named objective; a function has its own")


def _found(place: str) -> Callable[..., object]:
    return found(place, "the objective")

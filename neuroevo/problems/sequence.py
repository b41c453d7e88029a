"""SequenceProblem: sequences of inputs, the targets that count, and the parts that train, validate and test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroevo.checks import number, whole_number
from neuroevo.errors import BadInput, WrongType
from neuroevo.problems import checks
from neuroevo.problems.arrays import Arrays, pack, unpack
from neuroevo.problems.learned import Learned, RightClass, Within
from neuroevo.problems.scaling import METHODS, Method, Scaling, learn_column
from neuroevo.problems.summary import Summary, describe, warnings


class SequenceProblem:
    """What is to be learnt from sequences. Immutable: it copies what it is given, and its arrays are read-only.

    The error of outputs on a part is the mean over ``counted(part)`` of the squared difference from the targets, plus
    ``weight_decay`` times the mean square of the genome. Learned is the share of the steps with a counted target that
    the rule `learned` calls right.

    Args:
        inputs: ``(n_sequences, n_steps, n_inputs)`` real numbers.
        targets: ``(n_sequences, n_steps, n_outputs)`` real numbers.
        lengths: ``(n_sequences,)`` whole numbers: the steps that each sequence really has; the rest is padding.
            None: all of them.
        target_mask: ``(n_sequences, n_steps, n_outputs)`` bool: the targets that count. None: all of them.
        washout: Leading steps of each sequence whose targets do not count.
        learned: ``Within(tolerance)`` or ``RightClass()``.
        parts: Part names to bool masks ``(n_sequences, n_steps)``, or ``(n_sequences,)`` for whole sequences. A target
            belongs to the part whose mask is true at its step; the state runs through from part to part. One part is
            called "train". None: everything trains.
        weight_decay: Factor of the mean square of the genome in the error.
        times: Labels of the targets on the time axis, ``(n_steps,)`` or ``(n_sequences, n_steps)``, numbers or text.
        input_names: One name an input column.
        target_names: One name a target column.
        tied: For each target column the input column that holds the same quantity (a series predicted from itself), or
            -1. The two share one scaling, and "last value repeated" is defined for them.
        reference_variance: The constant by which the literature divides the squared error of these data (average
            relative variance), in original units.

    Raises:
        TypeError, ValueError: With the argument, what was expected, what came, and the remedy.
    """

    def __init__(
        self,
        inputs: ArrayLike,
        targets: ArrayLike,
        *,
        lengths: ArrayLike | None = None,
        target_mask: ArrayLike | None = None,
        washout: int = 0,
        learned: Learned | None = None,
        parts: Mapping[str, ArrayLike] | None = None,
        weight_decay: float = 0.0,
        times: ArrayLike | None = None,
        input_names: Sequence[str] | None = None,
        target_names: Sequence[str] | None = None,
        tied: Sequence[int] | None = None,
        reference_variance: float | None = None,
    ) -> None:
        self.inputs = checks.sequence_array("inputs", inputs, "n_inputs")
        self.targets = checks.sequence_array("targets", targets, "n_outputs")
        self.n_sequences, self.n_steps, self.n_inputs = self.inputs.shape
        self.n_outputs = self.targets.shape[2]
        if self.targets.shape[:2] != self.inputs.shape[:2]:
            raise BadInput(
                "inputs and targets must have the same number of sequences and steps, "
                f"got {self.inputs.shape} and {self.targets.shape}"
            )
        self.lengths = checks.checked_lengths(lengths, self.n_sequences, self.n_steps)
        self.target_mask = checks.checked_mask(target_mask, self.targets.shape)
        self.washout = whole_number("washout", washout, 0)
        self.learned: Learned = Within(0.1) if learned is None else learned
        self.parts = MappingProxyType(checks.checked_parts(parts, self.n_sequences, self.n_steps))
        self.weight_decay = number("weight_decay", weight_decay, at_least=0)
        self.times = checks.checked_times(times, self.n_sequences, self.n_steps)
        self.input_names = checks.checked_names("input_names", input_names, self.n_inputs)
        self.target_names = checks.checked_names("target_names", target_names, self.n_outputs)
        self.tied = checks.checked_tied(tied, self.n_inputs, self.n_outputs)
        self.reference_variance = (
            None if reference_variance is None else number("reference_variance", reference_variance, at_least=0)
        )
        self.scaling = Scaling.identity(self.n_inputs, self.n_outputs)
        self.original: SequenceProblem = self
        self._check_and_freeze()

    def __setattr__(self, name: str, value: object) -> None:
        if "_counted" in self.__dict__:
            raise AttributeError(f"{name} of a SequenceProblem cannot be set; make another problem")
        super().__setattr__(name, value)

    def _check_and_freeze(self) -> None:
        if not isinstance(self.learned, Within | RightClass):
            raise WrongType(f"learned must be Within(tolerance) or RightClass(), got {self.learned!r}")
        present = self.present[:, :, None]
        counts = self.target_mask & present
        checks.refuse_non_finite("inputs", self.inputs, np.broadcast_to(present, self.inputs.shape))
        checks.refuse_non_finite("targets", self.targets, counts)
        counts = counts & (np.arange(self.n_steps) >= self.washout)[None, :, None]
        counted: dict[str, NDArray[np.bool_]] = {}
        for name, mask in self.parts.items():
            counted[name] = counts & mask[:, :, None]
            if not counted[name].any():
                raise BadInput(
                    f"part {name!r} counts no target: its mask, target_mask, lengths and "
                    f"washout (the first {self.washout} steps) leave none"
                )
        if isinstance(self.learned, RightClass):
            checks.refuse_unclassifiable(self.targets, counts)
        arrays = [self.inputs, self.targets, self.lengths, self.target_mask, *self.parts.values()]
        for array in [*arrays, *counted.values(), *([] if self.times is None else [self.times])]:
            checks.frozen(array)
        self._counted = counted

    @property
    def present(self) -> NDArray[np.bool_]:
        """``(n_sequences, n_steps)`` bool: the steps that are no padding."""
        return np.asarray(np.arange(self.n_steps)[None, :] < self.lengths[:, None])

    def counted(self, part: str = "train") -> NDArray[np.bool_]:
        """``(n_sequences, n_steps, n_outputs)`` bool, read-only: the targets of a part that count.

        Raises:
            ValueError: There is no such part.
        """
        try:
            return self._counted[part]
        except (KeyError, TypeError):
            raise BadInput(f"there is no part {part!r}; the problem has {', '.join(self.parts)}") from None

    def scaled(self, method: Method, limits: tuple[float, float] = (-1.0, 1.0)) -> SequenceProblem:
        """The same problem in scaled units, learnt on the training part only.

        Inputs are learnt from the steps of the training part, targets from the training targets that count (before the
        washout too), tied columns from both together. One-hot targets of RightClass stay as they are.

        Args:
            method: "none", "standard" or "range".
            limits: The ends of the interval for "range".

        Raises:
            ValueError: Unknown method, limits that are no interval, or values too large or too close to be scaled.
        """
        if method not in METHODS:
            raise BadInput(f"scaling must be one of {', '.join(METHODS)}; got {method!r}")
        if len(limits) != 2 or not (np.isfinite(limits).all() and limits[0] < limits[1]):
            raise BadInput(f"the limits of a range must be two finite numbers in rising order, got {limits!r}")
        problem = self.original
        if method == "none":
            return problem
        return problem.with_scaling(_learn(problem, method, limits))

    def with_scaling(self, scaling: Scaling) -> SequenceProblem:
        """The same problem in the units of a given scaling, such as the one that a champion was trained in.

        Raises:
            ValueError: The scaling is for other numbers of columns, or gives values beyond floating-point numbers.
        """
        if self.original is not self:
            return self.original.with_scaling(scaling)
        if (len(scaling.input_offset), len(scaling.target_offset)) != (self.n_inputs, self.n_outputs):
            raise BadInput(
                f"the scaling is for {len(scaling.input_offset)} inputs and {len(scaling.target_offset)} outputs, "
                f"the problem has {self.n_inputs} and {self.n_outputs}"
            )
        with np.errstate(over="ignore", invalid="ignore"):
            inputs, targets = scaling.scale_inputs(self.inputs), scaling.scale_targets(self.targets)
        counts = self.target_mask & self.present[:, :, None]
        if not (np.isfinite(inputs[self.present]).all() and np.isfinite(targets[counts]).all()):
            raise BadInput(
                "scaling gives values beyond the range of floating-point numbers: the training values of a column lie "
                "too close together for the values of the other parts; choose another scaling or part"
            )
        problem = SequenceProblem(**{**self.fields(), "inputs": inputs, "targets": targets})
        problem.__dict__.update(scaling=scaling, original=self)
        return problem

    def fields(self) -> dict[str, Any]:
        """The arguments that construct this problem again, in its present units; arrays are the read-only originals."""
        names = (
            "inputs", "targets", "lengths", "target_mask", "washout", "learned", "weight_decay", "times",
            "input_names", "target_names", "tied", "reference_variance",
        )  # fmt: skip
        return {name: getattr(self, name) for name in names} | {"parts": dict(self.parts)}

    def to_arrays(self) -> Arrays:
        """The problem as plain arrays, in original units, with the parameters of its scaling."""
        return pack(self.original.fields(), self.scaling)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> SequenceProblem:
        """The problem that `to_arrays` wrote, bit for bit, scaled as it was; other keys of the mapping are ignored.

        Raises:
            ValueError: An array is missing or is not what `to_arrays` writes.
        """
        fields, scaling = unpack(arrays)
        problem = cls(**fields)
        return problem if scaling.method == "none" else problem.with_scaling(scaling)

    def describe(self) -> Summary:
        """What the problem is; ``str`` of it is a few lines for people."""
        return describe(self)

    def warnings(self) -> list[str]:
        """Sentences on what is legal and yet probably not meant; empty where all is well."""
        return warnings(self)

    def __reduce__(self) -> tuple[object, ...]:
        # Unpickled arrays are writeable; going through the constructor makes them read-only again.
        return SequenceProblem.from_arrays, (self.to_arrays(),)

    def __repr__(self) -> str:
        parts = ", ".join(f"{name} {int(self._counted[name].sum())}" for name in self.parts)
        shape = (
            f"{self.n_sequences} sequences of {self.n_steps} steps, {self.n_inputs} inputs, {self.n_outputs} outputs"
        )
        return f"<SequenceProblem: {shape}; targets: {parts}; scaling {self.scaling.method}>"


def _learn(problem: SequenceProblem, method: Method, limits: tuple[float, float]) -> Scaling:
    """The scaling of a problem in original units; columns tied together are learnt and scaled together."""
    steps = problem.parts["train"] & problem.present
    counts = problem.target_mask & steps[:, :, None]
    inputs = [problem.inputs[:, :, i][steps] for i in range(problem.n_inputs)]
    targets = [problem.targets[:, :, o][counts[:, :, o]] for o in range(problem.n_outputs)]
    pooled = [[values] for values in inputs]
    for target, column in zip(targets, problem.tied, strict=True):
        if column >= 0:
            pooled[column].append(target)
    with np.errstate(over="ignore"):
        input_maps = [learn_column(np.concatenate(values), method, limits) for values in pooled]
        target_maps = [
            input_maps[column] if column >= 0 else learn_column(target, method, limits)
            for target, column in zip(targets, problem.tied, strict=True)
        ]
    if isinstance(problem.learned, RightClass):
        target_maps = [(0.0, 1.0)] * problem.n_outputs
    columns = np.array([*input_maps, *target_maps], dtype=np.float64)
    if not (np.isfinite(columns).all() and (columns[:, 1] > 0).all()):
        raise BadInput(
            "a column's training values are too large, or too close together, to be scaled; rescale them first"
        )
    split = problem.n_inputs
    return Scaling(method, columns[:split, 0], columns[:split, 1], columns[split:, 0], columns[split:, 1])

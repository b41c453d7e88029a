"""Scaling: the affine map per column that turns data into units a network can work in, learnt on the training part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput

if TYPE_CHECKING:
    from neuroevo.problems.sequence import SequenceProblem

Method = Literal["none", "standard", "range", "robust"]
METHODS: tuple[str, ...] = ("none", "standard", "range", "robust")
Methods: TypeAlias = Method | Mapping[Literal["inputs", "targets"], Method]
"""One method for all columns, or one for the inputs and another for the targets, which are then scaled apart."""


@dataclass(frozen=True, eq=False)
class Scaling:
    """Scaled = (value - offset) / factor, column by column.

    Attributes:
        method: "none", "standard" (mean 0, variance 1 on the training part), "range" (smallest and largest training
            value on the ends of an interval) or "robust" (median 0, interquartile range 1).
        input_offset: ``(n_inputs,)`` float64.
        input_factor: ``(n_inputs,)`` float64, above 0.
        target_offset: ``(n_outputs,)`` float64.
        target_factor: ``(n_outputs,)`` float64, above 0.
        target_method: That of the targets, where they are scaled apart from the inputs; None for `method`.
    """

    method: str
    input_offset: NDArray[np.float64]
    input_factor: NDArray[np.float64]
    target_offset: NDArray[np.float64]
    target_factor: NDArray[np.float64]
    target_method: str | None = None

    def __post_init__(self) -> None:
        for method in [self.method, *([] if self.target_method is None else [self.target_method])]:
            check_method(method)
        for name in ("input_offset", "input_factor", "target_offset", "target_factor"):
            values = np.array(getattr(self, name), dtype=np.float64)
            if values.ndim != 1 or not np.isfinite(values).all() or (name.endswith("factor") and (values <= 0).any()):
                raise BadInput(f"{name} must be one finite number a column (factors above 0), got {values!r}")
            values.setflags(write=False)
            object.__setattr__(self, name, values)
        if (self.input_offset.shape, self.target_offset.shape) != (self.input_factor.shape, self.target_factor.shape):
            raise BadInput("every column needs one offset and one factor")

    @classmethod
    def identity(cls, n_inputs: int, n_outputs: int) -> Scaling:
        """The scaling that changes nothing."""
        return cls("none", np.zeros(n_inputs), np.ones(n_inputs), np.zeros(n_outputs), np.ones(n_outputs))

    def __str__(self) -> str:
        apart = self.target_method is not None
        return f"{self.method} of the inputs, {self.target_method} of the targets" if apart else self.method

    @property
    def changes_targets(self) -> bool:
        """Whether scaled targets differ from those in original units."""
        return bool((self.target_offset != 0).any() or (self.target_factor != 1).any())

    def scale_inputs(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        """``(..., n_inputs)`` in original units to scaled units."""
        return (inputs - self.input_offset) / self.input_factor

    def unscale_inputs(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        """``(..., n_inputs)`` in scaled units to original units."""
        return inputs * self.input_factor + self.input_offset

    def scale_targets(self, targets: NDArray[np.float64]) -> NDArray[np.float64]:
        """``(..., n_outputs)`` in original units to scaled units."""
        return (targets - self.target_offset) / self.target_factor

    def unscale_targets(self, targets: NDArray[np.float64]) -> NDArray[np.float64]:
        """``(..., n_outputs)`` targets or outputs of a network in scaled units to original units."""
        return targets * self.target_factor + self.target_offset

    def to_arrays(self) -> dict[str, NDArray[np.generic]]:
        """Plain arrays, for NPZ files; `from_arrays` reads them back bit for bit."""
        apart = {} if self.target_method is None else {"scaling_target_method": np.array(self.target_method)}
        return apart | {
            "scaling_method": np.array(self.method),
            "scaling_input_offset": self.input_offset.copy(),
            "scaling_input_factor": self.input_factor.copy(),
            "scaling_target_offset": self.target_offset.copy(),
            "scaling_target_factor": self.target_factor.copy(),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Scaling:
        """The scaling that `to_arrays` wrote; other keys of the mapping are ignored.

        Raises:
            ValueError: An array is missing or is not what `to_arrays` writes.
        """
        names = ("method", "input_offset", "input_factor", "target_offset", "target_factor")
        missing = [f"scaling_{name}" for name in names if f"scaling_{name}" not in arrays]
        if missing:
            raise BadInput(f"the arrays of a scaling lack {', '.join(missing)}")
        method, *columns = (np.asarray(arrays[f"scaling_{name}"]) for name in names)
        apart = str(arrays["scaling_target_method"]) if "scaling_target_method" in arrays else None
        values = [np.asarray(column, dtype=np.float64) for column in columns]
        return cls(str(method), values[0], values[1], values[2], values[3], apart)


def check_method(method: object) -> None:
    """Check that there is a method of that name.

    Raises:
        ValueError: There is none.
    """
    if method not in METHODS:
        raise BadInput(f"scaling must be one of {', '.join(METHODS)}; got {method!r}")


def learn(problem: SequenceProblem, methods: Methods, limits: tuple[float, float], *, apart: bool) -> Scaling:
    """The scaling of a problem that is not scaled yet; columns tied together are learnt and scaled together.

    Args:
        problem: In original units, or prepared.
        methods: Of all columns, or of inputs and targets.
        limits: The ends of the interval for "range".
        apart: Whether tied columns are learnt by themselves, as they are where there are two methods, and 0 stays 0 for
            the targets: that of a residual is what a simple model says.

    Raises:
        ValueError: A column can't be scaled.
    """
    named = {} if isinstance(methods, str) else {"inputs": "standard", "targets": "standard", **methods}
    method, target_method = (methods, methods) if isinstance(methods, str) else (named["inputs"], named["targets"])
    tied = [-1] * problem.n_outputs if named or apart else list(problem.tied)
    steps = problem.part_rows["train"]
    counts = problem.mask_rows & steps[:, None]
    inputs = [problem.input_rows[steps, i] for i in range(problem.n_inputs)]
    targets = [problem.target_rows[:, o][counts[:, o]] for o in range(problem.n_outputs)]
    pooled = [[values] for values in inputs]
    for target, column in zip(targets, tied, strict=True):
        if column >= 0:
            pooled[column].append(target)
    with np.errstate(over="ignore"):
        input_maps = [learn_column(np.concatenate(values), method, limits) for values in pooled]
        target_maps = [
            input_maps[column] if column >= 0 else learn_column(target, target_method, limits, centred=not apart)
            for target, column in zip(targets, tied, strict=True)
        ]
    if problem.learned.by_class:
        target_maps = [(0.0, 1.0)] * problem.n_outputs
    columns = np.array([*input_maps, *target_maps], dtype=np.float64)
    if not (np.isfinite(columns).all() and (columns[:, 1] > 0).all()):
        raise BadInput(
            "a column's training values are too large, or too close together, to be scaled; rescale them first"
        )
    split = problem.n_inputs
    offsets, factors = np.split(columns[:, 0], [split]), np.split(columns[:, 1], [split])
    return Scaling(
        method, offsets[0], factors[0], offsets[1], factors[1], target_method=target_method if named else None
    )


def learn_column(
    values: NDArray[np.float64], method: str, limits: tuple[float, float] = (-1.0, 1.0), *, centred: bool = True
) -> tuple[float, float]:
    """Offset and factor of one column from its training values.

    A constant column gets the factor 1: it carries nothing, and dividing by its rounding error would blow it up. Where
    half of the values are equal, so that the interquartile range can be 0, "robust" takes the deviation instead.

    Args:
        values: ``(n,)`` float64, finite; where empty, the column stays as it is.
        method: As in `Scaling`.
        limits: The ends of the interval for "range".
        centred: Whether there is an offset. Without one "standard" gives the mean square 1, "robust" the interquartile
            range 1, and "range" puts the largest absolute value on that of the limits.
    """
    if method == "none" or not values.size:
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    if not centred:
        return 0.0, _factor_about_0(values, method, limits) or 1.0
    if method == "standard":
        if low == high:
            return low, 1.0
        return float(values.mean()), float(values.std())
    if method == "robust":
        lower, median, upper = np.quantile(values, [0.25, 0.5, 0.75]).tolist()
        return median, upper - lower if upper > lower else float(values.std()) if low != high else 1.0
    start, end = limits
    factor = (high - low) / (end - start) if low != high else 1.0
    return low - start * factor, factor


def _factor_about_0(values: NDArray[np.float64], method: str, limits: tuple[float, float]) -> float:
    """The factor of a column without an offset; 0 where all values are 0."""
    if method == "range":
        return float(np.abs(values).max() / np.abs(limits).max())
    lower, upper = np.quantile(values, [0.25, 0.75]).tolist()
    if method == "robust" and upper > lower:
        return float(upper - lower)
    return float(np.sqrt((values * values).mean()))

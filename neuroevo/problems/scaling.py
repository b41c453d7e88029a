"""Scaling: the affine map per column that turns data into units a network can work in, learnt on the training part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput

if TYPE_CHECKING:
    from neuroevo.problems.sequence import SequenceProblem

Method = Literal["none", "standard", "range"]
METHODS: tuple[str, ...] = ("none", "standard", "range")


@dataclass(frozen=True, eq=False)
class Scaling:
    """Scaled = (value - offset) / factor, column by column.

    Attributes:
        method: "none", "standard" (mean 0, variance 1 on the training part) or "range" (smallest and largest training
            value on the ends of an interval).
        input_offset: ``(n_inputs,)`` float64.
        input_factor: ``(n_inputs,)`` float64, above 0.
        target_offset: ``(n_outputs,)`` float64.
        target_factor: ``(n_outputs,)`` float64, above 0.
    """

    method: str
    input_offset: NDArray[np.float64]
    input_factor: NDArray[np.float64]
    target_offset: NDArray[np.float64]
    target_factor: NDArray[np.float64]

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise BadInput(f"scaling must be one of {', '.join(METHODS)}; got {self.method!r}")
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
        return {
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
        return cls(str(method), *(np.asarray(column, dtype=np.float64) for column in columns))


def learn(problem: SequenceProblem, method: Method, limits: tuple[float, float]) -> Scaling:
    """The scaling of a problem in original units; columns tied together are learnt and scaled together.

    Raises:
        ValueError: A column can't be scaled.
    """
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
    if problem.learned.by_class:
        target_maps = [(0.0, 1.0)] * problem.n_outputs
    columns = np.array([*input_maps, *target_maps], dtype=np.float64)
    if not (np.isfinite(columns).all() and (columns[:, 1] > 0).all()):
        raise BadInput(
            "a column's training values are too large, or too close together, to be scaled; rescale them first"
        )
    split = problem.n_inputs
    return Scaling(method, columns[:split, 0], columns[:split, 1], columns[split:, 0], columns[split:, 1])


def learn_column(
    values: NDArray[np.float64], method: Method, limits: tuple[float, float] = (-1.0, 1.0)
) -> tuple[float, float]:
    """Offset and factor of one column from its training values.

    A constant column gets the factor 1: it carries nothing, and dividing by its rounding error would blow it up.

    Args:
        values: ``(n,)`` float64, finite; where empty, the column stays as it is.
        method: As in `Scaling`.
        limits: The ends of the interval for "range".
    """
    if method == "none" or not values.size:
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    if method == "standard":
        if low == high:
            return low, 1.0
        return float(values.mean()), float(values.std())
    start, end = limits
    factor = (high - low) / (end - start) if low != high else 1.0
    return low - start * factor, factor

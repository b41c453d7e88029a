"""What is done to values before scaling: logarithms, differences, and a simple model's part taken off the targets.

A network that learns a series with strong persistence spends itself on the identity; given the difference from what a
simple model says, it begins at that model. George E. P. Box and Gwilym M. Jenkins, "Time series analysis: forecasting
and control", Holden-Day, 1970, for differences; the residual of a linear model: G. Peter Zhang, "Time series
forecasting using a hybrid ARIMA and neural network model", Neurocomputing 50:159-175, 2003.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.problems import ridge
from neuroevo.problems.rows import Rows
from neuroevo.problems.seasons import seasonal

Values = NDArray[np.float64]

Residual = Literal["none", "last_value", "seasonal", "linear"]
Transform = Literal["log", "difference", "seasonal_difference"]
RESIDUALS: tuple[str, ...] = ("last_value", "seasonal", "linear")
TRANSFORMS: tuple[str, ...] = ("log", "difference", "seasonal_difference")
_LINEAR = "scaling_linear_"


@dataclass(frozen=True, eq=False)
class Preparation:
    """The map from original units to those that are scaled, and back.

    With u the input that a target is tied to, after its logarithm where that is asked for, s the season and h the
    horizon, what is taken off the target (log y(t+h), or y(t+h)) is

    - for "last_value" and "difference": u(t);
    - for "seasonal" and "seasonal_difference": u(t + h - k s), with the smallest k that makes it known;
    - for one of each: u(t) + u(t + h - k s) - u(t - k s), and u(t) where no season has passed yet;
    - for "linear": a ridge regression on the inputs as the network sees them, beside what a difference takes off.

    The differences also hold for the inputs of the same quantity: u(t) - u(t-1), u(t) - u(t-s), 0 where the earlier
    value is not known.

    Attributes:
        residual: The model whose part is taken off the targets, one of `RESIDUALS`; "" for none.
        transform: Those of `TRANSFORMS` that are used, in that order.
        season: Steps after which the series repeats; 0 where nothing needs it.
        horizon: Steps that a target lies ahead of the input it is tied to; 0 where nothing needs it.
        tied: ``(n_outputs,)``: the input column that holds each target's quantity, or -1.
        columns: The input columns that hold a target's quantity, at the present or an earlier step.
        linear: The fitted model of "linear".
    """

    residual: str
    transform: tuple[str, ...]
    season: int
    horizon: int
    tied: tuple[int, ...]
    columns: tuple[int, ...]
    linear: ridge.Ridge | None = None

    def __post_init__(self) -> None:
        check_names(self.residual or None, self.transform)
        if (self.linear is not None) != (self.residual == "linear"):
            raise BadInput('a fitted linear model goes with residual = "linear", and only with it')
        if self._takes_season and not (self.season >= 2 and self.horizon >= 1):
            raise BadInput(f"season must be at least 2 and the horizon at least 1, got {self.season}, {self.horizon}")
        if (self._takes_last or self._takes_season) and min(self.tied, default=-1) < 0:
            raise BadInput("what takes values of the series off a target needs the input that it is tied to")

    def check_columns(self, n_inputs: int, n_outputs: int) -> None:
        """Check that it is for problems with these numbers of columns.

        Raises:
            ValueError: It is not.
        """
        linear = [] if self.linear is None else self.linear.columns.tolist()
        n_fitted = n_outputs if self.linear is None else len(self.linear.intercept)
        known = all(0 <= c < n_inputs for c in (*self.columns, *linear)) and all(-1 <= c < n_inputs for c in self.tied)
        if not known or (len(self.tied), n_fitted) != (n_outputs, n_outputs):
            raise BadInput(f"the preparation is for other columns than {n_inputs} inputs and {n_outputs} targets")

    @property
    def subtracts(self) -> bool:
        """Whether anything is taken off the targets, so that they are no longer of the inputs' size."""
        return bool(self.residual) or self.transform not in ((), ("log",))

    @property
    def _takes_last(self) -> bool:
        return self.residual == "last_value" or "difference" in self.transform

    @property
    def _takes_season(self) -> bool:
        return self.residual == "seasonal" or "seasonal_difference" in self.transform

    @property
    def reach(self) -> int:
        """How many steps before the present one it looks back to; with them it gives what it gives with all of them."""
        apart = sum({"difference": 1, "seasonal_difference": self.season}.get(name, 0) for name in self.transform)
        linear = apart + (0 if self.linear is None else int(self.linear.lags.max(initial=0)))
        return max(linear, self.season * -(-self.horizon // self.season) if self._takes_season else 0)

    def __str__(self) -> str:
        season = f" (season of {self.season} steps)" if self._takes_season else ""
        transform = [f"transform {', '.join(self.transform)}"] if self.transform else []
        model = f" ridge on {len(self.linear.columns)} values" if self.linear is not None else ""
        return ", ".join([*([f"residual of {self.residual}{model}"] if self.residual else []), *transform]) + season

    def levels(self, inputs: Values) -> Values:
        """``(n_rows, n_inputs)``: inputs, or their logarithms (0 for what is not above 0)."""
        if "log" not in self.transform:
            return inputs
        columns, levels = list(self.columns), inputs.copy()
        levels[:, columns] = np.log(np.where(inputs[:, columns] > 0, inputs[:, columns], 1.0))
        return levels

    def inputs(self, inputs: Values, rows: Rows) -> Values:
        """``(n_rows, n_inputs)`` as the network sees them but for the scaling, from original units."""
        values, columns = self.levels(inputs), list(self.columns)
        for lag in [{"difference": 1, "seasonal_difference": self.season}.get(name, 0) for name in self.transform]:
            if lag:
                known = (rows.step >= lag)[:, None]
                earlier = np.where(known, rows.lagged(values[:, columns], lag), values[:, columns])
                values = values.copy()
                values[:, columns] -= earlier
        return values

    def references(self, inputs: Values, rows: Rows) -> Values:
        """``(n_rows, n_outputs)``: what is taken off the targets, from inputs in original units."""
        references = np.zeros((len(inputs), len(self.tied)))
        if self._takes_last or self._takes_season:
            last = self.levels(inputs)[:, list(self.tied)]
            references += self._of_the_series(last, rows)
        return references if self.linear is None else references + self.linear(self.inputs(inputs, rows), rows)

    def latest(self, inputs: Values, rows: Rows) -> tuple[Values, Values]:
        """``(n_sequences, n_inputs)`` and ``(n_sequences, n_outputs)``: `inputs` and `references` of the last steps."""
        seen, last = self.inputs(inputs, rows), rows.offsets[1:] - 1
        references = np.zeros((len(last), len(self.tied)))
        if self._takes_last or self._takes_season:
            references += self._of_the_series(self.levels(inputs)[:, list(self.tied)], rows)[last]
        return seen[last], references if self.linear is None else references + self.linear.latest(seen, rows)

    def _of_the_series(self, last: Values, rows: Rows) -> Values:
        if not self._takes_season:
            return last
        ahead = seasonal(last, rows, self.season, self.horizon)
        if not self._takes_last:
            return ahead
        back = self.season * -(-self.horizon // self.season)
        known = (rows.step >= back)[:, None]
        return np.where(known, last + ahead - rows.lagged(last, back), last)

    def targets(self, targets: Values, references: Values) -> Values:
        """Targets or predictions, in original units, to those that are scaled; NaN where there is no logarithm."""
        if "log" in self.transform:
            targets = np.log(np.where(targets > 0, targets, np.nan))
        return targets - references

    def restored(self, values: Values, references: Values) -> Values:
        """The inverse of `targets`."""
        values = values + references
        return np.exp(values) if "log" in self.transform else values

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Plain arrays, whose names begin with "scaling_"; `from_arrays` reads them back bit for bit."""
        arrays: dict[str, NDArray[Any]] = {
            "scaling_residual": np.array(self.residual),
            "scaling_transform": np.array(",".join(self.transform)),
            **{f"scaling_{name}": np.array(getattr(self, name), dtype=np.int64) for name in _WHOLE},
        }
        return arrays if self.linear is None else arrays | self.linear.to_arrays(_LINEAR)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Preparation | None:
        """What `to_arrays` wrote; None where nothing was prepared. Other keys of the mapping are ignored.

        Raises:
            ValueError: An array is missing or is not what `to_arrays` writes.
        """
        if "scaling_residual" not in arrays:
            return None
        missing = [f"scaling_{name}" for name in ("transform", *_WHOLE) if f"scaling_{name}" not in arrays]
        if missing:
            raise BadInput(f"the arrays of a preparation lack {', '.join(missing)}")
        whole = {name: np.asarray(arrays[f"scaling_{name}"]) for name in _WHOLE}
        if any(
            array.dtype.kind not in "iu" or array.ndim != (name in ("tied", "columns")) for name, array in whole.items()
        ):
            raise BadInput(f"scaling_{', scaling_'.join(_WHOLE)} must be whole numbers, the last two lists of them")
        residual = str(arrays["scaling_residual"])
        return cls(
            residual=residual,
            transform=tuple(filter(None, str(arrays["scaling_transform"]).split(","))),
            season=int(whole["season"]),
            horizon=int(whole["horizon"]),
            tied=tuple(whole["tied"].tolist()),
            columns=tuple(whole["columns"].tolist()),
            linear=ridge.Ridge.from_arrays(arrays, _LINEAR) if residual == "linear" else None,
        )


_WHOLE = ("season", "horizon", "tied", "columns")


def check_names(residual: str | None, transform: Sequence[str]) -> None:
    """Check that residual and transforms are known, each named once.

    Raises:
        ValueError: They are not.
    """
    if residual not in (None, *RESIDUALS):
        raise BadInput(f"residual must be one of {', '.join(RESIDUALS)}; got {residual!r}")
    if not {*transform} <= {*TRANSFORMS} or len({*transform}) < len(transform):
        raise BadInput(f"transform must be of {', '.join(TRANSFORMS)}, each once at most; got {', '.join(transform)}")

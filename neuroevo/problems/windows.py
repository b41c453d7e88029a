"""Forecasting: one series in time order becomes one sequence whose target is what comes `horizon` steps later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeAlias

import numpy as np
from annotated_types import Ge, Gt
from numpy.typing import NDArray

from neuroevo.problems.chronology import Labels, checked_parts, part_rows
from neuroevo.problems.errors import DataError
from neuroevo.problems.learned import Within
from neuroevo.problems.objective_settings import ObjectiveSettings
from neuroevo.problems.preparation import Residual, Transform
from neuroevo.problems.scaling import Method
from neuroevo.problems.sequence import SequenceProblem
from neuroevo.settings import Mistake, SettingsError, shown

Scales: TypeAlias = Method | dict[Literal["inputs", "targets"], Method]
"""The setting `scaling`: one name, or a table with names for inputs and targets."""


@dataclass(frozen=True)
class Columns:
    """A series as read or generated, in original units.

    Attributes:
        inputs: ``(n_rows, n_inputs)`` float64, what is known at each row.
        targets: ``(n_rows, n_outputs)`` float64, what is to be predicted.
        input_names: One name an input.
        target_names: One name a target.
        tied: For each target the input column that is the same quantity, or -1.
        labels: Where each row lies in time; None: the row's number, from 1.
        ignored: ``(n_rows,)`` bool: rows that do not count as targets; None: no row.
        weights: ``(n_rows,)`` float64, above 0: how much each row counts as a target; None: all alike.
    """

    inputs: NDArray[np.float64]
    targets: NDArray[np.float64]
    input_names: Sequence[str]
    target_names: Sequence[str]
    tied: Sequence[int]
    labels: Labels | None = None
    ignored: NDArray[np.bool_] | None = None
    weights: NDArray[np.float64] | None = None


@dataclass(frozen=True, kw_only=True)
class Forecast(ObjectiveSettings):
    """Settings of all problems that forecast a series.

    Attributes:
        horizon: How many rows ahead the target lies.
        lags: Values of each input column that the network sees at a step: the present one and those before it.
        washout: Leading steps that do not count.
        parts: Part names to [first, last] in time labels (both included), or to numbers of rows or shares of them that
            follow one another, the last of which may be "rest". A target belongs to the part that its own time lies in.
        residual: The model whose part is taken off the targets: "last_value", "seasonal" or "linear"; left out, "none".
        residual_lags: Values of each input column that "linear" sees; left out, 9, or a season and one, or those of
            `lags` where that is above 1.
        season: Steps after which the series repeats; left out, it is found on the training part where it is needed.
        transform: Of the targets and the inputs that hold them: "log", "difference", "seasonal_difference" or several.
        scaling: "none", "standard", "range" or "robust", learnt on the training part; or a table of two such names,
            inputs and targets, which are then scaled apart.
        scaling_range: The interval of "range".
        gradient_boosting: Whether gradient-boosted trees are among the competitors; needs scikit-learn.
        tolerance: A prediction within it, in scaled units, is learnt.
        weight_decay: Factor of the genome's mean square in the error.
        reference_variance: The literature's constant for the average relative variance, in original units.
    """

    horizon: Annotated[int, Ge(0)] = 1
    lags: Annotated[int, Ge(1)] = 1
    washout: Annotated[int, Ge(0)] = 0
    parts: dict[str, object] = field(default_factory=lambda: {"train": 0.7, "test": "rest"})
    residual: Residual | None = None
    residual_lags: Annotated[int, Ge(1)] | None = None
    season: Annotated[int, Ge(2)] | None = None
    transform: Transform | tuple[Transform, ...] | None = None
    scaling: Scales = "standard"
    scaling_range: tuple[float, float] = (-1.0, 1.0)
    tolerance: Annotated[float, Gt(0)] = 0.1
    weight_decay: Annotated[float, Ge(0)] = 0.0
    reference_variance: Annotated[float, Gt(0)] | None = None
    gradient_boosting: bool = False

    def __post_init__(self) -> None:
        check_lags(self.residual, self.residual_lags)
        super().__post_init__()
        object.__setattr__(self, "parts", checked_parts(self.parts))
        check_range(self.scaling_range)

    def forecast(self, columns: Columns) -> SequenceProblem:
        """The problem of predicting the targets of the row `horizon` rows later, from the inputs up to each row.

        Raises:
            DataError: The series is too short for horizon and lags, or for its parts.
        """
        n_rows = len(columns.inputs)
        if n_rows < self.horizon + self.lags:
            raise DataError(
                f"the series is too short: horizon = {self.horizon} and lags = {self.lags} need "
                f"{self.horizon + self.lags} rows at least, and it has {n_rows}; lower them or bring a longer series"
            )
        labels = np.arange(1, n_rows + 1) if columns.labels is None else columns.labels
        rows = part_rows(self.parts, labels)
        first = self.lags - 1
        # Steps after the last part would only cost time.
        end = 1 + max(int(np.flatnonzero(mask)[-1]) for mask in rows.values())
        later = slice(first + self.horizon, end)
        counts = np.ones(n_rows, dtype=np.bool_) if columns.ignored is None else ~columns.ignored
        self._check_parts_count(rows, counts, first + self.horizon)
        problem = SequenceProblem(
            _lagged(columns.inputs, self.lags)[: end - later.start][None],
            columns.targets[later][None],
            target_mask=np.repeat(counts[later, None], columns.targets.shape[1], axis=1)[None],
            washout=self.washout,
            learned=Within(self.tolerance),
            parts={name: mask[later][None] for name, mask in rows.items()},
            weight_decay=self.weight_decay,
            times=labels[later],
            input_names=_lagged_names(columns.input_names, self.lags),
            target_names=columns.target_names,
            tied=[column * self.lags if column >= 0 else -1 for column in columns.tied],
            reference_variance=self.reference_variance,
            season=self.season,
            gradient_boosting=self.gradient_boosting,
            **self.objective_arguments(None if columns.weights is None else columns.weights[later]),
        )
        prepared = problem.prepared(self.residual, self.transform, residual_lags=self.residual_lags)
        return prepared.scaled(self.scaling, self.scaling_range)

    def _check_parts_count(self, rows: Mapping[str, NDArray[np.bool_]], counts: NDArray[np.bool_], first: int) -> None:
        """Say in the words of the settings why a part counts no target."""
        reached = np.arange(len(counts)) >= first + self.washout
        for name, mask in rows.items():
            if not (mask & counts & reached).any():
                limits = self.parts[name]
                listed = list(limits) if isinstance(limits, tuple) else limits
                raise DataError(
                    f"parts.{name} = {shown(listed)} counts no target: the first {first + self.washout} rows have "
                    f"none (horizon = {self.horizon}, lags = {self.lags}, washout = {self.washout})"
                    + ("" if counts.all() else ", and the rest is ignored")
                )


def check_range(limits: tuple[float, float]) -> None:
    """Check the ends of a scaling's interval.

    Raises:
        SettingsError: They do not rise.
    """
    if not limits[0] < limits[1]:
        raise SettingsError([Mistake("scaling_range", "must be two rising numbers", str(list(limits)))])


def check_lags(residual: str | None, residual_lags: int | None) -> None:
    """Check that lags of a linear model have one.

    Raises:
        SettingsError: They have none.
    """
    if residual_lags is not None and residual != "linear":
        raise SettingsError([Mistake("residual_lags", 'goes with residual = "linear" only', str(residual_lags))])


def _lagged(values: NDArray[np.float64], lags: int) -> NDArray[np.float64]:
    """``(n_rows - lags + 1, n_columns * lags)``: each column followed by itself 1 ... lags - 1 rows before."""
    n_rows, n_columns = values.shape
    windows = np.lib.stride_tricks.sliding_window_view(values, lags, axis=0)[:, :, ::-1]
    return np.ascontiguousarray(windows).reshape(n_rows - lags + 1, n_columns * lags)


def _lagged_names(names: Sequence[str], lags: int) -> list[str]:
    return [name if lag == 0 else f"{name} (t-{lag})" for name in names for lag in range(lags)]

"""Forecasting: one series in time order becomes one sequence whose target is what comes `horizon` steps later."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from annotated_types import Ge, Gt, MinLen

from neuroevo.errors import BadInput
from neuroevo.problems.assembly import Sample, assemble
from neuroevo.problems.errors import DataError
from neuroevo.problems.free_running.runs import FreeRun
from neuroevo.problems.learned import Within
from neuroevo.problems.objective_settings import ObjectiveSettings
from neuroevo.problems.preparation import Residual, Transform
from neuroevo.problems.scaling import Method
from neuroevo.problems.sequence import SequenceProblem
from neuroevo.problems.tables.cells import listed
from neuroevo.problems.tables.chronology import checked_parts, part_rows
from neuroevo.problems.tables.columns import Columns, Windows
from neuroevo.registry import nearest
from neuroevo.settings import Mistake, SettingsError, shown

Horizon: TypeAlias = Annotated[int, Ge(0)] | Annotated[tuple[Annotated[int, Ge(0)], ...], MinLen(1)]
"""The setting `horizon`: rows ahead, or several such numbers."""
Lags: TypeAlias = Annotated[int, Ge(1)] | dict[str, Annotated[int, Ge(1)]]
"""The setting `lags`: values of all columns, or of each by its name."""
Scales: TypeAlias = Method | dict[Literal["inputs", "targets"], Method]
"""The setting `scaling`: one name, or a table with names for inputs and targets."""
FreeRunKeys: TypeAlias = dict[Literal["steps", "every", "washout"], Annotated[int, Ge(1)]]
"""The setting `free_run`."""


@dataclass(frozen=True, kw_only=True)
class Forecast(ObjectiveSettings):
    """Settings of all problems that forecast a series.

    Attributes:
        horizon: How many rows ahead the target lies, or a list of such numbers, for an output each.
        lags: Values of each input column that the network sees at a step: the present one and those before it; or a
            table of such numbers by column, where those that it does not name have one.
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
        free_run: A table: the error is that of free runs, in which outputs come back as inputs: of `steps` rows from
            `every` so many rows (left out, `steps`), each after `washout` rows with true values (left out, 50).
        tolerance: A prediction within it, in scaled units, is learnt.
        weight_decay: Factor of the genome's mean square in the error.
        reference_variance: The literature's constant for the average relative variance, in original units.
    """

    horizon: Horizon = 1
    lags: Lags = 1
    washout: Annotated[int, Ge(0)] = 0
    parts: dict[str, object] = field(default_factory=lambda: {"train": 0.7, "test": "rest"})
    residual: Residual | None = None
    residual_lags: Annotated[int, Ge(1)] | None = None
    season: Annotated[int, Ge(2)] | None = None
    transform: Transform | tuple[Transform, ...] | None = None
    scaling: Scales = "standard"
    scaling_range: tuple[float, float] = (-1.0, 1.0)
    free_run: FreeRunKeys | None = None
    tolerance: Annotated[float, Gt(0)] = 0.1
    weight_decay: Annotated[float, Ge(0)] = 0.0
    reference_variance: Annotated[float, Gt(0)] | None = None
    gradient_boosting: bool = False

    def __post_init__(self) -> None:
        check_lags(self.residual, self.residual_lags)
        check_horizon(self.horizon)
        super().__post_init__()
        object.__setattr__(self, "parts", checked_parts(self.parts))
        check_range(self.scaling_range)
        check_free_run(self.free_run)

    def forecast(self, columns: Columns | Sequence[Columns], **arguments: Any) -> SequenceProblem:
        """The problem of predicting the targets of the row `horizon` rows later, from the inputs up to each row.

        Args:
            columns: One series, or several of equal columns.
            arguments: Of `SequenceProblem`.

        Raises:
            DataError: The series is too short for horizon and lags, or for its parts.
        """
        many = [columns] if isinstance(columns, Columns) else list(columns)
        horizons = self.horizons
        samples = []
        for its in many:
            windows = Windows(column_lags(self.lags, its.bases or its.input_names), horizons)
            self._refuse_short(its, windows)
            samples.append(self._sample(its, windows))
        self._check_parts_count(samples, windows)
        problem = assemble(
            {"train": samples},
            washout=self.washout,
            weight_decay=self.weight_decay,
            input_names=windows.input_names(many[0]),
            target_names=windows.target_names(many[0]),
            tied=windows.tied(many[0]),
            reference_variance=self.reference_variance,
            season=self.season,
            free_run=asked_free_run(self.free_run, horizons, len(many[0].calendar_names)),
            gradient_boosting=self.gradient_boosting,
            **self.objective_arguments(),
            **{"learned": Within(self.tolerance), **arguments},
        )
        prepared = problem.prepared(self.residual, self.transform, residual_lags=self.residual_lags)
        return with_free_runs(prepared.scaled(self.scaling, self.scaling_range))

    @property
    def horizons(self) -> tuple[int, ...]:
        """`horizon` as a list, rising."""
        return self.horizon if isinstance(self.horizon, tuple) else (self.horizon,)

    def _refuse_short(self, columns: Columns, windows: Windows) -> None:
        needed = windows.reach + windows.first + 1
        if columns.n_rows < needed:
            what = f"the series {columns.name}" if columns.name else "the series"
            raise DataError(
                f"{what} is too short: {self._words()} need {needed} rows at least, and it has {columns.n_rows}; "
                "lower them or bring a longer series"
            )

    def _words(self) -> str:
        horizon = list(self.horizon) if isinstance(self.horizon, tuple) else self.horizon
        return f"horizon = {horizon} and lags = {self.lags}"

    def _sample(self, columns: Columns, windows: Windows) -> Sample:
        """The steps up to the last part: those after it would only cost time."""
        n_rows, first = columns.n_rows, windows.first
        labels = np.arange(1, n_rows + 1) if columns.labels is None else columns.labels
        rows = part_rows(self.parts, labels) if columns.parts is None else columns.parts
        end = 1 + max(int(np.flatnonzero(mask)[-1]) for mask in rows.values() if mask.any())
        later = slice(first + windows.reach, end)
        n_steps = max(end - later.start, 0)
        return Sample(
            windows.inputs(columns, n_steps),
            windows.targets(columns.targets, n_steps).astype(np.float64),
            windows.targets(columns.counted(), n_steps).astype(np.bool_),
            times=labels[later],
            parts={name: mask[later] for name, mask in rows.items()},
            weights=None if columns.weights is None else columns.weights[later],
        )

    def _check_parts_count(self, samples: Sequence[Sample], windows: Windows) -> None:
        """Say in the words of the settings why a part counts no target."""
        parts = dict.fromkeys(name for sample in samples for name in sample.parts or {})
        for name in parts:
            if not any(
                (sample.parts[name][self.washout :, None] & sample.counts[self.washout :]).any()
                for sample in samples
                if sample.parts and name in sample.parts
            ):
                limits = self.parts[name]
                listed = list(limits) if isinstance(limits, tuple) else limits
                horizon = list(self.horizon) if isinstance(self.horizon, tuple) else self.horizon
                skipped = windows.first + windows.reach + self.washout
                ignored = any(not sample.counts.all() for sample in samples)
                raise DataError(
                    f"parts.{name} = {shown(listed)} counts no target: the first {skipped} rows have none "
                    f"(horizon = {horizon}, lags = {self.lags}, washout = {self.washout})"
                    + (", and the rest is missing or ignored" if ignored else "")
                )


def column_lags(lags: int | Mapping[str, int], bases: Sequence[str]) -> tuple[int, ...]:
    """For each input the values that a step sees of it.

    Raises:
        DataError: The lags name something that is no input.
    """
    if isinstance(lags, int):
        return (lags,) * len(bases)
    for name in lags:
        if name not in bases:
            near = nearest(name, list(bases))
            hint = f"did you mean {near!r}?" if near else f"the inputs are {listed(list(dict.fromkeys(bases)))}"
            raise DataError(f"lags names {name!r}, which is no input; {hint}")
    return tuple(lags.get(base, 1) for base in bases)


def check_horizon(horizon: int | tuple[int, ...] | None) -> None:
    """Check that several horizons rise.

    Raises:
        SettingsError: They do not.
    """
    if isinstance(horizon, tuple) and any(b <= a for a, b in itertools.pairwise(horizon)):
        raise SettingsError([Mistake("horizon", "must be rising numbers of rows", shown(list(horizon)))])


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


def check_free_run(table: FreeRunKeys | None) -> None:
    """Check that a table of free runs says how long they are.

    Raises:
        SettingsError: It does not.
    """
    if table is not None and "steps" not in table:
        raise SettingsError([Mistake("free_run.steps", "this key is needed and missing")])


def asked_free_run(table: FreeRunKeys | None, horizons: tuple[int, ...], n_calendar: int) -> FreeRun | None:
    """What a table of free runs asks for; None where there is none."""
    return None if table is None else FreeRun(**table, horizons=horizons, n_calendar=n_calendar)


def with_free_runs(problem: SequenceProblem) -> SequenceProblem:
    """The problem itself, sure to have a place for the free runs that it asks for.

    Raises:
        DataError: It has none, or outputs can't come back as inputs.
    """
    try:
        _ = problem.free_runs if problem.free_run is not None else None
    except BadInput as error:
        raise DataError(str(error)) from error
    return problem

"""What a run or a set of them delivers, ready for data that have come since: predict, and forecast beyond their end."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.checks import whole_number
from neuroevo.errors import BadInput
from neuroevo.prediction import Loop, PredictionTable, Predictor, StepMisses, least_targets, loop_of, step_misses
from neuroevo.problems import PROBLEMS, SequenceProblem, as_sequences
from neuroevo.problems.timeline import Timeline, calendar_inputs
from neuroevo.problems.windows import Forecast as ForecastSettings
from neuroevo.records.continuation import Continued, alone, joined, without_lags, without_more
from neuroevo.records.ensembles import predictor_of
from neuroevo.records.errors import RecordError
from neuroevo.records.predictors import ENSEMBLE_ARRAYS, ENSEMBLE_FILE, saved_ensemble
from neuroevo.records.record import RunRecord
from neuroevo.records.schema import line
from neuroevo.records.sweeps import SweepSet, set_in
from neuroevo.registry import UnknownName
from neuroevo.settings import SettingsError, parse_settings

LEVEL = 0.9
"""Of intervals, where nobody says."""


@dataclass(frozen=True, eq=False)
class Model:
    """The champion of a run, or the ensemble of a set of trials, with the data and settings that it was made by.

    Attributes:
        path: The folder.
        records: Of the runs.
        predictor: From original units to original units.
        problem: What they were trained on.
        settings: The table [problem], read; None where the problem was made in Python.
    """

    path: Path
    records: tuple[RunRecord, ...]
    predictor: Predictor
    problem: SequenceProblem
    settings: Any | None

    @property
    def title(self) -> str:
        """What people call it."""
        run = self.records[0].run
        return str(run.get("title") or self.path.name)

    @cached_property
    def loop(self) -> Loop:
        """Which inputs are targets or lags."""
        if self.settings is None:
            return loop_of(self.problem)
        calendar = getattr(self.settings, "calendar", None) or ()
        return loop_of(self.problem, self._horizons, 2 * (1 if isinstance(calendar, str) else len(calendar)))

    @property
    def _horizons(self) -> tuple[int, ...]:
        return tuple(getattr(self.settings, "horizons", None) or (0,))

    @property
    def goes_on(self) -> bool:
        """Whether new rows follow those of the run: it is a single series."""
        return isinstance(self.settings, ForecastSettings) and self.problem.n_sequences == 1

    def continued(self, data: Any, *, restart: bool = False) -> list[Continued]:
        """New data, read as the run's own, as sequences whose state is warmed up: a series goes on from the run's data.

        Args:
            data: A file, a data frame, or a mapping from names to columns.
            restart: Whether the state of a series begins anew with the first row of the file.

        Raises:
            DataError: They can't be used.
            BadInput: The run's problem reads no data; or a series has other values than the run's at the same times, or
                leaves a gap to them.
        """
        settings: Any = self.settings
        if not hasattr(settings, "read_inputs"):
            kind = "made in Python" if settings is None else f"of the kind {self._kind!r}, which reads no files"
            raise BadInput(
                f"the problem of {self.path} is {kind}: predict from Python, as record.predictor().predict(inputs)"
            )
        if getattr(settings, "lags", 1) != 1:
            settings = dataclasses.replace(settings, lags=1, residual_lags=None, residual=None)
        sequences = settings.read_inputs(data, without_lags(self.problem, self.loop))
        if restart or not self.goes_on:
            return [alone(observed, self.loop) for observed in sequences]
        numbered = getattr(settings, "time", None) is None
        return [joined(self.problem, self.loop, observed, numbered=numbered) for observed in sequences]

    @property
    def _kind(self) -> str:
        return str(self.records[0].scenario.get("problem", {}).get("kind", ""))

    def predict(self, data: Any, *, level: float | None = None, restart: bool = False) -> PredictionTable:
        """What comes after each new row, to the very last, whose targets nobody knows.

        Args:
            data: As of `read`: a file that goes on where the run's data end, or overlaps them.
            level: Of intervals; None: 0.9, or none where the validation part does not allow it.
            restart: As of `continued`.

        Raises:
            BadInput: As of `continued`; there is nothing new; or an interval of that level cannot be had.
        """
        found = self.continued(data, restart=restart)
        table = _stacked([self._predicted(its, its.name if len(found) > 1 else "") for its in found])
        if not len(table.prediction):
            raise BadInput(
                "nothing follows the data of the run: bring rows after them, or let the state begin anew with the file "
                "(--restart), which predicts all its rows"
            )
        return self._with_intervals(table, level)

    @property
    def _is_series(self) -> bool:
        return isinstance(self.settings, ForecastSettings)

    def _predicted(self, its: Continued, name: str) -> PredictionTable:
        said = self.predictor.forecast(its.inputs[None])
        steps = np.arange(its.n_old, its.n_steps)
        if not self._is_series and getattr(self.settings, "counts", "all") == "last":
            steps = steps[-1:]
        keys: dict[str, Sequence[Any]] = {"sequence": [name] * len(steps)} if name else {}
        horizons = self._horizons
        ahead = horizons[0] if len(horizons) == 1 else 0
        suffix = "" if len(horizons) == 1 else " of the last known row"
        keys[f"{self.time_name}{suffix}"] = its.times(steps + ahead).tolist()
        classes = None
        if self.predictor.by_class:
            chosen = said.prediction[0, steps]
            known = np.isfinite(chosen).all(axis=1)
            classes = [
                self.problem.target_names[i] if good else ""
                for i, good in zip(chosen.argmax(axis=1), known, strict=True)
            ]
        spread = said.spread[0, steps] if len(said.members) > 1 else None
        return PredictionTable(
            keys, self.problem.target_names, said.prediction[0, steps], spread=spread, classes=classes, notes=its.notes
        )

    @property
    def time_name(self) -> str:
        """What the column of times is called."""
        time = getattr(self.settings, "time", None)
        if isinstance(time, tuple) and len(time) == 1:
            time = time[0]
        return "row" if time is None else time if isinstance(time, str) else "time"

    def _with_intervals(self, table: PredictionTable, level: float | None) -> PredictionTable:
        calibration = self.predictor.calibration
        wanted = LEVEL if level is None else level
        needed = least_targets(wanted)
        if calibration is None or calibration.n_targets < needed:
            n = 0 if calibration is None else calibration.n_targets
            why = (
                "classes have no intervals"
                if self.predictor.by_class
                else f"an interval of level {wanted:g} needs {needed} validation targets of each output, and has {n}"
            )
            if level is not None:
                raise BadInput(f"{why}: leave the level out" + ("" if self.predictor.by_class else ", or lower it"))
            return (
                table if self.predictor.by_class else dataclasses.replace(table, notes=(*table.notes, f"{why}: none"))
            )
        width = calibration.half_width(wanted)
        low, high = table.prediction - width, table.prediction + width
        return dataclasses.replace(table, low=low, high=high, level=wanted)

    def forecast(
        self, steps: int, data: Any = None, *, level: float | None = None, restart: bool = False
    ) -> PredictionTable:
        """What comes after the last row, many rows on: outputs come back as inputs.

        Each member is fed with its own outputs. The intervals are as wide as such forecasts from the validation part
        have missed at each step; where too few reach as far as a step, it has none.

        Args:
            steps: Rows to be predicted.
            data: As of `predict`; None: beyond the end of the run's data.
            level: As of `predict`.
            restart: As of `continued`.

        Raises:
            BadInput: As of `continued`; classes; or outputs can't come back as inputs.
        """
        n_steps, loop = whole_number("steps", steps), self.loop
        if self.predictor.by_class:
            raise BadInput("classes are not forecast beyond the data: predict answers rows whose inputs are known")
        loop.check(n_steps)
        its = self.last_known(data, restart=restart)
        labels = its.times(its.n_steps + np.arange(n_steps))
        ahead = self._ahead(its, n_steps)
        stream = self.predictor.stream()
        said = [stream.members(row[None])[:, 0] for row in its.inputs]
        last = np.stack(said[-loop.reach :], axis=1)
        if last.shape[1] < loop.reach:
            raise BadInput(
                f"a forecast {loop.reach} rows ahead needs as many rows before it, and there are {len(said)}"
            )
        members = loop.run(stream, its.inputs[-1], last, n_steps, ahead)
        forecast = self.predictor.combined(members[:, None])
        names = tuple(self._series_names(loop))
        spread = forecast.spread[0] if len(members) > 1 else None
        table = PredictionTable(
            {self.time_name: labels.tolist()}, names, forecast.prediction[0], spread=spread, notes=its.notes
        )
        return self._with_step_intervals(table, n_steps, level)

    def last_known(self, data: Any = None, *, restart: bool = False) -> Continued:
        """All that is known before a forecast: the run's data, and the new ones that go on with them.

        Raises:
            BadInput: As of `forecast`.
        """
        if data is None:
            if self.problem.n_sequences != 1:
                raise BadInput("the run has several sequences: say by a file which one the forecast goes on with")
            return without_more(self.problem, self.loop)
        sequences = self.continued(data, restart=restart)
        if len(sequences) != 1:
            raise BadInput(f"a forecast goes on with one series, and the file has {len(sequences)}")
        return sequences[0]

    def _series_names(self, loop: Loop) -> list[str]:
        names = [self.problem.target_names[its[0]] for its in loop.outputs]
        suffix = f" +{loop.horizons[0]}"
        return [name.removesuffix(suffix) if len(loop.horizons) > 1 else name for name in names]

    def _ahead(self, its: Continued, n_steps: int) -> NDArray[np.float64] | None:
        """``(n_steps, n_inputs)``: the calendar of the next rows."""
        loop = self.loop
        if not loop.given or n_steps <= loop.reach:
            return None
        calendar = getattr(self.settings, "calendar", None)
        names = () if calendar is None else (calendar,) if isinstance(calendar, str) else calendar
        if len(loop.given) > 2 * len(names):
            raise BadInput(
                f"what is known ahead of time is known {loop.reach} rows ahead: ask for {loop.reach} steps at most"
            )
        clock = Timeline(its.times(its.n_steps + loop.horizons[0] + np.arange(n_steps))).clock
        if clock is None:
            raise BadInput("the calendar of the next rows is not known: their times are no dates")
        ahead = np.full((n_steps, self.problem.n_inputs), math.nan)
        ahead[:, list(loop.given)] = calendar_inputs(clock, names)
        return ahead

    def step_misses(self, n_steps: int) -> StepMisses | None:
        """What forecasts of so many steps from the validation part have missed; None where there is none."""
        return step_misses(self.predictor, self.problem, self.loop, n_steps)

    def _with_step_intervals(self, table: PredictionTable, n_steps: int, level: float | None) -> PredictionTable:
        wanted = LEVEL if level is None else level
        needed, misses = least_targets(wanted), self.step_misses(n_steps)
        n_reached = 0 if misses is None else sum(n >= needed for n in misses.n_misses)
        if misses is None or not n_reached:
            why = (
                f"an interval of level {wanted:g} needs {needed} forecasts from the validation part, and it has "
                f"{0 if misses is None else max(misses.n_misses)}"
            )
            if level is not None:
                raise BadInput(f"{why}: leave the level out, or lower it")
            return dataclasses.replace(table, notes=(*table.notes, f"{why}: none"))
        width = misses.half_widths(wanted)
        notes = table.notes
        if n_reached < n_steps:
            notes += (f"the validation part is too short for intervals beyond step {n_reached}",)
        low, high = table.prediction - width, table.prediction + width
        return dataclasses.replace(table, low=low, high=high, level=wanted, notes=notes)


def _stacked(tables: Sequence[PredictionTable]) -> PredictionTable:
    """Several tables, one below another."""
    first = tables[0]
    if len(tables) == 1:
        return first
    keys = {name: [cell for table in tables for cell in table.keys[name]] for name in first.keys}
    return dataclasses.replace(
        first,
        keys=keys,
        prediction=np.concatenate([table.prediction for table in tables]),
        spread=None if first.spread is None else np.concatenate([t.spread for t in tables if t.spread is not None]),
        classes=None if first.classes is None else [name for table in tables for name in table.classes or ()],
        notes=tuple(dict.fromkeys(note for table in tables for note in table.notes)),
    )


def open_model(path: str | Path) -> Model:
    """The model in the folder of a run or of a set of trials, or of the ensemble file in it.

    Raises:
        RecordError: The folder is neither, damaged, or without a champion or its data.
        BadInput: It is a sweep, or an ensemble without its runs.
    """
    path = Path(path)
    if path.name in (ENSEMBLE_FILE, ENSEMBLE_ARRAYS) and path.is_file():
        path = path.parent
    found, saved = set_in(path), saved_ensemble(path)
    if isinstance(found, SweepSet):
        raise BadInput(f"{path} is a sweep, whose points are different models: name the folder of a point in it")
    if found is not None:
        records = found.finished()
        predictor = predictor_of(records) if saved is None else saved.predictor()
    elif saved is not None:
        raise BadInput(
            f"{path} holds an ensemble without its runs, and so without their data: name the folder of the set or of a "
            "run; from Python, load_predictor(folder).predict(inputs)"
        )
    else:
        records = [RunRecord.open(path)]
        predictor = records[0].predictor()
    problem = as_sequences(records[0].problem, "no predictions")
    return Model(path, tuple(records), predictor, problem, _settings_of(records[0]))


def _settings_of(record: RunRecord) -> Any | None:
    table: Any = record.scenario.get("problem")
    if not isinstance(table, Mapping) or not isinstance(table.get("kind"), str):
        raise RecordError(f"{record.path}: its scenario has no table [problem] with a kind")
    values = {key: value for key, value in table.items() if key != "kind"}
    try:
        return parse_settings(PROBLEMS[table["kind"]], values, "problem")
    except UnknownName:
        return None
    except SettingsError as error:
        raise RecordError(f"{record.path}: its scenario can't be read: {line(error)}") from error

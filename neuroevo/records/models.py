"""What a run or a set of them delivers, ready for data that have come since: predict, and forecast beyond their end."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.prediction import Loop, PredictionTable, Predictor, loop_of
from neuroevo.problems import PROBLEMS, SequenceProblem, as_sequences
from neuroevo.problems.tables.reading import several
from neuroevo.problems.tables.windows import Forecast as ForecastSettings
from neuroevo.records.answers import forecast, predicted
from neuroevo.records.continuation import Continued, alone, joined, without_lags
from neuroevo.records.ensembles import groups_in, predictor_of
from neuroevo.records.errors import RecordError
from neuroevo.records.front import Front
from neuroevo.records.predictors import ENSEMBLE_ARRAYS, ENSEMBLE_FILE, saved_ensemble
from neuroevo.records.record import RunRecord
from neuroevo.records.schema import line
from neuroevo.records.sweeps import SweepSet, set_in
from neuroevo.registry import UnknownName
from neuroevo.settings import SettingsError, parse_settings


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
        return loop_of(self.problem, self._horizons, 2 * len(several(getattr(self.settings, "calendar", None))))

    @property
    def _horizons(self) -> tuple[int, ...]:
        return tuple(getattr(self.settings, "horizons", None) or (0,))

    @property
    def last_step_counts(self) -> bool:
        """Whether the last step of a sequence is all that is asked of it."""
        return getattr(self.settings, "counts", "all") == "last"

    @property
    def is_forecast(self) -> bool:
        """Whether the problem is a series, or several of them, with a time that goes on."""
        return isinstance(self.settings, ForecastSettings)

    @property
    def goes_on(self) -> bool:
        """Whether new rows follow those of the run: it is a single series."""
        return self.is_forecast and self.problem.n_sequences == 1

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

    def plans(self, data: Any) -> NDArray[np.float64]:
        """``(n_rows, n_known)``: what a file tells of columns that are known ahead of time, to its very last row.

        Raises:
            DataError: It can't be used.
        """
        names = [self.problem.input_names[c] for c in self.loop.given]
        n_horizons, n_calendar = len(self._horizons), 2 * len(several(getattr(self.settings, "calendar", None)))
        names = [name.rpartition(" (t+")[0] for name in names[: len(names) - n_calendar : n_horizons]]
        settings: Any = self.settings
        plain = {"target": None, "labels": None, "known": None, "calendar": None, "lags": 1, "horizon": 1}
        prepared = {"residual": None, "residual_lags": None, "transform": None}
        columns = dataclasses.replace(settings, input=settings.known, **plain, **prepared)
        shape = (1, 1, len(names))
        alike = SequenceProblem(np.zeros(shape), np.zeros(shape), input_names=names, target_names=names)
        return np.asarray(columns.read_inputs(data, alike)[0].inputs)

    @property
    def _kind(self) -> str:
        return str(self.records[0].scenario.get("problem", {}).get("kind", ""))

    @property
    def time_name(self) -> str:
        """What the column of times is called."""
        time = getattr(self.settings, "time", None)
        if isinstance(time, tuple) and len(time) == 1:
            time = time[0]
        return "row" if time is None else time if isinstance(time, str) else "time"

    def predict(self, data: Any, *, level: float | None = None, restart: bool = False) -> PredictionTable:
        """What comes after each new row, to the very last, whose targets nobody knows.

        Args:
            data: A file that goes on where the run's data end, or overlaps them; or as of `continued`.
            level: Of intervals; None: 0.9, or none where the validation part does not allow it.
            restart: As of `continued`.

        Raises:
            BadInput: As of `continued`; there is nothing new; or an interval of that level cannot be had.
        """
        return predicted(self, data, level, restart=restart)

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
            BadInput: As of `predict`; of classes; or outputs can't come back as inputs.
        """
        return forecast(self, steps, data, level, restart=restart)


def open_model(path: str | Path, *, member: int | None = None) -> Model:
    """The model in the folder of a run, of a set of trials or of a sweep, or of the ensemble file in it.

    Of a run the final fit where there is one; of a set its ensemble; of a sweep the one that validation has chosen.

    Args:
        path: The folder, or the ensemble file.
        member: Of a run the network with this number of its front, in the place of its champion.

    Raises:
        RecordError: The folder is none of them, damaged, or without a champion or its data.
        BadInput: Nothing has finished; it is a sweep of which nothing was chosen, or an ensemble without its runs.
    """
    path = Path(path)
    if path.name in (ENSEMBLE_FILE, ENSEMBLE_ARRAYS) and path.is_file():
        path = path.parent
    found, saved = set_in(path), saved_ensemble(path)
    if found is None and saved is not None:
        raise BadInput(
            f"{path} holds an ensemble without its runs, and so without their data: name the folder of the set or of a "
            "run; from Python, load_predictor(folder).predict(inputs)"
        )
    if isinstance(found, SweepSet) and saved is None:
        raise BadInput(
            f"{path} is a sweep, whose points are different models: name the folder of a point in it, or let "
            'validation combine them, sweep.ensemble = "selection"'
        )
    if member is None:
        records = [record for its in groups_in([path]).values() for record in its]
    else:
        records, saved = [front_member(path, member)], None
    if not records:
        raise BadInput(f"no run in {path} has finished yet")
    delivered = tuple(record.delivered for record in records)
    predictor = predictor_of(records) if saved is None else saved.predictor()
    problem = as_sequences(delivered[0].problem, "no predictions")
    return Model(path, delivered, predictor, problem, _settings_of(records[0]))


def front_in(path: str | Path) -> Front:
    """The front of a run.

    Raises:
        BadInput: It has none, or it is many runs.
        RecordError: It is no record, or damaged.
    """
    return _with_front(path).known_front


def front_member(path: str | Path, number: int) -> RunRecord:
    """The record of a run with a network of its front as its champion.

    Raises:
        BadInput: It has no such member, or it is many runs.
        RecordError: It is no record, or damaged.
    """
    return _with_front(path).member(number)


def _with_front(path: str | Path) -> RunRecord:
    if set_in(path) is not None:
        raise BadInput(f"{path} holds many runs, each with a front of its own: name one of them")
    return RunRecord.open(path)


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

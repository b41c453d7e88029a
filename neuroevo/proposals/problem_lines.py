"""The table [problem] of a proposal, a reason at each line."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from neuroevo.errors import BadInput
from neuroevo.problems.tables.text_files import Dialect
from neuroevo.proposals.seasonality import Season, find_season
from neuroevo.proposals.survey import ColumnSurvey, Survey
from neuroevo.proposals.task import Task, span, training_rows
from neuroevo.proposals.times import DAY
from neuroevo.proposals.toml_text import Line

FEWEST_FOR_VALIDATION = 60
"""Of fewer rows a validation part would be a handful, and choosing by it luck."""
_SETTLING = 12
_FEWEST_FOR_WASHOUT = 200
_FAR = 6.0
_RARE = 0.02


def problem_lines(found: Survey, task: Task, folder: Path) -> list[Line]:
    """The lines of the table.

    Args:
        found: The data.
        task: What is to be learnt from them.
        folder: Where the scenario will lie.

    Raises:
        BadInput: The path of the file can't be written down.
    """
    makers = {"forecast": _series, "classes of rows": _series, "classes of sequences": _sequences}
    make = makers.get(task.kind, _sequences)
    files = [_file(path, folder) for path in (found.path, *found.others)]
    return [*make(found, task, files if found.others else files[0])]


def has_validation(found: Survey, task: Task) -> bool:
    """Whether there is enough for a validation part: rows, or sequences."""
    if task.sequence is not None:
        return len(found.runs(task.sequence)) >= 10
    return found.n_rows >= FEWEST_FOR_VALIDATION


def _file(path: Path, folder: Path) -> str:
    text = Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BadInput(f"the name of {path} is not text in UTF-8: rename the file") from error
    return text


def _written(found: Survey) -> Iterator[Line]:
    """How the file writes its table, where that is not the usual way."""
    dialect = found.dialect or Dialect()
    if dialect.encoding != "utf-8":
        yield Line("encoding", dialect.encoding, "the text is not UTF-8")
    if dialect.separator is not None:
        yield Line("separator", dialect.separator, "what stands between the cells of a line")
    if dialect.decimal != ".":
        yield Line("decimal", dialect.decimal, "numbers are written 1,5")


def _series(found: Survey, task: Task, file: str | list[str]) -> Iterator[Line]:
    yield Line("kind", "series", "a series a file" if found.others else "one series in the order of time")
    yield Line("file", file, "relative to this file")
    yield from _written(found)
    yield from _time(found)
    yield Line("input", _keys(task.inputs), task.input_reason)
    if task.known:
        yield Line("known", _keys(task.known), "known ahead: seen at the time of the target")
    calendar = calendar_of(found, task)
    if calendar:
        yield Line("calendar", calendar, "the target's place in the day, week or year")
    yield Line("target", _keys(task.targets), task.target_reason)
    yield Line("horizon", _single(task.horizon), _ahead(found, task))
    if task.ignore is not None:
        yield Line("ignore", task.ignore.key, "rows with a 1 do not count as targets")
    yield from _missing(task)
    if not task.by_class:
        yield Line("residual", "linear", "the network learns what a linear model leaves")
        season = season_of(found, task)
        if season is not None:
            yield Line("season", season.steps, season.reason)
    yield from _scaling(found, task)
    if found.n_rows >= _FEWEST_FOR_WASHOUT:
        yield Line("washout", _SETTLING, "rows that do not count, while the state settles")
    yield _parts(found, task, "validation chooses the champion, test has no say")


def _sequences(found: Survey, task: Task, file: str | list[str]) -> Iterator[Line]:
    if task.sequence is None:
        raise ValueError("sequences need the column that tells them apart")
    yield Line("kind", "sequences", f"{len(found.runs(task.sequence))} of them; the state starts anew with each")
    yield Line("file", file, "relative to this file")
    yield from _written(found)
    yield Line("sequence", task.sequence.key, "rows with the same entry belong together")
    if not task.by_class:
        yield from _time(found)
    yield Line("inputs", _keys(task.inputs), task.input_reason)
    if task.by_class:
        yield Line("labels", task.targets[0].key, task.target_reason)
    else:
        calendar = calendar_of(found, task)
        if calendar:
            yield Line("calendar", calendar, "the target's place in the day, week or year")
        yield Line("targets", _keys(task.targets), task.target_reason)
        yield Line("horizon", _single(task.horizon), _ahead(found, task))
        yield Line("counts", "all", "every step has a target")
        yield Line("residual", "linear", "the network learns what a linear model leaves")
    yield from _missing(task)
    yield from _scaling(found, task)
    if task.part is not None:
        yield Line("part", task.part.key, "the file says which sequences train and test")
    else:
        yield _parts(found, task, "of the sequences" if task.by_class else "of the sequences; validation chooses")
        if task.by_class:
            yield Line("shuffle", True, "every part gets sequences of every class")
    if task.by_class and has_validation(found, task):
        yield Line("validation", 0.2, "of the training sequences; they choose the champion")


def _parts(found: Survey, task: Task, reason: str) -> Line:
    if not has_validation(found, task):
        train: float | int = 0.8
        if task.sequence is not None:
            n_sequences = len(found.runs(task.sequence))
            train = n_sequences - max(round(0.2 * n_sequences), 1)
        count = "rows" if task.sequence is None else "sequences"
        return Line("parts", {"train": train, "test": "rest"}, f"too few {count} for a validation part")
    if task.kind == "classes of sequences":
        return Line("parts", {"train": 0.7, "test": "rest"}, reason)
    return Line("parts", {"train": 0.7, "validation": 0.15, "test": "rest"}, reason)


def _time(found: Survey) -> Iterator[Line]:
    times = found.times
    if times is None:
        return
    columns = [found.columns[place] for place in times.columns]
    reason = "labels for parts and plots"
    if times.unit != "row":
        reason = f"a row every {'workday' if times.is_of_workdays else times.unit}"
    yield Line("time", _keys(columns), reason)
    if times.format:
        yield Line("date_format", times.format, "day or month first? the file does not tell" if times.ambiguous else "")


def _missing(task: Task) -> Iterator[Line]:
    lacking = [column for column in (*task.inputs, *task.targets, *task.known) if column.n_missing]
    if not lacking:
        return
    names = ", ".join(dict.fromkeys(f"{column.name} {column.n_missing}" for column in lacking))
    ends = "" if not any(column.n_missing for column in task.targets) else "; missing targets do not count"
    yield Line("missing", "forward", f"the last known value stands in{ends} ({names})")


def _scaling(found: Survey, task: Task) -> Iterator[Line]:
    columns = dict.fromkeys(column.place for column in (*task.inputs, *(() if task.by_class else task.targets)))
    far = [found.columns[place].name for place in columns if _has_outliers(found, found.columns[place])]
    if far:
        yield Line("scaling", "robust", f"by median and quartiles: a few values lie far out ({', '.join(far[:4])})")
    else:
        yield Line("scaling", "standard", "mean 0 and variance 1, learnt on the training part")


def _has_outliers(found: Survey, column: ColumnSurvey) -> bool:
    """Whether a few training values lie many times the interquartile range away from the median."""
    if column.values is None:
        return False
    values = column.values[: training_rows(found)]
    values = values[np.isfinite(values)]
    if not values.size:
        return False
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
    far = np.abs(values - middle) > _FAR * (high - low)
    return bool(high > low and far.any() and far.mean() < _RARE)


def season_of(found: Survey, task: Task) -> Season | None:
    """After how many rows the first target repeats itself."""
    target = task.targets[0]
    return None if target.values is None else find_season(target.values[: training_rows(found)], found.times)


def calendar_of(found: Survey, task: Task) -> list[str]:
    """What a calendar says about the target's time that its own past may not."""
    times = found.times
    if times is None or not times.are_dates or not times.step:
        return []
    seconds = times.seconds[: training_rows(found)]
    if task.sequence is not None:
        seconds = seconds[: min([*found.runs(task.sequence)[1:2], len(seconds)])]
    days = float(seconds[-1] - seconds[0]) / DAY
    longer = [("weekday", 21.0, 1.0), ("day_of_year", 730.0, 7.5)]
    hours = ["hour"] if times.step < DAY / 2 and days >= 3 else []
    return hours + [name for name, span, step in longer if days >= span and times.step <= step * DAY]


def _ahead(found: Survey, task: Task) -> str:
    if task.horizon == (0,):
        return "the class of the row itself"
    times, last = found.times, max(task.horizon)
    if times is None or times.unit == "row":
        return "rows ahead"
    return "rows ahead" if len(task.horizon) > 1 else f"rows ahead: {span(times.unit, last)}"


def _keys(columns: Sequence[ColumnSurvey]) -> object:
    keys = list(dict.fromkeys(column.key for column in columns))
    return keys[0] if len(keys) == 1 else keys


def _single(values: Sequence[int]) -> int | list[int]:
    return values[0] if len(values) == 1 else list(values)

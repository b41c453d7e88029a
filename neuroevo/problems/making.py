"""Problems of data frames, mappings and files, from Python, with the keys of a scenario's [problem]."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from neuroevo.errors import WrongType
from neuroevo.problems.sequence import SequenceProblem
from neuroevo.problems.sequences import Sequences
from neuroevo.problems.series import Series
from neuroevo.problems.tables.files import matching
from neuroevo.problems.tables.frames import is_frame
from neuroevo.problems.tables.table import Table, read_table, table_of_frame
from neuroevo.problems.tables.text_files import Dialect
from neuroevo.settings import parse_settings


def make_series(data: Any, **settings: Any) -> SequenceProblem:
    """The problem of kind "series" of data at hand.

    Args:
        data: A data frame (pandas, polars), a mapping from names to columns, or the path of a file; a list of such or a
            mapping from names to data frames for several series.
        settings: Keys of [problem], such as ``target="demand"``, ``time="day"`` and ``horizon=[1, 24]``.

    Raises:
        SettingsError: With every mistake in the settings.
        DataError: The data, or what the settings say about them, can't be used.
    """
    parsed = parse_settings(Series, {"file": "in memory", **settings})
    return parsed.of_tables(_tables(data, parsed.dialect))


def make_sequences(data: Any, **settings: Any) -> SequenceProblem:
    """The problem of kind "sequences" of data at hand: many sequences in one table, or a table for each.

    Args:
        data: As for `make_series`.
        settings: Keys of [problem], such as ``sequence="machine"`` and ``labels="fault"``.

    Raises:
        SettingsError: With every mistake in the settings.
        DataError: The data, or what the settings say about them, can't be used.
    """
    parsed = parse_settings(Sequences, {"file": "in memory", **settings})
    if isinstance(data, str | Path):
        return parsed.of_files(matching(Path(), [str(data)]))
    return parsed.of_tables(_tables(data, parsed.dialect))


def _tables(data: Any, dialect: Dialect) -> list[Table]:
    if isinstance(data, str | Path):
        return [read_table(path, dialect) for path in matching(Path(), [str(data)])]
    if isinstance(data, Mapping) and data and all(is_frame(value) for value in data.values()):
        return [table_of_frame(frame, str(name)) for name, frame in data.items()]
    if is_frame(data):
        return [table_of_frame(data)]
    if isinstance(data, list | tuple) and data:
        tables = [_tables(each, dialect) for each in data]
        return [table for its in tables for table in its]
    expected = "a data frame, a mapping from names to columns, a path, or a list of such"
    raise WrongType(f"data must be {expected}; got {type(data).__name__}")

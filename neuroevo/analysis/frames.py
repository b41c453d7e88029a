"""Tables of records as data frames of pandas or polars, whichever is installed."""

from __future__ import annotations

import importlib
import importlib.util
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from neuroevo.analysis.summaries import point_rows, run_rows
from neuroevo.errors import BadInput, WrongType
from neuroevo.problems import Results
from neuroevo.records import RunRecord, SweepSet, TrialSet

PACKAGES = ("polars", "pandas")
TABLES = {RunRecord: ("history", "results"), TrialSet: ("runs",), SweepSet: ("runs", "points")}


def to_frame(source: Any, table: str | None = None, *, package: str | None = None) -> Any:
    """A table as a data frame.

    Args:
        source: A `RunRecord`, a `TrialSet` or a `SweepSet`; `Results`; columns by name, as `History` has them; or rows,
            each a mapping.
        table: Of a run "history" (a generation a row; the default) or "results" (a row for each contestant on each
            part); of a set of trials "runs" (a run a row, the columns of its summary.csv); of a sweep "runs" (the
            default, those of runs.csv) or "points" (those of its summary.csv).
        package: "pandas" or "polars"; None: the one that is imported already, or else installed, polars if both are.

    Raises:
        BadInput: There is no such table, the run has no results, or neither package is installed.
        WrongType: The source is something else.
        RecordError: The record is damaged.
    """
    made = _package(package)
    if isinstance(source, RunRecord | TrialSet | SweepSet):
        known = next(tables for kind, tables in TABLES.items() if isinstance(source, kind))
        if table is not None and table not in known:
            raise BadInput(f"the table of {source.path} must be one of {', '.join(known)}; got {table!r}")
        source = _of_record(source, table or known[0])
    elif table is not None:
        raise BadInput(f"table chooses one of a record's, got {table!r} for {type(source).__name__}")
    if isinstance(source, Results):
        source = list(_result_rows(source))
    if isinstance(source, Mapping):
        return made.DataFrame({str(name): _column(values) for name, values in source.items()})
    if isinstance(source, Sequence) and all(isinstance(row, Mapping) for row in source):
        return made.DataFrame(_columns(source))
    raise WrongType(
        f"to_frame takes a record, a set of trials, a sweep, results, columns or rows; got {type(source).__name__}"
    )


def _package(name: str | None) -> Any:
    if name is not None and name not in PACKAGES:
        raise BadInput(f"package must be one of {', '.join(PACKAGES)}; got {name!r}")
    wanted = PACKAGES if name is None else (name,)
    loaded = [each for each in wanted if each in sys.modules]
    found = loaded or [each for each in wanted if importlib.util.find_spec(each)]
    if not found:
        named = " or ".join(wanted)
        raise BadInput(f'a data frame needs {named}: pip install {name or "pandas"}, or "neuroevo-rnn[frames]"')
    return importlib.import_module(found[0])


def _of_record(source: RunRecord | TrialSet | SweepSet, table: str) -> Any:
    if not isinstance(source, RunRecord):
        return point_rows(source) if table == "points" and isinstance(source, SweepSet) else run_rows(source)
    if table == "history":
        return source.history
    if source.results is None:
        raise BadInput(f"{source.path} has no results: the run has not come to its end with a champion")
    return source.results


def _result_rows(results: Results) -> Iterator[dict[str, Any]]:
    """A row for each contestant on each part."""
    for contestant, parts in results.contestants.items():
        for part, figures in parts.items():
            yield {
                "contestant": contestant,
                "part": part,
                **{name: math.nan if value is None else value for name, value in figures.items()},
            }


def _columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """All columns that any row has; numbers that a row lacks are NaN, texts None."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: _column([row.get(name) for row in rows]) for name in names}


def _column(values: Any) -> Any:
    """Numbers as an array; a column of both numbers and text, as a sweep over mixed values has, as text."""
    if isinstance(values, np.ndarray):
        return values
    cells = list(values)
    numbers = [isinstance(cell, int | float) and not isinstance(cell, bool) for cell in cells]
    if any(numbers) and all(is_number or cell is None for is_number, cell in zip(numbers, cells, strict=True)):
        return np.array([math.nan if cell is None else cell for cell in cells])
    kinds = {type(cell) for cell in cells} - {type(None)}
    return cells if len(kinds) < 2 else [None if cell is None else str(cell) for cell in cells]

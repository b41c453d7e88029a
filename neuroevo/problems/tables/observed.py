"""Data read in exactly the way of a problem that exists already, up to rows whose targets nobody knows yet."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.problems.errors import DataError
from neuroevo.problems.tables.columns import Columns, Windows
from neuroevo.problems.tables.features import Feature, Notes, restored
from neuroevo.problems.tables.frames import is_frame
from neuroevo.problems.tables.missing import Gaps, Missing
from neuroevo.problems.tables.reading import Plan, Rows
from neuroevo.problems.tables.table import Column, Table, read_table, table_of_frame
from neuroevo.problems.tables.text_files import Dialect
from neuroevo.problems.tables.timeline import Labels, Timeline
from neuroevo.problems.tables.windows import column_lags

if TYPE_CHECKING:
    from neuroevo.problems.sequence import SequenceProblem


@dataclass(frozen=True, eq=False)
class Observed:
    """One sequence as a network sees it, in original units, with what is known of its targets.

    Attributes:
        inputs: ``(n_steps, n_inputs)`` float64.
        targets: ``(n_steps, n_outputs)`` float64, NaN where nobody knows them.
        times: ``(n_steps,)`` labels of the rows that the steps are made at.
        target_times: ``(n_steps, n_horizons)`` labels of the rows that they predict; those beyond the data go on in the
            usual step.
        horizons: How many rows ahead the targets lie. The outputs are, for each target column, all of them in turn.
        name: Of the file or the sequence.
        notes: What reading did to the data, in sentences.
    """

    inputs: NDArray[np.float64]
    targets: NDArray[np.float64]
    times: Labels
    target_times: Labels
    horizons: tuple[int, ...]
    name: str = ""
    notes: tuple[str, ...] = ()


def as_table(data: Any, dialect: Dialect) -> Table:
    """The table of a file, a data frame or a mapping from names to columns.

    Raises:
        DataError: It can't be used.
    """
    if isinstance(data, Table):
        return data
    return table_of_frame(data) if is_frame(data) else read_table(Path(data), dialect)


def restored_plan(
    problem: SequenceProblem,
    table: Table,
    inputs: Sequence[Column],
    known: Sequence[Column],
    targets: Sequence[Column],
    calendar: Sequence[str],
    lags: int | dict[str, int],
    horizons: Sequence[int],
) -> Plan:
    """The plan that a problem was made by, as the names of its inputs tell it.

    Args:
        problem: In any units.
        table: Where the columns have their names from.
        inputs: Columns.
        known: Columns.
        targets: Columns.
        calendar: As in the settings.
        lags: As in the settings.
        horizons: As in the settings.

    Raises:
        DataError: The problem has other inputs.
    """
    seen, planned = ([(column, table.name(column)) for column in columns] for columns in (inputs, known))
    each = [lags if isinstance(lags, int) else lags.get(name, 1) for _, name in seen]
    features, left = restored(seen, problem.input_names, each)
    ahead, left = restored(planned, left, [len(horizons)] * len(known))
    if len(left) != 2 * len(calendar):
        raise DataError(f"the problem has other inputs than these settings make: {', '.join(problem.input_names)}")
    classes = problem.target_names if problem.learned.by_class else None
    return Plan(features, ahead, tuple(targets), classes, tuple(calendar))


def observed(
    plan: Plan,
    table: Table,
    line: Timeline,
    rows: NDArray[np.intp],
    rule: Missing,
    lags: int | dict[str, int],
    horizons: tuple[int, ...],
    name: str,
) -> Observed:
    """The steps of a sequence, up to the last row whose inputs are known.

    Args:
        plan: How columns are read.
        table: The file.
        line: The times of the rows.
        rows: The sequence's, in the order of time.
        rule: For missing values.
        lags: As in the settings.
        horizons: As in the settings.
        name: Of the sequence.

    Raises:
        DataError: A cell is missing where it may not be, or there are fewer rows than the lags need.
    """
    windows = Windows(column_lags(lags, plan.bases()), horizons)
    notes = Notes()
    n_seen = _n_seen(plan.inputs, table, rows, rule)
    n_steps = n_seen - windows.first
    if plan.known:
        n_steps = min(n_steps, _n_seen(plan.known, table, rows, rule) - windows.first - windows.reach)
    if n_steps < 1:
        raise DataError(
            f"{name or table.path} has {len(rows)} rows, and the inputs of {n_seen} are known; a step needs lags of "
            f"{windows.first} rows before it" + (f" and what is known {windows.reach} rows ahead" if plan.known else "")
        )
    longer = line.continued(windows.first + n_steps + windows.reach - len(rows))

    def some(n: int) -> Rows:
        zones = np.zeros(n, dtype=np.int64)
        its = longer.taken(slice(None, n))
        gaps = Gaps(rule, zones, zones, its.moments if rule == "interpolate" else None)
        return Rows(table, rows[:n], its, gaps, ("train",))

    columns = plan.columns(some(n_seen), notes, may_lack=True)
    columns = _ahead(plan, columns, some(min(len(rows), n_seen + windows.reach)), longer)
    n_rows = len(longer.labels)
    targets = np.full((n_rows, columns.targets.shape[1]), np.nan)
    known = np.flatnonzero(columns.counted()[:, 0]) if plan.classes else np.arange(len(columns.targets))
    targets[known[known < n_rows]] = columns.targets[known[known < n_rows]]
    targets[: len(columns.targets)][~columns.counted()[:n_rows]] = np.nan
    at = windows.first + np.arange(n_steps)
    return Observed(
        windows.inputs(columns, n_steps),
        windows.targets(targets, n_steps).astype(np.float64),
        longer.labels[at],
        np.stack([longer.labels[at + h] for h in horizons], axis=1),
        horizons,
        name,
        tuple(notes.sentences(rule)),
    )


def _ahead(plan: Plan, columns: Columns, rows: Rows, longer: Timeline) -> Columns:
    """The columns with targets and known inputs of later rows too, and the calendar of all that steps look at."""
    later = dataclasses.replace(plan, inputs=(), calendar=()).columns(rows, Notes(), may_lack=True)
    tied = [i for i, column in enumerate(columns.tied) if column >= 0]
    targets, counts = later.targets.copy(), later.counted().copy()
    for i in tied:
        targets[: columns.n_rows, i], counts[: columns.n_rows, i] = columns.targets[:, i], columns.counted()[:, i]
    calendar = plan.calendar_of(longer, rows.table) if plan.calendar else None
    return dataclasses.replace(columns, targets=targets, counts=counts, known=later.known, calendar=calendar)


def _n_seen(features: Sequence[Feature], table: Table, rows: NDArray[np.intp], rule: Missing) -> int:
    """Rows up to the last one at which all features are known, or any of them where values may stand in."""
    known = np.column_stack(
        [table.given(feature.column, rows, texts=feature.categories is not None) for feature in features]
    )
    seen = np.flatnonzero(known.all(axis=1) if rule == "refuse" else known.any(axis=1))
    return int(seen[-1]) + 1 if seen.size else 0

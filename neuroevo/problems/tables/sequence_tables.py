"""Sequences of tables: rows with the same entry in one column, or the rows of one file each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.problems.assembly import Sample
from neuroevo.problems.errors import DataError
from neuroevo.problems.generators.base import at_end
from neuroevo.problems.tables.chronology import file_parts, part_rows
from neuroevo.problems.tables.classes import classes_of
from neuroevo.problems.tables.columns import Columns, Windows
from neuroevo.problems.tables.features import Notes
from neuroevo.problems.tables.missing import Gaps
from neuroevo.problems.tables.reading import Plan, Rows, learnt_features, refuse_known_targets, several, zones_of
from neuroevo.problems.tables.table import Column, Table
from neuroevo.problems.tables.timeline import Timeline
from neuroevo.problems.tables.windows import column_lags

if TYPE_CHECKING:
    from neuroevo.problems.sequences import Sequences


@dataclass(frozen=True, eq=False)
class Source:
    """One table of sequences.

    Attributes:
        table: The file.
        starts: The first row of each sequence.
        names: One name a sequence.
        line: The times of the rows; None where no column tells them.
    """

    table: Table
    starts: tuple[int, ...]
    names: tuple[str, ...]
    line: Timeline | None

    @property
    def spans(self) -> Iterator[slice]:
        """The rows of each sequence."""
        for start, end in zip(self.starts, (*self.starts[1:], self.table.n_rows), strict=True):
            yield slice(start, end)

    @property
    def groups(self) -> NDArray[np.int64]:
        """``(n_rows,)``: the number of each row's sequence."""
        firsts = np.zeros(self.table.n_rows, dtype=np.int64)
        firsts[list(self.starts)] = 1
        return np.cumsum(firsts) - 1

    def once(self, column: Column) -> NDArray[np.str_]:
        """``(n_sequences,)``: the entry that all rows of a sequence share.

        Raises:
            DataError: They do not share one.
        """
        cells = self.table.texts(column)
        for span in self.spans:
            for row in range(span.start, span.stop):
                if not cells[row] or cells[row] != cells[span.start]:
                    got = repr(cells[row]) if cells[row] else "nothing"
                    raise DataError(
                        f"{self.table.place(row, column)}: every row of a sequence needs the same entry; got {got} "
                        f"after {cells[span.start]!r}"
                    )
        return np.array([cells[start] for start in self.starts])


def source_of(settings: Sequences, table: Table) -> Source:
    """The sequences of a table.

    Raises:
        DataError: A sequence is torn apart, or times fall within one.
    """
    if settings.sequence is None:
        starts, names = [0], [table.path.name]
    else:
        entries = table.texts(settings.sequence)
        starts = [row for row in range(table.n_rows) if row == 0 or entries[row] != entries[row - 1]]
        names = [entries[row] for row in starts]
        first: set[str] = set()
        for row, name in zip(starts, names, strict=True):
            if name in first:
                raise DataError(
                    f"{table.place(row, settings.sequence)}: the sequence {name!r} goes on here after another one; "
                    "put its rows together, in the order of time"
                )
            first.add(name)
    line = None if settings.time is None else settings.timeline(table, settings.time, starts)
    return Source(table, tuple(starts), tuple(names), line)


@dataclass(frozen=True, eq=False)
class FromTables:
    """What reading tables gives.

    Attributes:
        samples: One a sequence, with targets of width 0 where a sequence has one label as a whole.
        owners: ``(n_sequences,)`` text: the part of each sequence; "" for none or several.
        input_names: One name an input.
        target_names: One name a target.
        tied: For each target the input that holds its quantity, or -1; None where no horizon is asked for.
        by_row: Whether the targets are classes of each row.
        notes: What reading did to the data, in sentences.
    """

    samples: list[Sample]
    owners: NDArray[np.str_]
    input_names: list[str]
    target_names: list[str]
    tied: list[int] | None
    by_row: bool
    notes: tuple[str, ...]


def owners_by_file(settings: Sequences, sources: Sequence[Source]) -> list[dict[str, Any]] | None:
    """For each sequence the parts of its file, as `part_rows` takes them; None where parts are no lists of files.

    Raises:
        DataError: As `file_parts`, or a sequence that counts at its end only would be divided.
    """
    if isinstance(settings.parts, tuple) or settings.part is not None:
        return None
    found = file_parts(settings.parts, [source.table.path for source in sources])
    if found is None:
        return None
    if settings.counts == "last" and any(len(parts) > 1 for parts in found):
        raise DataError(
            "only the last step of a sequence counts, so its rows can't be divided: set validation = 0.2 for a share "
            'of the training sequences, or counts = "all"'
        )
    return [parts for parts, source in zip(found, sources, strict=True) for _ in source.starts]


def from_tables(
    settings: Sequences,
    sources: Sequence[Source],
    owners: NDArray[np.str_],
    divided: Sequence[Mapping[str, Any]] | None,
    *,
    by_row: bool,
) -> FromTables:
    """The sequences of tables as samples.

    Args:
        settings: What is asked for.
        sources: The tables.
        owners: ``(n_sequences,)`` text: the part of each sequence; "" for none.
        divided: For each sequence its parts, as `part_rows` takes them; None: each belongs to its owner.
        by_row: Whether `labels` are those of rows.

    Raises:
        DataError: A column is missing or can't be used, or a sequence is too short.
    """
    masks = _masks(sources, owners, divided)
    plan = _plan(settings, sources, masks, by_row=by_row)
    windows = Windows(column_lags(settings.lags, plan.bases()), settings.horizons)
    notes, samples = Notes(), []
    columns = None
    for source, its in zip(sources, masks, strict=True):
        columns = _columns(settings, plan, source, its, notes)
        for span, own, name in zip(source.spans, its, source.names, strict=True):
            stretch = columns.taken(span)
            n_steps = stretch.n_rows - windows.first - windows.reach
            if n_steps < 1:
                raise DataError(
                    f"{source.table.path}: the sequence {name!r} is too short: horizon = {settings.horizon} and lags = "
                    f"{settings.lags} need {windows.first + windows.reach + 1} rows at least, and it has "
                    f"{stretch.n_rows}"
                )
            ends = np.ones(n_steps, dtype=np.bool_) if settings.counts == "all" else at_end(n_steps)
            later = slice(windows.first + windows.reach, None)
            samples.append(
                Sample(
                    windows.inputs(stretch, n_steps),
                    windows.targets(stretch.targets, n_steps).astype(np.float64),
                    windows.targets(stretch.counted(), n_steps).astype(np.bool_) & ends[:, None]
                    if plan.targets
                    else ends,
                    times=None if source.line is None or stretch.labels is None else stretch.labels[later],
                    parts=None if divided is None else {part: mask[later] for part, mask in own.items()},
                )
            )
    if columns is None:
        raise DataError("there are no sequences")
    return FromTables(
        samples,
        owners,
        windows.input_names(columns),
        windows.target_names(columns),
        None if settings.horizon is None else windows.tied(columns),
        by_row,
        tuple(notes.sentences(settings.missing)),
    )


def _masks(
    sources: Sequence[Source], owners: NDArray[np.str_], divided: Sequence[Mapping[str, Any]] | None
) -> list[list[dict[str, NDArray[np.bool_]]]]:
    """For each source and sequence, the rows of its parts."""
    found, i = [], 0
    for source in sources:
        its = []
        for span in source.spans:
            n_rows = span.stop - span.start
            if divided is None:
                its.append({str(owners[i]): np.ones(n_rows, dtype=np.bool_)} if owners[i] else {})
            else:
                its.append(part_rows(divided[i], np.arange(1, n_rows + 1)) if divided[i] else {})
            i += 1
        found.append(its)
    return found


def _plan(
    settings: Sequences, sources: Sequence[Source], masks: Sequence[Sequence[Mapping[str, Any]]], *, by_row: bool
) -> Plan:
    tables = [source.table for source in sources]
    training = [_rows_of("train", source, its) for source, its in zip(sources, masks, strict=True)]
    targets = several(settings.labels) if by_row else several(settings.targets)
    refuse_known_targets(tables[0], several(settings.known), several(settings.targets) or several(settings.labels))
    classes = None
    if by_row and settings.labels is not None:
        classes = classes_of(settings.labels, tables, [np.arange(table.n_rows) for table in tables])
    return Plan(
        learnt_features(several(settings.inputs), tables, training, settings.missing),
        learnt_features(several(settings.known), tables, training, settings.missing),
        targets,
        classes,
        several(settings.calendar),
    )


def _rows_of(part: str, source: Source, masks: Sequence[Mapping[str, NDArray[np.bool_]]]) -> NDArray[np.intp]:
    pairs = zip(source.spans, masks, strict=True)
    rows = [span.start + np.flatnonzero(its[part]) for span, its in pairs if part in its]
    return np.concatenate([np.zeros(0, dtype=np.intp), *rows])


def _columns(
    settings: Sequences,
    plan: Plan,
    source: Source,
    masks: Sequence[Mapping[str, NDArray[np.bool_]]],
    notes: Notes,
) -> Columns:
    """All rows of a source as columns."""
    n_rows = source.table.n_rows
    names = list(dict.fromkeys(part for its in masks for part in its))
    rows = {part: np.isin(np.arange(n_rows), _rows_of(part, source, masks)) for part in names}
    zones, parts = zones_of(rows, n_rows)
    line = source.line or Timeline(np.arange(1, n_rows + 1))
    moments = source.line.moments if source.line is not None and settings.missing == "interpolate" else None
    gaps = Gaps(settings.missing, source.groups, zones, moments)
    return plan.columns(Rows(source.table, np.arange(n_rows), line, gaps, parts), notes)

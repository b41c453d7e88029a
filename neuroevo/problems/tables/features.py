"""How the columns of a table become inputs: numbers, categories as columns of 0 and 1, flags of what is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from neuroevo.problems.errors import DataError
from neuroevo.problems.tables.cells import is_missing_text, listed
from neuroevo.problems.tables.missing import Gaps, Missing
from neuroevo.problems.tables.table import Column, Table

MOST_CATEGORIES = 100
_FEW = 12
_FLAG = " is missing"


@dataclass
class Notes:
    """What reading did to the data that a user should know.

    Attributes:
        n_rows: Rows that were read.
        filled: Missing cells by column of the inputs.
        masked: Missing cells by column of targets that are no inputs.
        unseen: Texts by column that the training part lacks.
        drawn: Rows by part with an input that was drawn between an earlier value and a later one.
    """

    n_rows: int = 0
    filled: Counter[str] = field(default_factory=Counter)
    masked: Counter[str] = field(default_factory=Counter)
    unseen: dict[str, Counter[str]] = field(default_factory=dict)
    drawn: Counter[str] = field(default_factory=Counter)

    def sentences(self, rule: Missing) -> list[str]:
        """One for each kind of thing."""
        how = {
            "interpolate": "a straight line between the known values stands in",
            "forward": "the last known value stands in",
            "mask": "the last known value stands in, and an input says so",
        }.get(rule, "")
        found = [
            f"{n} of {self.n_rows} cells of {name!r} are missing: {how}; as targets they do not count"
            for name, n in self.filled.items()
            if n
        ]
        found += [
            f"{n} of {self.n_rows} cells of the target {name!r} are missing: they do not count"
            for name, n in self.masked.items()
            if n
        ]
        found += [
            f"{n} cells of part {part!r} were filled by a line to a later value, which nobody knows at that time: its "
            'error is too good; missing = "forward" uses the past alone'
            for part, n in self.drawn.items()
            if n and part not in ("", "train")
        ]
        return found + [
            f"{name!r} has texts that the training part lacks, {listed(sorted(texts), 5)}, in "
            f"{sum(texts.values())} rows: all its inputs are 0 there"
            for name, texts in self.unseen.items()
            if texts
        ]


@dataclass(frozen=True)
class Feature:
    """How one column becomes inputs.

    Attributes:
        column: In the file.
        name: What its inputs are called.
        categories: Its texts, an input each; None for a column of numbers.
        flagged: Whether another input says where it is missing.
    """

    column: Column
    name: str
    categories: tuple[str, ...] | None = None
    flagged: bool = False

    @property
    def names(self) -> list[str]:
        """One for each input."""
        own = [self.name] if self.categories is None else [f"{self.name}={text}" for text in self.categories]
        return own + ([self.name + _FLAG] if self.flagged else [])

    def read(
        self,
        table: Table,
        rows: NDArray[np.intp],
        gaps: Gaps,
        notes: Notes,
        parts: Sequence[str],
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """``(n_rows, n_inputs)`` values, and ``(n_rows,)`` bool: which of them the file holds.

        Args:
            table: The file.
            rows: Of the table.
            gaps: Where values come from that stand in for missing ones.
            notes: Where it is told.
            parts: Names of `gaps.zones`.

        Raises:
            DataError: A cell is missing and may not be, or is no number.
        """
        if self.categories is None:
            may_lack = None if gaps.rule == "refuse" else np.ones(table.n_rows, dtype=np.bool_)
            values = table.numbers(self.column, rows, may_lack)[rows]
            known = ~np.isnan(values)
        else:
            codes, known = self._codes(table, rows, gaps.rule, notes)
            values = codes
        if not known.all():
            self._refuse_empty(table, rows, gaps, known)
            notes.filled[self.name] += int((~known).sum())
            if self.categories is None:
                values, drawn = gaps.filled(values, known)
                for zone in np.unique(gaps.zones[drawn]):
                    notes.drawn[parts[zone]] += int((gaps.zones[drawn] == zone).sum())
            else:
                values = values[gaps.sources(known)]
        columns = [values] if self.categories is None else [values == i for i in range(len(self.categories))]
        if self.flagged:
            columns.append(~known)
        return np.column_stack(columns).astype(np.float64), known

    def _codes(
        self, table: Table, rows: NDArray[np.intp], rule: Missing, notes: Notes
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """The places of the texts among the categories, -1 for others; and which are known."""
        cells = table.cells[table.find(self.column)]
        texts = [str(cells[row]).strip() for row in rows.tolist()]
        known = ~np.array([is_missing_text(text) for text in texts], dtype=np.bool_)
        if rule == "refuse" and not known.all():
            row = rows[int(np.argmin(known))]
            raise DataError(
                f"{table.place(int(row), self.column)}: the text is missing; fill it in, or set missing = "
                '"forward" (the last known one stands in) or "mask"'
            )
        places = {text: i for i, text in enumerate(self.categories or ())}
        codes = np.array([places.get(text, -1) for text in texts], dtype=np.float64)
        unseen = Counter(texts[i] for i in np.flatnonzero(known & (codes < 0)))
        if unseen:
            notes.unseen.setdefault(self.name, Counter()).update(unseen)
        return codes, known

    def _refuse_empty(self, table: Table, rows: NDArray[np.intp], gaps: Gaps, known: NDArray[np.bool_]) -> None:
        empty = np.flatnonzero(gaps.sources(known) < 0)
        if empty.size:
            raise DataError(
                f"{table.place(int(rows[empty[0]]), self.column)}: no value of this column is known before this row, "
                "nor after it in its part, so nothing can stand in; leave the row, the sequence or the column out"
            )


def learn(
    column: Column, tables: Sequence[Table], rows: Sequence[NDArray[np.intp]], rule: Missing, *, may_flag: bool
) -> Feature:
    """How a column becomes inputs, as its training rows tell.

    Args:
        column: Its name or number.
        tables: All files.
        rows: The training rows of each.
        rule: For missing values.
        may_flag: Whether an input may say where it is missing.

    Raises:
        DataError: It holds too many texts for categories.
    """
    name = tables[0].name(column)
    pairs = [(table, its) for table, its in zip(tables, rows, strict=True) if len(its)]
    wants_flag = rule == "mask" and may_flag
    if not all(table.holds_text(column, its) or _all_missing(table, column, its) for table, its in pairs) or not any(
        table.holds_text(column, its) for table, its in pairs
    ):
        lacking = wants_flag and any(
            np.isnan(table.numbers(column, its, np.ones(table.n_rows, dtype=np.bool_))[its]).any()
            for table, its in pairs
        )
        return Feature(column, name, flagged=lacking)
    texts = [
        str(cell).strip()
        for table, its in pairs
        for cell in (table.cells[table.find(column)][row] for row in its.tolist())
    ]
    given = [text for text in texts if not is_missing_text(text)]
    categories = tuple(sorted(set(given)))
    if len(categories) > MOST_CATEGORIES or len(categories) > max(_FEW, len(given) // 2):
        raise DataError(
            f"{pairs[0][0].path}: column {name!r} holds {len(categories)} different texts in {len(given)} training "
            f"rows ({listed(categories, 3)}), too many for categories; leave it out of the inputs"
        )
    return Feature(column, name, categories, wants_flag and len(given) < len(texts))


def _all_missing(table: Table, column: Column, rows: NDArray[np.intp]) -> bool:
    cells = table.cells[table.find(column)]
    return all(is_missing_text(cells[row]) for row in rows.tolist())


def restored(
    columns: Sequence[tuple[Column, str]], names: Sequence[str], n_each: Sequence[int]
) -> tuple[tuple[Feature, ...], list[str]]:
    """The features that have given a problem's input names, and the names that belong to none of them.

    Args:
        columns: Each column and what its inputs are called.
        names: Of the problem's inputs, in their order.
        n_each: For each column, how many inputs its lags or horizons make of one.

    Raises:
        DataError: The names are of other columns.
    """
    left = list(names)
    found = []
    for (column, name), n in zip(columns, n_each, strict=True):
        categories: list[str] = []
        bare = [_bare(each) for each in left[::n]]
        own = 0
        if bare[:1] == [name]:
            own = 1
        else:
            while own < len(bare) and bare[own].startswith(f"{name}="):
                categories.append(bare[own][len(name) + 1 :])
                own += 1
        if not own:
            raise DataError(f"the problem has no input {name!r} at this place, where {listed(left, 5)} stand")
        flagged = own < len(bare) and bare[own] == name + _FLAG
        left = left[n * (own + flagged) :]
        found.append(Feature(column, name, tuple(categories) if categories else None, flagged))
    return tuple(found), left


def _bare(name: str) -> str:
    """A name without what lags and horizons put behind it."""
    head, mark, tail = name.rpartition(" (t")
    return head if mark and tail.endswith(")") and tail[:1] in "+-" and tail[1:-1].isdecimal() else name

"""What is to be learnt from a file: the target, what the network sees of it, and which rows belong together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.proposals.survey import MOST_CLASSES, ColumnSurvey, Survey
from neuroevo.proposals.times import NAMES as TIME_NAMES

LEAST_ROWS = 10
MOST_INPUTS = 12
"""Of more columns those are proposed that go along best with what is to be predicted."""
_LABEL_NAMES = frozenset(("label", "labels", "class", "target", "y", "category", "species", "activity", "state"))
_TARGET_NAMES = frozenset(("target", "y", "output"))
_SEQUENCE_NAMES = frozenset(
    ("sequence", "sequence_id", "seq", "series", "series_id", "id", "subject", "unit", "machine", "recording", "trial",
     "sample", "utterance", "station", "patient", "episode", "case")
)  # fmt: skip
_IGNORE_NAMES = frozenset(("ignore", "interpolated", "repaired", "imputed", "estimated", "outlier", "flag", "filled"))
_TRAIN = 0.7

TaskKind = Literal["forecast", "classes of rows", "classes of sequences", "forecast of sequences"]


@dataclass(frozen=True)
class Wishes:
    """What a user says beforehand; what is left out is found in the data.

    Attributes:
        target: The columns to be predicted.
        horizon: How many rows ahead, one or several.
        input: The columns that the network sees.
        known: Of them those that are known ahead of time.
        label: The column of classes, of rows or of sequences.
        sequence: The column that tells which rows belong together.
        seconds: The longest that a run may take.
    """

    target: tuple[str, ...] = ()
    horizon: tuple[int, ...] = ()
    input: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    label: str | None = None
    sequence: str | None = None
    seconds: float = 120.0


@dataclass(frozen=True)
class Task:
    """What is to be learnt.

    Attributes:
        kind: Numbers to come, or classes.
        targets: The columns that are predicted; of classes one.
        target_reason: Why these.
        horizon: Rows ahead; (0,) for classes of rows.
        inputs: The columns that the network sees.
        input_reason: Why these.
        known: Columns that are known ahead of time.
        sequence: The column that tells which rows belong together, or None.
        part: The column that names the part of each sequence, or None.
        ignore: The column that marks rows whose targets do not count, or None.
    """

    kind: TaskKind
    targets: tuple[ColumnSurvey, ...]
    target_reason: str
    horizon: tuple[int, ...]
    inputs: tuple[ColumnSurvey, ...]
    input_reason: str
    known: tuple[ColumnSurvey, ...] = ()
    sequence: ColumnSurvey | None = None
    part: ColumnSurvey | None = None
    ignore: ColumnSurvey | None = None

    @property
    def by_class(self) -> bool:
        """Whether classes are told apart."""
        return self.kind.startswith("classes")

    @property
    def feeds_itself(self) -> bool:
        """Whether its outputs can come back as inputs: the network sees nothing else."""
        return {column.place for column in self.inputs} <= {column.place for column in self.targets} and not self.known

    def in_words(self, unit: str) -> str:
        """What is learnt, where a row lasts so long: "demand, 24 hours ahead"."""
        names = ", ".join(column.name for column in self.targets)
        if self.kind == "classes of sequences":
            return f"{names} of each {self.sequence.name if self.sequence else 'sequence'}"
        if self.horizon == (0,):
            return f"{names} of each row"
        return f"{names}, {' and '.join(span(unit, rows) for rows in self.horizon)} ahead"


def choose_task(found: Survey, wishes: Wishes) -> Task:
    """What a user wishes to learn, and where nobody says what the columns suggest.

    Raises:
        BadInput: A column does not fit, or nothing can be learnt from the file.
    """
    if found.n_rows < LEAST_ROWS:
        raise BadInput(
            f"{found.path} has {found.n_rows} rows: too few to learn from and to test on; bring {LEAST_ROWS} at "
            "the very least, and some hundreds for a result that holds"
        )
    sequence = _asked_sequence(found, wishes.sequence) if wishes.sequence else _guess_sequence(found)
    label = found.find(wishes.label) if wishes.label else _guess_label(found, wishes, sequence)
    if label is not None:
        return _classes(found, wishes, label, sequence)
    _check_order(found, sequence)
    targets, reason = _targets(found, wishes, sequence)
    horizon = wishes.horizon or (1,)
    if max(horizon) >= found.n_rows // 2:
        raise BadInput(
            f"--horizon {max(horizon)} leaves too little of the {found.n_rows} rows of {found.path}: a target must "
            "lie well within them"
        )
    task = Task("forecast", targets, reason, horizon, (), "", _known(found, wishes), sequence)
    if sequence is not None:
        return _with_inputs(found, wishes, replace(task, kind="forecast of sequences"))
    asked = {*targets, *map(found.find, wishes.input)}
    marks = [column for column in found.of("numbers") if column.is_flag and column.name.lower() in _IGNORE_NAMES]
    task = replace(task, ignore=next((column for column in marks if column not in asked), None))
    return _with_inputs(found, wishes, task)


def span(unit: str, n: int) -> str:
    """`n` steps of a unit in words: "24 hours", "1 month", "30 minutes" for two of "15 minutes"."""
    count, _, word = unit.rpartition(" ")
    total = n * int(count or 1)
    return f"{total} {word.removesuffix('s')}{'' if total == 1 else 's'}"


def training_rows(found: Survey) -> int:
    """How many rows, from the first, a proposal may look at closely: those that become the training part."""
    return max(round(_TRAIN * found.n_rows), 1)


def _check_order(found: Survey, sequence: ColumnSurvey | None) -> None:
    times = found.times
    if sequence is not None or times is None or not times.n_falling:
        return
    row = int(np.flatnonzero(np.diff(times.seconds) < 0)[0]) + 1
    order = "the latest row comes first" if times.n_falling > found.n_rows // 2 else "they are in no order"
    raise BadInput(
        f"{found.table.place(row, times.columns[0] + 1)}: the time {found.cells[times.columns[0]][row]!r} "
        f"lies before that of the row above it ({order}): sort the rows by time, or, if the file holds several "
        "series, say by --sequence COLUMN which rows belong together"
    )


def _asked_sequence(found: Survey, name: str) -> ColumnSurvey:
    column = found.find(name)
    entries, begun = found.cells[column.place], set[str]()
    for row in found.runs(column):
        if entries[row] in begun:
            raise BadInput(
                f"{found.table.place(row, column.place + 1)}: {entries[row]!r} goes on here after another one: "
                "the rows of a sequence must stand together; sort them by this column, and within it by time"
            )
        begun.add(entries[row])
    if len(begun) == 1:
        raise BadInput(f"{found.path}: all rows have the same {name!r}; without --sequence they are one series")
    if len(begun) == len(entries):
        raise BadInput(f"{found.path}: every row has its own {name!r}; name the column that rows of a sequence share")
    return column


def _guess_sequence(found: Survey) -> ColumnSurvey | None:
    """A column whose equal entries stand together, with a telling name or where the times begin anew."""
    falls = set() if found.times is None else set((np.flatnonzero(np.diff(found.times.seconds) < 0) + 1).tolist())
    for column in found.of("classes", "text", "numbers"):
        if column.n_missing or not (falls or column.name.lower() in _SEQUENCE_NAMES):
            continue
        starts = found.runs(column)
        n_entries = len(set(found.cells[column.place]))
        together = len(starts) == n_entries >= 2 and found.n_rows >= 3 * n_entries
        if together and (falls == set(starts[1:]) if falls else column.name.lower() in _SEQUENCE_NAMES):
            return column
    return None


def _guess_label(found: Survey, wishes: Wishes, sequence: ColumnSurvey | None) -> ColumnSurvey | None:
    if wishes.target:
        column = found.find(wishes.target[0])
        return column if column.kind == "classes" else None
    if wishes.horizon:
        return None
    if sequence is not None:
        fitting = [column for column in found.of("classes", "numbers") if _is_label_of(found, column, sequence)]
        fitting = [column for column in fitting if not _is_part(column)]
        named = [column for column in fitting if column.name.lower() in _LABEL_NAMES]
        return next(iter((*named, *(column for column in fitting if column.kind == "classes"))), None)
    named = [column for column in found.of("classes") if column.name.lower() in _LABEL_NAMES]
    return next(iter(named or (() if found.of("numbers", "mixed") else found.of("classes"))), None)


def _is_label_of(found: Survey, column: ColumnSurvey, sequence: ColumnSurvey) -> bool:
    """Whether all rows of a sequence share their entry, and sequences share entries."""
    starts, entries = found.runs(sequence), found.cells[column.place]
    n_entries = len(set(entries))
    inside = set(found.runs(column)) <= set(starts)
    return column.place != sequence.place and inside and 2 <= n_entries <= min(MOST_CLASSES, len(starts) - 1)


def _is_part(column: ColumnSurvey) -> bool:
    return column.entries is not None and "train" in column.entries and column.entries.keys() <= {
        "train", "validation", "test"
    }  # fmt: skip


def _classes(found: Survey, wishes: Wishes, label: ColumnSurvey, sequence: ColumnSurvey | None) -> Task:
    n_entries = len(set(found.cells[label.place]))
    if n_entries < 2:
        raise BadInput(f"{found.path}: column {label.name!r} has one entry only, so that there are no classes")
    reason = f"{n_entries} classes"
    if sequence is None:
        if label.kind == "numbers":
            raise BadInput(
                f"{found.path}: column {label.name!r} holds numbers, to be predicted as such (--target {label.name}); "
                "write classes as text, or say by --sequence COLUMN which rows belong together"
            )
        _check_order(found, None)
        task = Task("classes of rows", (label,), reason, wishes.horizon or (0,), (), "", _known(found, wishes))
        return _with_inputs(found, wishes, task)
    if not _is_label_of(found, label, sequence):
        raise BadInput(
            f"{found.path}: the label {label.name!r} must be the same on all rows of a {sequence.name!r}, whose rows "
            f"stand together, and there must be more sequences than classes; here {len(found.runs(sequence))} "
            f"stretches of rows have {n_entries} labels"
        )
    part = next((each for each in found.of("classes") if _is_part(each) and _is_label_of(found, each, sequence)), None)
    task = Task("classes of sequences", (label,), reason, (1,), (), "", sequence=sequence, part=part)
    return _with_inputs(found, wishes, task)


def _targets(found: Survey, wishes: Wishes, sequence: ColumnSurvey | None) -> tuple[tuple[ColumnSurvey, ...], str]:
    if wishes.target:
        targets = tuple(found.find(name) for name in wishes.target)
        for column in targets:
            if column.kind != "numbers":
                raise BadInput(f"{found.path}: {column.name!r} can't be a target, it holds {column}; name another one")
        return targets, ""
    numbers = [column for column in found.of("numbers") if column is not sequence]
    if not numbers:
        listed = "; ".join(f"{column.name}: {column}" for column in found.columns[:MOST_INPUTS])
        raise BadInput(
            f"{found.path} has no column of numbers that change, so that there is nothing to predict ({listed})"
        )
    named = [column for column in numbers if column.name.lower() in _TARGET_NAMES]
    if named:
        return (named[0],), "by its name"
    varied = [column for column in numbers if not column.is_flag] or numbers
    return (varied[-1],), "the only column of numbers" if len(numbers) == 1 else "the last column of numbers"


def _known(found: Survey, wishes: Wishes) -> tuple[ColumnSurvey, ...]:
    return tuple(found.find(name) for name in wishes.known)


def _with_inputs(found: Survey, wishes: Wishes, task: Task) -> Task:
    taken = {column.place for column in (*task.known, task.sequence, task.part, task.ignore) if column is not None}
    taken |= {column.place for column in task.targets} if task.by_class else set()
    if wishes.input:
        inputs = tuple(found.find(name) for name in wishes.input)
        for column in inputs:
            if column.kind not in ("numbers", "classes", "constant"):
                raise BadInput(f"{found.path}: {column.name!r} can't be an input, it holds {column}; name another one")
            if task.by_class and column.place == task.targets[0].place:
                raise BadInput(f"{found.path}: {column.name!r} is what is to be told; it can't be an input too")
        return replace(task, inputs=inputs)
    kinds = ("numbers",) if task.sequence is not None else ("numbers", "classes")
    usable = [column for column in found.of(*kinds) if column.place not in taken and not _counts(found, column, task)]
    if not usable:
        raise BadInput(f"{found.path} has no column besides {task.targets[0].name!r} for the network to see")
    own = [] if task.by_class else [column for column in task.targets if column in usable]
    others = [column for column in usable if column not in own]
    if len(usable) <= MOST_INPUTS:
        reason = "the series itself" if usable == own else "all columns that can be used"
        return replace(task, inputs=(*own, *others), input_reason=reason if len(usable) > 1 or own else "")
    ranked = sorted(others, key=lambda column: -_relation(found, column, task))
    chosen = ranked[: max(MOST_INPUTS - len(own), 1)]
    kept = tuple(column for column in others if column in chosen)
    reason = f"of {len(usable)} columns those that go along best with the target, judged by the training part"
    return replace(task, inputs=(*own, *kept), input_reason=reason)


def _counts(found: Survey, column: ColumnSurvey, task: Task) -> bool:
    """Whether a column numbers the steps of each sequence."""
    if task.sequence is None or column.values is None or column.name.lower() not in TIME_NAMES:
        return False
    starts = found.runs(task.sequence)
    return all((np.diff(piece) > 0).all() for piece in np.split(column.values, starts[1:]))


def _relation(found: Survey, column: ColumnSurvey, task: Task) -> float:
    """The share of the target's variance in the training part that a line through the column's earlier values takes."""
    if column.values is None:
        return 0.0
    rows, ahead = training_rows(found), max(task.horizon)
    seen = column.values[: rows - ahead]
    if task.by_class:
        cells = found.cells[task.targets[0].place][ahead:rows]
        wanted = [np.array([cell == name for cell in cells], dtype=np.float64) for name in sorted(set(cells))]
    else:
        wanted = [target.values[ahead:rows] for target in task.targets if target.values is not None]
    return max((_squared_correlation(seen, each) for each in wanted), default=0.0)


def _squared_correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    known = np.isfinite(one) & np.isfinite(other)
    if known.sum() < 3 or np.ptp(one[known]) == 0 or np.ptp(other[known]) == 0:
        return 0.0
    return float(np.corrcoef(one[known], other[known])[0, 1] ** 2)

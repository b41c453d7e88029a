"""A scenario for a file of data, with a reason at each line."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neuroevo.proposals.model import model_tables
from neuroevo.proposals.problem_lines import FEWEST_FOR_VALIDATION, has_validation, problem_lines
from neuroevo.proposals.survey import Survey
from neuroevo.proposals.task import Task, Wishes, choose_task
from neuroevo.proposals.toml_text import Line, document


@dataclass(frozen=True)
class Proposal:
    """What is proposed for a file.

    Attributes:
        task: What is to be learnt.
        notes: What deserves a look before a run, a sentence each.
        text: The scenario.
    """

    task: Task
    notes: tuple[str, ...]
    text: str

    @property
    def table(self) -> dict[str, Any]:
        """The scenario's tables."""
        return tomllib.loads(self.text)


def propose(found: Survey, wishes: Wishes, scenario: Path) -> Proposal:
    """A scenario for a file of data.

    Args:
        found: What the file holds.
        wishes: What the user says beforehand.
        scenario: Where the scenario will lie; its paths are relative to that.

    Raises:
        BadInput: Nothing can be learnt from the file in this way.
    """
    task = choose_task(found, wishes)
    notes = tuple(_notes(found, task))
    held = has_validation(found, task) and (task.part is None or task.by_class)
    title = task.in_words(unit_of(found))
    head = [
        f"{extent(found)}.",
        *(f"Note: {note}." for note in notes),
        "Every line is a proposal: change what you know better.",
    ]
    tables = {
        "problem": problem_lines(found, task, scenario.parent),
        **model_tables(
            n_steps=found.n_rows + found.n_other_rows,
            by_class=task.by_class,
            has_validation=held,
            seconds=wishes.seconds,
        ),
    }
    return Proposal(task, notes, document(head, [Line("title", title), Line("seed", 1)], tables))


def unit_of(found: Survey) -> str:
    """What lies between two rows in words: "hour"; "row" where nobody knows."""
    return "row" if found.times is None else found.times.unit


def extent(found: Survey) -> str:
    """How many rows there are, and from when to when, in a sentence without its full stop."""
    rows, times = f"{found.path.name} has {found.n_rows} rows", found.times
    if found.others:
        rows = f"{len(found.others) + 1} files have {found.n_rows + found.n_other_rows} rows; {rows}"
    if times is None:
        return f"{rows} and no column that says when: they are taken in their order"
    every = ""
    if times.unit != "row":
        every = f" every {'workday' if times.is_of_workdays else times.unit}"
    return f"{rows}{every}, from {times.first} to {times.last}"


def _notes(found: Survey, task: Task) -> Iterator[str]:
    times = found.times
    if times is not None and times.ambiguous:
        yield f"day and month could be meant the other way round in {times.first!r}: the rows are as regular either way"
    unused = [column for column in found.columns if column.kind in ("mixed", "empty", "constant", "text")]
    for column in unused:
        if column not in (*task.inputs, *task.known, task.sequence, task.part, *task.targets):
            yield f"column {column.name!r} is not used: {column}"
    if task.kind == "forecast" and found.n_rows < FEWEST_FOR_VALIDATION:
        yield f"{found.n_rows} rows are few: errors of another part may be quite different"
    if task.kind == "classes of rows" and _is_sorted(found, task):
        yield (
            "the rows stand sorted by class, so that parts that follow one another share few classes; "
            "if they are recordings, say by --sequence COLUMN which rows belong together"
        )


def _is_sorted(found: Survey, task: Task) -> bool:
    label = task.targets[0]
    return len(found.runs(label)) == len(set(found.cells[label.place]))

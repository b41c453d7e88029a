"""The command new: from a file of data, or a shipped example, to a scenario in the present folder."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from neuroevo.cli.documents import as_json
from neuroevo.cli.terminal import escaped, print_message, print_result
from neuroevo.errors import BadInput
from neuroevo.proposals import (
    Proposal,
    Survey,
    Task,
    Wishes,
    example_files,
    extent,
    propose,
    survey_together,
    write_new,
)
from neuroevo.scenario import Scenario, check_table
from neuroevo.scenario.json_schema import scenario_schema
from neuroevo.settings import SettingsError

SCHEMA_FILE = "neuroevo.schema.json"
_SHOWN = 40


def new_scenario(
    data: Sequence[Path], wishes: Wishes, *, time: Sequence[str], scenario: Path | None, ask: bool
) -> None:
    """Write a scenario for a file of data, or several.

    Args:
        data: The files, with the same columns.
        wishes: What the user says beforehand.
        time: The columns that say when; empty: they are looked for.
        scenario: Where to; None: named after the data, in the present folder.
        ask: Whether to ask what nobody has said.

    Raises:
        BadInput: The scenario is there already, or the data can't be used.
    """
    stem = data[0].stem
    name = (stem.rstrip("0123456789_-. ") or stem) if len(data) > 1 else stem
    path = Path(f"{name}.toml") if scenario is None else scenario
    _refuse_existing([path], "--out OTHER.toml writes another one")
    found = survey_together(data, time)
    print_message(_survey_text(found))
    if ask:
        wishes = _asked(found, wishes, path)
    proposal = propose(found, wishes, path)
    checked = _checked(proposal, found, path)
    _write_with_schema(path, proposal.text)
    for note in (*proposal.notes, *checked.warnings()):
        print_message(f"note: {note}")
    network = checked.table["network"]
    what = f"{network['kind']} of {checked.network.n_genes} genes by {checked.table['strategy']['kind']}"
    following = _next_text(f"check {path}", f"run {path}", _use(proposal.task, found, checked))
    print_result(f"wrote {path}: {checked.head.title}; {what}\n\n{following}")


def _write_with_schema(path: Path, text: str) -> None:
    """Write a scenario, and beside it the JSON Schema that it names for editors; one that is there stays."""
    schema = path.parent / SCHEMA_FILE
    files = {path: f"#:schema ./{SCHEMA_FILE}\n{text}".encode()}
    if not schema.exists():
        files[schema] = f"{as_json(scenario_schema())}\n".encode()
    write_new(files)


def new_example(name: str) -> None:
    """Write a shipped example with its data into the present folder.

    Raises:
        BadInput: There is no such example, or a file of it is there already and is another one.
    """
    files = example_files(name)
    other = [path for path, content in files.items() if path.exists() and path.read_bytes() != content]
    _refuse_existing(other, "go into another folder")
    write_new({path: content for path, content in files.items() if not path.exists()})
    for path in files:
        print_result(path)
    print_result("\n" + _next_text(f"check {name}.toml", f"run {name}.toml"))


def is_terminal() -> bool:
    """Whether somebody is there who can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _refuse_existing(paths: Sequence[Path], advice: str) -> None:
    for path in paths:
        if path.exists() or path.is_symlink():
            raise BadInput(f"{path} exists already and is left as it is; {advice}, or take it away first")


def _asked(found: Survey, wishes: Wishes, path: Path) -> Wishes:
    """What the user wishes, after questions whose defaults are what is proposed."""
    guess = propose(found, wishes, path).task
    if not (wishes.target or wishes.label):
        usual = [column.name for column in guess.targets]
        target = tuple(_ask("What is to be predicted? Columns", found, usual))
        if list(target) != usual:
            wishes = dataclasses.replace(wishes, target=target)
            guess = propose(found, wishes, path).task
    if not (wishes.horizon or guess.by_class):
        while True:
            answer = _prompt("How many rows ahead?", " ".join(map(str, guess.horizon)))
            try:
                horizon = tuple(int(word) for word in answer.replace(",", " ").split())
                wishes = dataclasses.replace(wishes, horizon=horizon)
                guess = propose(found, wishes, path).task
                break
            except ValueError as error:  # BadInput is one
                print_message(error if isinstance(error, BadInput) else "please give whole numbers")
    if not wishes.input:
        usual = [column.name for column in guess.inputs]
        names = tuple(_ask("What may the network see? Columns", found, usual))
        wishes = wishes if list(names) == usual else dataclasses.replace(wishes, input=names)
    return wishes


def _ask(question: str, found: Survey, usual: Sequence[str]) -> list[str]:
    """Names of columns, asked for until all are there."""
    while True:
        answer = _prompt(question, ", ".join(usual))
        if answer == ", ".join(usual):
            return list(usual)
        names = [answer] if any(column.name == answer for column in found.columns) else answer.split(",")
        try:
            return [found.find(name.strip()).name for name in names]
        except BadInput as error:
            print_message(error)


def _prompt(question: str, usual: str) -> str:
    try:
        return str(typer.prompt(escaped(question), default=escaped(usual), err=True)).strip()
    except typer.Abort:
        raise BadInput("no answer: nothing was written") from None


def _checked(proposal: Proposal, found: Survey, path: Path) -> Scenario:
    """The scenario that the proposal would be: what is written passes `check`."""
    table = proposal.table
    # The folder of the scenario may still have to be made, and no relative path leads through it.
    files = [str(each.resolve()) for each in (found.path, *found.others)]
    table["problem"]["file"] = files if found.others else files[0]
    try:
        return check_table(table, path)
    except SettingsError as error:
        raise BadInput("; ".join(f"{found.path}: {mistake}" for mistake in error.mistakes)) from error


def _survey_text(found: Survey) -> str:
    shown = found.columns[:_SHOWN]
    width = max(len(escaped(column.name)) for column in shown)
    lines = [f"{extent(found)}"]
    lines += [f"  {escaped(column.name).ljust(width)}  {escaped(column)}" for column in shown]
    if len(found.columns) > _SHOWN:
        lines.append(f"  and {len(found.columns) - _SHOWN} more columns")
    return "\n".join(lines) + "\n"


def _use(task: Task, found: Survey, scenario: Scenario) -> str:
    """The command that uses the champion."""
    sweep = scenario.sweep
    kind = f"seed{scenario.head.seed}" if not sweep else "sweep" if sweep.over else "trials"
    run = Path("results", "runs", f"{scenario.name}-{kind}")
    if task.kind != "forecast" or found.others:
        return f"predict {run} NEW{found.path.suffix}"
    if task.feeds_itself:
        steps, beyond = scenario.table["problem"].get("season") or 24, ""
    else:
        # Other columns are not known beyond the last row: the horizons that were trained for are what there is.
        steps, beyond = max(task.horizon), f" {found.path}"
    return f"forecast {run}{beyond} --steps {steps} --plot {scenario.name}.png"


def _next_text(*commands: str) -> str:
    return "\n".join(["next:", *(f"  neuroevo {command}" for command in commands)])

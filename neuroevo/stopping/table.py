"""A ``[stop]`` table as a stopping criterion: its keys are alternatives, each ``[[stop.all]]`` must hold as a whole."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from neuroevo.errors import BadInput
from neuroevo.registry import Registry
from neuroevo.settings import Mistake, SettingsError, joined, parse_settings, shown, unknown_key
from neuroevo.stopping.base import AllOf, AnyOf, StoppingCriterion

_HERE = "neuroevo.stopping.criteria"

#: Keys of ``[stop]`` to what makes the criterion: a frozen dataclass, or any callable that takes the key's value.
CRITERIA: Registry[Any] = Registry(
    "stopping criterion",
    "neuroevo.stopping",
    {
        "generations": f"{_HERE}:Generations",
        "evaluations": f"{_HERE}:Evaluations",
        "seconds": f"{_HERE}:Seconds",
        "error": f"{_HERE}:ErrorReached",
        "fitness": f"{_HERE}:FitnessReached",
        "learned": f"{_HERE}:Learned",
        "validation_error": f"{_HERE}:ValidationErrorReached",
        "stagnation": f"{_HERE}:Stagnation",
        "validation_patience": f"{_HERE}:ValidationPatience",
        "diversity": f"{_HERE}:Diversity",
        "failed": f"{_HERE}:Failed",
        "file": f"{_HERE}:FileAppears",
        "signal": f"{_HERE}:SignalReceived",
    },
)

_ALL = "all"


def stopping_from_table(
    table: Mapping[str, object], path: str = "stop", *, folder: Path | None = None
) -> StoppingCriterion:
    """Read a ``[stop]`` table.

    Args:
        table: Criterion names to their values: a number or text for the criterion's first field, or a table of all its
            fields; under "all" a list of such tables, each of which must hold as a whole.
        path: The key path of the table, for messages.
        folder: What the path of the criterion `file` is relative to; the working directory where it is None.

    Raises:
        SettingsError: With every mistake in the table.
    """
    mistakes: list[Mistake] = []
    criteria = _criteria(table, path, folder, mistakes, extra=(_ALL,))
    criteria += _conjunctions(table.get(_ALL, []), joined(path, _ALL), folder, mistakes)
    if not criteria and not mistakes:
        hint = "give at least one, such as generations = 300"
        mistakes.append(Mistake(path, "no stopping criterion, so the run would never end", hint=hint))
    if mistakes:
        raise SettingsError(mistakes)
    return criteria[0] if len(criteria) == 1 else AnyOf(criteria)


def table_of(criterion: StoppingCriterion) -> dict[str, Any]:
    """The ``[stop]`` table of a criterion; `stopping_from_table` gives an equal one.

    Raises:
        BadInput: It has no such table: it is no registered dataclass, alternatives stand inside a conjunction, or one
            key would have to stand twice.
    """
    singles: list[StoppingCriterion] = []
    conjunctions = []
    for part in criterion.criteria if isinstance(criterion, AnyOf) else (criterion,):
        if isinstance(part, AllOf):
            conjunctions.append(_entries(part.criteria))
        else:
            singles.append(part)
    return _entries(singles) | ({_ALL: conjunctions} if conjunctions else {})


def _entries(criteria: Iterable[StoppingCriterion]) -> dict[str, Any]:
    """Keys and values of single criteria."""
    entries: dict[str, Any] = {}
    for single in criteria:
        name = single.name
        if name not in CRITERIA or CRITERIA[name] is not type(single):
            raise BadInput(f"{single!r} is no registered criterion, so no record can hold it; give the table [stop]")
        if name in entries:
            raise BadInput(f"{name} stands twice; a table [stop] has each criterion once, beside those of [[stop.all]]")
        values = {key: value for key, value in vars(single).items() if value is not None}
        entries[name] = next(iter(values.values())) if len(values) == 1 else values
    return entries


def _conjunctions(tables: object, path: str, folder: Path | None, mistakes: list[Mistake]) -> list[StoppingCriterion]:
    if not isinstance(tables, list | tuple) or not all(isinstance(table, Mapping) for table in tables):
        mistakes.append(Mistake(path, "should be a list of tables, each written as [[stop.all]]", shown(tables)))
        return []
    found: list[StoppingCriterion] = []
    for index, table in enumerate(tables):
        here = joined(path, index)
        n_before = len(mistakes)
        criteria = _criteria(table, here, folder, mistakes)
        if criteria:
            found.append(AllOf(criteria))
        elif len(mistakes) == n_before:
            mistakes.append(Mistake(here, "names no stopping criterion"))
    return found


def _criteria(
    table: Mapping[str, object], path: str, folder: Path | None, mistakes: list[Mistake], extra: tuple[str, ...] = ()
) -> list[StoppingCriterion]:
    found = []
    for key, value in table.items():
        if key in extra:
            continue
        if key not in CRITERIA:
            mistakes.append(unknown_key(path, key, (*CRITERIA.names(), *extra)))
            continue
        try:
            found.append(_criterion(key, value, joined(path, key), folder))
        except SettingsError as error:
            mistakes.extend(error.mistakes)
    return found


def _criterion(key: str, value: object, path: str, folder: Path | None) -> StoppingCriterion:
    member = CRITERIA[key]
    if key == "file" and folder is not None and isinstance(value, str) and value:
        value = str(folder / value)
    try:
        if dataclasses.is_dataclass(member) and isinstance(member, type):
            made = _from_dataclass(member, value, path)
        else:
            made = member(value)
    except SettingsError:
        raise
    except (TypeError, ValueError) as error:
        raise SettingsError([Mistake(path, str(error), shown(value))]) from error
    if not isinstance(made, StoppingCriterion):
        raise SettingsError([Mistake(path, f"the criterion {key!r} made no StoppingCriterion", shown(made))])
    return made


def _from_dataclass(cls: type[Any], value: object, path: str) -> object:
    if isinstance(value, Mapping):
        return parse_settings(cls, value, path)
    first = dataclasses.fields(cls)[0].name
    try:
        return parse_settings(cls, {first: value}, path)
    except SettingsError as error:
        # The user wrote the value under the criterion's own key and never saw the field's name.
        inner = joined(path, first)
        mistakes = [dataclasses.replace(one, path=path) if one.path == inner else one for one in error.mistakes]
        raise SettingsError(mistakes) from None

"""Reading TOML: files, overrides from the command line, and the mistakes of both."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from neuroevo.registry import nearest
from neuroevo.settings import Mistake, SettingsError

MAX_BYTES = 4_000_000
"""A scenario is written by people; a larger file is something else."""
_DATA = frozenset((".csv", ".tsv", ".tab", ".txt", ".dat", ".npz", ".parquet", ".xls", ".xlsx"))


class ScenarioError(SettingsError):
    """A scenario that can't be run: which one, and every mistake in it."""

    def __init__(self, source: str, mistakes: Sequence[Mistake]) -> None:
        super().__init__(mistakes)
        self.source = source

    def __str__(self) -> str:
        if len(self.mistakes) == 1:
            return f"{self.source}: {self.mistakes[0]}"
        lines = "\n".join(f"  {mistake}" for mistake in self.mistakes)
        return f"{self.source}: {len(self.mistakes)} mistakes\n{lines}"


def read_table(path: Path) -> dict[str, Any]:
    """The tables of a TOML file.

    Raises:
        ScenarioError: It can't be read, or is not TOML; with line and column in the latter case.
    """
    text = _text(path)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        hint = "text needs quotes, tables are written [name], and a key stands once"
        mistake = Mistake("", f"this is not valid TOML: {error}", hint=hint)
        if data := _data_hint(path):
            mistake = Mistake("", "this is no scenario", hint=data)
        raise ScenarioError(str(path), [mistake]) from error
    except (RecursionError, ValueError) as error:
        # Lists nested a thousand deep, or a number of ten thousand digits: nobody means that.
        raise ScenarioError(str(path), [Mistake("", "this is not a scenario that can be read")]) from error


def _text(path: Path) -> str:
    try:
        if path.is_file() and path.stat().st_size > MAX_BYTES:
            what = f"this file has {path.stat().st_size:,} bytes, more than a scenario ever has ({MAX_BYTES:,})"
            raise ScenarioError(str(path), [Mistake("", what, hint=_data_hint(path) or "name a scenario (*.toml)")])
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        mistake = Mistake("", "there is no such file", hint=_similar_file(path))
        raise ScenarioError(str(path), [mistake]) from error
    except IsADirectoryError as error:
        inside = sorted(item.name for item in path.glob("*.toml"))
        hint = f"name one of its scenarios: {', '.join(inside[:5])}" if inside else "it has no scenario (*.toml) inside"
        raise ScenarioError(str(path), [Mistake("", "this is a folder, not a scenario", hint=hint)]) from error
    except UnicodeDecodeError as error:
        hint = _data_hint(path) or "save it as UTF-8, or name a scenario (*.toml)"
        raise ScenarioError(str(path), [Mistake("", "this file is not text in UTF-8", hint=hint)]) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        hint = "check who may read it (ls -l)" if isinstance(error, PermissionError) else ""
        raise ScenarioError(str(path), [Mistake("", f"it can't be read: {reason}", hint=hint)]) from error


def _data_hint(path: Path) -> str:
    """How data become a scenario; nothing for other files."""
    is_data = path.suffix.lower() in _DATA
    return f"it looks like data: `neuroevo new {path}` makes a scenario of them" if is_data else ""


def _similar_file(path: Path) -> str:
    try:
        near = nearest(path.name, [item.name for item in path.parent.glob("*.toml")])
    except OSError:
        near = None
    return f"did you mean {path.parent / near}?" if near else "`neuroevo list` shows the scenarios of this folder"


def parse_override(text: str) -> tuple[str, Any]:
    """The key and value of ``KEY=VALUE``; the value is TOML, or else text.

    Raises:
        ScenarioError: It has no key, or no "=".
    """
    key, separator, value = text.partition("=")
    if not separator or not key.strip():
        hint = "write it as --set stop.generations=100"
        raise ScenarioError("--set", [Mistake("", "expected KEY=VALUE", repr(text), hint)])
    try:
        table = tomllib.loads(f"value = {value}")
    except (tomllib.TOMLDecodeError, RecursionError, ValueError):
        return key.strip(), value
    return key.strip(), table["value"] if table.keys() == {"value"} else value


def with_overrides(table: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of the table with the values at dotted key paths replaced or added ("stop.all.0.error").

    Raises:
        ScenarioError: A path leads through something that is no table.
    """
    result = copy.deepcopy(dict(table))
    for path, value in overrides.items():
        *parents, last = path.split(".")
        place: Any = result
        for parent in parents:
            place = _step(place, parent, path)
        if _is_place(place, last):
            place[int(last)] = value
        elif isinstance(place, dict):
            place[last] = value
        else:
            raise _no_table(path)
    return result


def _step(place: Any, key: str, path: str) -> Any:
    if _is_place(place, key):
        return place[int(key)]
    if isinstance(place, dict):
        return place.setdefault(key, {})
    raise _no_table(path)


def _no_table(path: str) -> ScenarioError:
    hint = "a path names tables, then a key: strategy.population_size"
    return ScenarioError("--set", [Mistake(path, "this path leads through a value that is not a table", hint=hint)])


def without(table: Mapping[str, Any], paths: Iterable[str]) -> dict[str, Any]:
    """A copy of the table without the values at dotted key paths; paths that lead nowhere are passed over."""
    result = copy.deepcopy(dict(table))
    for path in paths:
        *parents, last = path.split(".")
        place: Any = result
        for parent in parents:
            place = place[int(parent)] if _is_place(place, parent) else _inside(place, parent)
        if isinstance(place, dict):
            place.pop(last, None)
        elif _is_place(place, last):
            # The places of the others must stay what they are.
            place[int(last)] = ""
    return result


def _is_place(place: Any, key: str) -> bool:
    return isinstance(place, list) and key.isdecimal() and int(key) < len(place)


def _inside(place: Any, key: str) -> Any:
    return place.get(key) if isinstance(place, dict) else None

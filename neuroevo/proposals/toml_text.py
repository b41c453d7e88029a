"""Lines of TOML, each with its reason as a comment."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_LONGEST = 44
_WIDTH = 120


@dataclass(frozen=True)
class Line:
    """A key, its value, and why."""

    key: str
    value: Any
    reason: str = ""


def document(head: Sequence[str], top: Iterable[Line], tables: Mapping[str, Iterable[Line]]) -> str:
    """The text of a TOML file: comments, keys without a table, tables."""
    blocks = ["\n".join(f"# {_one_line(line)}".rstrip() for line in head), _lines(top)]
    blocks += [f"[{name}]\n{_lines(lines)}" for name, lines in tables.items()]
    return "\n\n".join(blocks) + "\n"


def toml_value(value: Any) -> str:
    """A value on one line of TOML."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return repr(value)
        case Mapping():
            return "{ " + ", ".join(f"{_key(key)} = {toml_value(its)}" for key, its in value.items()) + " }"
        case list() | tuple():
            return "[" + ", ".join(map(toml_value, value)) + "]"
    # JSON escapes what TOML wants escaped, but for DEL.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(key: str) -> str:
    bare = key.replace("-", "").replace("_", "")
    return key if bare.isascii() and bare.isalnum() else toml_value(key)


def _lines(lines: Iterable[Line]) -> str:
    """The lines of a table, their reasons beside them, or above those that leave no room."""
    settings = [(f"{line.key} = {toml_value(line.value)}", _one_line(line.reason)) for line in lines]
    column = max((len(text) for text, reason in settings if reason and len(text) <= _LONGEST), default=0)
    written = []
    for text, reason in settings:
        beside = f"{text.ljust(column)}  # {reason}" if reason else text
        fits = not reason or (len(text) <= column and len(beside) <= _WIDTH)
        written.append(beside if fits else f"# {reason}\n{text}")
    return "\n".join(written)


def _one_line(text: str) -> str:
    """Names of columns may hold anything, and a comment ends at a new line."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)

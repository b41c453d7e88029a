"""Settings are frozen dataclasses; this module reads them from plain mappings and reports every mistake at once.

A field declares its range where it declares its type (``Annotated[int, Ge(2)]`` of `annotated_types`), so that Python
callers, scenario files and the documentation cannot disagree about it.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast, get_type_hints

from neuroevo.errors import BadInput
from neuroevo.registry import nearest

if TYPE_CHECKING:
    from pydantic import TypeAdapter
    from pydantic_core import ErrorDetails

D = TypeVar("D")


@dataclass(frozen=True)
class Mistake:
    """One thing wrong in what a user wrote.

    Attributes:
        path: Where, as a dotted key path ("strategy.mutation_width"); empty for the whole.
        expected: What would be right, in words.
        got: What came, shortened; empty where nothing came.
        hint: What to do, mostly the nearest valid name; empty where there is nothing to say.
    """

    path: str
    expected: str
    got: str = ""
    hint: str = ""

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        got = f", got {self.got}" if self.got else ""
        hint = f"; {self.hint}" if self.hint else ""
        return f"{where}{self.expected}{got}{hint}"


class SettingsError(BadInput):
    """All the mistakes found in one reading; `mistakes` lists them."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


def shown(value: object, limit: int = 60) -> str:
    """A value as a message shows it: its repr, shortened to `limit` characters."""
    text = repr(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def joined(path: str, *keys: object) -> str:
    """A key path with more keys at its end; whole numbers become indices."""
    for key in keys:
        path = f"{path}[{key}]" if isinstance(key, int) else f"{path}.{key}" if path else str(key)
    return path


def unknown_key(path: str, key: str, known: Iterable[str]) -> Mistake:
    """The mistake of a key that nothing reads."""
    known = tuple(known)
    near = nearest(key, known)
    hint = f"did you mean {near!r}?" if near else f"known keys: {', '.join(known) or 'none'}"
    return Mistake(joined(path, key), "unknown key", hint=hint)


def parse_settings(cls: type[D], values: Mapping[str, object], path: str = "") -> D:
    """Read an instance of the frozen dataclass `cls` from a mapping.

    Args:
        cls: A dataclass whose fields carry their constraints; a ValueError of its ``__post_init__`` is a mistake too.
        values: Field names to values as TOML gives them (text is not read as a number, true is not 1; lists become
            tuples, and whole numbers do where a float is wanted).
        path: The key path of the mapping, for messages.

    Raises:
        SettingsError: With every mistake: unknown keys, missing keys, wrong types, values out of range.
    """
    fields = {field.name: field for field in dataclasses.fields(cls) if field.init}  # type: ignore[arg-type]
    mistakes = [unknown_key(path, key, fields) for key in values if key not in fields]
    annotations = _annotations(cast("Any", cls))
    parsed: dict[str, object] = {}
    for name, field in fields.items():
        if name in values:
            try:
                parsed[name] = parse_value(annotations[name], values[name], joined(path, name))
            except SettingsError as error:
                mistakes += error.mistakes
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            mistakes.append(Mistake(joined(path, name), "this key is needed and missing"))
    if mistakes:
        raise SettingsError(mistakes)
    try:
        return cls(**parsed)
    except SettingsError as error:
        raise SettingsError([dataclasses.replace(m, path=joined(path, m.path)) for m in error.mistakes]) from error
    except ValueError as error:
        raise SettingsError([Mistake(path, str(error))]) from error


def parse_value(annotation: Any, value: object, path: str) -> Any:
    """Read one value of the annotated type.

    Raises:
        SettingsError: With every mistake in the value.
    """
    from pydantic import ValidationError

    try:
        return _adapter(annotation).validate_python(_plain(value), strict=True)
    except ValidationError as error:
        raise SettingsError(_mistakes(error.errors(include_url=False), path, value)) from error


@functools.cache
def _annotations(cls: Any) -> dict[str, Any]:
    return get_type_hints(cls, include_extras=True)


@functools.cache
def _adapter(annotation: Any) -> TypeAdapter[Any]:
    from pydantic import ConfigDict, TypeAdapter

    return TypeAdapter(annotation, config=ConfigDict(allow_inf_nan=False, arbitrary_types_allowed=True))


def _plain(value: object) -> object:
    """Lists as tuples, since settings are immutable, and numpy scalars as Python's own numbers."""
    if isinstance(value, list | tuple):
        return tuple(_plain(item) for item in value)
    if hasattr(value, "dtype") and getattr(value, "ndim", None) == 0:
        return value.item()  # type: ignore[attr-defined]
    return value


def _mistakes(errors: Sequence[ErrorDetails], path: str, value: object) -> list[Mistake]:
    """A Mistake for each error; the branches of a union, which fail one by one at the same value, become one."""
    # pydantic adds the branch's name to the location; only whole numbers there are places in the value.
    places = [tuple(key for key in details["loc"] if isinstance(key, int)) for details in errors]
    if len(errors) > 1 and (len(set(places)) == 1 or () in places):
        wanted = " or ".join(dict.fromkeys(_expected(details) for details in errors))
        return [Mistake(path, f"must be {wanted}", shown(value), next(filter(None, map(_hint, errors)), ""))]
    return [
        Mistake(joined(path, *place), f"must be {_expected(details)}", shown(details["input"]), _hint(details))
        for place, details in zip(places, errors, strict=True)
    ]


_WANTED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text in quotes",
    "tuple_type": "a list",
    "dict_type": "a table",
    "finite_number": "a finite number",
    "none_required": "left out",
    "greater_than": "greater than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "literal_error": "{expected}",
    "too_short": "a list of at least {min_length}",
    "too_long": "a list of at most {max_length}",
}


def _expected(details: ErrorDetails) -> str:
    """What was expected, as words that follow "must be"."""
    wanted = _WANTED.get(details["type"])
    if wanted is None:
        return details["msg"].removeprefix("Value error, ").replace("Input should be ", "")
    return wanted.format(**details.get("ctx", {}))


def _hint(details: ErrorDetails) -> str:
    if details["type"] != "literal_error" or not isinstance(details["input"], str):
        return ""
    near = nearest(details["input"], details["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", "))
    return f"did you mean {near!r}?" if near else ""

"""Functions of one's own by the place where another process finds them, "module:function"."""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from neuroevo.errors import BadInput


def is_place(place: str) -> bool:
    """Whether a text can be a place."""
    module, _, name = place.partition(":")
    return all(part.isidentifier() for part in [*module.split("."), *name.split(".")])


def check_place(place: str, what: str) -> None:
    """Check that a text can be a place.

    Raises:
        BadInput: It can't.
    """
    if not is_place(place):
        raise BadInput(f'{what} is a function by its place, "module:function", got {place!r}')


def found(place: str, what: str) -> Callable[..., object]:
    """The function at "module:function".

    Raises:
        BadInput: There is none.
    """
    function: object = standing_at(place, f"{what} {place!r}")
    if not callable(function):
        raise BadInput(f"{what} {place!r} must be a function, got {function!r}")
    return function


def standing_at(place: str, called: str) -> Any:
    """What stands at "module" or "module:name", whose module is imported.

    Raises:
        BadInput: Nothing does, or the module fails.
    """
    module, _, name = place.partition(":")
    try:
        there: Any = importlib.import_module(module)
        for part in name.split(".") if name else ():
            there = getattr(there, part)
    except (ImportError, AttributeError, SyntaxError) as error:
        raise BadInput(f"{called} is not found: {error}; it must be importable where it runs") from error
    except MemoryError:
        raise
    except Exception as error:
        raise BadInput(f"{called} is not found: its module fails: {type(error).__name__}: {error}") from error
    return there


def call(what: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """What a function of one's own returns.

    Raises:
        BadInput: It has raised an exception; the message says which, and where.
    """
    with in_words(what, function):
        return function(*arguments)


@contextmanager
def in_words(what: str, function: Callable[..., Any] | None = None) -> Iterator[None]:
    """Where a function of one's own runs, perhaps inside of compiled code; without it no place can be told.

    Raises:
        BadInput: It has raised an exception.
    """
    try:
        yield
    except (BadInput, MemoryError):
        raise
    except Exception as error:
        raise BadInput(f"{what} has failed: {type(error).__name__}: {error}{_place_of(error, function)}") from error


def _place_of(error: Exception, function: Callable[..., Any] | None) -> str:
    """File and line of the function's own module that were left last."""
    file = getattr(getattr(function, "__code__", None), "co_filename", None)
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return f" ({own[-1].filename}, line {own[-1].lineno})" if own else ""

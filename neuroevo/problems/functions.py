"""Functions of one's own by the place where another process finds them, "module:function"."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from neuroevo.errors import BadInput


def check_place(place: str, what: str) -> None:
    """Check that a text can be a place.

    Raises:
        BadInput: It can't.
    """
    module, _, name = place.partition(":")
    if not all(part.isidentifier() for part in [*module.split("."), *name.split(".")]):
        raise BadInput(f'{what} is a function by its place, "module:function", got {place!r}')


def found(place: str, what: str) -> Callable[..., object]:
    """The function at "module:function".

    Raises:
        BadInput: There is none.
    """
    module, _, name = place.partition(":")
    try:
        function: object = importlib.import_module(module)
        for part in name.split("."):
            function = getattr(function, part)
    except (ImportError, AttributeError) as error:
        raise BadInput(f"{what} {place!r} is not found: {error}; it must be importable where it runs") from error
    if not callable(function):
        raise BadInput(f"{what} {place!r} must be a function, got {function!r}")
    return function

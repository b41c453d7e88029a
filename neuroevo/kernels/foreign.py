"""Functions of one's own inside of kernels: compiled with them, and known to the disk cache by what they are.

A kernel chooses code by the types of its arguments. `kind_of` makes a type for functions: a class derived from a
NamedTuple, whose name holds a hash of the functions and of all that they refer to, and whose `functions` are compiled.
So an edited function is another type, which no code on disk answers to.
"""

from __future__ import annotations

import hashlib
import random
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, NoReturn, TypeVar

import numpy as np
from numba import types
from numba.core.errors import NumbaError
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

from neuroevo.errors import BadInput
from neuroevo.kernels import sources
from neuroevo.kernels.compilation import from_outside
from neuroevo.kernels.vectors import address

_GENERATORS = random.Random, np.random.RandomState
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")

T = TypeVar("T")


def kind_of(base: type[T], functions: Mapping[str, Callable[..., Any]]) -> type[T]:
    """The class derived from a NamedTuple class that stands for functions; the same for the same functions."""
    name = f"{base.__name__}_{digest(functions)}"
    if name not in globals():
        plain = {key: getattr(function, "py_func", function) for key, function in functions.items()}
        compiled = {key: from_outside(function) for key, function in plain.items()}
        content = {"functions": compiled, "__slots__": (), "__module__": __name__, "__doc__": base.__doc__}
        globals()[name] = type(name, (base,), content)
    made: type[T] = globals()[name]
    return made


def functions_of(kind: Any) -> dict[str, Any]:
    """The compiled functions of a class of `kind_of`."""
    compiled: dict[str, Any] = kind.functions
    return compiled


def is_of(bundle: Any, base: type) -> bool:
    """Whether a numba type is that of a class of `kind_of`, with this base: for overloads."""
    cls = getattr(bundle, "instance_class", None)
    return cls is not None and cls is not base and issubclass(cls, base)


def digest(functions: Mapping[str, Callable[..., Any]]) -> str:
    """Hash of functions, and of the functions and values that they refer to."""
    total = hashlib.sha256()
    seen: set[int] = set()
    for name, function in sorted(functions.items()):
        total.update(name.encode())
        for piece in _pieces(function, seen):
            total.update(repr(piece).encode())
    return total.hexdigest()[:16]


def _pieces(value: Any, seen: set[int]) -> Iterator[object]:
    """What a value is made of, as objects whose `repr` tells them apart."""
    value = getattr(value, "py_func", value)
    if isinstance(value, ModuleType):
        yield value.__name__
        file = getattr(value, "__file__", None)
        if file is not None and not _of_library(value.__name__):
            sources.note(file)
            yield sources.FOREIGN.get(Path(file).parent)
    elif isinstance(value, np.ndarray):
        yield value.dtype.str, value.shape, value.tobytes()
    elif not isinstance(value, FunctionType):
        yield value
    elif id(value) not in seen:
        seen.add(id(value))
        yield value.__defaults__
        code, known = _referred(value)
        yield from code
        for name, its in sorted(known.items(), key=lambda pair: pair[0]):
            # Of functions that are compiled as their author says, such as with fastmath.
            yield name, sorted(getattr(its, "targetoptions", {}).items())
            yield from _pieces(its, seen)


def _referred(function: FunctionType) -> tuple[list[object], dict[str, Any]]:
    """What a function's code is made of, and by their names the values outside that it refers to."""
    names: set[str] = set()
    code, closure = list(_code(function.__code__, names)), function.__closure__ or ()
    cells = zip(function.__code__.co_freevars, (cell.cell_contents for cell in closure), strict=True)
    inside, outside = dict(cells), function.__globals__
    return code, {name: outside[name] for name in names if name in outside} | inside


def _code(code: CodeType, names: set[str]) -> Iterator[object]:
    """Instructions and constants, without the lines where they stand; adds the names that they use."""
    names.update(code.co_names, code.co_freevars)
    yield code.co_code, code.co_names, code.co_varnames, code.co_argcount
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _code(constant, names)
        else:
            yield constant


def refuse_chance(function: Any, what: str) -> None:
    """Check that a function draws nothing from generators that follow no seed of ours.

    Raises:
        BadInput: It uses `random` or `numpy.random`, itself or in a function that it calls.
    """
    open_ones, seen = [function], set[int]()
    while open_ones:
        one = open_ones.pop()
        one = getattr(one, "py_func", one)
        drawn_by = getattr(one, "__self__", None)
        if any(one is module for module in (random, np.random)) or isinstance(drawn_by, _GENERATORS):
            raise BadInput(
                f"{what} uses a generator of random numbers, which would follow no seed: draw them beforehand"
            )
        if isinstance(one, FunctionType) and not _of_library(one.__module__) and id(one) not in seen:
            seen.add(id(one))
            open_ones += _reached(one)


def _reached(function: FunctionType) -> list[Any]:
    """The values that a function refers to, those in modules too, as far as names tell."""
    names: set[str] = set()
    _ = list(_code(function.__code__, names))
    reached = list(_referred(function)[1].values())
    for value in reached:  # grows meanwhile
        if isinstance(value, ModuleType):
            inside = [vars(value)[name] for name in sorted(names) if name in vars(value)]
            reached += [one for one in inside if not any(one is other for other in reached)]
    return reached


def _of_library(module: str | None) -> bool:
    return (module or "").partition(".")[0] in {*sys.stdlib_module_names, "numpy", "numba"}


def check_compiles(function: Any, arguments: tuple[Any, ...], what: str) -> Any:
    """Compile a function of a `kind_of` for arguments of numba types; the type of what it returns.

    Raises:
        BadInput: It does not compile, or uses random numbers; the message says why, in a line.
    """
    refuse_chance(function, what)
    try:
        function.compile(arguments)
    except NumbaError as error:
        _refuse(error, what)
    return function.overloads[arguments].signature.return_type


_HINTS = {
    "Untyped global name": "; the functions that it calls have to be numba's, made by @numba.njit",
    "Cannot modify readonly array": "; what it is given to read it must not change",
}


def _refuse(error: NumbaError, what: str) -> NoReturn:
    text = _COLOURS.sub("", str(error))
    lines = [line.strip() for line in text.splitlines()]
    said = [line for line in lines if line and not line.startswith(("Failed in", "During:"))]
    place = next((f" ({line.rstrip(':')})" for line in lines if re.match(r'File "[^<].*", line \d+', line)), "")
    hint = next((hint for sign, hint in _HINTS.items() if sign in text), "")
    raise BadInput(f"{what} does not compile: {said[0] if said else error}{place}{hint}") from error


def _section(layout: str, readonly: bool) -> Any:
    def section(typingctx, source, index, size, stride):
        result = types.Array(source.dtype, 1, layout, readonly=readonly)

        def codegen(context, builder, sig, args):
            array = context.make_array(result)(context, builder)
            item = context.get_constant(types.intp, source.dtype.bitwidth // 8)
            data = address(context, builder, source, args[0], args[1], 1)
            populate_array(array, data, [args[2]], [builder.mul(args[3], item)], item, meminfo=None)
            return array._getvalue()

        return result(source, types.intp, types.intp, types.intp), codegen

    section.__doc__ = "An array over elements of a view: `size` of them from `index` on, `stride` elements apart."
    return intrinsic(section)


row_of = _section("C", True)
column_of = _section("A", True)
own_column_of = _section("A", False)

"""Reading NPZ archives that somebody else may have written: no pickled objects, and no memory before the size is known.

The headers are read here instead of by ``numpy.load``, which allocates whatever a header claims.
"""

from __future__ import annotations

import ast
import math
import warnings
import zipfile
from collections.abc import Callable, Sequence
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput

MAX_HEADER = 10_000
"""The longest header in bytes, as in numpy: parsing a long one can exhaust the interpreter."""

KINDS = "biufU"
"""The kinds of types that are read and written, as in `numpy.dtype.kind`: truth values, numbers and text."""


class ArchiveError(BadInput):
    """What is wrong with an archive, without its name."""


def read_arrays(
    file: IO[bytes], limit: int, refuse: Callable[[Sequence[zipfile.ZipInfo]], None] | None = None
) -> dict[str, NDArray[Any]]:
    """All arrays of an NPZ file by name, read-only.

    Args:
        file: Opened for reading, in binary mode.
        limit: The largest size in bytes of all arrays together.
        refuse: Given the archive's directory before any entry is read, to raise an `ArchiveError` at it.

    Raises:
        ArchiveError: It is damaged, holds something else than arrays of numbers, truth values and text, or more than
            the limit.
        MemoryError: The machine has less memory than that.
    """
    arrays: dict[str, NDArray[Any]] = {}
    left = limit
    try:
        with zipfile.ZipFile(file) as archive:
            if refuse is not None:
                refuse(archive.infolist())
            for entry in archive.infolist():
                name = entry.filename.removesuffix(".npy")
                if name == entry.filename:
                    raise ArchiveError(f"it holds {name[:80]!r}. Save a spreadsheet as CSV")
                if name in arrays:
                    raise ArchiveError(f"it holds {name[:80]!r} twice")
                with archive.open(entry) as stream:
                    arrays[name] = _read_array(stream, f"array {name[:80]!r}", left)
                left -= arrays[name].nbytes
    except (ArchiveError, MemoryError):
        # Of memory there is none too much claimed by then: it is the machine that has too little.
        raise
    except Exception as error:
        # A damaged archive can make zipfile and its decompressors raise nearly anything.
        raise ArchiveError(f"it is damaged ({type(error).__name__}: {error}); copy or write it again") from error
    return arrays


def _read_array(stream: IO[bytes], name: str, limit: int) -> NDArray[Any]:
    shape, fortran, dtype = _read_header(stream, name)
    if dtype.hasobject:
        raise ArchiveError(
            f"{name} holds pickled Python objects, which could run code when opened; store plain numbers "
            "(pad sequences of unequal length to one array and store their lengths beside it)"
        )
    if dtype.kind not in KINDS:
        raise ArchiveError(f"{name} has the type {dtype}; only real numbers, booleans and text can be used")
    count = math.prod(shape)
    size = count * dtype.itemsize
    if min(shape, default=1) < 0 or max(size, count) > limit:
        raise ArchiveError(f"{name} claims the shape {shape}, more than the {limit} bytes that are read")
    content = stream.read(size)
    if len(content) < size or stream.read(1):
        raise ArchiveError(f"{name} is damaged: its header claims {size} bytes, the file holds another number")
    if not size:
        array: NDArray[Any] = np.zeros(shape, dtype)
        array.flags.writeable = False
        return array
    if dtype.kind == "U":
        letters = np.frombuffer(content, f"{dtype.str[0]}u4")
        if (letters > 0x10FFFF).any() or ((letters >= 0xD800) & (letters < 0xE000)).any():
            raise ArchiveError(f"{name} is damaged: it holds texts that are not Unicode")
    return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")


def _read_header(stream: IO[bytes], name: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether in Fortran order, and type.

    Raises:
        ArchiveError: The header can't be read.
    """
    try:
        return _header(stream)
    except (ValueError, TypeError, KeyError, IndexError, SyntaxError, MemoryError, RecursionError) as error:
        reason = str(error).partition("\n")[0]
        raise ArchiveError(f"{name} is damaged: its header can't be read ({reason})") from error


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """As `_read_header`, by NEP 1 (numpy's own reader also repairs files of Python 2); raises whatever comes up."""
    version = np.lib.format.read_magic(stream)
    size = int.from_bytes(stream.read(2 if version == (1, 0) else 4), "little")
    if size > MAX_HEADER:
        raise ArchiveError(f"it claims {size} bytes")
    text = stream.read(size).decode("utf-8" if version == (3, 0) else "latin1")
    with warnings.catch_warnings():
        # A damaged header may look like a bad escape sequence or an old name of a type; the checks below decide.
        warnings.simplefilter("ignore")
        header = ast.literal_eval(text)
        dtype = np.lib.format.descr_to_dtype(header["descr"])
    shape, fortran = header["shape"], header["fortran_order"]
    if not (isinstance(shape, tuple) and all(type(length) is int for length in shape) and isinstance(fortran, bool)):
        raise ArchiveError("shape or order is none")
    return shape, fortran, dtype

"""Reading NPZ archives that somebody else may have written: no pickled objects, and no memory before the size is known.

The headers are read here instead of by ``numpy.load``, which allocates whatever a header claims.
"""

from __future__ import annotations

import ast
import io
import math
import warnings
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.problems.errors import DataError
from neuroevo.problems.files import MAX_BYTES, read_bytes

MAX_HEADER = 10_000
"""The longest header in bytes, as in numpy: parsing a long one can exhaust the interpreter."""

_REMEDY = 'write it with numpy.savez("file.npz", x=x, y=y)'


def is_archive(content: bytes) -> bool:
    """Whether a file's content is a zip archive, as NPZ files are."""
    return content[:4] in (b"PK\x03\x04", b"PK\x05\x06")


def read_npz(path: Path, limit: int = MAX_BYTES) -> dict[str, NDArray[Any]]:
    """All arrays of an NPZ file by name; numbers, booleans and text only.

    Args:
        path: The file.
        limit: The largest size in bytes of all arrays together.

    Raises:
        DataError: It can't be read, is no NPZ, is damaged, holds pickled objects, or is larger than the limit.
    """
    return parse_npz(read_bytes(path, limit), path, limit)


def parse_npz(content: bytes, path: Path, limit: int = MAX_BYTES) -> dict[str, NDArray[Any]]:
    """The arrays of an NPZ file that has been read already; arguments and errors as in `read_npz`."""
    if not is_archive(content):
        raise DataError(f"{path} is not an NPZ file; {_REMEDY}")
    arrays: dict[str, NDArray[Any]] = {}
    left = limit
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.namelist():
                if not member.endswith(".npy"):
                    raise DataError(
                        f"{path} is a zip archive but not an NPZ file: it holds {member!r}. Save a spreadsheet as CSV; "
                        f"for arrays, {_REMEDY}"
                    )
                name = member.removesuffix(".npy")
                with archive.open(member) as stream:
                    arrays[name] = _read_array(stream, f"{path}, array {name!r}", left)
                left -= arrays[name].nbytes
    except (DataError, MemoryError):
        raise
    except Exception as error:
        # A damaged archive can make zipfile and its decompressors raise nearly anything.
        raise DataError(
            f"{path} is damaged or no NPZ file ({type(error).__name__}: {error}); copy or write it again"
        ) from error
    if not arrays:
        raise DataError(f"{path} holds no arrays; {_REMEDY}")
    return arrays


def _read_array(stream: IO[bytes], place: str, limit: int) -> NDArray[Any]:
    shape, fortran, dtype = _read_header(stream, place)
    if dtype.hasobject:
        raise DataError(
            f"{place} holds pickled Python objects, which could run code when opened; store plain numbers "
            "(pad sequences of unequal length to one array and store their lengths beside it)"
        )
    if dtype.kind not in "fiubU":
        raise DataError(f"{place} has the type {dtype}; only real numbers, booleans and text can be used")
    count = math.prod(shape)
    size = count * dtype.itemsize
    if min(shape, default=1) < 0 or max(size, count) > limit:
        raise DataError(f"{place} claims the shape {shape}, more than the {limit} bytes that are read")
    content = stream.read(size)
    if len(content) < size or stream.read(1):
        raise DataError(f"{place} is damaged: its header claims {size} bytes, the file holds another number")
    if not size:
        return np.zeros(shape, dtype)
    return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")


def _read_header(stream: IO[bytes], place: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether in Fortran order, and type.

    Raises:
        DataError: The header can't be read.
    """
    try:
        return _header(stream)
    except (ValueError, TypeError, KeyError, IndexError, SyntaxError, MemoryError, RecursionError) as error:
        reason = str(error).partition("\n")[0]
        raise DataError(f"{place} is damaged: its header can't be read ({reason}); {_REMEDY}") from error


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """As `_read_header`, by NEP 1 (numpy's own reader also repairs files of Python 2); raises whatever comes up."""
    version = np.lib.format.read_magic(stream)
    size = int.from_bytes(stream.read(2 if version == (1, 0) else 4), "little")
    if size > MAX_HEADER:
        raise BadInput(f"it claims {size} bytes")
    text = stream.read(size).decode("utf-8" if version == (3, 0) else "latin1")
    with warnings.catch_warnings():
        # A damaged header may look like a bad escape sequence or an old name of a type; the checks below decide.
        warnings.simplefilter("ignore")
        header = ast.literal_eval(text)
        dtype = np.lib.format.descr_to_dtype(header["descr"])
    shape, fortran = header["shape"], header["fortran_order"]
    if not (isinstance(shape, tuple) and all(type(length) is int for length in shape) and isinstance(fortran, bool)):
        raise BadInput("shape or order is none")
    return shape, fortran, dtype

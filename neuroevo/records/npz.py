"""NPZ files with the same bytes for the same arrays, read without pickle and without trusting their headers.

``numpy.load`` opens them, and any zip program. They are stored, not compressed: equal bytes then do not depend on a
version of zlib, and a file cannot unfold into more than its own size.
"""

from __future__ import annotations

import io
import math
import re
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import ArrayLike, NDArray

from neuroevo.errors import BadInput
from neuroevo.records.errors import RecordError
from neuroevo.records.files import open_to_read, write_atomically

#: NPZ files above this size are neither written nor read, bytes (the zip format counts up to here without extensions).
LIMIT = 2**32 - 2**20

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,199}")
_KINDS = "biufU"
_MAGIC = b"\x93NUMPY\x01\x00"
_HEADER = re.compile(
    rb"\{'descr': '(?P<dtype>[<>|][biufU][0-9]{1,9})', 'fortran_order': (?P<fortran>True|False), "
    rb"'shape': \((?P<shape>(?:[0-9]{1,18}, ?)*(?:[0-9]{1,18})?)\), \} *\n"
)
_DATE = (1980, 1, 1, 0, 0, 0)
_END_SIZE = 22
_DIRECTORY_LIMIT = 2**20
_DAMAGE = (
    zipfile.BadZipFile, ValueError, TypeError, KeyError, IndexError, OverflowError, EOFError, OSError, struct.error,
    SyntaxError, NotImplementedError, RuntimeError, RecursionError, MemoryError,
)  # fmt: skip


def pack_npz(arrays: Mapping[str, ArrayLike]) -> bytes:
    """The bytes of an NPZ file; a function of names, order, types, shapes and contents alone.

    Raises:
        ValueError: A name or a type that the format does not hold, or more than :data:`LIMIT` bytes.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, values in arrays.items():
            array = np.asarray(values)
            if not _NAME.fullmatch(name):
                raise ValueError(f"array name {name!r}: letters, digits, '_', '.' and '-' only, at most 200")
            if array.dtype.kind not in _KINDS:
                raise ValueError(
                    f"{name} has type {array.dtype}; only numbers of up to 64 bits, truth values and texts are stored"
                )
            little = array.astype(array.dtype.newbyteorder("<"), copy=False)
            entry = zipfile.ZipInfo(f"{name}.npy", _DATE)
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            content = io.BytesIO()
            npy.write_array(content, np.asarray(little, order="C"), version=(1, 0), allow_pickle=False)
            archive.writestr(entry, content.getbuffer())
    if buffer.tell() > LIMIT:
        raise BadInput(f"the arrays need {buffer.tell()} bytes; an NPZ file of a record holds at most {LIMIT}")
    return buffer.getvalue()


def write_npz(path: Path, arrays: Mapping[str, ArrayLike]) -> None:
    """Write an NPZ file atomically.

    Raises:
        ValueError: As :func:`pack_npz`.
        RecordUnwritable: The machine refused.
    """
    write_atomically(path, pack_npz(arrays))


def read_npz(path: Path, limit: int = LIMIT) -> dict[str, NDArray[Any]]:
    """The arrays of an NPZ file of at most `limit` bytes, read-only.

    Raises:
        RecordError: It is missing, larger, damaged, compressed, or holds anything but plain arrays.
    """
    with open_to_read(path) as file:
        try:
            return _read(file, limit)
        except RecordError:
            raise
        except _DAMAGE as error:
            raise RecordError(f"{path} is damaged or not an NPZ file of a record: {error}") from error


def _read(file: BinaryIO, limit: int) -> dict[str, NDArray[Any]]:
    size = file.seek(0, io.SEEK_END)
    if not _END_SIZE <= size <= limit:
        raise BadInput(f"it has {size} bytes, expected {_END_SIZE} to {limit}")
    _check_end(file, size)
    arrays: dict[str, NDArray[Any]] = {}
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        # Entries may lie over each other in a hostile file; together they must still fit into it.
        if sum(entry.file_size for entry in entries) > size:
            raise BadInput("its entries are larger than the file")
        for entry in entries:
            name = entry.filename.removesuffix(".npy")
            if name == entry.filename or not _NAME.fullmatch(name) or name in arrays:
                raise BadInput(f"unexpected entry {entry.filename[:80]!r}")
            if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
                raise BadInput(f"entry {name!r} is compressed")
            arrays[name] = _array(archive.read(entry), name)
    return arrays


def _check_end(file: BinaryIO, size: int) -> None:
    """Refuse archives with a comment, the 64-bit extension or a huge directory before zipfile reads the latter."""
    before = min(20, size - _END_SIZE)
    file.seek(size - _END_SIZE - before)
    locator, end = file.read(before), file.read(_END_SIZE)
    signature, _, _, _, _, directory_size, _, comment = struct.unpack("<4s4H2LH", end)
    if signature != b"PK\5\6" or comment or locator.startswith(b"PK\6\7"):
        raise BadInput("it does not end as such a file does")
    if directory_size > _DIRECTORY_LIMIT:
        raise BadInput("it has too many entries")
    file.seek(0)


def _array(content: bytes, name: str) -> NDArray[Any]:
    start = 10 + int.from_bytes(content[8:10], "little")
    header = _HEADER.fullmatch(content[10:start])
    # numpy's own reader would hand the header to Python's parser; a record's headers have one form only.
    if content[:8] != _MAGIC or header is None:
        raise BadInput(f"array {name!r} has no header that a record's arrays have")
    dtype = np.dtype(header["dtype"].decode("ascii"))
    shape = tuple(int(length) for length in header["shape"].split(b",") if length.strip())
    body = memoryview(content)[start:]
    if dtype.itemsize == 0 or math.prod(shape) * dtype.itemsize != len(body):
        raise BadInput(f"array {name!r} claims the shape {shape} and has {len(body)} bytes")
    array = np.frombuffer(body, dtype).reshape(shape, order="F" if header["fortran"] == b"True" else "C")
    if dtype.kind == "U" and array.size:
        letters = np.frombuffer(body, f"{dtype.str[0]}u4")
        if (letters > 0x10FFFF).any() or ((letters >= 0xD800) & (letters < 0xE000)).any():
            raise BadInput(f"array {name!r} holds texts that are not Unicode")
    array.flags.writeable = False
    return array

"""NPZ files with the same bytes for the same arrays, read without pickle and without trusting their headers.

``numpy.load`` opens them, and any zip program. They are stored, not compressed: equal bytes then do not depend on a
version of zlib, and a file cannot unfold into more than its own size.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import ArrayLike, NDArray

from neuroevo.errors import BadInput, OutOfMemory
from neuroevo.npz import KINDS, ArchiveError, read_arrays
from neuroevo.records.errors import RecordError
from neuroevo.records.files import open_to_read, write_atomically

#: NPZ files above this size are neither written nor read, bytes (the zip format counts up to here without extensions).
LIMIT = 2**32 - 2**20

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,199}")
_DATE = (1980, 1, 1, 0, 0, 0)
_END_SIZE = 22
_DIRECTORY_LIMIT = 2**20


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
            if array.dtype.kind not in KINDS:
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
        OutOfMemory: The machine has less memory than it takes.
    """
    with open_to_read(path) as file:
        try:
            size = _checked_size(file, limit)
            # Stored as they are, all arrays together are no larger than the file.
            return read_arrays(file, size, partial(_check_entries, size=size))
        except (ArchiveError, OSError) as error:
            raise RecordError(f"{path} is damaged or not an NPZ file of a record: {error}") from error
        except MemoryError as error:
            raise OutOfMemory(f"out of memory while {path} was read") from error


def _checked_size(file: BinaryIO, limit: int) -> int:
    """The size in bytes; files beyond the limit and ends that a record's files do not have are refused."""
    size = file.seek(0, io.SEEK_END)
    if not _END_SIZE <= size <= limit:
        raise ArchiveError(f"it has {size} bytes, expected {_END_SIZE} to {limit}")
    _check_end(file, size)
    return size


def _check_entries(entries: Sequence[zipfile.ZipInfo], size: int) -> None:
    # Entries may lie over each other in a hostile file; together they must still fit into it.
    if sum(entry.file_size for entry in entries) > size:
        raise ArchiveError("its entries are larger than the file")
    for entry in entries:
        name = entry.filename.removesuffix(".npy")
        if name == entry.filename or not _NAME.fullmatch(name):
            raise ArchiveError(f"unexpected entry {entry.filename[:80]!r}")
        if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
            raise ArchiveError(f"entry {name!r} is compressed")


def _check_end(file: BinaryIO, size: int) -> None:
    """Refuse archives with a comment, the 64-bit extension or a huge directory before zipfile reads the latter."""
    before = min(20, size - _END_SIZE)
    file.seek(size - _END_SIZE - before)
    locator, end = file.read(before), file.read(_END_SIZE)
    signature, _, _, _, _, directory_size, _, comment = struct.unpack("<4s4H2LH", end)
    if signature != b"PK\5\6" or comment or locator.startswith(b"PK\6\7"):
        raise ArchiveError("it does not end as such a file does")
    if directory_size > _DIRECTORY_LIMIT:
        raise ArchiveError("it has too many entries")
    file.seek(0)

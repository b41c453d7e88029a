"""Data in NPZ archives, as numpy and others write them, with a message for a newcomer where one can't be used."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from neuroevo.npz import ArchiveError, read_arrays
from neuroevo.problems.errors import DataError
from neuroevo.problems.tables.files import MAX_BYTES, read_bytes

_REMEDY = 'an NPZ file is written with numpy.savez("file.npz", x=x, y=y)'


def is_archive(content: bytes) -> bool:
    """Whether a file's content is a zip archive, as NPZ files are."""
    return content[:4] in (b"PK\x03\x04", b"PK\x05\x06")


def read_archive(path: Path, limit: int = MAX_BYTES) -> dict[str, NDArray[Any]]:
    """All arrays of an NPZ file by name, read-only; numbers, booleans and text only.

    Args:
        path: The file.
        limit: The largest size in bytes of all arrays together.

    Raises:
        DataError: It can't be read, is no NPZ, is damaged, holds pickled objects, or is larger than the limit.
    """
    return parse_archive(read_bytes(path, limit), path, limit)


def parse_archive(content: bytes, path: Path, limit: int = MAX_BYTES) -> dict[str, NDArray[Any]]:
    """The arrays of an NPZ file that has been read already; arguments and errors as in `read_archive`."""
    if not is_archive(content):
        raise DataError(f"{path} is not an NPZ file; {_REMEDY}")
    try:
        arrays = read_arrays(io.BytesIO(content), limit)
    except ArchiveError as error:
        raise DataError(f"{path} can't be used: {error}; {_REMEDY}") from error
    if not arrays:
        raise DataError(f"{path} holds no arrays; {_REMEDY}")
    return arrays

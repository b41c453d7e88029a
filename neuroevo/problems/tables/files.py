"""Opening a data file, with a message for a newcomer where that fails."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Sequence
from pathlib import Path

from neuroevo.problems.errors import DataError
from neuroevo.registry import nearest

MAX_BYTES = 1 << 30
"""The largest file, and the largest content of an archive, that the readers accept: 1 GiB."""


def read_bytes(path: Path, limit: int = MAX_BYTES) -> bytes:
    """The content of a file.

    Raises:
        DataError: It is missing, empty, a folder, not readable, not a regular file, or larger than the limit.
    """
    try:
        if path.is_dir():
            raise DataError(f"{path} is a folder, not a data file; name a file inside it")
        if path.exists() and not path.is_file():
            raise DataError(f"{path} is a device or a pipe, not a data file; copy the data into a file")
        size = path.stat().st_size
        if size > limit:
            raise DataError(f"{path} has {size} bytes, more than the {limit} that are read; keep only what is needed")
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise DataError(f"there is no file {path}{_neighbours(path)}") from error
    except PermissionError as error:
        raise DataError(f"{path} may not be read by this user; `chmod u+r` on it, or `ls -l`, may help") from error
    except OSError as error:
        if error.errno in (errno.ENAMETOOLONG, errno.ENOTDIR, errno.ELOOP):
            raise DataError(f"{str(path)[:200]!r} is no usable path: {os.strerror(error.errno)}") from error
        raise
    except ValueError as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{str(path)!r} is no usable path: {error}") from error
    if not content:
        raise DataError(f"{path} is empty; it should hold the data, a line for each time step")
    return content


def matching(folder: Path, names: Sequence[str]) -> list[Path]:
    """The files that names and patterns such as "machine_*.csv" stand for, machine_2 before machine_10.

    Raises:
        DataError: A pattern fits no file, or a file is named twice.
    """
    found: list[Path] = []
    for name in names:
        path = folder / name
        if not any(mark in name for mark in "*?[") or path.exists():
            found.append(path)
            continue
        anchor = path.anchor if Path(name).is_absolute() else ""
        fitting = Path(anchor or folder).glob(name.removeprefix(anchor) if anchor else name)
        files = sorted((each for each in fitting if each.is_file()), key=_natural)
        if not files:
            raise DataError(f"no file fits {path}; paths in a scenario are relative to its folder")
        found += files
    doubles = [path for path in found if found.count(path) > 1]
    if doubles:
        raise DataError(f"{doubles[0]} is named twice; each file can be used once")
    return found


def _natural(path: Path) -> list[tuple[int, int | str]]:
    """A path as what sorts numbers in it by their value."""
    return [(0, int(piece)) if piece.isdecimal() else (1, piece) for piece in re.split(r"(\d+)", str(path)) if piece]


def _neighbours(path: Path) -> str:
    """The nearest file name in the same folder, or what is wrong with the folder."""
    if not path.parent.is_dir():
        return f", nor a folder {path.parent}; paths in a scenario are relative to its folder"
    try:
        names = [entry.name for entry in path.parent.iterdir() if entry.is_file()]
    except OSError:
        return ""
    near = nearest(path.name, names)
    return (
        f"; did you mean {near!r} in the same folder?" if near else "; paths in a scenario are relative to its folder"
    )

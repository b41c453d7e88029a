"""Reading files that a stranger may have made, and writing files that a crash cannot spoil.

Nothing here follows a symbolic link inside a record or waits on a pipe: a record someone sent must not be able to make
us read or write anything outside its folder.
"""

from __future__ import annotations

import contextlib
import csv
import errno
import io
import json
import math
import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from neuroevo.errors import BadInput
from neuroevo.records.errors import RecordError, writing

RUN_FILE, SCENARIO_FILE, DATA_FILE = "run.json", "scenario.toml", "data.npz"

#: Text files of a record (scenario.toml, run.json) are refused above this size, bytes.
TEXT_LIMIT = 64 * 2**20

_PREFIX, _SUFFIX = ".", ".tmp"


# Bits that differ from each other; a system lacks those that it needs not, or knows no such files.
_SAFELY = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))


def open_itself(path: Path, flags: int) -> int:
    """A descriptor of the file itself, no link's target; of a pipe without waiting for its other end for ever.

    Raises:
        OSError: It is a link, or cannot be opened.
    """
    if not hasattr(os, "O_NOFOLLOW") and path.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    return os.open(path, flags | _SAFELY, 0o666)


def open_to_read(path: Path) -> BinaryIO:
    """A regular file, opened for reading without following a link.

    Raises:
        RecordError: It is missing, not a regular file, or may not be read.
    """
    try:
        handle = open_itself(path, os.O_RDONLY)
    except (OSError, ValueError) as error:
        if path.is_symlink():
            raise RecordError(f"{path} is a symbolic link; a record holds its files itself") from error
        reason = getattr(error, "strerror", None) or error
        raise RecordError(f"cannot read {path}: {reason}") from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise RecordError(f"{path} is not a regular file")
    return os.fdopen(handle, "rb")


def read_bytes(path: Path, limit: int = TEXT_LIMIT) -> bytes:
    """The contents of a file of at most `limit` bytes.

    Raises:
        RecordError: As :func:`open_to_read`, or it is larger.
    """
    with open_to_read(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > limit:
            raise RecordError(f"{path} has {size} bytes; at most {limit} are read")
        try:
            return file.read(size)
        except OSError as error:
            raise RecordError(f"cannot read {path}: {error.strerror}") from error


def read_json(path: Path) -> dict[str, Any]:
    """A JSON file whose outermost value is an object.

    Raises:
        RecordError: It is no such file.
    """
    try:
        values = json.loads(read_bytes(path).decode("utf-8"), parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(values, dict):
        raise RecordError(f"{path} must hold an object, it holds a {type(values).__name__}")
    return values


def write_atomically(path: Path, *chunks: bytes | memoryview) -> None:
    """Replace a file so that a crash at any moment leaves either the old or the new one, whole and on the disk.

    Raises:
        RecordUnwritable: The machine refused; the old file is untouched.
    """
    temporary = path.with_name(f"{_PREFIX}{path.name}.{os.getpid()}{_SUFFIX}")
    with writing(path):
        try:
            # A leftover of a crashed process with our number may lie there.
            temporary.unlink(missing_ok=True)
            handle = open_itself(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
            with os.fdopen(handle, "wb") as file:
                for chunk in chunks:
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def write_shared(path: Path, content: bytes, shared: Path) -> None:
    """Write a file that is the same one as `shared` by a further name (a hard link), with this content.

    `shared` is made where it is missing. Where it holds something else, or the system has no such links, the file is
    one of its own.

    Raises:
        RecordUnwritable: The machine refused to write `path`.
    """
    with contextlib.suppress(OSError, RecordError):
        if not shared.exists():
            write_atomically(path, content)
            with contextlib.suppress(FileExistsError):  # another run has just made it
                os.link(path, shared)
                return
            path.unlink()
        if read_bytes(shared, len(content)) == content:
            os.link(shared, path)
            sync_folder(path.parent)
            return
    write_atomically(path, content)


def sync_folder(path: Path) -> None:
    """Put the names in a folder on the disk; without it a renamed file may have its old name after a power cut."""
    if not hasattr(os, "O_DIRECTORY"):
        return  # a system that opens no folders
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write an object as JSON, atomically."""
    write_atomically(path, json_bytes(values))


def json_bytes(values: Mapping[str, Any]) -> bytes:
    """An object as JSON; numbers that are not finite become null, since JSON has none."""
    return json.dumps(plain(values), indent=2, ensure_ascii=False, allow_nan=False).encode("utf-8") + b"\n"


def write_table(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows as CSV, atomically, with all columns that any of them has; what a row lacks is nan.

    Raises:
        RecordUnwritable: The machine refused.
    """
    text = io.StringIO()
    columns = list(dict.fromkeys(name for row in rows for name in row))
    table = csv.DictWriter(text, columns, restval="nan", lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    write_atomically(path, text.getvalue().encode("utf-8", "replace"))


def plain(value: Any) -> Any:
    """A value in JSON's types: tuples and arrays become lists, numpy's numbers Python's, non-finite ones None.

    Raises:
        TypeError: It has no such form.
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    raise TypeError(f"run.json holds texts, numbers, truth values, lists and objects; got {value!r}")


def open_to_append(path: Path) -> int:
    """A file descriptor that only appends; the file is made where it is missing.

    Raises:
        RecordUnwritable: The machine refused, or the path is a link.
    """
    with writing(path):
        return open_itself(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)


def own_subfolder(path: Path) -> Path:
    """A folder inside a record, made where it is missing.

    Raises:
        RecordError: It is a link or a file.
        RecordUnwritable: It cannot be made.
    """
    if path.is_symlink():
        raise RecordError(f"{path} is a symbolic link; a record holds its folders itself")
    with writing(path):
        path.mkdir(exist_ok=True)
    return path


def remove_leftovers(folder: Path) -> None:
    """Delete the temporary files that a crash left in a folder."""
    for path in folder.glob(f"{_PREFIX}*{_SUFFIX}"):
        with writing(path):
            path.unlink(missing_ok=True)


def _refuse(name: str) -> float:
    raise BadInput(f"{name} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _refuse(text[:40])

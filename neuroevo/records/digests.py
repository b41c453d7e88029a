"""Digests of the files of a run that has ended: whether they are what they were at its end.

They tell of accidents, a flipped bit or a figure mended by hand. Whoever means to deceive can write new digests.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from neuroevo.records.champion import CHAMPION_FILE
from neuroevo.records.errors import RecordError
from neuroevo.records.files import (
    DATA_FILE,
    RUN_FILE,
    SCENARIO_FILE,
    json_bytes,
    open_to_read,
    read_bytes,
    write_atomically,
)
from neuroevo.records.front import FRONT_FILE, FRONT_TABLE
from neuroevo.records.history_file import HISTORY_FILE

_FILES = (SCENARIO_FILE, DATA_FILE, HISTORY_FILE, CHAMPION_FILE, FRONT_FILE, FRONT_TABLE)
_KEY = "digests"
_BLANK = "0" * 64


def write_sealed(folder: Path, run: Mapping[str, Any]) -> None:
    """Write run.json with the digests of the files beside it, which are at their end, and of itself.

    Raises:
        RecordUnwritable: The machine refused; the old run.json is untouched.
    """
    digests = {name: _digest(folder / name) for name in _FILES if (folder / name).exists()}
    # The last key holds its own digest last: what it is a digest of has 64 zeros there.
    text = json_bytes({**unsealed(run), _KEY: {**digests, RUN_FILE: _BLANK}})
    head, _, tail = text.rpartition(_BLANK.encode())
    write_atomically(folder / RUN_FILE, head, hashlib.sha256(text).hexdigest().encode(), tail)


def unsealed(run: Mapping[str, Any]) -> dict[str, Any]:
    """The contents of run.json without digests, for a run whose files will change."""
    return {key: value for key, value in run.items() if key != _KEY}


def altered_files(folder: Path, run: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of files that are not what their digests in run.json say; empty where the run is still to end."""
    digests = run.get(_KEY)
    # A run at work has none, so that with them an end was there once, whatever the status says.
    if not isinstance(digests, Mapping):
        had_none = run["format_version"] == 1 or run["status"] not in ("finished", "interrupted")
        return () if had_none else (RUN_FILE,)
    # The names are ours: those in a record could lead out of it.
    found = [name for name in _FILES if name in digests and not _is(folder / name, digests[name])]
    own = str(digests.get(RUN_FILE) or None)
    # JSON has halves of letters, UTF-8 has not.
    head, _, tail = read_bytes(folder / RUN_FILE).rpartition(own.encode("utf-8", "replace"))
    intact = hashlib.sha256(head + _BLANK.encode() + tail).hexdigest() == own
    return (*found, *(() if intact else (RUN_FILE,)))


def _is(path: Path, digest: object) -> bool:
    try:
        return _digest(path) == digest
    except RecordError:
        return False


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with open_to_read(path) as file:
        while chunk := file.read(2**20):
            digest.update(chunk)
    return digest.hexdigest()

"""Checkpoints: everything needed to go on, as plain arrays and numbers, each file with a checksum of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from neuroevo.problems.arrays import fingerprint
from neuroevo.records.errors import RecordError, writing
from neuroevo.records.files import own_subfolder, remove_leftovers
from neuroevo.records.npz import read_npz, write_npz

CHECKPOINT_FOLDER = "checkpoints"

#: How many checkpoints are kept: should the newest be damaged, there are two more.
N_KEPT = 3

_CHECKSUM = "checkpoint.sha256"
_GENERATION = "checkpoint.generation"
_NAME = re.compile(r"(\d{1,18})\.npz")

State = dict[str, Any]


def write_checkpoint(run: Path, generation: int, state: Mapping[str, Any]) -> Path:
    """Write the state after a generation, then delete all but the last few checkpoints.

    Args:
        run: The run's folder.
        generation: The generation after which the run goes on.
        state: Names to arrays, numbers, truth values and texts.

    Raises:
        ValueError: The state holds something else.
        RecordUnwritable: The machine refused; the checkpoints before are untouched.
    """
    folder = own_subfolder(run / CHECKPOINT_FOLDER)
    arrays: dict[str, Any] = {name: np.asarray(value) for name, value in state.items()}
    arrays[_GENERATION] = np.asarray(generation)
    arrays[_CHECKSUM] = np.asarray(fingerprint(arrays))
    path = folder / f"{generation:09d}.npz"
    write_npz(path, arrays)
    for old in list_checkpoints(run)[:-N_KEPT]:
        if old != path:
            with writing(old):
                old.unlink(missing_ok=True)
    return path


def list_checkpoints(run: Path) -> list[Path]:
    """The files of all checkpoints, the oldest first."""
    folder = run / CHECKPOINT_FOLDER
    if folder.is_symlink() or not folder.is_dir():
        return []
    paths = [path for path in folder.iterdir() if _NAME.fullmatch(path.name)]
    return sorted(paths, key=_generation_of)


def read_checkpoint(path: Path) -> tuple[int, State]:
    """The generation and the state of a checkpoint; numbers, truth values and texts come back as Python's.

    Raises:
        RecordError: It is damaged.
    """
    arrays = read_npz(path)
    checksum, generation = arrays.pop(_CHECKSUM, None), arrays.get(_GENERATION)
    if checksum is None or generation is None or checksum.shape or generation.shape or generation.dtype.kind != "i":
        raise RecordError(f"{path} is no checkpoint of a run")
    if str(checksum) != fingerprint(arrays):
        raise RecordError(f"{path} is damaged: its contents do not match its checksum")
    if int(generation) != _generation_of(path):
        raise RecordError(f"{path} holds generation {int(generation)}")
    del arrays[_GENERATION]
    return int(generation), {name: array if array.shape else array.item() for name, array in arrays.items()}


def last_good(path: Path, n_rows: int) -> tuple[int, State | None, list[str]]:
    """Generation and state of the newest checkpoint that can be used, and what is to be said of those that cannot."""
    messages: list[str] = []
    for file in reversed(list_checkpoints(path)):
        try:
            generation, state = read_checkpoint(file)
        except RecordError as error:
            messages.append(f"checkpoint skipped: {error}")
            continue
        if generation > n_rows:
            messages.append(f"checkpoint skipped: {file} is of generation {generation}, the history ends with {n_rows}")
            continue
        return generation, state, messages
    if messages:
        messages.append("no checkpoint can be used: the run begins anew")
    return 0, None, messages


def discard_after(run: Path, generation: int) -> None:
    """Delete the checkpoints of later generations, and what a crash left unfinished."""
    folder = own_subfolder(run / CHECKPOINT_FOLDER)
    remove_leftovers(folder)
    for path in list_checkpoints(run):
        if _generation_of(path) > generation:
            with writing(path):
                path.unlink(missing_ok=True)


def _generation_of(path: Path) -> int:
    match = _NAME.fullmatch(path.name)
    return int(match.group(1)) if match else -1

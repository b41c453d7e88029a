"""One process at a time works on a run; a crash leaves no lock behind, since the kernel lets go of it."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import shutil
import time
from pathlib import Path

from neuroevo.errors import MachineRefused
from neuroevo.records.errors import RecordLocked, writing
from neuroevo.records.files import open_itself

try:
    import fcntl

    _CAN_LOCK = True
except ImportError:
    _CAN_LOCK = False

LOCK_FILE = "run.lock"

_HIDDEN = re.compile(r"\.[0-9a-f]{32}\.new")
#: A hidden folder of this age without a lock is nobody's any more, seconds.
_ABANDONED = 3600.0


class RunLock:
    """An exclusive lock on a run's folder, held until :meth:`release` or the end of the process.

    The file stays, and means nothing without the lock on it: deleting it would let two processes lock two files of one
    name.

    Raises:
        RecordLocked: Another process holds it; the message says which one.
        RecordUnwritable: The lock file cannot be made or locked.
        MachineRefused: The system has no such locks.
    """

    def __init__(self, folder: Path) -> None:
        if not _CAN_LOCK:
            raise MachineRefused(
                "runs can be recorded on Linux and macOS alone, whose locks a crash lets go of; on Windows, use WSL"
            )
        path = folder / LOCK_FILE
        with writing(path):
            self._handle = open_itself(path, os.O_RDWR | os.O_CREAT)
            try:
                fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = os.read(self._handle, 200).decode("utf-8", "replace").strip() or "another process"
                self.release()
                raise RecordLocked(f"{folder} is in use by {holder}; wait for it or end it first") from None
            except OSError:
                self.release()
                raise
        with contextlib.suppress(OSError):
            # Only for people: a full disk must not keep a run from being locked.
            os.ftruncate(self._handle, 0)
            os.pwrite(self._handle, f"process {os.getpid()} on {platform.node()}\n".encode(), 0)

    def release(self) -> None:
        """Let go; calling it again does nothing."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def is_locked(folder: Path) -> bool:
    """Whether a process is working on the run at this moment."""
    if not _CAN_LOCK:
        return False
    try:
        handle = open_itself(folder / LOCK_FILE, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(handle)
    return False


def sweep_abandoned(results: Path) -> None:
    """Delete the hidden folders of runs that were killed while they were being made."""
    for path in results.glob(".*.new"):
        with contextlib.suppress(FileNotFoundError):  # it has just got its name
            old = time.time() - path.lstat().st_mtime > _ABANDONED
            if _HIDDEN.fullmatch(path.name) and not path.is_symlink() and old and not is_locked(path):
                shutil.rmtree(path, ignore_errors=True)

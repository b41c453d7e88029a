"""What can go wrong with a record: it is not one, it is in use, or the machine refuses to write it."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from neuroevo.errors import MachineRefused, NeuroevoError

_REMEDIES = {
    errno.ENOSPC: "free some space and resume the run",
    errno.EDQUOT: "free some of your quota and resume the run",
    errno.EROFS: "the file system is read-only; choose another results folder",
    errno.EACCES: "you may not write there; choose another results folder",
    errno.EPERM: "you may not write there; choose another results folder",
    errno.ENOENT: "the folder has vanished",
    errno.EFBIG: "files may not grow that large here; raise the limit (ulimit -f) and resume the run",
}


class RecordError(NeuroevoError):
    """A record cannot be used; the message is one line that says which file, what is wrong, and what to do."""


class RecordLocked(RecordError):
    """Another process is working on the run."""


class RecordUnwritable(RecordError, MachineRefused):
    """The machine refused to write (disk full, folder read-only or gone); what was written before still opens."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the machine's refusal to write `path` into a :class:`RecordUnwritable`."""
    try:
        yield
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0)
        reason = error.strerror or str(error)
        raise RecordUnwritable(f"cannot write {path}: {reason}{f' ({remedy})' if remedy else ''}") from error


@contextmanager
def restoring(path: Path) -> Iterator[None]:
    """Turn what a checkpoint of another form makes fail while its state is restored into a :class:`RecordError`.

    A checksum says that nobody has changed a checkpoint by accident, not that it fits the scenario beside it. The
    states themselves check kinds and shapes; the other errors are those of strategies that others have written.
    """
    try:
        yield
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise RecordError(
            f"{path}: its checkpoint does not fit its scenario ({type(error).__name__}: {reason}); without the folder "
            "checkpoints the run can begin anew"
        ) from error

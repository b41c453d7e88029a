"""What went wrong, as one message and an exit code."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

MACHINE_FAILED = 1
BAD_INPUT = 2
_DEFECT = "this is a defect of neuroevo, not of your input; please report it with the lines below"


@contextmanager
def told() -> Iterator[None]:
    """Turn what a user or the machine can cause into a message on standard error and an exit code.

    Everything else is our bug and keeps its traceback, which is what a report needs.
    """
    try:
        yield
    except typer.Exit:
        # An exit code that a command has chosen, such as that of a run which a signal ended.
        raise
    except BrokenPipeError:
        # The reader of our output has gone (`neuroevo list | head`); Python would complain once more at its exit.
        sys.stdout = None
        raise typer.Exit(MACHINE_FAILED) from None
    except MemoryError as error:
        _say(f"out of memory: {error or 'use a smaller population_size, fewer threads or a smaller problem'}")
        raise typer.Exit(MACHINE_FAILED) from None
    except OSError as error:
        _say(_machine(error))
        raise typer.Exit(MACHINE_FAILED) from None
    except ValueError as error:
        _say(str(error))
        raise typer.Exit(BAD_INPUT) from None
    except Exception as error:
        code = _of_records(error)
        if code is None:
            _say(_DEFECT)
            raise
        _say(str(error))
        raise typer.Exit(code) from None


def _of_records(error: Exception) -> int | None:
    """The exit code of a failure of the records room, which is only imported where something has gone wrong."""
    from neuroevo.records import RecordError, RecordUnwritable

    if isinstance(error, RecordUnwritable):
        return MACHINE_FAILED
    return BAD_INPUT if isinstance(error, RecordError) else None


def _machine(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    advice = {
        errno.ENOSPC: "; make room, then go on with `neuroevo resume RUN`",
        errno.EDQUOT: "; make room, then go on with `neuroevo resume RUN`",
        errno.EACCES: "; choose another folder with --results, or change its permissions",
        errno.EROFS: "; choose another folder with --results",
    }.get(error.errno or 0, "")
    return f"{where}{error.strerror or error}{advice}"


def _say(message: str) -> None:
    print(f"neuroevo: {message}", file=sys.stderr)  # noqa: T201 - the command line is where things are printed

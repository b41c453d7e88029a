"""What went wrong, as a message and an exit code."""

from __future__ import annotations

import errno
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from neuroevo.cli.terminal import print_message
from neuroevo.errors import MachineRefused, NeuroevoError

MACHINE_FAILED = 1
BAD_INPUT = 2
_DEFECT = (
    "this is a defect of neuroevo (or of a package that extends it, where the last lines are of one), not of your "
    "input; please report it to the maintainers with all that stands above"
)
_ADVICE = {
    errno.ENOSPC: "; make room, then go on with `neuroevo resume RUN`",
    errno.EDQUOT: "; make room, then go on with `neuroevo resume RUN`",
    errno.EACCES: "; choose another folder with --results, or change its permissions",
    errno.EROFS: "; choose another folder with --results",
}


@contextmanager
def exit_codes() -> Iterator[None]:
    """Turn what a user or the machine can cause into a message on standard error and an exit code.

    Everything else is our bug and shows its traceback, which is what a report needs.
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
    except NeuroevoError as error:
        # Its members are ValueErrors, MemoryErrors and OSErrors too, so they come first.
        _report(str(error))
        raise typer.Exit(MACHINE_FAILED if isinstance(error, MachineRefused) else BAD_INPUT) from None
    except MemoryError as error:
        _report(f"out of memory: {error or 'use a smaller population_size, fewer threads or a smaller problem'}")
        raise typer.Exit(MACHINE_FAILED) from None
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _report(f"{where}{error.strerror or error}{_ADVICE.get(error.errno or 0, '')}")
        raise typer.Exit(MACHINE_FAILED) from None
    except Exception:
        _report(f"{traceback.format_exc()}{_DEFECT}")
        raise typer.Exit(MACHINE_FAILED) from None


def _report(message: str) -> None:
    print_message(f"neuroevo: {message}")

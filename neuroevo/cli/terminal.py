"""The one place where something is printed: what others wrote must not command the terminal that shows it.

Titles, names of files, columns and parts, messages and values may come from anybody. An escape sequence in them could
rename the window, recolour or erase what stands there, or turn the order of letters around.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TextIO

#: Control characters (C0, DEL, C1), what turns the direction of writing (Unicode annex 9; the attack: Boucher and
#: Anderson 2021, https://arxiv.org/abs/2111.00169), separators of lines, and halves of letters.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def escaped(text: object) -> str:
    r"""A text on one line in which all is seen and nothing obeyed: ``\x1b`` for an escape, ``\n`` for a new line."""
    return _UNSAFE.sub(lambda found: found.group().encode("unicode_escape").decode(), str(text))


def shown(text: object, stream: TextIO) -> str:
    """As `escaped`, but in lines, and in letters that the stream has."""
    safe = "\n".join(map(escaped, str(text).split("\n")))
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return safe.encode(encoding, "backslashreplace").decode(encoding)


def print_result(text: object) -> None:
    """Print what was asked for, on standard output."""
    print(shown(text, sys.stdout), flush=True)  # noqa: T201 - the place where things are printed


def print_message(text: object) -> None:
    """Print what happens meanwhile, on standard error."""
    print(shown(text, sys.stderr), file=sys.stderr, flush=True)  # noqa: T201 - the place where things are printed


def print_path(path: Path, *, alone: bool = False) -> None:
    """Print a folder, the last line of standard output.

    Args:
        path: The folder.
        alone: Whether nothing else is printed. What goes into a pipe or a file then are the bytes of the name, since a
            program reads it, as with ls.
    """
    if alone and not sys.stdout.isatty():
        sys.stdout.flush()
        sys.stdout.buffer.write(os.fsencode(path) + b"\n")
        sys.stdout.flush()
    else:
        print_result(path)

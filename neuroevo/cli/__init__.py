"""The command line parses arguments, prints, and chooses exit codes; nothing else does.

0 done; 1 the machine failed (disk, memory), or a defect of ours; 2 bad input; 130 and 143 interrupted by Ctrl-C and
SIGTERM.
Every command is a function in `app`; everything heavy is imported inside it, so that ``--help`` answers at once.
"""

from __future__ import annotations


def main() -> None:
    """The entry point of the command ``neuroevo``."""
    from neuroevo.cli.app import app

    app()

"""Writing files that are not there yet, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from neuroevo.errors import BadInput


def write_new(files: Mapping[Path, bytes]) -> None:
    """Write files, and their folders where those are missing.

    Raises:
        BadInput: One of them is there already, which is then left as it is.
    """
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        except FileExistsError as error:
            raise BadInput(f"{path} exists already and is left as it is") from error
        with os.fdopen(file, "wb") as stream:
            stream.write(content)

"""Files that must not be there yet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def write_new(files: Mapping[Path, bytes]) -> None:
    """Write files, making their folders.

    Raises:
        FileExistsError: One is there already; it stays as it is.
    """
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            file.write(content)

"""The kernels' sources as hashes, taken before they are compiled: this package's, and those of cells from elsewhere."""

from __future__ import annotations

import hashlib
from pathlib import Path

FOLDER = Path(__file__).parent

FOREIGN: dict[Path, str] = {}
"""Folders of other packages whose modules implement cells or tasks, with their `digest` at import."""

_BESIDE = "*.py"  # a folder from elsewhere may be anybody's home: what lies below it is not looked at


def digest(folder: Path = FOLDER, modules: str = "**/*.py") -> str:
    """Hash of the names and contents of all modules of a folder as they are on disk now."""
    total = hashlib.sha256()
    for path in sorted(folder.glob(modules)):
        content = path.read_bytes()
        total.update(f"{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode() + content)
    return total.hexdigest()


AT_IMPORT = digest()


def note(file: str) -> None:
    """Remember where code for a kernel comes from: its whole folder, for the helpers that it calls."""
    folder = Path(file).parent
    if not folder.is_relative_to(FOLDER) and folder not in FOREIGN and Path(file).is_file():
        FOREIGN[folder] = digest(folder, _BESIDE)


def edited() -> bool:
    """Whether the sources on disk are no longer those of this process, or perhaps never were."""
    return digest() != AT_IMPORT or any(digest(folder, _BESIDE) != noted for folder, noted in FOREIGN.items())

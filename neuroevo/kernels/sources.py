"""The kernels' sources as a hash, taken before any of them is imported."""

from __future__ import annotations

import hashlib
from pathlib import Path

FOLDER = Path(__file__).parent


def digest() -> str:
    """Hash of the names and contents of all modules of this package as they are on disk now."""
    total = hashlib.sha256()
    for path in sorted(FOLDER.glob("*.py")):
        content = path.read_bytes()
        total.update(f"{path.name}\0{len(content)}\0".encode() + content)
    return total.hexdigest()


AT_IMPORT = digest()

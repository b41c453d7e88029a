"""Refusing what does not fit into memory before it is allocated."""

from __future__ import annotations

from pathlib import Path

from neuroevo.errors import OutOfMemory


def available_bytes() -> int | None:
    """Memory that can be had without swapping; None where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    for line in lines:
        name, _, rest = line.partition(":")
        if name == "MemAvailable":
            return int(rest.split()[0]) * 1024
    return None


def require(n_bytes: int, what: str) -> None:
    """Raise MemoryError if `n_bytes` for `what` are more than there are."""
    available = available_bytes()
    if available is not None and n_bytes > available:
        raise OutOfMemory(
            f"{what} needs {n_bytes / 2**30:.1f} GiB, and {available / 2**30:.1f} GiB of memory are available: "
            "take fewer genomes, a smaller network or less data"
        )

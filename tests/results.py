"""What a run came to, without what differs from one execution to the next."""

from __future__ import annotations

import csv
from pathlib import Path

import neuroevo as ne


def results_of(run: ne.RunRecord | Path) -> tuple[list[dict[str, str]], bytes]:
    """The history of a record (or of its folder) without the seconds, and the champion, byte by byte."""
    path = run if isinstance(run, Path) else run.path
    with (path / "history.csv").open() as file:
        rows = [{key: value for key, value in row.items() if key != "seconds"} for row in csv.DictReader(file)]
    return rows, (path / "champion.npz").read_bytes()

"""A short disturbance of a cluster of three nodes; `python -m tests.distribution.faults` is the long one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.ray
@pytest.mark.slow
def test_a_node_that_is_lost_and_one_that_joins_change_no_bit():
    command = [
        sys.executable,
        "-m",
        "tests.distribution.faults",
        "--generations",
        "20",
        "--only",
        "nodes removed and added, sharded",
    ]
    done = subprocess.run(
        command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "bits equal" in done.stdout

"""The short form of `kill_runs`, in a process of its own because it forks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("kill_runs.py")


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [["--runs", "2"], ["--runs", "2", "--signal", "TERM", "--threads", "2"]],
    ids=["killed", "terminated"],
)
def test_every_strategy_survives_being_killed(options: list[str]) -> None:
    done = subprocess.run([sys.executable, str(PROGRAM), *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_a_run_survives_being_killed_twenty_times() -> None:
    options = ["--runs", "2", "--kills", "20", "--strategies", "genetic_algorithm", "cma_es", "particle_swarm"]
    done = subprocess.run([sys.executable, str(PROGRAM), *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

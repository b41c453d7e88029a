"""The short form of `fuzz_scenarios`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_mutated_scenarios_are_run_or_refused() -> None:
    program = Path(__file__).with_name("fuzz_scenarios.py")
    command = [sys.executable, str(program), "--cases", "150", "--seed", "3"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

"""The same bits on AVX-512, AVX2 and SSE2, and no access out of bounds."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

KINDS = [
    "gradient:elman,gradient:jordan,gradient:ctrnn",
    *(f"gradient:{kind}" for kind in ("lstm", "gru", "graph", "locally_recurrent")),
    *("lif,objectives", "poles", "worlds", "carried", "free_runs", "own"),
]
"""Errors and gradients of every cell; those that share a kernel together, since each process compiles anew."""
CACHE = "NUMBA_CACHE_DIR"
SCRIPT = Path(__file__).with_name("errors_of_all_cells.py")


@cache
def errors(kinds, precisions, **environment):
    """What the script prints in a process of its own."""
    command = [sys.executable, str(SCRIPT), kinds, precisions]
    settings = {key: value for key, value in os.environ.items() if key == CACHE or not key.startswith("NUMBA_")}
    done = subprocess.run(
        command, env={**settings, **environment}, cwd=SCRIPT.parents[2], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("processor", ["haswell", "generic"])
def test_bits_are_the_same_on_other_instruction_sets(processor):
    assert errors("elman,objectives", "single", NUMBA_CPU_NAME=processor) == errors("elman,objectives", "single")


@pytest.mark.slow
@pytest.mark.parametrize("kinds", KINDS)
def test_bits_are_the_same_with_narrower_vectors_and_nothing_is_read_or_written_out_of_bounds(kinds):
    # Both at once, since it is the compilation that takes the time.
    assert errors(kinds, "single", NUMBA_CPU_NAME="haswell", NUMBA_BOUNDSCHECK="1") == errors(kinds, "single")


@pytest.mark.slow
@pytest.mark.parametrize("kinds", ["gradient:elman", "lif,objectives", "carried", "free_runs", "own"])
def test_bits_are_the_same_without_an_instruction_for_multiply_add(kinds):
    assert errors(kinds, "double", NUMBA_CPU_NAME="generic") == errors(kinds, "double")

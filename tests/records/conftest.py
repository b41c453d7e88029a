"""A tiny run: its network, its problem, and a folder with a few generations in it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuroevo.networks import Elman, Network
from neuroevo.problems import SequenceProblem
from neuroevo.records import RunWriter
from neuroevo.stopping import COLUMNS, StopReason

SCENARIO = 'title = "A sine"\nseed = 3\n\n[stop]\ngenerations = 8\n'


def row(generation: int) -> dict[str, float]:
    """A row of the history whose figures depend on the generation in ways that no short decimal can hold."""
    values = {name: (index + 1) / (3 * generation) for index, name in enumerate(COLUMNS)}
    return values | {"generation": generation, "evaluations": 7 * generation, "n_failed": generation % 2}


def state(generation: int) -> dict[str, Any]:
    """A checkpoint's state."""
    genomes = np.random.default_rng(generation).normal(size=(7, 11))
    return {"generation": generation, "strategy.population": genomes, "seconds": 0.1 * generation, "restarted": False}


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A power cut cannot be tested here, so nobody waits for the disk."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


@pytest.fixture
def network() -> Network:
    return Elman(1, 2, 1, output_activation="tanh")


@pytest.fixture
def problem() -> SequenceProblem:
    steps = np.arange(40)
    series = 5 + 3 * np.sin(0.4 * steps)
    parts = {"train": steps < 25, "test": steps >= 25}
    return SequenceProblem(
        series[None, :, None],
        np.roll(series, -1)[None, :, None],
        parts={name: mask[None] for name, mask in parts.items()},
        times=1900 + steps,
        washout=3,
    ).scaled("standard")


@pytest.fixture
def start(tmp_path: Path, network: Network, problem: SequenceProblem) -> Callable[..., RunWriter]:
    def make(name: str = "sine-seed3", **arguments: Any) -> RunWriter:
        defaults = {"scenario_toml": SCENARIO, "run": {"title": "A sine", "seed": 3}}
        return RunWriter.create(
            tmp_path / "results", name, **{**defaults, **arguments}, problem=problem, network=network
        )

    return make


def advance(writer: RunWriter, first: int, last: int, every: int = 1) -> None:
    """Write generations and, each so many, a checkpoint."""
    for generation in range(first, last + 1):
        writer.append(row(generation))
        if generation % every == 0:
            writer.checkpoint(generation, state(generation))


def finish(writer: RunWriter, network: Network, problem: SequenceProblem, **entries: Any) -> None:
    """Deliver a champion and end."""
    genome = np.random.default_rng(1).normal(size=network.n_genes)
    writer.champion(genome, network=network, problem=problem, error=0.125, generation=8, validation_error=float("nan"))
    reason = StopReason("generations", 8.0, "8 generations done")
    costs = {"generations": 8, "evaluations": 56, "seconds": 0.5}
    writer.finish({"stop_reason": reason.to_dict(), **costs, **entries})


@pytest.fixture
def finished(start: Callable[..., RunWriter], network: Network, problem: SequenceProblem) -> Path:
    """The folder of a finished run of 8 generations with checkpoints."""
    writer = start()
    advance(writer, 1, 8)
    finish(writer, network, problem)
    return writer.path

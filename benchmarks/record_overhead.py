"""What the record costs a run: the row of each generation and a checkpoint every ten seconds, beside the generation.

    python benchmarks/record_overhead.py

Prints the share of the time that a run of 5 ms generations (population 256, 305 genes) spends on its record.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

import numpy as np

import neuroevo as ne
from neuroevo.evolution import Evolution
from neuroevo.records import RunWriter

GENERATION_SECONDS = 0.005
CHECKPOINT_SECONDS = 10.0
N_ROWS = 5000
N_CHECKPOINTS = 15


def main() -> None:
    rng = np.random.default_rng(0)
    network = ne.Elman(n_inputs=1, n_hidden=16, n_outputs=1)
    problem = ne.SequenceProblem(rng.normal(size=(1, 100, 1)), rng.normal(size=(1, 100, 1)))
    strategy = ne.make_strategy("genetic_algorithm", n_genes=network.n_genes, seed=1, population_size=256)
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder, ne.LocalEvaluator(network, problem) as evaluator:
        evolution = Evolution.of(strategy, evaluator)
        row = evolution.step().row()
        writer = RunWriter.create(folder, "run", scenario_toml="", run={}, problem=problem, network=network)
        with writer:
            rows = []
            for generation in range(1, N_ROWS + 1):
                begun = time.perf_counter()
                writer.append({**row, "generation": generation})
                rows.append(time.perf_counter() - begun)
            checkpoints = []
            for _ in range(N_CHECKPOINTS):
                begun = time.perf_counter()
                writer.checkpoint(N_ROWS, evolution.state())
                checkpoints.append(time.perf_counter() - begun)
    a_row, a_checkpoint = float(np.median(rows)), float(np.median(checkpoints))
    share = a_row / GENERATION_SECONDS + a_checkpoint / CHECKPOINT_SECONDS
    figures = {
        "row_microseconds": round(1e6 * a_row, 1),
        "checkpoint_milliseconds": round(1e3 * a_checkpoint, 1),
        "checkpoint_milliseconds_worst": round(1e3 * max(checkpoints), 1),
        "share_of_a_run_percent": round(100 * share, 2),
    }
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()

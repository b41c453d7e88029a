"""What weights of few bits cost, for results/quantised/README.md.

    python benchmarks/quantised.py [--runs FOLDER] [--out results/quantised]

A GRU of 16 units on the Japanese vowels, and an Elman network of 16 units on the Santa Fe laser one step ahead: trained
with real weights, with weights on a grid, and with real weights that are rounded afterwards in the same way. Champions
are chosen by the validation part; every network is then exported as C, compiled, and run on the whole test part.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

import neuroevo as ne
from neuroevo.export import plan_of
from neuroevo.export.c_format import CFormat
from neuroevo.prediction import Member, Predictor
from neuroevo.problems.metrics import measure
from neuroevo.spaces import Quantised

SCENARIOS = Path(__file__).resolve().parent.parent / "scenarios"
NOISE = {"real": 0.1, "ternary": 0.2}
"""Of OpenAI-ES on the vowels; tried were 0.05, 0.1 and 0.2 with real weights, 0.1 and 0.2 with ternary ones."""
TASKS: dict[str, dict[str, Any]] = {
    "vowels": {
        "scenario": "japanese_vowels.toml",
        "seeds": range(1, 6),
        "levels": ["ternary", "int4", "int8"],
        "trained": ["real", "ternary"],
        "overrides": {"strategy": {"kind": "openai_es"}, "stop": {"generations": 1600}},
    },
    "laser": {
        "scenario": "laser.toml",
        "seeds": range(1, 11),
        "levels": ["ternary", "int4", "int8"],
        "trained": ["real", "ternary", "int4", "int8"],
        "overrides": {
            "network": {"kind": "elman", "n_hidden": 16},
            "problem.parts": {"train": 800, "validation": 200, "test": "rest"},
            "strategy": {"kind": "snes"},
            "stop": {"evaluations": 40000},
        },
    },
}
"""Strategies, their settings and budgets were chosen on the validation parts of seeds 1 and 2."""


def trained(task: dict[str, Any], levels: str, seed: int, runs: Path) -> ne.RunRecord:
    """The run's record; one that is there already is opened, or carried on where it was interrupted."""
    done = runs / levels / f"{Path(task['scenario']).stem}-seed{seed}"
    if done.exists():
        return ne.resume(done)
    space = {} if levels == "real" else {"space": {"kind": "quantised", "weights": levels}}
    over = {"seed": seed, "record": {"plots": False}, **task["overrides"], **space}
    if over["strategy"]["kind"] == "openai_es":
        over["strategy"] = {**over["strategy"], "noise": NOISE[levels]}
    return ne.run(SCENARIOS / task["scenario"], overrides=over, results=runs / levels)


def figures(record: ne.RunRecord, genome: np.ndarray) -> dict[str, float]:
    """Errors on validation and test, the bytes of the model in C, and how far its outputs lie from `predict`'s."""
    problem, network = record.problem, record.network
    assert isinstance(problem, ne.SequenceProblem)
    found: dict[str, float] = {}
    outputs = network.predict_rows(genome, problem.input_rows, problem.lengths)
    for part in ("validation", "test"):
        measured = measure(problem, outputs, part)
        found |= {f"{part}_nmse": measured.nmse, f"{part}_learned": measured.learned}
    champion = Predictor((Member(network, genome, problem.scaling_arrays()),))
    plan, form = plan_of(champion), CFormat()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.h"
        file.write_bytes(form.files(plan, file, "single")[file])
        said = form.outputs(file, [problem.original.inputs], "single")
    expected = problem.predictions(outputs)[problem.part_rows["test"]]
    told = problem.rows.of(said)[problem.part_rows["test"]]
    found["difference"] = float(np.abs(told - expected).max() / np.abs(expected).max())
    return found | asdict(form.sizes(plan, "single"))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=Path, default=Path("results/runs/quantised"))
    parser.add_argument("--out", type=Path, default=Path("results/quantised"))
    options = parser.parse_args()
    rows = []
    for name, task in TASKS.items():
        for seed in task["seeds"]:
            for levels in task["trained"]:
                record = trained(task, levels, seed, options.runs / name)
                genome = record.champion.genome
                rows.append({"task": name, "seed": seed, "weights": levels} | figures(record, genome))
                for rounded in task["levels"] if levels == "real" else []:
                    space = Quantised(rounded)
                    (weights,) = space.express(genome[None], record.network, record.problem)
                    rows.append(
                        {"task": name, "seed": seed, "weights": f"real, then {rounded}"} | figures(record, weights)
                    )
                print(rows[-1], flush=True)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "quantised.json").write_text(json.dumps(rows, indent=1) + "\n")
    (options.out / "table.md").write_text(table(rows))


def table(rows: list[dict[str, Any]]) -> str:
    lines = []
    for name in TASKS:
        lines += ["", f"| {name} | validation NMSE | test NMSE | test right | flash | RAM | C beside predict |"]
        lines += ["| --- | ---: | ---: | ---: | ---: | ---: | ---: |"]
        kinds = dict.fromkeys(row["weights"] for row in rows if row["task"] == name)
        for kind in sorted(kinds, key=lambda kind: ("then" in kind, kind != "real")):
            own = [row for row in rows if row["task"] == name and row["weights"] == kind]
            values = [spread([row[key] for row in own]) for key in ("validation_nmse", "test_nmse")]
            right = spread([100 * row["test_learned"] for row in own], "{:.1f}")
            ram = own[0]["state"] + own[0]["work"]
            worst = max(row["difference"] for row in own)
            lines.append(
                f"| {kind} | {values[0]} | {values[1]} | {right} % | {own[0]['flash']} | {ram} | {worst:.0e} |"
            )
    return "\n".join(lines[1:]) + "\n"


def spread(values: list[float], form: str = "{:.3g}") -> str:
    """The median, and the smallest and largest."""
    return f"{form.format(statistics.median(values))} ({form.format(min(values))}-{form.format(max(values))})"


if __name__ == "__main__":
    main()

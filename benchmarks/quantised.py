"""What weights of few bits cost, for results/quantised/README.md.

    python benchmarks/quantised.py [--runs FOLDER] [--out results/quantised]

A GRU of 16 units and 32 leaky integrate-and-fire units on the Japanese vowels, and an Elman network of 16 units on the
Santa Fe laser one step ahead: trained with real weights, with weights on a grid, and with real weights that are rounded
afterwards in the same way. Champions are chosen by the validation part; every network is then exported as C, with and
without floating point, compiled, and run on the whole test part. Runs and rows that are there already are taken as they
are: it goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

import neuroevo as ne
from neuroevo.export import Plan, plan_of
from neuroevo.export.c.format import CFormat
from neuroevo.export.fixed_point import FixedPoint
from neuroevo.export.writing import examples_of
from neuroevo.prediction import Member, Predictor
from neuroevo.problems.metrics import measure
from neuroevo.spaces import Quantised

SCENARIOS = Path(__file__).resolve().parent.parent / "scenarios"
NOISE = {"real": 0.1, "ternary": 0.2}
"""Of OpenAI-ES on the vowels; tried were 0.05, 0.1 and 0.2 with real weights, 0.1 and 0.2 with ternary ones."""
TASKS: dict[str, dict[str, Any]] = {
    "vowels": {
        "scenario": "japanese_vowels.toml",
        "levels": ["ternary", "int4", "int8"],
        "trained": ["real", "ternary"],
        "overrides": {"strategy": {"kind": "openai_es"}, "stop": {"generations": 1600}},
    },
    "laser": {
        "scenario": "laser.toml",
        "levels": ["ternary", "int4", "int8"],
        "trained": ["real", "ternary", "int4", "int8"],
        "overrides": {
            "network": {"kind": "elman", "n_hidden": 16},
            "problem.parts": {"train": 800, "validation": 200, "test": "rest"},
            "strategy": {"kind": "snes"},
            "stop": {"evaluations": 40000},
        },
    },
    "spikes": {
        "scenario": "japanese_vowels_spikes.toml",
        "seeds": 5,
        "levels": ["ternary", "int8"],
        "trained": ["real", "ternary"],
        "overrides": {"strategy": {"kind": "openai_es"}},
    },
}
"""Strategies, their settings and budgets were chosen on the validation parts of seeds 1 and 2 of vowels and laser."""


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
    plan, form, rows = plan_of(champion), CFormat(), problem.part_rows["test"]
    plan = replace(plan, examples=examples_of(champion, problem))
    expected, inputs = problem.predictions(outputs), problem.original.inputs
    for precision in ("single", "fixed"):
        try:
            said = problem.rows.of(run_in_c(form, plan, inputs, precision))
        except ne.BadInput:  # real weights are on no grid
            continue
        found |= {f"{precision}_{name}": value for name, value in asdict(form.sizes(plan, precision)).items()}
        scaled = (said - problem.scaling.target_offset) / problem.scaling.target_factor
        found[f"{precision}_nmse"] = measure(problem, scaled, "test").nmse
        found[f"{precision}_learned"] = measure(problem, scaled, "test").learned
        found[f"{precision}_difference"] = float(np.abs(said - expected)[rows].max() / np.abs(expected[rows]).max())
    if "fixed_nmse" in found:
        defined = problem.rows.of(FixedPoint(plan).predict(inputs))
        found["fixed_is_its_definition"] = float((defined == said)[rows].all())
    return found


def run_in_c(form: CFormat, plan: Plan, inputs: np.ndarray, precision: str) -> np.ndarray:
    """What the compiled header says, in original units."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.h"
        file.write_bytes(form.files(plan, file, precision)[file])
        return form.outputs(file, [inputs], precision)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=Path, default=Path("results/runs/quantised"))
    parser.add_argument("--out", type=Path, default=Path("results/quantised"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / "quantised.json"
    rows: list[dict[str, Any]] = json.loads(file.read_text()) if file.exists() else []
    for name, task, seed, levels in cells():
        told = {(row["task"], row["seed"], row["weights"]) for row in rows}
        rounded = {f"real, then {level}": level for level in task["levels"] if levels == "real"}
        if {(name, seed, kind) for kind in (levels, *rounded)} <= told:
            continue
        record = trained(task, levels, seed, options.runs / name)
        genome = record.champion.genome
        networks = {levels: genome} | {
            kind: Quantised(level).express(genome[None], record.network, record.problem)[0]
            for kind, level in rounded.items()
        }
        for kind, weights in networks.items():
            if (name, seed, kind) not in told:
                found = {key: float(f"{value:.5g}") for key, value in figures(record, weights).items()}
                rows.append({"task": name, "seed": seed, "weights": kind} | found)
        file.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")
        print(name, levels, seed, rows[-1], flush=True)
    print(table(rows))


def cells() -> Iterator[tuple[str, dict[str, Any], int, str]]:
    """Task, seed and weights of each run, so ordered that all seeds so far make whole tables."""
    for seed in range(1, 11):
        for name, task in TASKS.items():
            for levels in task["trained"] if seed <= task.get("seeds", 10) else []:
                yield name, task, seed, levels


def table(rows: list[dict[str, Any]]) -> str:
    lines = []
    for name in TASKS:
        of_task = [row for row in rows if row["task"] == name]
        kinds = sorted({row["weights"] for row in of_task}, key=lambda kind: ("then" in kind, kind != "real", kind))
        lines += ["", f"| {name} | validation NMSE | test NMSE | test right, % |", "| --- | ---: | ---: | ---: |"]
        for kind in kinds:
            own = [row for row in of_task if row["weights"] == kind]
            values = [spread([row[key] for row in own]) for key in ("validation_nmse", "test_nmse")]
            right = spread([100 * row["test_learned"] for row in own], "{:.1f}")
            lines.append(f"| {kind} | {values[0]} | {values[1]} | {right} |")
        head = "flash | RAM | C beside predict | whole numbers: flash | RAM | beside predict | test NMSE"
        lines += ["", f"| {name} in C | {head} |", "| --- " + "| ---: " * 7 + "|"]
        for kind in kinds:
            own = [row for row in of_task if row["weights"] == kind]
            told = " | ".join(in_c(own, precision) for precision in ("single", "fixed"))
            fixed = [row["fixed_nmse"] for row in own if "fixed_nmse" in row]
            lines.append(f"| {kind} | {told} | {spread(fixed) if fixed else ''} |")
    return "\n".join(lines[1:]) + "\n"


def in_c(rows: list[dict[str, Any]], precision: str) -> str:
    """Flash, RAM, and the largest distance from `predict` over all seeds."""
    own = [row for row in rows if f"{precision}_flash" in row]
    if not own:
        return " | |"
    ram = {row[f"{precision}_state"] + row[f"{precision}_work"] for row in own}
    flash = {row[f"{precision}_flash"] for row in own}
    worst = max(row[f"{precision}_difference"] for row in own)
    return f"{reach(flash)} | {reach(ram)} | {worst:.0e}"


def reach(values: set[float]) -> str:
    """The smallest and the largest."""
    return f"{min(values):g}" if len(values) == 1 else f"{min(values):g}-{max(values):g}"


def spread(values: list[float], form: str = "{:.3g}") -> str:
    """The median, and the smallest and largest."""
    return f"{form.format(statistics.median(values))} ({form.format(min(values))}-{form.format(max(values))})"


if __name__ == "__main__":
    main()

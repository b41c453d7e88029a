"""Causal recursive backpropagation: how near its direction is to the gradient, and what it learns of two systems.

    python benchmarks/crbp.py                      # results/benchmarks/crbp.md

Cosines: a 2-3-1 network of IIR synapses (2 moving-average, 2 autoregressive taps), 25 steps of noise, 2000 random
genomes of which the stable ones count. Systems: noise through a 1-3-1 teacher of the same kind, and NARMA-10; 1500
values to train on, 500 that choose each method's rate, 1000 to test. Ten descents a method from starts of their own,
300 passes, the rate along half a cosine.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import neuroevo as ne  # noqa: E402
from neuroevo.evaluation.learning import Learning  # noqa: E402
from neuroevo.problems import PROBLEMS  # noqa: E402
from neuroevo.settings import parse_settings  # noqa: E402

PASSES, SEEDS, DELAYS = 300, 10, (0, 1, 2, 4, 8, 12, 24)
SIZES = {"train": 1500, "validation": 500, "test": 1000}
STUDENT = {"ma_taps": 2, "ar_taps": 2, "dynamic_output": True}
ONLINE = {"rates": (0.003, 0.01, 0.03, 0.1), "online": True}
WHOLE = {"rates": (0.01, 0.03, 0.1, 0.3), "optimiser": "adam"}
METHODS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "IIR synapses, crbp online, Q = 0 (Back and Tsoi)": ("filters", "crbp", {**ONLINE, "delay": 0}),
    "IIR synapses, crbp online, Q = 4": ("filters", "crbp", {**ONLINE, "delay": 4}),
    "IIR synapses, crbp online, Q = 12": ("filters", "crbp", {**ONLINE, "delay": 12}),
    "IIR synapses, bptt, adam": ("filters", "bptt", WHOLE),
    "Elman, bptt, adam": ("elman", "bptt", WHOLE),
}


def cosines() -> list[str]:
    """Rows of the table: median and deciles of the cosine for each delay."""
    network, rng = ne.LocallyRecurrent(2, 3, 1, **STUDENT), np.random.default_rng(0)
    problem = ne.SequenceProblem(rng.normal(size=(1, 25, 2)), rng.normal(size=(1, 25, 1)))
    genomes = 0.3 * rng.normal(size=(2000, network.n_genes))
    genomes = genomes[[network.largest_pole(genome) < 1 for genome in genomes]]
    lines = [
        f"{len(genomes)} stable genomes.",
        "",
        "| Q | tenth | median | nine tenths |",
        "| ---: | ---: | ---: | ---: |",
    ]
    with ne.LocalEvaluator(network, problem, precision="double") as evaluator:
        exact = evaluator.gradient(genomes)
        for delay in DELAYS:
            found = evaluator.gradient(genomes, learning=Learning("crbp", delay=delay))
            of = (found * exact).sum(1) / np.sqrt((found**2).sum(1) * (exact**2).sum(1))
            lines.append(f"| {delay} | {' | '.join(f'{value:.5f}' for value in np.quantile(of, [0.1, 0.5, 0.9]))} |")
    return lines


def teacher() -> ne.SequenceProblem:
    """Noise through a small network of IIR synapses, with a little noise on what comes out."""
    network, rng = ne.LocallyRecurrent(1, 3, 1, **STUDENT), np.random.default_rng(5)
    genome = 0.6 * rng.normal(size=network.n_genes)
    while not 0.8 < network.largest_pole(genome) < 0.95:
        genome = 0.6 * rng.normal(size=network.n_genes)
    inputs = rng.normal(size=(1, sum(SIZES.values()), 1))
    outputs = network.predict(genome, inputs)
    targets = (outputs - outputs.mean()) / outputs.std() + 0.05 * rng.normal(size=outputs.shape)
    which = np.repeat(list(SIZES), list(SIZES.values()))[None]
    return ne.SequenceProblem(inputs, targets, parts={name: which == name for name in SIZES}, washout=20)


def narma() -> ne.SequenceProblem:
    """NARMA-10 of the same length."""
    parts = {**SIZES, "test": "rest"}
    return parse_settings(PROBLEMS["narma10"], {"n_values": sum(SIZES.values()), "parts": parts}).build(ROOT)


def network_for(name: str, problem: ne.SequenceProblem) -> ne.Network:
    """Networks of 72 and 73 genes."""
    if name == "elman":
        return ne.Elman(problem.n_inputs, 7, 1, skip=True)
    return ne.LocallyRecurrent(problem.n_inputs, 8, 1, **STUDENT)


def learned(problem: ne.SequenceProblem, name: str, kind: str, options: dict[str, Any]) -> tuple[float, Any]:
    """The rate that validation chose, and the test errors of all descents with it."""
    network, best = network_for(name, problem), (np.inf, 0.0, np.empty(0))
    settings = {key: value for key, value in options.items() if key != "rates"}
    variance = {part: float(np.var(problem.target_rows[problem.counted_rows(part)])) for part in SIZES}
    for rate in options["rates"]:
        strategy = ne.make_strategy(
            kind, n_genes=network.n_genes, seed=1, layout=network.layout, population_size=SEEDS, rate=rate,
            schedule="cosine", horizon=PASSES, restart_after=0, **settings,
        )  # fmt: skip
        methods = frozenset({kind})
        with ne.LocalEvaluator(network, problem, n_threads=1, wants=strategy.needs, methods=methods) as evaluator:
            for _ in range(PASSES):
                population = strategy.ask()
                found = evaluator.evaluate(population, wants=strategy.wants, learning=strategy.learning)
                # As in runs: a gradient beyond all numbers says nothing.
                more = {
                    key: np.where(np.isfinite(value).all(axis=1, keepdims=True), value, 0.0)
                    for key, value in found.more.items()
                }
                strategy.tell(population, found.error, **more)
            genomes = strategy.ask()
            errors = {part: evaluator.evaluate(genomes, part).error / variance[part] for part in SIZES}
        if (chosen := float(np.median(errors["validation"]))) < best[0]:
            best = chosen, rate, errors["test"]
    return best[1:]


def main() -> None:
    head = "Made by `python benchmarks/crbp.py`, which says how."
    lines = [
        "# Causal recursive backpropagation",
        "",
        head,
        "",
        "## The cosine between crbp and the exact gradient",
        "",
    ]
    lines += cosines()
    for title, problem in (("noise through a teacher of IIR synapses", teacher()), ("NARMA-10", narma())):
        lines += ["", f"## Normalised test errors after {PASSES} passes: {title}", ""]
        lines += ["| network and method | genes | rate | best | median | worst |"]
        lines += ["| --- | ---: | ---: | ---: | ---: | ---: |"]
        for label, (name, kind, options) in METHODS.items():
            rate, errors = learned(problem, name, kind, options)
            figures = [f"{value:.4f}" for value in np.quantile(errors, [0, 0.5, 1])]
            n_genes = network_for(name, problem).n_genes
            lines.append(f"| {label} | {n_genes} | {rate:g} | {' | '.join(figures)} |")
            print(lines[-1], flush=True)
    (ROOT / "results" / "benchmarks" / "crbp.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

"""How the cost of a gradient grows with the units: BPTT, the hybrid of BPTT and RTRL, and RTRL, on one thread.

    python benchmarks/gradient_costs.py            # into results/benchmarks/gradient_costs.{json,md}

Elman networks of n units on one sequence, in double precision, one block of genomes as wide as a vector. A step should
cost O(n^2) by BPTT, O(n^3) by the hybrid with blocks of n steps, O(n^4) by RTRL: the exponents are fitted by least
squares to the logarithms of the best times from `FIRST` units on, below which what is no product still counts.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.compare_peers import number  # noqa: E402
from benchmarks.gradients import best_times  # noqa: E402
from neuroevo.bench import Workload  # noqa: E402
from neuroevo.bench.timing import environment  # noqa: E402
from neuroevo.evaluation import LocalEvaluator  # noqa: E402
from neuroevo.evaluation.learning import Learning  # noqa: E402

METHODS = {"bptt": (2, "n^2"), "hybrid": (3, "n^3"), "rtrl": (4, "n^4")}
UNITS = (4, 8, 16, 24, 32, 48, 64)
FIRST = 16
N_STEPS = 192
MOST = {"bptt": 64, "hybrid": 64, "rtrl": 48}
"""Units up to which a method is timed: RTRL with 64 would carry half a million derivatives for each genome."""


def calls(n_units, n_genomes):
    workload = Workload("", "elman", n_genomes, 1, N_STEPS, 1, n_units, 1)
    evaluator = LocalEvaluator(
        workload.network(), workload.problem(), n_threads=1, precision="double", wants=frozenset({"gradient"})
    )
    population = workload.population()
    expected = evaluator.gradient(population)
    for method in METHODS:
        if n_units <= MOST[method]:
            learning = Learning(method)
            found = evaluator.gradient(population, learning=learning)
            np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-10 * np.abs(expected).max())
            yield method, lambda learning=learning: evaluator.gradient(population, learning=learning)


def exponent(units, seconds):
    """Slope of the logarithms from `FIRST` units on."""
    chosen = np.array([(n, s) for n, s in zip(units, seconds, strict=True) if n >= FIRST])
    return float(np.polyfit(np.log(chosen[:, 0]), np.log(chosen[:, 1]), 1)[0])


def markdown(report):
    head = " | ".join(f"{method} ({METHODS[method][1]})" for method in METHODS)
    rows = "".join(
        f"| {n} | " + " | ".join(number(times[method]) if method in times else "" for method in METHODS) + " |\n"
        for n, times in report["microseconds_per_step"].items()
    )
    fitted = ", ".join(f"{method} n^{report['exponents'][method]:.2f}" for method in METHODS)
    return f"""# Cost of a gradient against the number of units

Microseconds for one step of {report["n_genomes"]} Elman networks of n units, one sequence of {N_STEPS} steps, double
precision, one thread. Made by `{report["command"]}` on {report["environment"]["processor"]}.

| n | {head} |
|---:|---:|---:|---:|
{rows}
Fitted from {FIRST} units on: {fitted}. The hybrid's blocks are n steps; the gradients of all three are equal.
"""


def main():
    from neuroevo.kernels.processor import LANES

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "benchmarks")
    parser.add_argument("--undisturbed", action="store_true", help="timed calls get real-time priority (Linux, root)")
    options = parser.parse_args()
    n_genomes = LANES["float64"]
    found = {}
    for n_units in UNITS:
        best = best_times(dict(calls(n_units, n_genomes)), options.rounds, options.undisturbed)
        found[n_units] = {method: 1e6 * seconds / N_STEPS for method, seconds in best.items()}
        print(n_units, found[n_units], flush=True)
    report = {
        "command": " ".join(["python benchmarks/gradient_costs.py", *sys.argv[1:]]),
        "environment": environment(),
        "n_genomes": n_genomes,
        "microseconds_per_step": found,
        "exponents": {
            method: exponent(*zip(*[(n, times[method]) for n, times in found.items() if method in times], strict=True))
            for method in METHODS
        },
    }
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "gradient_costs.json").write_text(json.dumps(report, indent=1) + "\n")
    (options.out / "gradient_costs.md").write_text(markdown(report))


if __name__ == "__main__":
    main()

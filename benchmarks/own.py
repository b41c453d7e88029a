"""Time functions of one's own beside what is built in, in one run on one core.

    python benchmarks/own.py                # to results/benchmarks/own.{json,md}
    python benchmarks/own.py --rounds 5

Objectives: the workload batch-elman-32 judged by the squared error, by functions of one step that numba compiles into
the loop, and by a numpy function of all outputs. Simulators: a single pole that sees positions, 1000 steps, built in,
as functions that numba compiles, and as a Python function that plays an episode; a population that balances to the end.
Time is the processor's, of all threads of a call. All take turns, round after round; the best time of each counts,
after a first call that compiles.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import neuroevo as ne  # noqa: E402
from neuroevo.bench.timing import environment  # noqa: E402
from neuroevo.bench.workloads import as_workload  # noqa: E402
from neuroevo.problems.control.compiled import CompiledSimulator  # noqa: E402
from neuroevo.problems.control.own import Simulator  # noqa: E402
from neuroevo.problems.control.poles import SinglePole  # noqa: E402
from neuroevo.problems.objectives import Own, PerStep, Squared  # noqa: E402
from neuroevo.strategies import STRATEGIES  # noqa: E402

PLACE = "benchmarks.peers.own_functions"
WORKLOAD = "batch-elman-32"
OBJECTIVES = {
    "squared error, built in": Squared(),
    "squared error, a function of one step": PerStep(f"{PLACE}:squared"),
    "squared, three times where too high": PerStep(f"{PLACE}:overshooting"),
    "\\|d\\| / (1 + \\|d\\|)": PerStep(f"{PLACE}:bounded"),
    "log cosh d": PerStep(f"{PLACE}:log_cosh"),
    "squared error, numpy on all outputs": Own(f"{PLACE}:squared_in_numpy"),
}
N_STEPS = 1000
SIZES = {"n_inputs": 2, "n_outputs": 1, "n_train": 1, "n_test": 0}
POLES = {
    "built in": SinglePole(n_steps=N_STEPS),
    "functions that numba compiles": CompiledSimulator(functions=f"{PLACE}:Pole", n_state=4, n_steps=N_STEPS, **SIZES),
    "a Python function": Simulator(function=f"{PLACE}:pole", **SIZES),
}


def balancing(network, n=64):
    """Genomes that balance the pole to the end, each a little different."""
    strategy = STRATEGIES["cma_es"]
    search = strategy(strategy.Settings(step_size=1.0), n_genes=network.n_genes, seed=0)
    with ne.LocalEvaluator(network, POLES["built in"], n_threads=1, precision="double") as evaluator:
        for _ in range(1000):
            genomes = search.ask()
            error = evaluator.evaluate(genomes).error
            search.tell(genomes, error)
            noise = 1e-3 * np.random.default_rng(0).standard_normal((n, network.n_genes))
            near = genomes[error.argmin()] * (1 + noise)
            if evaluator.evaluate(near).error.max() == 0:
                return near
    raise SystemExit("no search has balanced the pole")


def seconds(evaluator, genomes):
    start = time.process_time()
    evaluator.evaluate(genomes)
    return time.process_time() - start


def measured(network, problems, precision, populations, rounds):
    """Best seconds of each problem for its population."""
    evaluators = {
        name: ne.LocalEvaluator(network, problem, n_threads=1, precision=precision)
        for name, problem in problems.items()
    }
    errors = {name: one.evaluate(populations[name]).error for name, one in evaluators.items()}
    best = dict.fromkeys(evaluators, np.inf)
    for _ in range(rounds):
        for name, one in evaluators.items():
            best[name] = min(best[name], seconds(one, populations[name]))
    for one in evaluators.values():
        one.close()
    return best, errors


def objectives(rounds):
    """Precision to objective to milliseconds."""
    workload = as_workload(WORKLOAD)
    plain, genomes = workload.problem(), workload.population()
    problems = {
        name: ne.SequenceProblem(plain.inputs, plain.targets, objective=objective)
        for name, objective in OBJECTIVES.items()
    }
    found = {}
    for precision in ("single", "double"):
        populations = dict.fromkeys(problems, genomes)
        best, errors = measured(workload.network(), problems, precision, populations, rounds)
        built_in = errors["squared error, built in"]
        for name in errors:
            if name.startswith("squared error"):
                np.testing.assert_allclose(errors[name], built_in, rtol=1e-5)
        found[precision] = {name: 1e3 * value for name, value in best.items()}
    return found


def simulators(rounds):
    """Precision to simulator to steps a second of one network."""
    network = ne.Elman(2, 3, 1, output_activation="tanh")
    genomes, found = balancing(network), {}
    for precision in ("single", "double"):
        populations = {name: genomes[:4] if "Python" in name else genomes for name in POLES}
        best, errors = measured(network, POLES, precision, populations, rounds)
        for name, error in errors.items():
            assert error.max() == 0, f"{name} plays another game"
        found[precision] = {name: N_STEPS * len(populations[name]) / value for name, value in best.items()}
    return found


def table(rows, heads):
    return [
        f"| {' | '.join(heads)} |",
        "| --- |" + " ---: |" * (len(heads) - 1),
        *(f"| {' | '.join(row)} |" for row in rows),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "benchmarks")
    arguments = parser.parse_args()
    times, rates = objectives(arguments.rounds), simulators(max(3, arguments.rounds // 4))
    precisions = ("single", "double")
    first = {precision: times[precision]["squared error, built in"] for precision in precisions}
    rows = [
        [name, *(text for p in precisions for text in (f"{times[p][name]:.1f}", f"{times[p][name] / first[p]:.2f}"))]
        for name in OBJECTIVES
    ]
    heads = ["d = output - target", "single, ms", "of the built-in", "double, ms", "of the built-in"]
    lines = [f"# Objectives of one's own: one evaluation of {WORKLOAD} on one core", "", *table(rows, heads)]
    rows = [[name, *(f"{rates[p][name]:.3g}" for p in precisions)] for name in POLES]
    lines += ["", "# Simulators of one's own: steps of a single pole a second, with its network, on one core", ""]
    lines += table(rows, ["", *precisions])
    machine = ", ".join(f"{name} {value}" for name, value in environment().items())
    text = "\n".join([*lines, "", f"`python benchmarks/own.py --rounds {arguments.rounds}`; {machine}", ""])
    print(text)
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "own.md").write_text(text, encoding="utf-8")
    report = {"environment": environment(), "milliseconds": times, "steps_per_second": rates}
    (arguments.out / "own.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

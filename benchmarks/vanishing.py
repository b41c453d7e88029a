"""Long time lags: which method learns them in equal processor time, and what becomes of the error signal on the way.

    nice python benchmarks/vanishing.py run            # to results/runs/vanishing; goes on where it was stopped
    nice python benchmarks/vanishing.py flow           # norms of the error signal, from the champions of `run`
    python benchmarks/vanishing.py report              # results/vanishing: README.md, success.json, pictures

Tasks of Hochreiter and Schmidhuber 1997 (adding, temporal order of two symbols, two-sequence or latch problem), whose
sequences have T to 1.1 T steps. A run has some hundreds of training sequences of its own, drawn once, and a budget of
processor seconds on one thread, which pays for everything: the strategy, training errors and derivatives, and the
validation error of each new incumbent. It ends early when all validation sequences are right. The champion, by
validation error, is measured on 1000 fresh sequences; a sequence is right by the paper's own criterion, and a run is a
success where 98 % of them are, which 200 right validation sequences foretell.

Kernels are compiled and loaded before the clock starts. The rate of the gradient methods is the best of three on the
validation sequences of seeds that are not among the 20. RTRL is run where some dozens of generations fit into the
budget.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

import neuroevo as ne
from neuroevo.problems import PROBLEMS
from neuroevo.strategies import make_strategy

ROOT = Path(__file__).parents[1]
RUNS = ROOT / "results" / "runs" / "vanishing" / "runs.jsonl"
RESULTS = ROOT / "results" / "vanishing"
SEEDS = range(1, 21)
PILOTS = range(101, 104)
RATES = (0.003, 0.01, 0.03)
#: Task to the seconds of a run, training sequences, and further keys of the problem.
TASKS: dict[str, tuple[float, int, dict[str, Any]]] = {
    "latch": (2.0, 200, {}),
    "temporal_order": (3.0, 200, {}),
    "adding": (3.0, 300, {}),
}
METHODS = ("bptt", "rtrl", "levenberg_marquardt", "genetic_algorithm", "cma_es", "snes", "memetic")
#: Network, task and T, most wanted first.
CELLS: tuple[tuple[str, str, int], ...] = (
    *(("lstm", task, 10) for task in ("latch", "temporal_order")),
    ("lstm", "latch", 100),
    *(("elman", "latch", length) for length in (10, 100)),
    ("lstm", "adding", 10),
    ("lstm", "latch", 1000),
    ("lstm", "temporal_order", 100),
    ("lstm", "latch", 30),
    ("lstm", "temporal_order", 30),
    ("lstm", "adding", 30),
    *((network, task, 30) for network in ("elman",) for task in ("latch", "temporal_order")),
    *(("elman", "temporal_order", length) for length in (10, 100)),
    *((network, task, 300) for network in ("lstm", "elman") for task in ("latch", "temporal_order")),
    *((network, "temporal_order", 1000) for network in ("lstm", "elman")),
    ("elman", "latch", 1000),
    *(("lstm", "adding", length) for length in (100, 300, 1000)),
    *(("elman", "adding", length) for length in (10, 30, 100)),
)
#: Those whose champions by BPTT `flow` measures.
FLOW = tuple((network, "latch", 30) for network in ("lstm", "elman", "lstm_1997"))


def methods_of(task: str, length: int) -> list[str]:
    """The methods that get somewhere within a budget."""
    slow = length > 10 or task == "adding"
    return [method for method in METHODS if method != "rtrl" or not slow]


def problem_of(task: str, length: int, n_train: int, n_test: int, seed: int) -> ne.SequenceProblem:
    keys = {**TASKS[task][2], "min_length": length, "n_train": n_train, "n_validation": 200, "n_test": n_test}
    problem = PROBLEMS[task](**keys, data_seed=seed).build(Path())
    assert isinstance(problem, ne.SequenceProblem)
    return problem


def network_of(name: str, problem: ne.SequenceProblem) -> ne.Network:
    """LSTMs of 4 cells, as in the paper, and an Elman network with about as many weights."""
    if name == "elman":
        return ne.Elman(problem.n_inputs, 8, problem.n_outputs)
    return ne.Lstm(problem.n_inputs, 4, problem.n_outputs, forget_gate=name == "lstm")


def strategy_of(method: str, network: ne.Network, seed: int, rate: float | None) -> Any:
    """The method with its defaults, but for the rate and sizes that fill the lanes of a processor's vectors."""
    keys: dict[str, Any] = {}
    if method == "bptt":
        keys = {"population_size": 16, "optimiser": "adam", "rate": rate}
    elif method == "rtrl":
        keys = {"population_size": 8, "optimiser": "adam", "rate": rate}
    elif method == "levenberg_marquardt":
        keys = {"population_size": 8}
    elif method == "memetic":
        keys = {"search": {"kind": "snes"}, "share": 0.8}
        keys["descent"] = {"kind": "bptt", "optimiser": "adam", "rate": rate}
    return make_strategy(method, n_genes=network.n_genes, seed=seed, layout=network.layout, **keys)


def evaluator_of(network: ne.Network, problem: ne.SequenceProblem, strategy: Any) -> ne.LocalEvaluator:
    methods = strategy.methods if strategy.needs else frozenset()
    return ne.LocalEvaluator(network, problem, n_threads=1, wants=strategy.needs, methods=methods)


def generation(strategy: Any, evaluator: ne.LocalEvaluator) -> None:
    population, wants = strategy.ask(), strategy.wants
    found = evaluator.evaluate(population, "train", wants, learning=strategy.learning if wants else None)
    strategy.tell(population, found.error, **{name: found.more[name] for name in wants})


@cache
def load(name: str, task: str, method: str) -> None:
    """Compile or load all that a run needs, by a short one."""
    problem = problem_of(task, 10, 20, 1, 0)
    network = network_of(name, problem)
    strategy = strategy_of(method, network, 0, 0.01)
    with evaluator_of(network, problem, strategy) as evaluator:
        for _ in range(25 if method == "memetic" else 2):
            generation(strategy, evaluator)
        evaluator.evaluate(strategy.incumbent[0][None], "validation")


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Carry out one run."""
    name, task, length, method, seed = (job[key] for key in ("network", "task", "length", "method", "seed"))
    budget, n_train, _ = TASKS[task]
    load(name, task, method)
    problem = problem_of(task, length, n_train, 1000, seed)
    network = network_of(name, problem)
    best: dict[str, Any] = {"error": np.inf, "right": 0.0}
    with evaluator_of(network, problem, strategy := strategy_of(method, network, seed, job["rate"])) as evaluator:
        evaluator.compile()
        begun, known, n = time.process_time(), np.inf, 0
        while time.process_time() - begun < budget and best["right"] < 1:
            generation(strategy, evaluator)
            n += 1
            genome, error = strategy.incumbent
            if error < known:
                known, found = error, evaluator.evaluate(genome[None], "validation")
                if found.error[0] < best["error"]:
                    best = {"error": float(found.error[0]), "right": float(found.learned[0]), "genome": genome.copy()}
        seconds = time.process_time() - begun
        fresh = evaluator.evaluate(best["genome"][None], "test")
    row = {
        **job,
        "seconds": round(seconds, 3),
        "generations": n,
        "training_error": known,
        "validation_error": best["error"],
        "validation_right": best["right"],
        "right": float(fresh.learned[0]),
        "error": float(fresh.error[0]),
    }
    return row | ({"genome": best["genome"].tolist()} if (method, length) == ("bptt", 30) else {})


def rows_of(path: Path) -> list[dict[str, Any]]:
    """The runs in the file; of one that was carried out twice, the first."""
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        row = json.loads(line)
        rows.setdefault(key_of(row), row)
    return list(rows.values())


def key_of(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[key] for key in ("network", "task", "length", "method", "seed", "rate"))


def needs_rate(method: str) -> bool:
    return method in ("bptt", "rtrl", "memetic")


def best_rate(rows: list[dict[str, Any]], network: str, task: str, length: int) -> float:
    """The rate with the most right validation sequences on the pilot seeds; the quickest of those."""

    def merit(rate: float) -> tuple[float, float]:
        mine = [row for row in rows if key_of(row)[:4] == (network, task, length, "bptt") and row["rate"] == rate]
        mine = [row for row in mine if row["seed"] in PILOTS]
        return sum(row["validation_right"] for row in mine), -sum(row["seconds"] for row in mine)

    return max(RATES, key=merit)


def study(path: Path, processes: int, tasks: list[str]) -> None:
    """All runs of some tasks that are missing, cell by cell; each is written as it ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with multiprocessing.get_context("spawn").Pool(processes) as pool:

        def carry_out(jobs: list[dict[str, Any]]) -> None:
            done = {key_of(row) for row in rows_of(path)}
            for row in pool.imap_unordered(run, [job for job in jobs if key_of(job) not in done]):
                with path.open("a") as file:
                    file.write(json.dumps(row) + "\n")

        flows = [(cell, ["bptt"]) for cell in FLOW]
        whole = [(cell, methods_of(*cell[1:])) for cell in CELLS]
        for (network, task, length), methods in (*whole[:2], *flows, *whole[2:]):
            if task not in tasks:
                continue
            cell = {"network": network, "task": task, "length": length}
            carry_out([{**cell, "method": "bptt", "seed": seed, "rate": rate} for rate in RATES for seed in PILOTS])
            rate = best_rate(rows_of(path), network, task, length)
            carry_out(
                [
                    {**cell, "method": method, "seed": seed, "rate": rate if needs_rate(method) else None}
                    for method in methods
                    for seed in SEEDS
                ]
            )
            print(time.strftime("%H:%M:%S"), network, task, length, "rate", rate, flush=True)


def flow(path: Path, out: Path) -> None:
    """Norms by lag on fresh sequences of the latch problem, of 20 networks at the start and as many trained by BPTT."""
    from benchmarks.error_flow import difference, largest_singular_value, norms

    trained = [row for row in rows_of(path) if "genome" in row and (row["network"], row["task"], row["length"]) in FLOW]
    champions = {(row["network"], row["seed"]): row for row in trained}
    found: dict[str, Any] = {"start": {}, "trained": {}}
    for name in ("elman", "lstm", "lstm, forget bias 1", "lstm_1997"):
        for when in ("start", "trained") if "bias" not in name else ("start",):
            curves, largest, apart, right = [], [], [], []
            for seed in SEEDS:
                problem = problem_of("latch", 100, 1, 20, 1000 + seed)
                network = network_of(name.partition(",")[0], problem)
                if when == "trained":
                    genome = np.array(champions[name, seed]["genome"])
                    right.append(champions[name, seed]["right"])
                else:
                    genome = strategy_of("bptt", network, seed, 0.01).ask()[0]
                if "bias" in name:
                    arrays = {key: array.copy() for key, array in network.layout.decode(genome).items()}
                    arrays["bias_l0"][network.n_hidden : 2 * network.n_hidden] += 1.0
                    genome = network.layout.encode(arrays)
                tests = [problem.inputs[n, : problem.lengths[n]] for n in range(201, 221)]
                each = np.array([norms(network, genome, inputs)[:100] for inputs in tests])
                curves.append(np.median(each / each[:, :1], axis=0))
                apart.append(difference(network, genome, tests[0][:30]))
                if name == "elman":
                    largest.append(largest_singular_value(network, genome))
            quartiles = np.quantile(curves, (0.25, 0.5, 0.75), axis=0)
            found[when][name] = {
                "norms": [[float(f"{value:.3g}") for value in row] for row in quartiles],
                "from_the_adjoint": max(apart),
                **({"singular_value": np.quantile(largest, (0.25, 0.5, 0.75)).round(3).tolist()} if largest else {}),
                **({"successes": sum(share >= 0.98 for share in right)} if right else {}),
            }
            print(when, name, found[when][name]["norms"][1][::33], max(apart), flush=True)
    out.mkdir(parents=True, exist_ok=True)
    (out / "flow.json").write_text(json.dumps(found) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("run", "flow", "report"))
    parser.add_argument("--runs", type=Path, default=RUNS)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--tasks", nargs="+", choices=tuple(TASKS), default=list(TASKS))
    arguments = parser.parse_args()
    if arguments.what == "run":
        study(arguments.runs, arguments.processes, arguments.tasks)
    elif arguments.what == "flow":
        flow(arguments.runs, arguments.results)
    else:
        from benchmarks.vanishing_report import write

        measured = json.loads((arguments.results / "flow.json").read_text())
        write(rows_of(arguments.runs), SEEDS, TASKS, methods_of, measured, arguments.results)


if __name__ == "__main__":
    main()

"""Champions trained on free runs against those trained one step ahead, for results/closed_loop.

    python benchmarks/closed_loop.py chaos mackey_glass     # about twenty minutes; writes chaos_mackey_glass.json
    python benchmarks/closed_loop.py chaos lorenz
    python benchmarks/closed_loop.py real                   # about five minutes; writes real.json
    python benchmarks/closed_loop.py report                 # pictures and tables from these

Chaos: 1700 values, 800 train, 300 validate, 600 test; a GRU of 6 units that sees one value, CMA-ES with 4000
generations, 10 seeds, the champion by validation of its own objective. Three ways: one step ahead; free runs; the first
half of the generations one step ahead and the second, from that champion, free runs. Real series: 60 % train, 20 %
validate, 20 % test, a GRU of 4 units on top of ridge regression, SNES with 24 genomes and 300 generations, 5 seeds.
Networks and settings were chosen on the validation parts; the test parts are read in `judged` alone.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HERE))

import neuroevo as ne  # noqa: E402
from benchmarks.closed_loop_report import report  # noqa: E402
from neuroevo.problems import PROBLEMS  # noqa: E402
from neuroevo.problems.free_running.baselines import competitors_running  # noqa: E402
from neuroevo.settings import parse_settings  # noqa: E402

DATA, OUT = HERE / "scenarios" / "data", HERE / "results" / "closed_loop"
SEEDS, REAL_SEEDS = range(1, 11), range(1, 6)
PARTS = {"train": 800, "validation": 300, "test": "rest"}
CHAOS: dict[str, dict[str, Any]] = {
    "mackey_glass": {"discard": 200, "n_values": 1700, "parts": PARTS, "scaling": "standard"},
    "lorenz": {"discard": 1000, "n_values": 1700, "time_step": 0.03, "parts": PARTS, "scaling": "standard"},
}
TRAINED = {"mackey_glass": 40, "lorenz": 25}
"""Steps of the free runs of training."""
WASHOUT, LONG, GENERATIONS = 30, 100, 4000
REAL: dict[str, dict[str, Any]] = {
    "El Nino": {"file": "elnino_sst_monthly.csv", "time": ["year", "month"], "input": "sst_c"},
    "CO2, weekly": {"file": "co2_weekly.csv", "time": "date", "input": "co2_ppm"},
    "sunspots, monthly": {"file": "sunspots_monthly.csv", "time": ["year", "month"], "input": "sunspots"},
}
REAL_STEPS = {"El Nino": 24, "CO2, weekly": 52, "sunspots, monthly": 36}


def made(kind: str, settings: dict[str, Any], **more: Any) -> ne.SequenceProblem:
    problem: ne.SequenceProblem = parse_settings(PROBLEMS[kind], {**settings, **more}).build(DATA)
    return problem


def search(
    problem: ne.SequenceProblem, network: ne.Network, kind: str, generations: int, seed: int, **more: Any
) -> tuple[float, np.ndarray]:
    """Validation error and genome of the incumbent with the smallest one."""
    evaluator = ne.LocalEvaluator(network, problem, n_threads=1)
    strategy = ne.make_strategy(kind, n_genes=network.n_genes, seed=seed, layout=network.layout, **more)
    incumbent, chosen = np.inf, (np.inf, np.zeros(network.n_genes))
    for _ in range(generations):
        population = strategy.ask()
        found = evaluator.evaluate(population)
        best = int(np.argmin(found.error))
        if found.error[best] < incumbent:
            incumbent = float(found.error[best])
            validated = float(evaluator.evaluate(population[best : best + 1], "validation").error[0])
            if validated < chosen[0]:
                chosen = validated, population[best].copy()
        strategy.tell(population, found.error)
    return chosen


def by_step(problem: ne.SequenceProblem, network: ne.Network, genome: np.ndarray, part: str) -> list[float]:
    """Root mean squared error of each step of the free runs, original units."""
    outputs = problem.free_runs.outputs(network, genome, part)
    return _of_steps(problem, problem.free_runs.problem_of(part).predictions(outputs), part)


def _of_steps(problem: ne.SequenceProblem, predicted: np.ndarray, part: str) -> list[float]:
    runs = problem.free_runs
    misses = (predicted - runs.problem_of(part).original.target_rows).reshape(len(runs.origins[part]), -1)
    with np.errstate(over="ignore"):
        return np.sqrt((misses**2).mean(axis=0)).tolist()


def simple(problem: ne.SequenceProblem, part: str) -> dict[str, list[float]]:
    found = competitors_running(problem, part)
    return {name: _of_steps(problem, predicted, part) for name, predicted in found.items()}


def judged(problem: ne.SequenceProblem, network: ne.Network, genome: np.ndarray) -> dict[str, list[float]]:
    return {part: by_step(problem, network, genome, part) for part in ("validation", "test")}


def chaos(name: str) -> None:
    settings, steps = CHAOS[name], TRAINED[name]
    one = made(name, settings)
    free = made(name, settings, free_run={"steps": steps, "every": steps // 2, "washout": WASHOUT})
    long = made(name, settings, free_run={"steps": LONG, "every": 10, "washout": WASHOUT})
    network, rows = ne.Gru(1, 6, 1), []
    deviation = float(one.original.target_rows[one.part_rows["test"]].std())
    for seed in SEEDS:
        begun = perf_counter()
        ways = {"one step ahead": search(one, network, "cma_es", GENERATIONS, seed)[1]}
        times = [perf_counter() - begun]
        ways["free runs"] = search(free, network, "cma_es", GENERATIONS, seed)[1]
        times.append(perf_counter() - begun - sum(times))
        half = search(one, network, "cma_es", GENERATIONS // 2, seed)[1]
        start = {"initial": half[None], "step_size": 0.1}
        ways["first one step, then free"] = search(free, network, "cma_es", GENERATIONS // 2, seed, **start)[1]
        times.append(perf_counter() - begun - sum(times))
        for (way, genome), seconds in zip(ways.items(), times, strict=True):
            found = judged(long, network, genome)
            rows.append({"seed": seed, "way": way, "seconds": round(seconds, 1), **found})
            print(name, seed, way, f"{seconds:.0f} s", *(f"{found['validation'][k - 1]:.3g}" for k in (1, 10, 50, 100)))
        _write(f"chaos_{name}", {"deviation": deviation, "runs": rows, "simple": simple(long, "test")})


def real() -> None:
    found: dict[str, Any] = {}
    for name, settings in REAL.items():
        n_rows = made("series", settings).rows.n_rows + 1
        n_train, n_validation, steps = int(0.6 * n_rows), int(0.2 * n_rows), REAL_STEPS[name]
        parts = {"train": n_train, "validation": n_validation, "test": "rest"}
        whole = {**settings, "parts": parts, "residual": "linear"}
        one = made("series", whole)
        free = made("series", whole, free_run={"steps": steps, "every": steps // 2, "washout": WASHOUT})
        long = made("series", whole, free_run={"steps": steps, "every": 3, "washout": WASHOUT})
        network, rows = ne.Gru(1, 4, 1), []
        for seed in REAL_SEEDS:
            for way, problem in (("one step ahead", one), ("free runs", free)):
                genome = search(problem, network, "snes", 300, seed, population_size=24)[1]
                rows.append({"seed": seed, "way": way, **judged(long, network, genome)})
        competitors = {part: simple(long, part) for part in ("validation", "test")}
        found[name] = {"runs": rows, "simple": competitors, "n_test": len(long.free_runs.origins["test"])}
        print(
            name,
            *(
                np.median([np.mean(r["validation"]) for r in rows if r["way"] == w])
                for w in ("one step ahead", "free runs")
            ),
        )
        _write("real", found)


def _write(name: str, content: Any) -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / f"{name}.json").write_text(json.dumps(content, indent=None) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["chaos", "real", "report"])
    parser.add_argument("name", nargs="?", choices=list(CHAOS))
    given = parser.parse_args()
    if given.what == "chaos":
        chaos(given.name or "mackey_glass")
    elif given.what == "real":
        real()
    else:
        report(OUT)


if __name__ == "__main__":
    main()

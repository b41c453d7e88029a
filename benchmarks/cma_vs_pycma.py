"""CMA-ES against pycma: evaluations to 1e-8 from the same starts, and success on Rastrigin with IPOP restarts.

    python benchmarks/cma_vs_pycma.py --out results/benchmarks/cma_vs_pycma.json

Both start from the same mean and step size and count whole generations. pycma is Hansen's own implementation.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from neuroevo.strategies import make_strategy

TARGET = 1e-8
RESTART_WIDTH = 2.0

Function = Callable[[np.ndarray], np.ndarray]


def sphere(x: np.ndarray) -> np.ndarray:
    return np.square(x).sum(axis=1)


def ellipsoid(x: np.ndarray) -> np.ndarray:
    return np.square(x) @ 1e6 ** (np.arange(x.shape[1]) / (x.shape[1] - 1))


def rosenbrock(x: np.ndarray) -> np.ndarray:
    return (100 * np.square(x[:, 1:] - np.square(x[:, :-1])) + np.square(1 - x[:, :-1])).sum(axis=1)


def rastrigin(x: np.ndarray) -> np.ndarray:
    return 10 * x.shape[1] + (np.square(x) - 10 * np.cos(2 * np.pi * x)).sum(axis=1)


def start(name: str, n: int, seed: int) -> tuple[np.ndarray, float]:
    """Mean and step size: Rosenbrock from near the origin, since far away it has a second minimum."""
    rng = np.random.default_rng(10_000 + seed)
    if name == "rosenbrock":
        return 0.1 * rng.standard_normal(n), 0.5
    return rng.uniform(-5, 5, n), 2.0


def ours(f: Function, mean: np.ndarray, sigma: float, seed: int, budget: int) -> tuple[int, float]:
    strategy = make_strategy(
        "cma_es", n_genes=len(mean), seed=seed, initial=mean, step_size=sigma, restart_width=RESTART_WIDTH
    )
    n_evaluations = 0
    while n_evaluations < budget and (n_evaluations == 0 or strategy.incumbent[1] > TARGET):
        population = strategy.ask()
        strategy.tell(population, f(population))
        n_evaluations += len(population)
    return n_evaluations, strategy.incumbent[1]


def pycma(f: Function, mean: np.ndarray, sigma: float, seed: int, budget: int, *, restarts: int) -> tuple[int, float]:
    import cma

    rng = np.random.default_rng(20_000 + seed)
    first = True

    def x0() -> np.ndarray:
        nonlocal first
        here = mean if first else mean + RESTART_WIDTH * rng.standard_normal(len(mean))
        first = False
        return here

    options = {"ftarget": TARGET, "maxfevals": budget, "seed": seed + 1, "verbose": -9}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, es = cma.fmin2(
            None,
            x0,
            sigma,
            options,
            restarts=restarts,
            parallel_objective=lambda xs: f(np.asarray(xs)).tolist(),
            eval_initial_x=False,
        )
    return int(es.result.evaluations), float(es.result.fbest)


def measure(f: Function, n: int, n_seeds: int, *, budget: int, restarts: int) -> dict[str, object]:
    name = f.__name__
    row: dict[str, object] = {"function": name, "n_genes": n, "n_seeds": n_seeds, "budget": budget}
    for who in ("neuroevo", "pycma"):
        results = []
        began = time.perf_counter()
        for seed in range(n_seeds):
            mean, sigma = start(name, n, seed)
            if who == "neuroevo":
                results.append(ours(f, mean, sigma, seed, budget))
            else:
                results.append(pycma(f, mean, sigma, seed, budget, restarts=restarts))
        solved = [count for count, best in results if best <= TARGET]
        row[who] = {
            "solved": len(solved),
            "median_evaluations": float(np.median(solved)) if solved else None,
            "quartiles": np.percentile(solved, [25, 75]).tolist() if solved else None,
            "seconds": round(time.perf_counter() - began, 1),
            "evaluations": [count for count, _ in results],
        }
    mine, theirs = row["neuroevo"], row["pycma"]
    ratio = mine["median_evaluations"] / theirs["median_evaluations"] if theirs["solved"] and mine["solved"] else None
    row["ratio_of_medians"] = ratio
    print(
        f"{name:11s} n={n:3d}  neuroevo {mine['median_evaluations']} ({mine['solved']}/{n_seeds}, {mine['seconds']} s)"
        f"  pycma {theirs['median_evaluations']} ({theirs['solved']}/{n_seeds}, {theirs['seconds']} s)  ratio {ratio}",
        flush=True,
    )
    return row


def markdown(rows: list[dict[str, object]]) -> str:
    lines = [
        "| function | genes | solved | median evaluations | quartiles | pycma solved | median | quartiles | ratio |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        cells = [row["function"], row["n_genes"]]
        for who in ("neuroevo", "pycma"):
            own = row[who]
            low, high = own["quartiles"] or (0, 0)
            cells += [
                f"{own['solved']}/{row['n_seeds']}",
                f"{own['median_evaluations']:.0f}",
                f"{low:.0f} to {high:.0f}",
            ]
        lines.append(f"| {' | '.join(map(str, cells))} | {row['ratio_of_medians']:.3f} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--seeds", type=int, default=25)
    arguments = parser.parse_args()
    import cma

    rows = [
        measure(f, n, arguments.seeds, budget=400_000, restarts=0)
        for f in (sphere, ellipsoid, rosenbrock)
        for n in (10, 40)
    ]
    # Budgets at which about half of pycma's runs succeed, so that a difference could show.
    rows += [
        measure(rastrigin, n, 4 * arguments.seeds, budget=budget, restarts=9)
        for n, budget in ((5, 20_000), (10, 80_000))
    ]
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        head = {"target": TARGET, "pycma": cma.__version__, "numpy": np.__version__, "machine": platform.processor()}
        arguments.out.write_text(json.dumps({**head, "rows": rows}, indent=1) + "\n", encoding="utf-8")
        heading = f"# CMA-ES against pycma {cma.__version__}: evaluations to 1e-8\n\n"
        arguments.out.with_suffix(".md").write_text(heading + markdown(rows), encoding="utf-8")


if __name__ == "__main__":
    main()

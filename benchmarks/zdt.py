"""NSGA-II against DEAP's own, and pymoo's where it is installed, on ZDT 1 to 3: hypervolume and time.

    python benchmarks/zdt.py --out results/benchmarks/zdt.json

All have 30 variables in [0, 1], a population of 100, 25 000 evaluations, simulated binary crossover (0.9, index 20) and
polynomial mutation (1 / 30, index 20). DEAP's loop is that of its own example, examples/ga/nsga2.py. The functions are
E. Zitzler, K. Deb, L. Thiele: Comparison of multiobjective evolutionary algorithms: empirical results. Evolutionary
Computation 8 (2000), 173-195.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import platform
import random
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from neuroevo.strategies import make_strategy
from neuroevo.strategies.nsga2.hypervolume import hypervolume

N_VARIABLES, SIZE, N_GENERATIONS = 30, 100, 250
CORNER = (1.1, 1.1)

Function = Callable[[np.ndarray], np.ndarray]


def _zdt(h: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Function:
    def goals(x: np.ndarray) -> np.ndarray:
        g = 1 + 9 * x[:, 1:].mean(axis=1)
        return np.stack([x[:, 0], g * h(x[:, 0], g)], axis=1)

    return goals


FUNCTIONS: dict[str, Function] = {
    "zdt1": _zdt(lambda f, g: 1 - np.sqrt(f / g)),
    "zdt2": _zdt(lambda f, g: 1 - (f / g) ** 2),
    "zdt3": _zdt(lambda f, g: 1 - np.sqrt(f / g) - f / g * np.sin(10 * np.pi * f)),
}


def ours(name: str, seed: int) -> np.ndarray:
    strategy = make_strategy(
        "nsga2", n_genes=N_VARIABLES, seed=seed, bounds=(0.0, 1.0), goals=["first", "second"], population_size=SIZE,
        start="uniform", start_width=1.0,
    )  # fmt: skip
    for _ in range(N_GENERATIONS):
        population = strategy.ask()
        goals = FUNCTIONS[name](population)
        strategy.tell(population, goals[:, 0], goals=goals)
    return strategy.front()[2]


def deap(name: str, seed: int) -> np.ndarray:
    from deap import base, benchmarks, creator, tools

    if not hasattr(creator, "Found"):
        creator.create("Smallest", base.Fitness, weights=(-1.0, -1.0))
        creator.create("Found", list, fitness=creator.Smallest)
    random.seed(seed)
    evaluate = getattr(benchmarks, name)
    population = [creator.Found(random.random() for _ in range(N_VARIABLES)) for _ in range(SIZE)]
    box = {"low": 0.0, "up": 1.0, "eta": 20.0}

    def judge(individuals: list) -> list:
        for individual in individuals:
            if not individual.fitness.valid:
                individual.fitness.values = evaluate(individual)
        return individuals

    population = tools.selNSGA2(judge(population), SIZE)  # for the crowding distances that the tournament reads
    for _ in range(1, N_GENERATIONS):
        children = [creator.Found(parent) for parent in tools.selTournamentDCD(population, SIZE)]
        for first, second in zip(children[::2], children[1::2], strict=True):
            if random.random() <= 0.9:
                tools.cxSimulatedBinaryBounded(first, second, **box)
            for child in (first, second):
                tools.mutPolynomialBounded(child, indpb=1.0 / N_VARIABLES, **box)
        population = tools.selNSGA2(population + judge(children), SIZE)
    return np.array([individual.fitness.values for individual in population])


def pymoo(name: str, seed: int) -> np.ndarray:
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.operators.crossover.sbx import SBX
    from pymoo.operators.mutation.pm import PM
    from pymoo.optimize import minimize
    from pymoo.problems import get_problem

    algorithm = NSGA2(pop_size=SIZE, crossover=SBX(prob=0.9, eta=20), mutation=PM(eta=20, prob_var=1 / N_VARIABLES))
    found = minimize(get_problem(name), algorithm, ("n_gen", N_GENERATIONS), seed=seed, verbose=False)
    return np.asarray(found.F)


TOOLS = {"neuroevo": ours, "deap": deap, "pymoo": pymoo}


def measured(n_seeds: int, tools: list[str]) -> dict[str, dict[str, dict[str, list[float]]]]:
    """For each function and tool the hypervolumes and seconds of all seeds; tools take turns."""
    found = {name: {tool: {"hypervolume": [], "seconds": []} for tool in tools} for name in FUNCTIONS}
    for name in FUNCTIONS:
        for seed in range(1, n_seeds + 1):
            for tool in tools:
                begun = time.perf_counter()
                front = TOOLS[tool](name, seed)
                found[name][tool]["seconds"].append(time.perf_counter() - begun)
                found[name][tool]["hypervolume"].append(hypervolume(front, CORNER))
    return found


def table(found: dict) -> str:
    tools = list(next(iter(found.values())))
    lines = ["| function | tool | hypervolume, median | smallest to largest | beside DEAP | seconds, median |"]
    lines.append("|---|---|---:|---|---:|---:|")
    for name, by_tool in found.items():
        deap_median = np.median(by_tool["deap"]["hypervolume"])
        for tool in tools:
            volumes, seconds = by_tool[tool]["hypervolume"], by_tool[tool]["seconds"]
            middle = np.median(volumes)
            lines.append(
                f"| {name} | {tool} | {middle:.4f} | {min(volumes):.4f} to {max(volumes):.4f} | "
                f"{100 * (middle / deap_median - 1):+.2f} % | {np.median(seconds):.2f} |"
            )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    tools = [tool for tool in TOOLS if tool == "neuroevo" or importlib.util.find_spec(tool)]
    found = measured(options.seeds, tools)
    print(table(found))
    if options.out:
        about = {"machine": platform.processor() or platform.machine(), "corner": CORNER, "seeds": options.seeds}
        options.out.write_text(json.dumps({**about, "functions": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()

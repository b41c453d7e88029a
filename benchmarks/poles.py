"""Count the evaluations that strategies need to balance poles of which positions alone are seen.

    python benchmarks/poles.py                       # to results/control/poles.{json,md}
    python benchmarks/poles.py --seeds 10 --strategies cma_es snes

The network is that of the published counts, one tanh unit that sees itself and the inputs, without a bias. Strategies
are at their defaults but for their first lengths (step size, width of the start and of mutations), which are multiplied
by the factor of `FACTORS` whose median over five other seeds is smallest (damping: that of the standard fitness). Everything is in double precision, on one
thread. Rows that the file of results has are left as they are, so that a run goes on where another one ended.
"""

from __future__ import annotations

import argparse
import json
import sys
from functools import cache
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import neuroevo as ne  # noqa: E402
from neuroevo.bench.timing import environment  # noqa: E402
from neuroevo.problems.control.poles import DoublePole, SinglePole  # noqa: E402
from neuroevo.strategies import STRATEGIES, make_strategy  # noqa: E402

TASKS = {
    "single pole, standard": SinglePole(),
    "double pole, standard": DoublePole(),
    "double pole, damping": DoublePole(fitness="damping"),
}
PUBLISHED_COSYNE = {"start": "uniform", "start_width": 10.0, "mutation_width": 0.3}
STRATEGIES_SHOWN = {
    "cma_es": ("cma_es", {}),
    "snes": ("snes", {}),
    "cr_fm_nes": ("cr_fm_nes", {}),
    "cosyne": ("cosyne", {}),
    "cosyne, U[-10, 10], 30 networks": ("cosyne", {**PUBLISHED_COSYNE, "population_size": 30}),
    "genetic_algorithm": ("genetic_algorithm", {}),
    "differential_evolution": ("differential_evolution", {}),
    "particle_swarm": ("particle_swarm", {}),
    "random_search": ("random_search", {}),
}
FACTORS = (1.0, 3.0, 10.0)
LENGTHS = "step_size", "start_width", "mutation_width"
CAP = 20_000
CAP_OF_CHOICE = 3_000
GUESSES = 1_000_000
CHOSEN_ON = range(1000, 1005)


@cache
def evaluator(task):
    problem = TASKS[task]
    network = ne.Elman(problem.n_inputs, 1, 1, fixed={"weight_out": 1.0, "bias_out": 0.0, "bias_l0": 0.0})
    return ne.LocalEvaluator(network, problem, n_threads=1, precision="double")


def settings_of(name, factor):
    kind, given = STRATEGIES_SHOWN[name]
    if given:
        return given
    defaults = STRATEGIES[kind].Settings()
    lengths = {key: factor * getattr(defaults, key) for key in LENGTHS if hasattr(defaults, key)}
    return {**lengths, "population_size": 4096} if kind == "random_search" else lengths


def search(task, name, factor, seed, cap):
    """Evaluations until the poles are balanced (None: not within the cap), and the genome that does it."""
    one = evaluator(task)
    kind = STRATEGIES_SHOWN[name][0]
    network, damps = one.network, "damping" in task
    settings = settings_of(name, factor)
    strategy = make_strategy(kind, n_genes=network.n_genes, seed=seed, layout=network.layout, **settings)
    n = 0
    while n < cap:
        genomes = strategy.ask()
        error = one.evaluate(genomes).error
        if damps:
            # The best of a generation has to balance to the end, as in the papers.
            best = genomes[error.argmin()]
            done = [error.argmin()] if one.evaluate(best[None], "validation").error[0] == 0 else []
        else:
            done = np.flatnonzero(error == 0)
        if len(done):
            return n + (len(genomes) if damps else int(done[0]) + 1), genomes[done[0]]
        strategy.tell(genomes, error)
        n += len(genomes)
    return None, None


def cap_of(name, cap):
    return GUESSES if STRATEGIES_SHOWN[name][0] == "random_search" else cap


@cache
def chosen_factor(task, name):
    if STRATEGIES_SHOWN[name][1]:
        return 1.0
    cap = cap_of(name, CAP_OF_CHOICE)

    def typical(factor):
        counts = [search(task, name, factor, seed, cap)[0] or cap for seed in CHOSEN_ON]
        return float(np.median(counts)), float(np.mean(counts))

    return min(FACTORS, key=typical)


def measured(task, name, seeds):
    factor = chosen_factor(task.replace("damping", "standard"), name)
    found = [search(task, name, factor, seed, cap_of(name, CAP)) for seed in seeds]
    counts = [count for count, _ in found]
    genomes = np.array([genome for _, genome in found if genome is not None])
    starts = np.rint(625 * evaluator(task).evaluate(genomes, "test").learned) if len(genomes) else np.empty(0)
    return {"factor": factor, "settings": settings_of(name, factor), "counts": counts, "starts": starts.tolist()}


def row(name, one, n):
    solved = [count for count in one["counts"] if count is not None]
    if not solved:
        return f"| {name} | 0 of {n} | | | | | |"
    starts = np.array(one["starts"])
    mean = f"{np.mean(solved):,.0f}"
    middle = f"{np.median(solved):,.0f}" if len(solved) == n else f"({np.median(solved):,.0f})"
    mean = mean if len(solved) == n else f"({mean})"
    lengths = ", ".join(f"{key} {value:g}" for key, value in one["settings"].items() if key in LENGTHS)
    return (
        f"| {name} | {len(solved)} of {n} | {mean} | {middle} | {np.median(starts):.0f} | "
        f"{(starts >= 200).sum()} | {lengths} |"
    )


COLUMNS = "strategy", "solved", "mean", "median", "of 625 starts", "200 or more", "lengths"


def page(found, seeds):
    lines = []
    for task, rows in found.items():
        lines += [f"## {task.capitalize()}", "", f"| {' | '.join(COLUMNS)} |", "| ---" + " | ---:" * 5 + " | --- |"]
        lines += [row(name, one, seeds) for name, one in rows.items()] + [""]
    machine = ", ".join(f"{name} {value}" for name, value in environment().items())
    return "\n".join([*lines, f"`python benchmarks/poles.py --seeds {seeds}`; {machine}", ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--tasks", nargs="*", choices=TASKS, default=list(TASKS))
    parser.add_argument("--strategies", nargs="*", choices=STRATEGIES_SHOWN, default=list(STRATEGIES_SHOWN))
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "control")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    file = arguments.out / "poles.json"
    known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    found = known["found"] if known.get("seeds") == arguments.seeds else {}
    for task in arguments.tasks:
        rows = found.setdefault(task, {})
        for name in arguments.strategies:
            # What guesses are worth does not guide them: their count would be that of the standard fitness.
            if name in rows or (name == "random_search" and "damping" in task):
                continue
            rows[name] = measured(task, name, range(arguments.seeds))
            print(f"{task}: {row(name, rows[name], arguments.seeds)}", flush=True)
            report = {"environment": environment(), "seeds": arguments.seeds, "found": found}
            file.write_text(json.dumps(report) + "\n", encoding="utf-8")
    (arguments.out / "poles.md").write_text(page(found, arguments.seeds), encoding="utf-8")


if __name__ == "__main__":
    main()

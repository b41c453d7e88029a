"""Evolve, descend, or both? Training and test error against seconds of processor time, on all shipped data.

    python benchmarks/evolve_or_descend.py --json results/evolve_or_descend/figures.json
    python benchmarks/evolve_or_descend.py --draw results/evolve_or_descend        # tables and picture of that file

The protocol was fixed before any test part was looked at:

- Problems: the ten series and four sets of sequences of `new_data.py` with its parts, the raw target (no residual), and
  two tasks with long memory, adding and temporal order of 30 steps. Networks: a GRU of 4 units, of classes and tasks 8.
- Every method has the same seconds of processor time on one thread, its own settings at their defaults but for those
  below, and no restarts by hand. What counts at any time is the champion: of the incumbents by training error the one
  that is best on the validation part, as in every run; evaluating these belongs to the time.
- Errors: normalised mean squared error in scaled units, or shares of wrong classes; medians and quartiles of the seeds.
- A series' figure is that over the best method's on the same series; the page has geometric means of these.

What is written while it runs is taken up again: seeds that are there are not run once more.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import neuroevo as ne  # noqa: E402
from benchmarks.new_data import CLASSES, SERIES, class_table, series_table  # noqa: E402
from neuroevo.problems import PROBLEMS  # noqa: E402
from neuroevo.settings import parse_settings  # noqa: E402
from neuroevo.strategies import make_strategy  # noqa: E402

SIZES = {"n_train": 256, "n_validation": 128, "n_test": 512}
TASKS = {
    "adding, 30 steps": ("adding", {"min_length": 30, **SIZES}),
    "temporal order, 30 steps": ("temporal_order", {"min_length": 30, **SIZES}),
}
BPTT = {"kind": "bptt", "population_size": 16}
METHODS: dict[str, dict] = {
    "genetic algorithm": {"kind": "genetic_algorithm", "population_size": 64},
    "SNES": {"kind": "snes", "population_size": 24},
    "CMA-ES": {"kind": "cma_es"},
    "BPTT, iRPROP+": BPTT,
    "BPTT, Adam": {**BPTT, "optimiser": "adam"},
    "Levenberg-Marquardt": {"kind": "levenberg_marquardt", "population_size": 8},
    "SNES with BPTT (memetic)": {
        "kind": "memetic",
        "search": {"kind": "snes", "population_size": 24},
        "descent": {"kind": "bptt"},
    },
    "SNES, then BPTT": {
        "kind": "evolve_then_descend",
        "generations": 50,
        "search": {"kind": "snes", "population_size": 24},
        "descent": BPTT,
    },
    "SNES, then Levenberg-Marquardt": {
        "kind": "evolve_then_descend",
        "generations": 50,
        "search": {"kind": "snes", "population_size": 24},
        "descent": {"kind": "levenberg_marquardt", "population_size": 8},
    },
}
SECONDS = (0.03, 0.1, 0.3, 1.0)
EVOLVE = ("genetic algorithm", "SNES", "CMA-ES")


def problem_of(name: str, folder: Path, rehearse: bool):
    """The problem and its network."""
    if name in SERIES:
        table = {"kind": "series", **series_table(name, folder, rehearse), "gradient_boosting": False}
        hidden, activation = 4, "linear"
    elif name in CLASSES:
        table = {"kind": "sequences", **class_table(name), "gradient_boosting": False}
        hidden, activation = 8, "softmax"
    else:
        kind, settings = TASKS[name]
        table, hidden, activation = {"kind": kind, **settings}, 8, "linear"
    kind = table.pop("kind")
    problem = parse_settings(PROBLEMS[kind], table).build(folder)
    network = ne.make_network("gru", problem.n_inputs, problem.n_outputs, n_hidden=hidden, output_activation=activation)
    return problem, network


def judged(evaluator, genome: np.ndarray, parts: tuple[str, ...], by_class: bool, scale: dict[str, float]) -> dict:
    """Errors of one genome on some parts: normalised, or shares of wrong classes."""
    found = {}
    for part in parts:
        evaluation = evaluator.evaluate(genome[None], part)
        error = 1 - evaluation.learned[0] if by_class else evaluation.error[0] / scale[part]
        found[part] = float(error)
    return found


def one_run(name: str, method: str, seed: int, folder: Path, rehearse: bool) -> dict:
    """Errors of the champion after each of `SECONDS` of processor time."""
    problem, network = problem_of(name, folder, rehearse)
    table = dict(METHODS[method])
    kind, arguments = table.pop("kind"), {"n_genes": network.n_genes, "layout": network.layout, **table}
    strategy, rehearsing = make_strategy(kind, seed=seed, **arguments), make_strategy(kind, seed=10**6, **arguments)
    by_class = problem.learned.by_class
    scale = {}
    for part in problem.parts:
        targets = problem.target_rows[problem.counted_rows(part)]
        scale[part] = float(targets.var()) or 1.0
    validated = "validation" in problem.parts
    from neuroevo.evaluation import LocalEvaluator

    evaluator = LocalEvaluator(network, problem, n_threads=1, wants=strategy.needs, methods=_methods(strategy))
    with evaluator:
        _warm(evaluator, rehearsing)
        best, champion, its_error, points, generations = np.inf, None, np.inf, [], 0
        begun = time.thread_time()
        while len(points) < len(SECONDS):
            population = strategy.ask()
            evaluation = evaluator.evaluate(population, wants=strategy.wants, learning=strategy.learning)
            strategy.tell(population, evaluation.error, **evaluation.more)
            generations += 1
            k = int(np.argmin(evaluation.error))
            if evaluation.error[k] < best:
                best = evaluation.error[k]
                genome = evaluation.more.get("refined", population)[k]
                error = evaluator.evaluate(genome[None], "validation").error[0] if validated else best
                if champion is None or error < its_error:
                    champion, its_error = genome.copy(), error
            spent = time.thread_time() - begun
            while len(points) < len(SECONDS) and spent >= SECONDS[len(points)]:
                points.append((champion, generations, best))
        parts = tuple(problem.parts)
        rows = []
        for seconds, (genome, n, least) in zip(SECONDS, points, strict=True):
            figures = {} if genome is None else judged(evaluator, genome, parts, by_class, scale)
            rows.append({"seconds": seconds, "generations": n, "least": least / scale["train"], **figures})
    return {"problem": name, "method": method, "seed": seed, "points": rows}


def _methods(strategy) -> frozenset[str]:
    learning = strategy.learning
    return frozenset() if learning is None else frozenset({learning.method})


def _warm(evaluator, strategy) -> None:
    """A few generations of a strategy that is thrown away: all is compiled, or loaded, before the time begins."""
    for _ in range(3):
        population = strategy.ask()
        evaluation = evaluator.evaluate(population, wants=strategy.wants, learning=strategy.learning)
        strategy.tell(population, evaluation.error, **evaluation.more)
    if strategy.needs:
        evaluator.evaluate(population[:1], wants=strategy.needs)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", type=Path, default=ROOT / "results" / "evolve_or_descend" / "figures.json")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--only", nargs="*", help="problems, by the beginning of their names")
    parser.add_argument("--rehearse", action="store_true", help="series without their test parts")
    options = parser.parse_args()
    names = [*SERIES, *CLASSES, *TASKS]
    if options.only:
        names = [name for name in names if any(name.startswith(start) for start in options.only)]
    found = json.loads(options.json.read_text()) if options.json.exists() else []
    known = {(row["problem"], row["method"], row["seed"]) for row in found}
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(1, options.seeds + 1):
            for name in names:
                for method in METHODS:
                    if (name, method, seed) in known:
                        continue
                    found.append(one_run(name, method, seed, Path(folder), options.rehearse))
                    last = found[-1]["points"][-1]
                    print(f"{name:28} {method:32} {seed} {last.get('train', np.nan):.4f} "
                          f"{last.get('test', np.nan):.4f} {last['generations']}", flush=True)  # fmt: skip
                options.json.parent.mkdir(parents=True, exist_ok=True)
                options.json.write_text(json.dumps(found))


if __name__ == "__main__":
    main()

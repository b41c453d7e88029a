"""Every strategy with its defaults on four problems: error after equal evaluations, curves, runs that reach a target.

    python benchmarks/quality.py run --seeds 20 --runs results/runs/quality
    python benchmarks/quality.py report --runs results/runs/quality --out results/benchmarks

`run` writes one small JSON file for each (problem, strategy, seed). It leaves out those that exist with the settings of
now, so it can be stopped and started at any time, and runs anew what has got other defaults; seeds are the outermost
loop, so that what is there is balanced. `report` reads whatever is there and says how many seeds that is. Strategies
know the layout of the network, everything else is their default.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import neuroevo as ne
from neuroevo.problems import PROBLEMS
from neuroevo.strategies import STRATEGIES, make_strategy

BUDGET = 100_000
CHECKPOINTS = np.unique(np.round(np.geomspace(100, BUDGET, 61)).astype(int))
DATA = Path(__file__).parents[1] / "scenarios" / "data"
BASELINE = "random_search"
LEFT_OUT = ("random_weight_guessing",)

#: Names in the table that are not a strategy with nothing but defaults.
VARIANTS: dict[str, tuple[str, dict[str, object]]] = {
    "cma_es (separable)": ("cma_es", {"covariance": "separable"}),
    "differential_evolution (rand/1/bin)": (
        "differential_evolution",
        {"variant": "rand_1_bin", "crossover_rate": 0.9},
    ),
    "differential_evolution (L-SHADE)": ("differential_evolution", {"variant": "l_shade", "horizon": BUDGET}),
    "genetic_algorithm (blend, decaying)": (
        "genetic_algorithm",
        {
            "population_size": 96,
            "start_width": 0.5,
            "n_elites": 1,
            "tournament_size": 3,
            "crossover": "blend",
            "crossover_probability": 0.9,
            "gene_probability": 0.1,
            "mutation_width": 0.2,
            "mutation_adaptation": "decaying",
        },
    ),
}

Case = tuple[ne.Network, ne.SequenceProblem]


def sunspots() -> Case:
    series = PROBLEMS["series"](
        file="sunspots_yearly.csv",
        time="year",
        input="sunspots",
        span=(1700, 1979),
        scaling="range",
        scaling_range=(0.0, 1.0),
        parts={"train": [1700, 1920], "test": [1921, 1979]},
    )
    return ne.Elman(1, 8, 1), series.build(DATA)


def laser() -> Case:
    series = PROBLEMS["series"](file="santafe_laser.csv", span=(1, 2000), parts={"train": 1000, "test": "rest"})
    return ne.Elman(1, 12, 1), series.build(DATA)


def adding() -> Case:
    return ne.Lstm(2, 4, 1), PROBLEMS["adding"](min_length=20, n_train=64, n_test=512).build(DATA)


def mackey_glass() -> Case:
    return ne.Lstm(1, 6, 1), PROBLEMS["mackey_glass"]().build(DATA)


CASES: dict[str, Callable[[], Case]] = {
    "sunspots": sunspots,
    "laser": laser,
    "adding": adding,
    "mackey_glass": mackey_glass,
}


def entries() -> dict[str, tuple[str, dict[str, object]]]:
    """Rows of the table: name to (strategy, settings)."""
    plain = {name: (name, {}) for name in STRATEGIES.names() if name not in LEFT_OUT}
    return {**plain, **VARIANTS}


def run_once(case: Case, kind: str, settings: dict[str, object], seed: int, budget: int) -> dict[str, Any]:
    network, problem = case
    strategy = make_strategy(kind, n_genes=network.n_genes, seed=seed, layout=network.layout, **settings)
    best, used, curve, began = np.inf, 0, [], time.process_time()
    champion = None
    with ne.LocalEvaluator(network, problem, n_threads=1) as evaluator:
        while used < budget:
            population = strategy.ask()
            error = evaluator.evaluate(population).error
            strategy.tell(population, error)
            # Of a last generation that is too large only the first genomes count.
            error = error[: budget - used]
            marks = CHECKPOINTS[(used < CHECKPOINTS) & (used + len(error) >= CHECKPOINTS)]
            curve += [min(best, float(error[: mark - used].min())) for mark in marks]
            used += len(error)
            if error.min() < best:
                best, champion = float(error.min()), population[int(np.argmin(error))].copy()
    with ne.LocalEvaluator(network, problem, n_threads=1, precision="double") as evaluator:
        final = {part: float(evaluator.evaluate(champion[np.newaxis], part).error[0]) for part in ("train", "test")}
    return {
        "curve": curve,
        "train": final["train"],
        "test": final["test"],
        "n_genes": network.n_genes,
        "settings": repr(strategy.settings),
        "cpu_seconds": round(time.process_time() - began, 2),
    }


def resolved(kind: str, settings: dict[str, object]) -> str:
    return repr(make_strategy(kind, n_genes=1, seed=0, **settings).settings)


def is_done(path: Path, kind: str, settings: dict[str, object]) -> bool:
    return path.exists() and json.loads(path.read_text(encoding="utf-8"))["settings"] == resolved(kind, settings)


def file_name(name: str) -> str:
    return "".join(c if c.isalnum() or c == "_" else "-" for c in name)


def run(arguments: argparse.Namespace) -> None:
    cases = {name: make() for name, make in CASES.items() if not arguments.problem or name in arguments.problem}
    for seed in range(arguments.first_seed, arguments.seeds):
        for problem, case in cases.items():
            for name, (kind, settings) in entries().items():
                path = arguments.runs / problem / f"{file_name(name)}-{seed}.json"
                if is_done(path, kind, settings) or (arguments.strategy and name not in arguments.strategy):
                    continue
                result = run_once(case, kind, settings, seed, arguments.budget)
                path.parent.mkdir(parents=True, exist_ok=True)
                # Written aside and renamed: a run that is stopped leaves no half file.
                aside = path.with_suffix(f".{os.getpid()}")
                aside.write_text(
                    json.dumps({"problem": problem, "name": name, "seed": seed, **result}), encoding="utf-8"
                )
                aside.rename(path)
                print(
                    f"{problem:13s} {name:36s} {seed:3d}  {result['train']:.5g}  {result['cpu_seconds']} s", flush=True
                )


def read(runs: Path) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Problem to name to runs, in the order of their seeds."""
    table: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for path in sorted(runs.glob("*/*.json")):
        result = json.loads(path.read_text(encoding="utf-8"))
        table[result["problem"]][result["name"]].append(result)
    return {
        problem: {name: sorted(r, key=lambda x: x["seed"]) for name, r in rows.items()}
        for problem, rows in table.items()
    }


def targets(rows: dict[str, list[dict[str, Any]]]) -> np.ndarray | None:
    """Ten errors from what random search reaches to the best that any run reached, evenly spaced in their logarithm."""
    if BASELINE not in rows:
        return None
    start = np.median([r["curve"][-1] for r in rows[BASELINE]])
    best = min(r["curve"][-1] for results in rows.values() for r in results)
    return np.geomspace(start, best, 11)[1:]


def summary(table: dict[str, dict[str, list[dict[str, Any]]]]) -> list[dict[str, Any]]:
    out = []
    for problem, rows in table.items():
        goals = targets(rows)
        for name, results in rows.items():
            errors = np.array([r["train"] for r in results])
            curves = np.array([r["curve"] for r in results])
            reached = None if goals is None else (curves[:, :, np.newaxis] <= goals).mean(axis=(0, 2))
            out.append(
                {
                    "problem": problem,
                    "strategy": name,
                    "n_seeds": len(results),
                    "n_genes": results[0]["n_genes"],
                    "median": float(np.median(errors)),
                    "quartiles": np.percentile(errors, [25, 75]).tolist(),
                    "median_test": float(np.median([r["test"] for r in results])),
                    "targets_reached": None if reached is None else float(reached[-1]),
                    "cpu_seconds": float(np.median([r["cpu_seconds"] for r in results])),
                    "curve": np.median(curves, axis=0).tolist(),
                    "reached": None if reached is None else reached.tolist(),
                }
            )
    return out


def markdown(rows: list[dict[str, Any]]) -> str:
    lines = []
    for problem in CASES:
        own = sorted((row for row in rows if row["problem"] == problem), key=lambda row: row["median"])
        if not own:
            continue
        seeds = sorted({row["n_seeds"] for row in own})
        lines += [
            f"## {problem}",
            "",
            f"{own[0]['n_genes']} genes, {BUDGET} evaluations, seeds a strategy: {' or '.join(map(str, seeds))}.",
            "",
            "| strategy | seeds | median error | quartiles | median test error | targets reached | CPU seconds |",
            "|---|---|---|---|---|---|---|",
        ]
        for row in own:
            (low, high), share = row["quartiles"], row["targets_reached"]
            reached = "" if share is None else f"{100 * share:.0f} %"
            lines.append(
                f"| {row['strategy']} | {row['n_seeds']} | {row['median']:.3g} | {low:.3g} to {high:.3g} "
                f"| {row['median_test']:.3g} | {reached} | {row['cpu_seconds']:.1f} |"
            )
        lines.append("")
    return "\n".join(lines)


def plot(rows: list[dict[str, Any]], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    problems = [problem for problem in CASES if any(row["problem"] == problem for row in rows)]
    names = list(dict.fromkeys(row["strategy"] for row in rows))
    style = {name: (f"C{k % 10}", ("-", "--", ":")[k // 10]) for k, name in enumerate(names)}
    figure, axes = plt.subplots(2, len(problems), figsize=(4.2 * len(problems), 7.5), squeeze=False)
    for column, problem in zip(axes.T, problems, strict=True):
        for row in (row for row in rows if row["problem"] == problem):
            colour, line = style[row["strategy"]]
            column[0].loglog(CHECKPOINTS, row["curve"], line, color=colour, label=row["strategy"], linewidth=1.2)
            if row["reached"] is not None:
                column[1].semilogx(CHECKPOINTS, row["reached"], line, color=colour, linewidth=1.2)
        column[0].set_title(problem)
        column[1].set_xlabel("evaluations")
    axes[0, 0].set_ylabel("median of the best error so far")
    axes[1, 0].set_ylabel("share of (run, target) pairs reached")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="lower center", ncols=4, fontsize=8)
    figure.tight_layout(rect=(0, 0.11, 1, 1))
    figure.savefig(path, dpi=110)


def report(arguments: argparse.Namespace) -> None:
    rows = summary(read(arguments.runs))
    arguments.out.mkdir(parents=True, exist_ok=True)
    stored = arguments.out / "quality.json"
    if stored.exists():
        measured = {(row["problem"], row["strategy"]) for row in rows}
        kept = json.loads(stored.read_text(encoding="utf-8"))["rows"]
        rows = [row for row in kept if (row["problem"], row["strategy"]) not in measured] + rows
    content = {"budget": BUDGET, "checkpoints": CHECKPOINTS.tolist(), "rows": rows}
    stored.write_text(json.dumps(content) + "\n", encoding="utf-8")
    (arguments.out / "quality.md").write_text("# Quality at equal evaluations\n\n" + markdown(rows), encoding="utf-8")
    plot(rows, arguments.out / "quality.png")
    print(markdown(rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    runner = commands.add_parser("run")
    runner.add_argument("--seeds", type=int, default=20)
    runner.add_argument("--first-seed", type=int, default=0)
    runner.add_argument("--budget", type=int, default=BUDGET)
    runner.add_argument("--problem", action="append")
    runner.add_argument("--strategy", action="append")
    runner.set_defaults(do=run)
    reporter = commands.add_parser("report")
    reporter.add_argument("--out", type=Path, default=Path("results/benchmarks"))
    reporter.set_defaults(do=report)
    for command in (runner, reporter):
        command.add_argument("--runs", type=Path, default=Path("results/runs/quality"))
    arguments = parser.parse_args()
    arguments.do(arguments)


if __name__ == "__main__":
    main()

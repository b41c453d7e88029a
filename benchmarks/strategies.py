"""What a generation costs in the strategies alone: ask and tell, no network evaluated.

    python benchmarks/strategies.py                 # tables to results/benchmarks/strategies.json, .md and .png
    python benchmarks/strategies.py --quick         # population 256 and 305 genes only, printed

Times are medians over generations after the first ones, in one process; costs that come now and then, such as an
eigendecomposition every so many generations, are in the mean.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.undisturbed import first_in_line
from neuroevo.strategies import STRATEGIES, Strategy, make_strategy

REFERENCE = (256, 305)
GENES = (100, 305, 1000, 3000, 10_000, 30_000, 100_000)
POPULATIONS = (16, 64, 256, 1024, 4096, 16_384)
#: Doubles in one population; above, a generation is memory traffic and takes seconds.
LARGEST = 30_000_000
#: Seconds of generations in a row; where others have to wait for them, they get a rest in between.
BURST = 0.1
#: A full covariance matrix of more genes than this has no business in a benchmark; the other forms take over.
LARGEST_COVARIANCE = 1000
RESULTS = Path(__file__).parents[1] / "results" / "benchmarks"


def cases() -> dict[str, tuple[str, dict[str, object]]]:
    """Label to strategy and settings: every strategy as it is, and other forms that cost more or less."""
    labels: dict[str, tuple[str, dict[str, object]]] = {name: (name, {}) for name in STRATEGIES.names()}
    labels["simulated_annealing, one gene"] = ("simulated_annealing", {"neighbourhood": "one_gene"})
    labels["cma_es, separable"] = ("cma_es", {"covariance": "separable"})
    labels["cma_es, limited memory"] = ("cma_es", {"covariance": "limited"})
    return labels


def is_sensible(label: str, n: int, n_genes: int) -> bool:
    if n * n_genes > LARGEST:
        return False
    return label != "cma_es" or n_genes <= LARGEST_COVARIANCE


def generation_times(label: str, n: int, n_genes: int, seconds: float, *, undisturbed: bool) -> np.ndarray:
    """Milliseconds of ask and tell together, a value a generation."""
    kind, settings = cases()[label]
    strategy = make_strategy(kind, n_genes=n_genes, seed=1, population_size=n, **settings)
    times: list[float] = []
    while len(times) < 6 or (sum(times) < 1e3 * seconds and len(times) < 1000):
        with first_in_line(undisturbed):
            began = time.perf_counter()
            while time.perf_counter() - began < BURST:
                times.append(1e3 * generation_seconds(strategy))
    return np.array(times[2:])


def generation_seconds(strategy: Strategy) -> float:
    start = time.perf_counter()
    population = strategy.ask()
    asked = time.perf_counter()
    error = np.einsum("ij,ij->i", population, population)
    evaluated = time.perf_counter()
    strategy.tell(population, error)
    return asked - start + time.perf_counter() - evaluated


def measure(label: str, n: int, n_genes: int, seconds: float, *, undisturbed: bool) -> dict[str, object]:
    times = generation_times(label, n, n_genes, seconds, undisturbed=undisturbed)
    row = {
        "strategy": label,
        "population": n,
        "genes": n_genes,
        "median_ms": round(float(np.median(times)), 4),
        "mean_ms": round(float(times.mean()), 4),
        "best_ms": round(float(times.min()), 4),
        "generations": len(times),
    }
    print(
        f"{label:30s} {n:6d} x {n_genes:<7d} median {row['median_ms']:9.3f} ms  mean {row['mean_ms']:9.3f}", flush=True
    )
    return row


def sweep(seconds: float, *, undisturbed: bool) -> list[dict[str, object]]:
    """The reference, then genes at the reference population, then populations at the reference genes."""
    sizes = [REFERENCE]
    sizes += [(REFERENCE[0], n_genes) for n_genes in GENES if n_genes != REFERENCE[1]]
    sizes += [(n, REFERENCE[1]) for n in POPULATIONS if n != REFERENCE[0]]
    return [
        measure(label, n, n_genes, seconds, undisturbed=undisturbed)
        for n, n_genes in sizes
        for label in cases()
        if is_sensible(label, n, n_genes)
    ]


def environment() -> dict[str, object]:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    packages = {name: version(name) for name in ("numpy", "deap", "pyswarms")}
    return {"python": platform.python_version(), "processor": model, "cores": os.cpu_count(), **packages}


def draw(rows: list[dict[str, object]], path: Path) -> None:
    import matplotlib.pyplot as plt

    figure, (by_genes, by_population) = plt.subplots(1, 2, figsize=(13, 5.2), sharey=True, layout="constrained")
    colours = plt.get_cmap("tab20")
    markers = "osv^DPX*<>hpd"
    for i, label in enumerate(cases()):
        style = {"color": colours(i % 20), "marker": markers[i % len(markers)], "markersize": 4, "linewidth": 1.2}
        for axes, fixed, free in ((by_genes, "population", "genes"), (by_population, "genes", "population")):
            wanted = REFERENCE[0] if fixed == "population" else REFERENCE[1]
            points = sorted((r[free], r["mean_ms"]) for r in rows if r["strategy"] == label and r[fixed] == wanted)
            axes.plot(*zip(*points, strict=True), label=label, **style)
    for axes, name in ((by_genes, "genes (population 256)"), (by_population, "population (305 genes)")):
        axes.set(xscale="log", yscale="log", xlabel=name)
        axes.grid(alpha=0.3, which="both", linewidth=0.5)
    by_genes.set_ylabel("ms a generation, strategy alone (mean)")
    by_population.legend(fontsize=7.5, loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    figure.suptitle("Cost of ask and tell")
    figure.savefig(path, dpi=150)


def table(rows: list[dict[str, object]], where: dict[str, object]) -> str:
    reference = [r for r in rows if (r["population"], r["genes"]) == REFERENCE]
    cores, python, numpy = where["cores"], where["python"], where["numpy"]
    setting = f"{where['processor']}, {cores} cores, Python {python}, NumPy {numpy}; `python benchmarks/strategies.py`"
    lines = [
        "# Cost of a generation, strategy alone",
        "",
        f"Population {REFERENCE[0]}, {REFERENCE[1]} genes, one process. {setting}.",
        "",
        "| strategy | median ms | mean ms | best ms |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {r['strategy']} | {r['median_ms']:.2f} | {r['mean_ms']:.2f} | {r['best_ms']:.2f} |" for r in reference
    ]
    return "\n".join([*lines, "", "How it grows: `strategies.png`; all figures: `strategies.json`.", ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the reference size only, nothing is written")
    parser.add_argument("--seconds", type=float, default=0.7, help="at least so long for each size")
    parser.add_argument("--undisturbed", action="store_true", help="timed calls get real-time priority (Linux, root)")
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    if arguments.quick:
        for label in cases():
            measure(label, *REFERENCE, arguments.seconds, undisturbed=arguments.undisturbed)
        return
    rows, where = sweep(arguments.seconds, undisturbed=arguments.undisturbed), environment()
    arguments.results.mkdir(parents=True, exist_ok=True)
    (arguments.results / "strategies.json").write_text(
        json.dumps({"environment": where, "rows": rows}, indent=1) + "\n"
    )
    (arguments.results / "strategies.md").write_text(table(rows, where))
    draw(rows, arguments.results / "strategies.png")


if __name__ == "__main__":
    main()

"""Look for cliffs: time per multiply-add over the number of units, sequences and genomes, one by one.

    python benchmarks/sweep.py                     # results/benchmarks/sweep.{json,md,png,svg}, some minutes
    python benchmarks/sweep.py --cells elman --passes 1
    python benchmarks/sweep.py --plot-only         # draws the stored figures again

A cliff is a pair of neighbours of which one needs more than 2.5 times as long per multiply-add as the other, after the
padding of the population to whole vectors is allowed for. One thread, so that the number of blocks per thread does not
blur what the kernels do; passes over all points are repeated and the best time of each point counts.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.undisturbed import first_in_line  # noqa: E402
from neuroevo.bench import Workload, arithmetic, measure_peaks  # noqa: E402
from neuroevo.bench.timing import best_seconds, environment  # noqa: E402
from neuroevo.evaluation import LocalEvaluator  # noqa: E402

CLIFF = 2.5
LEAST_SECONDS = 0.01
SWEEPS = {
    "units, one series": ("n_hidden", range(1, 131), {"n_genomes": 32, "n_sequences": 1, "n_steps": 150}),
    "units, 8 sequences": ("n_hidden", range(1, 131), {"n_genomes": 32, "n_sequences": 8, "n_steps": 40}),
    "sequences": ("n_sequences", range(1, 131), {"n_genomes": 32, "n_hidden": 16, "n_steps": 60}),
    "genomes": ("n_genomes", range(1, 301), {"n_hidden": 16, "n_sequences": 1, "n_steps": 150}),
}
NAMES = {"elman": "Elman", "lstm": "LSTM", "gru": "GRU", "graph": "Graph, 10 % of the links"}
COLOURS = {"elman": "#1b6ca8", "lstm": "#d1495b", "gru": "#3c8d5a", "graph": "#8a5fb0"}


def workloads(cell, sweep):
    """The value of the parameter and the workload of each point."""
    name, values, others = SWEEPS[sweep]
    base = {"n_inputs": 2, "n_outputs": 1, **others}
    points = [(value, Workload(f"{cell} {name} {value}", cell, **{**base, name: value})) for value in values]
    # A tenth of the links of a few units is no network.
    return [(value, workload) for value, workload in points if cell != "graph" or workload.n_hidden >= 10]


def best_time(workload, undisturbed):
    """Seconds of the best of some evaluations by one thread."""
    population = workload.population()
    with LocalEvaluator(workload.network(), workload.problem(), n_threads=1, precision="single") as evaluator:
        evaluator.evaluate(population)
        with first_in_line(undisturbed):
            return best_seconds(lambda: evaluator.evaluate(population), 3, LEAST_SECONDS)


def measure(cells, passes, undisturbed):
    """Best seconds of every point, as nested dicts: sweep, cell, list of points."""
    points = {sweep: {cell: workloads(cell, sweep) for cell in cells} for sweep in SWEEPS}
    best = {sweep: {cell: np.full(len(points[sweep][cell]), np.inf) for cell in cells} for sweep in SWEEPS}
    for number in range(passes):
        for sweep, by_cell in points.items():
            for cell, values in by_cell.items():
                for i, (_, workload) in enumerate(values):
                    best[sweep][cell][i] = min(best[sweep][cell][i], best_time(workload, undisturbed))
                print(f"pass {number + 1}: {sweep}, {cell}", flush=True)
    peaks, n_lanes = measure_peaks(1), vector_lanes()
    return {
        "environment": environment(),
        "peaks": {"multiply_adds": peaks.multiply_adds, "activations": peaks.activations, "n_threads": 1},
        "passes": passes,
        "lanes": n_lanes,
        "sweeps": {
            sweep: {
                cell: [
                    point(w, best[sweep][cell][i], peaks, n_lanes) | {"value": value}
                    for i, (value, w) in enumerate(points[sweep][cell])
                ]
                for cell in cells
            }
            for sweep in SWEEPS
        },
    }


def vector_lanes():
    from neuroevo.kernels.processor import LANES

    return LANES["float32"]


def point(workload, seconds, peaks, n_lanes):
    """Time per multiply-add, as it is and for the population padded to whole vectors, and the share of the limit."""
    step = arithmetic(workload.network())
    multiply_adds = step.multiply_adds * workload.total_steps
    padded = -(-workload.n_genomes // n_lanes) * n_lanes / workload.n_genomes
    limit = peaks.seconds(multiply_adds, step.activations * workload.total_steps)
    return {
        "milliseconds": 1e3 * seconds,
        "picoseconds": 1e12 * seconds / multiply_adds,
        "padded_picoseconds": 1e12 * seconds / multiply_adds / padded,
        "share_of_limit": limit / seconds,
    }


def cliffs(report):
    """(sweep, cell, value, next value, ratio) of neighbours that differ too much beyond the padding."""
    found = []
    for sweep, by_cell in report["sweeps"].items():
        for cell, points in by_cell.items():
            for one, other in itertools.pairwise(points):
                ratio = other["padded_picoseconds"] / one["padded_picoseconds"]
                if max(ratio, 1 / ratio) > CLIFF:
                    found.append((sweep, cell, one["value"], other["value"], ratio))
    return found


def steepest(report):
    """For each sweep and cell the pair of neighbours that differs most beyond the padding."""
    rows = []
    for sweep, by_cell in report["sweeps"].items():
        for cell, points in by_cell.items():
            times = np.array([p["padded_picoseconds"] for p in points])
            ratios = np.maximum(times[1:] / times[:-1], times[:-1] / times[1:])
            i = int(ratios.argmax())
            beyond = ratios[4:] if points[0]["value"] == 1 else ratios
            rows.append((sweep, cell, points[i]["value"], points[i + 1]["value"], ratios[i], beyond.max()))
    return rows


def markdown(report):
    """What the sweep found, as a page."""
    found = cliffs(report)
    verdict = (
        "No two neighbours differ by more than 2.5 times."
        if not found
        else "\n".join(
            f"- {sweep}, {cell}: {a} and {b} differ {max(ratio, 1 / ratio):.1f} times"
            for sweep, cell, a, b, ratio in found
        )
    )
    rows = "\n".join(
        f"| {sweep} | {cell} | {a} and {b} | {ratio:.2f} | {beyond:.2f} |"
        for sweep, cell, a, b, ratio, beyond in steepest(report)
    )
    return f"""# Time per multiply-add over the number of units, sequences and genomes

![time per multiply-add](sweep.png)

Made by `{report["command"]}`: one thread, float32, 2 inputs, 1 output; best of {report["passes"]} passes.
Machine: {report["environment"]["processor"]}; one thread reaches {2e-9 * report["peaks"]["multiply_adds"]:.0f} GFLOP/s
and {1e-9 * report["peaks"]["activations"]:.1f} G tanh/s. Genomes fill vectors of {report["lanes"]} lanes: what the last
vector is short of is padding, and is taken out before neighbours are compared (the plot leaves it in).
{report.get("note", "")}

{verdict}

| sweep | cell | steepest step between | times | steepest beyond the fifth point |
|---|---|---|---:|---:|
{rows}
"""


def plot(report, folder):
    """A panel a sweep, a line a cell."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib.ticker import FuncFormatter

    style = {
        "font.family": "DejaVu Sans", "font.size": 9.5, "axes.spines.top": False, "axes.spines.right": False,
        "axes.edgecolor": "#777777", "axes.labelcolor": "#333333", "xtick.color": "#555555", "ytick.color": "#555555",
        "svg.hashsalt": "neuroevo",
    }  # fmt: skip
    captions = {
        "units, one series": ("hidden units", "One series: 32 genomes, 150 steps"),
        "units, 8 sequences": ("hidden units", "8 sequences: 32 genomes, 40 steps"),
        "sequences": ("sequences", "16 units: 32 genomes, 60 steps"),
        "genomes": ("genomes", "16 units: one series of 150 steps"),
    }
    least = 1e12 / report["peaks"]["multiply_adds"]
    with plt.rc_context(style):
        figure, axes = plt.subplots(2, 2, figsize=(11, 7.2), sharey=True, layout="constrained")
        for axis, (sweep, by_cell) in zip(axes.flat, report["sweeps"].items(), strict=True):
            for cell, points in by_cell.items():
                x, y = [p["value"] for p in points], [p["picoseconds"] for p in points]
                axis.plot(x, y, color=COLOURS[cell], lw=1.3, label=NAMES[cell])
            for _, cell, a, b, _ in (found for found in cliffs(report) if found[0] == sweep):
                pair = [p for p in by_cell[cell] if p["value"] in (a, b)]
                axis.plot([a, b], [p["picoseconds"] for p in pair], "o", ms=5, mfc="none", mec="#222222", mew=0.9)
            axis.axhline(least, color="#999999", lw=0.9, ls=(0, (4, 3)))
            label, title = captions[sweep]
            axis.set(xlabel=label, yscale="log", xlim=(0, x[-1] + 1))
            axis.set_title(title, loc="left", fontsize=10.5, color="#222222")
            axis.grid(axis="y", which="major", color="#e6e6e6", lw=0.8)
            axis.set_axisbelow(True)
            axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        for axis in axes[:, 0]:
            axis.set_ylabel("picoseconds per multiply-add")
        axes[0, 0].annotate(
            "multiply-add peak of one core", (130, least), (0, 3), textcoords="offset points",
            ha="right", va="bottom", fontsize=8.5, color="#777777",
        )  # fmt: skip
        axes[0, 0].set_ylim(bottom=0.75 * least)
        axes[0, 1].legend(frameon=False, ncols=2, loc="upper right")
        figure.suptitle(
            "What a multiply-add costs, by number of units, sequences and genomes", x=0.008, ha="left", fontsize=13
        )
        for suffix in ("png", "svg"):
            figure.savefig(folder / f"sweep.{suffix}", dpi=150, metadata={"Date": None} if suffix == "svg" else None)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cells", default="elman,lstm,gru,graph")
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "benchmarks")
    parser.add_argument("--plot-only", action="store_true")
    parser.add_argument("--undisturbed", action="store_true", help="timed calls get real-time priority (Linux, root)")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    stored = options.out / "sweep.json"
    if not options.plot_only:
        command = " ".join(["python benchmarks/sweep.py", *sys.argv[1:]])
        report = {"command": command, **measure(options.cells.split(","), options.passes, options.undisturbed)}
        stored.write_text(json.dumps(report) + "\n")
    report = json.loads(stored.read_text())
    (options.out / "sweep.md").write_text(markdown(report))
    plot(report, options.out)
    print(markdown(report))


if __name__ == "__main__":
    main()

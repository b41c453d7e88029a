"""Tables and picture of `evolve_or_descend.py`.

python benchmarks/evolve_or_descend_report.py results/evolve_or_descend
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib as mpl
import matplotlib.ticker
import numpy as np

mpl.use("Agg")
import matplotlib.pyplot as plt

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.evolve_or_descend import EVOLVE, METHODS, SECONDS, TASKS  # noqa: E402
from benchmarks.new_data import CLASSES, SERIES  # noqa: E402

NAMES = list(METHODS)
COLOURS = dict(zip(NAMES, plt.cm.tab10.colors, strict=False))
STYLES = {name: "-" if name in EVOLVE else "--" if "SNES" not in name else ":" for name in NAMES}


def gathered(rows: list[dict]) -> dict[tuple[str, str, str], np.ndarray]:
    """``(n_seeds, n_times)`` by problem, method and part."""
    found: dict[tuple[str, str, str], list[list[float]]] = {}
    for row in rows:
        for part in ("train", "validation", "test"):
            values = [point.get(part, np.nan) for point in row["points"]]
            found.setdefault((row["problem"], row["method"], part), []).append(values)
    return {key: np.array(values) for key, values in found.items()}


def interval(values: np.ndarray) -> str:
    low, middle, high = np.nanquantile(values, [0.25, 0.5, 0.75])
    return f"{middle:.3g} ({low:.3g} to {high:.3g})"


def table(found, problems, part: str) -> list[str]:
    lines = ["| | " + " | ".join(NAMES) + " |", "| --- |" + " ---: |" * len(NAMES)]
    for problem in problems:
        medians = [np.nanmedian(found[problem, name, part][:, -1]) for name in NAMES]
        cells = [interval(found[problem, name, part][:, -1]) for name in NAMES]
        best = int(np.nanargmin(medians))
        cells[best] = f"**{cells[best]}**"
        lines.append(f"| {problem} | " + " | ".join(cells) + " |")
    return lines


def ratios(found, problems, part: str) -> list[str]:
    """Geometric means over problems of each method's median over the best one's after all seconds."""
    lines = ["| | " + " | ".join(f"{seconds:g} s" for seconds in SECONDS) + " | first on |"]
    lines.append("| --- |" + " ---: |" * (len(SECONDS) + 1))
    medians = {
        name: np.array([np.nanmedian(found[problem, name, part], axis=0) for problem in problems]) for name in NAMES
    }
    best = np.min([values[:, -1] for values in medians.values()], axis=0)
    for name in NAMES:
        with np.errstate(invalid="ignore", divide="ignore"):
            means = np.exp(np.nanmean(np.log(medians[name] / best[:, None]), axis=0))
        wins = int((medians[name][:, -1] <= best).sum())
        lines.append(f"| {name} | " + " | ".join(f"{value:.2f}" for value in means) + f" | {wins} |")
    return lines


def draw(found, problems, path: Path) -> None:
    figure, axes = plt.subplots(4, 4, figsize=(13, 11), sharex=True)
    for axis, problem in zip(axes.flat, problems, strict=False):
        for name in NAMES:
            median = np.nanmedian(found[problem, name, "test"], axis=0)
            axis.plot(SECONDS, median, STYLES[name], color=COLOURS[name], marker="o", ms=3, lw=1.4, label=name)
        axis.set_title(problem, fontsize=10)
        axis.set_xscale("log")
        if problem not in CLASSES:
            axis.set_yscale("log")
            axis.yaxis.set_major_formatter(mpl.ticker.FormatStrFormatter("%.3g"))
            axis.yaxis.set_minor_formatter(mpl.ticker.NullFormatter())
            low, high = axis.get_ylim()
            if high < 10 * low:
                axis.yaxis.set_major_locator(mpl.ticker.LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
        axis.tick_params(labelsize=8)
        axis.grid(alpha=0.25)
    for axis in axes[-1]:
        axis.set_xlabel("seconds of one processor", fontsize=9)
    for axis in axes[:, 0]:
        axis.set_ylabel("test error", fontsize=9)
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper center", ncol=5, fontsize=9, frameon=False)
    figure.tight_layout(rect=(0, 0, 1, 0.945))
    figure.savefig(path, dpi=110)


def main() -> None:
    folder = Path(sys.argv[1])
    rows = json.loads((folder / "figures.json").read_text())
    counts = {(row["problem"], row["method"]): 0 for row in rows}
    for row in rows:
        counts[row["problem"], row["method"]] += 1
    problems = [name for name in (*SERIES, *CLASSES, *TASKS) if all((name, method) in counts for method in NAMES)]
    found = gathered(rows)
    series = [name for name in problems if name in SERIES]
    lines = [f"Seeds: {min(counts.values())} to {max(counts.values())}.", ""]
    smooth = [name for name in series if not name.startswith("CO2")]
    for part in ("train", "test"):
        lines += [f"### Series but CO2, {part}, over the best method's median after {SECONDS[-1]:g} s", ""]
        lines += [*ratios(found, smooth, part), ""]
    for part in ("train", "test"):
        lines += [f"### Series, {part}, over the best method's median after {SECONDS[-1]:g} s", ""]
        lines += [*ratios(found, series, part), ""]
    for part in ("train", "test"):
        lines += [f"### After {SECONDS[-1]:g} s, {part}: medians and quartiles", "", *table(found, problems, part), ""]
    (folder / "tables.md").write_text("\n".join(lines))
    draw(found, problems, folder / "test_error.png")
    print("\n".join(lines))


if __name__ == "__main__":
    main()

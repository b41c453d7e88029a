"""Pictures and tables of `closed_loop.py`: the error of free runs against the step."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neuroevo.plots import style
from neuroevo.plots.style import BLUE, CYCLE, GREY, INK

WAYS = {
    "one step ahead": (CYCLE[1], "-"),
    "free runs": (BLUE, "-"),
    "first one step, then free": (CYCLE[2], "--"),
}
SIMPLE = {
    "last value repeated": (GREY, ":"),
    "last season repeated": (GREY, "--"),
    "ridge regression": (INK, "-."),
}
TITLES = {"mackey_glass": "Mackey-Glass", "lorenz": "Lorenz, x"}
STEPS = {"chaos": (1, 5, 10, 25, 40, 70, 100), "El Nino": (1, 6, 12, 24), "CO2, weekly": (1, 13, 26, 52)}
UNITS = {"El Nino": "°C", "CO2, weekly": "ppm", "sunspots, monthly": "sunspots"}


def report(folder: Path) -> None:
    """Write tables.md, chaos.png and real.png beside the JSON files of a folder."""
    chaos = {name: json.loads(path.read_text()) for name in TITLES if (path := folder / f"chaos_{name}.json").exists()}
    real = json.loads((folder / "real.json").read_text()) if (folder / "real.json").exists() else {}
    tables = []
    for name, found in chaos.items():
        quartiles = {way: _quartiles(found["runs"], way, "test", found["deviation"]) for way in WAYS}
        simple = {label: np.array(its) / found["deviation"] for label, its in found["simple"].items()}
        seconds = {way: np.median([run["seconds"] for run in found["runs"] if run["way"] == way]) for way in WAYS}
        title = f"{TITLES[name]}: {len(found['runs']) // len(WAYS)} seeds, error by the deviation of the test part"
        tables.append(_table(title, quartiles, simple, STEPS["chaos"], seconds))
    for name, found in real.items():
        quartiles = {way: _quartiles(found["runs"], way, "test", 1.0) for way in list(WAYS)[:2]}
        simple = {label: np.array(its) for label, its in found["simple"]["test"].items()}
        title = f"{name}: root mean squared error in {UNITS[name]} of {found['n_test']} forecasts, 5 seeds"
        tables.append(_table(title, quartiles, simple, STEPS.get(name, (1, 6, 12, 36)), None))
    (folder / "tables.md").write_text("\n\n".join(tables) + "\n")
    if chaos:
        panels = {TITLES[name]: (found["runs"], found["simple"], found["deviation"]) for name, found in chaos.items()}
        _draw(panels, folder, "chaos", "error / deviation", 1.6)
    if real:
        panels = {name: (found["runs"], found["simple"]["test"], 1.0) for name, found in real.items()}
        _draw(panels, folder, "real", "root mean squared error", None)


def _quartiles(runs: Sequence[Mapping[str, Any]], way: str, part: str, unit: float) -> np.ndarray:
    """``(3, n_steps)``: quartiles over the seeds; a run that overflows is larger than all."""
    errors = np.array([run[part] for run in runs if run["way"] == way], dtype=np.float64) / unit
    return np.quantile(np.where(np.isfinite(errors), errors, np.inf), (0.25, 0.5, 0.75), axis=0, method="inverted_cdf")


def _table(
    title: str,
    quartiles: Mapping[str, np.ndarray],
    simple: Mapping[str, np.ndarray],
    steps: Sequence[int],
    seconds: Mapping[str, float] | None,
) -> str:
    lines = [f"**{title}**", "", f"| step | {' | '.join(map(str, steps))} |{' seconds |' if seconds else ''}"]
    lines.append("| --- |" + " ---: |" * (len(steps) + bool(seconds)))
    for way, (low, middle, high) in quartiles.items():
        cells = [f"{middle[k - 1]:.2g} ({low[k - 1]:.2g} … {high[k - 1]:.2g})" for k in steps]
        cells += [f"{seconds[way]:.0f}"] if seconds else []
        lines.append(f"| {way} | {' | '.join(cells)} |")
    for label, values in simple.items():
        cells = [f"{values[k - 1]:.2g}" for k in steps] + ([""] if seconds else [])
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _draw(panels: Mapping[str, Any], folder: Path, name: str, label: str, top: float | None) -> None:
    with style.drawing(name):
        figure = style.new_figure(4.6 * len(panels) + 1.6, 3.6)
        row = figure.subplots(1, len(panels), squeeze=False)[0]
        for axes, (title, (runs, simple, unit)) in zip(row, panels.items(), strict=True):
            for way, (colour, dashes) in WAYS.items():
                if any(run["way"] == way for run in runs):
                    low, middle, high = _quartiles(runs, way, "test", unit)
                    x = np.arange(1, len(middle) + 1)
                    axes.plot(x, middle, color=colour, ls=dashes, label=way)
                    axes.fill_between(x, low, high, color=colour, alpha=0.15, lw=0)
            for competitor, values in simple.items():
                for start, (colour, dashes) in SIMPLE.items():
                    if competitor.startswith(start):
                        x = np.arange(1, len(values) + 1)
                        axes.plot(x, np.array(values) / unit, color=colour, ls=dashes, label=start)
            axes.set_title(title)
            axes.set_xlabel("step of the free run")
            axes.set_ylim(0, top)
        row[0].set_ylabel(label)
        found = {label: line for axes in row for line, label in zip(*axes.get_legend_handles_labels(), strict=True)}
        order = [label for label in (*WAYS, *SIMPLE) if label in found]
        style.end_legend(row[-1], handles=[found[label] for label in order], labels=order)
        style.save(figure, folder, name, ("png",))

"""Tables and pictures of `vanishing.py`: what its runs say together."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import binomtest

from neuroevo.plots.style import BLUE, CYCLE, GREY, INK

Row = Mapping[str, Any]
Cells = Mapping[tuple[str, str, int], Mapping[str, Mapping[str, Any]]]
SOLVED = 0.98
NAMES = {
    "bptt": "BPTT", "rtrl": "RTRL", "levenberg_marquardt": "LM", "genetic_algorithm": "GA", "cma_es": "CMA-ES",
    "snes": "SNES", "memetic": "memetic",
}  # fmt: skip
TITLES = {"latch": "latch", "temporal_order": "temporal order", "adding": "adding"}
NETWORKS = {"lstm": "LSTM, 4 cells", "elman": "Elman, 8 units"}
CONDITIONS = {
    "elman": ("tanh Elman", BLUE, "-"),
    "lstm": ("LSTM", CYCLE[1], "-"),
    "lstm, forget bias 1": ("LSTM, forget bias + 1", CYCLE[4], "--"),
    "lstm_1997": ("LSTM without forget gate", CYCLE[2], "-"),
}


def cells_of(
    rows: Iterable[Row], seeds: Iterable[int], methods_of: Callable[[str, int], list[str]]
) -> dict[tuple[str, str, int], dict[str, dict[str, Any]]]:
    """What the methods did on each network, task and T; one that has not had all seeds yet is left out."""
    wanted, found = set(seeds), defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row["seed"] in wanted:
            found[row["network"], row["task"], row["length"]][row["method"]].append(row)
    summaries = {}
    for cell, of in found.items():
        whole = {name: summary(of[name]) for name in NAMES if len(of[name]) == len(wanted)}
        slow = {name: {"fits": False} for name in NAMES if name not in methods_of(*cell[1:])}
        if whole:
            summaries[cell] = slow | whole
    return summaries


def summary(rows: list[Row]) -> dict[str, Any]:
    """Successes with Wilson's interval of 95 %, and quartiles of shares right and of seconds to success."""
    right = np.array([row["right"] for row in rows])
    solved = right >= SOLVED
    seconds = np.where(solved, [row["seconds"] for row in rows], np.inf)
    low, high = binomtest(int(solved.sum()), len(rows)).proportion_ci(method="wilson")
    # Of failures the time is beyond all numbers, so that quartiles are elements of the sample.
    times = np.quantile(seconds, (0.25, 0.5, 0.75), method="inverted_cdf")
    return {
        "fits": True,
        "runs": len(rows),
        "successes": int(solved.sum()),
        "interval": [round(low, 3), round(high, 3)],
        "right": np.quantile(right, (0.25, 0.5, 0.75)).round(3).tolist(),
        "seconds": [round(float(time), 3) if np.isfinite(time) else None for time in times],
        "generations": int(np.median([row["generations"] for row in rows])),
        "rate": rows[0]["rate"],
    }


def table(cells: Cells, network: str, tasks: list[str]) -> str:
    """Successes and median seconds to success; where fewer than half succeed, the median share of sequences right."""
    lines = [f"| task | T | rate | {' | '.join(NAMES.values())} |", f"|---|--:|--:|{'---|' * len(NAMES)}"]
    for task in tasks:
        for length in sorted(length for kind, name, length in cells if (kind, name) == (network, task)):
            of = cells[network, task, length]
            entries = [
                TITLES[task],
                str(length),
                f"{of['bptt']['rate']:g}" if "bptt" in of else "",
                *(entry(of.get(name)) for name in NAMES),
            ]
            lines.append(f"| {' | '.join(entries)} |")
    return "\n".join(lines)


def entry(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return ""
    if not found["fits"]:
        return "-"
    if found["seconds"][1] is not None:
        return f"{found['successes']}: {found['seconds'][1]:.2g} s"
    return f"{found['successes']}: {100 * found['right'][1]:.0f} %"


def draw_success(cells: Cells, network: str, path: Path) -> None:
    """Above the share of successes with its interval, below the median seconds to success, against T."""
    import matplotlib.pyplot as plt

    tasks = [task for task in TITLES if any(cell[:2] == (network, task) for cell in cells)]
    size = 1.2 + 3.6 * len(tasks), 6.4
    figure, axes = plt.subplots(
        2, len(tasks), figsize=size, sharex=True, sharey="row", layout="constrained", squeeze=False
    )
    ticks = sorted({length for kind, _, length in cells if kind == network})
    for column, task in enumerate(tasks):
        lengths = sorted(length for kind, name, length in cells if (kind, name) == (network, task))
        for place, (method, name) in enumerate(NAMES.items()):
            style = {
                "color": CYCLE[place],
                "marker": "osv^DPX"[place],
                "markersize": 5,
                "linewidth": 1.3,
                "label": name,
            }
            # Side by side, so that the bars of equal successes can be told apart.
            shift = 1.035 ** (place - 3)
            mine = [(length, cells[network, task, length].get(method)) for length in lengths]
            mine = [(length, found) for length, found in mine if found and found["fits"]]
            at = [length * shift for length, _ in mine]
            share = np.array([found["successes"] / found["runs"] for _, found in mine])
            bounds = np.array([found["interval"] for _, found in mine]).reshape(-1, 2).T
            axes[0, column].errorbar(
                at, share, np.maximum([share - bounds[0], bounds[1] - share], 0), elinewidth=0.7, **style
            )
            timed = [(length * shift, found["seconds"][1]) for length, found in mine if found["seconds"][1] is not None]
            axes[1, column].plot([x for x, _ in timed], [y for _, y in timed], **style)
        axes[0, column].set_title(TITLES[task])
        axes[1, column].set_xlabel("T, steps of the shortest sequence")
        for axis in axes[:, column]:
            axis.set_xscale("log")
            axis.set_xticks(ticks, [str(length) for length in ticks], minor=False)
            axis.minorticks_off()
            axis.grid(alpha=0.3, linewidth=0.5)
        axes[1, column].set_yscale("log")
    axes[0, 0].set_ylabel("share of runs that succeed\n(bars: Wilson, 95 %)")
    axes[1, 0].set_ylabel("median processor seconds\nto success")
    axes[0, -1].legend(frameon=False, bbox_to_anchor=(1.0, 1.0), loc="upper left")
    figure.suptitle(NETWORKS[network])
    figure.savefig(path, dpi=130)
    plt.close(figure)


def draw_flow(flow: Mapping[str, Any], path: Path) -> None:
    """Norms of the error signal relative to lag 0, at the start and after training: medians and quartiles of seeds."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(11, 4.4), sharey=True, layout="constrained")
    for axis, when in zip(axes, ("start", "trained"), strict=True):
        for name, (label, colour, dashes) in CONDITIONS.items():
            if name in flow[when]:
                low, middle, high = np.array(flow[when][name]["norms"])
                axis.plot(middle, color=colour, linestyle=dashes, label=label)
                axis.fill_between(np.arange(len(middle)), low, high, color=colour, alpha=0.15, linewidth=0)
        bound = flow[when]["elman"]["singular_value"][1] ** np.arange(len(middle))
        axis.plot(bound, color=GREY, linestyle=":", label="bound of the Elman network")
        axis.set(yscale="log", xlabel="lag, steps", title={"start": "at the start", "trained": "after training"}[when])
        axis.grid(alpha=0.3, linewidth=0.5)
        axis.axhline(1.0, color=INK, linewidth=0.5)
    axes[0].set_ylim(1e-16, 1e3)
    axes[0].set_ylabel("‖d outputs(last) / d state(last - lag)‖\nrelative to lag 0")
    axes[0].legend(frameon=False, fontsize=8, loc="lower left")
    figure.savefig(path, dpi=130)
    plt.close(figure)


def write(
    rows: list[Row],
    seeds: Iterable[int],
    tasks: Mapping[str, Any],
    methods_of: Callable[[str, int], list[str]],
    flow: Mapping[str, Any],
    folder: Path,
) -> None:
    """`success.json`, `tables.md` and the pictures."""
    cells = cells_of(rows, seeds, methods_of)
    folder.mkdir(parents=True, exist_ok=True)
    every = [{key: value for key, value in row.items() if key != "genome"} for row in rows]
    every = [row for row in every if (row["network"], row["task"], row["length"]) in cells]
    listed = [
        dict(zip(("network", "task", "length"), cell, strict=True)) | {"methods": of} for cell, of in cells.items()
    ]
    head = json.dumps({"budgets": {task: values[0] for task, values in tasks.items()}, "cells": listed}, indent=1)
    runs = ",\n".join(json.dumps(row) for row in every)
    (folder / "success.json").write_text(f'{head.rstrip("}").rstrip()},\n "runs": [\n{runs}\n]}}\n')
    parts = ["Made by `python benchmarks/vanishing.py report`; [README.md](README.md) says what it is."]
    for network, title in NETWORKS.items():
        if any(cell[0] == network for cell in cells):
            parts += [f"## {title}", table(cells, network, list(TITLES))]
        if sum(cell[0] == network for cell in cells) > 1:
            draw_success(cells, network, folder / f"success_{network}.png")
    (folder / "tables.md").write_text("\n\n".join(["# Success against T", *parts]) + "\n")
    draw_flow(flow, folder / "flow.png")

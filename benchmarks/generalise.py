"""Noise and weight decay, each alone: what they bring on held-out data before the test parts of the shipped data.

    python benchmarks/generalise.py --json results/benchmarks/generalise.json \
        --markdown results/benchmarks/generalise.md

Problems and networks are those of the rehearsal of `new_data.py`: of what lies before the test part of each shipped
data set the last fifth is held out, and the fifth before that validates; the test parts are never read. A GRU of 4
units on `residual = "linear"`, SNES with 24 genomes, 300 generations whatever happens; for classes 8 units, softmax, 32
genomes. Ten seeds, the same for all settings; of classes five. Errors are normalised mean squared errors in original
units, or shares of wrong classes. Shown is the median over the seeds, and for each setting the median over all problems
and seeds of its error divided by that of the same seed without it. The genomes measured without noise are not counted,
so that a noisy run costs a third more; nor are those of the final fit, which searches again on training and validation
data for as many generations as the champion took. What a json file holds already is kept: `--settings` and names of
problems add to it.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
from new_data import CLASSES, SERIES, classes, figure, series

import neuroevo as ne

SETTINGS = {
    "nothing": {},
    "input noise 0.02": {"input_noise": 0.02},
    "input noise 0.05": {"input_noise": 0.05},
    "input noise 0.1": {"input_noise": 0.1},
    "weight noise 0.02": {"weight_noise": 0.02},
    "weight noise 0.05": {"weight_noise": 0.05},
    "weight noise 0.1": {"weight_noise": 0.1},
    "weight decay 1e-4": {"weight_decay": 1e-4},
    "weight decay 1e-3": {"weight_decay": 1e-3},
    "weight decay 1e-2": {"weight_decay": 1e-2},
    "final fit": {"final_fit": True},
}
PARTS = {"test": "held out", "validation": "validation, which chose the champion"}
"""Parts of the rehearsal, whose test part lies before the true one."""


def decayed(problem, weight_decay: float):
    """The problem with a weight decay: all that is learnt of it stays as it is."""
    base, scaling, preparation = problem.original, problem.scaling, problem.preparation
    other = ne.SequenceProblem(**{**base.fields(), "weight_decay": weight_decay})
    other = other if preparation is None else other.with_preparation(preparation)
    return other.with_scaling(scaling)


def errors(problem, setting: dict, folder: Path, n_seeds: int) -> dict[str, list[float]]:
    """The champions' errors on the parts of `PARTS`, a list over the seeds each."""
    tables = dict(setting)
    if "weight_decay" in tables:
        problem = decayed(problem, tables.pop("weight_decay"))
    by_class = problem.learned.by_class
    units = {"n_hidden": 8, "output_activation": "softmax"} if by_class else {"n_hidden": 4}
    network = ne.make_network("gru", problem.n_inputs, problem.n_outputs, **units)
    strategy = {"kind": "snes", "population_size": 32 if by_class else 24}
    scenario = ne.make_scenario(
        problem, network, strategy, {"generations": 300}, record={"plots": False}, generalise=tables
    )
    found: dict[str, list[float]] = {part: [] for part in PARTS}
    for seed in range(1, n_seeds + 1):
        record = ne.run(scenario, seed=seed, results=folder, compute=ne.Compute(threads=1))
        delivered = record.delivered
        # That of a final fit is scaled by all that it has learnt from.
        its = problem if delivered is record else delivered.problem
        outputs = network.predict(delivered.champion.genome, its.inputs, its.lengths)
        for part in PARTS.keys() & its.parts.keys():
            found[part].append(figure(its, outputs, part))
    return found


def page(found: dict) -> str:
    lines = ["# Noise and weight decay, each alone", "", *__doc__.split("\n\n")[2].splitlines(), ""]
    for part, title in PARTS.items():
        names = [name for name in SETTINGS if all(by[name][part] for by in found.values())]
        lines += [f"Medians over the seeds, {title}:", "", "| problem | " + " | ".join(names) + " |"]
        lines += ["| --- |" + " ---: |" * len(names)]
        for problem, by_setting in found.items():
            medians = [float(np.median(by_setting[name][part])) for name in names]
            best = min(medians)
            cells = [f"**{value:.3g}**" if value == best else f"{value:.3g}" for value in medians]
            lines.append(f"| {problem} | " + " | ".join(cells) + " |")
        ratios = {name: _ratios(found, name, part) for name in names}
        lines.append("| median ratio | " + " | ".join(f"{np.median(ratios[name]):.3f}" for name in names) + " |")
        quartiles = [np.quantile(ratios[name], [0.25, 0.75]) for name in names]
        lines.append("| its quartiles | " + " | ".join(f"{low:.2f} to {high:.2f}" for low, high in quartiles) + " |")
        better = [sum(np.median(_of(found, p, name, part)) < 1 for p in found) for name in names]
        lines.append("| problems with a median ratio below 1 | " + " | ".join(map(str, better)) + " |")
        lines.append("")
    return "\n".join(lines)


def _of(found: dict, problem: str, name: str, part: str) -> np.ndarray:
    """The ratios of one problem, a seed each; of two errors of 0 it is 1."""
    plain, other = (np.array(found[problem][key][part]) for key in ("nothing", name))
    return (other + 1e-12) / (plain + 1e-12)


def _ratios(found: dict, name: str, part: str) -> np.ndarray:
    return np.concatenate([_of(found, problem, name, part) for problem in found])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help="problems; all of them where none is named")
    parser.add_argument("--settings", nargs="*", default=list(SETTINGS), help="of them, all by default")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    found: dict = json.loads(options.json.read_text()) if options.json and options.json.exists() else {}
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        for name in options.names or [*SERIES, *CLASSES]:
            of_classes = name in CLASSES
            problem = classes(name, True) if of_classes else series(name, folder, True, residual="linear")
            n_seeds = (options.seeds + 1) // 2 if of_classes else options.seeds
            for title in options.settings:
                found.setdefault(name, {})[title] = errors(problem, SETTINGS[title], folder, n_seeds)
            print(name, {title: round(float(np.median(e["test"])), 5) for title, e in found[name].items()}, flush=True)
            if options.json:
                options.json.write_text(json.dumps(found, indent=1))
            if options.markdown:
                options.markdown.write_text(page(found))


if __name__ == "__main__":
    main()

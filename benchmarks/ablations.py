"""What each part of the default brings: switched off one at a time, without a look at any test part.

    python benchmarks/ablations.py --pool /tmp/pool --markdown results/benchmarks/ablations.md

The ten series of benchmarks/new_data.py, each without its test part, and the first 80 % of each: 20 cases, of which the
last fifth is held out, and of the rest the last fifth validates. GRU, SNES with 24 genomes, at most 400 generations,
patience 100, ten seeds for each setting. What is compared is combined from their champions afterwards, so that all rows
have the same searches. Errors on the held-out rows are divided by those of the simple competitor that is best there,
chosen with hindsight. --pool keeps the champions' predictions, and goes on with what it finds.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from new_data import SERIES, rows

import neuroevo as ne
from neuroevo.prediction import ensemble_selection
from neuroevo.prediction.selection import MOST_WORSE
from neuroevo.problems import PROBLEMS
from neuroevo.problems.baselines import baselines
from neuroevo.settings import parse_settings

SHARES = (1.0, 0.8)
SEEDS = range(1, 11)
SETTINGS = {
    "linear4": ({"residual": "linear"}, 4),
    "none4": ({}, 4),
    "linear8": ({"residual": "linear"}, 8),
    "none8": ({}, 8),
    "decay": ({"residual": "linear", "weight_decay": 1e-3}, 4),
}
N_INCUMBENTS = 5
BEST = slice(0, N_INCUMBENTS)


def problem_of(name: str, share: float, folder: Path, **keys):
    file, column, before, _, horizon = SERIES[name]
    values = rows(file, column)[: int(share * before)]
    (folder / "values.csv").write_text(column + "\n" + "\n".join(map(repr, values.tolist())))
    known = int(0.8 * len(values))
    train = int(0.8 * known)
    table = {
        "file": "values.csv", "input": column, "horizon": horizon, "washout": 12,
        "parts": {"train": train, "validation": known - train, "test": "rest"}, **keys,
    }  # fmt: skip
    return parse_settings(PROBLEMS["series"], table).build(folder)


def search(problem, n_hidden: int, seed: int) -> np.ndarray:
    """``(N_INCUMBENTS + 1, n_steps)``: predictions of the best incumbents by validation and of the last one."""
    network = ne.Gru(problem.n_inputs, n_hidden, problem.n_outputs)
    strategy = ne.make_strategy("snes", n_genes=network.n_genes, seed=seed, layout=network.layout, population_size=24)
    least, best, since, found = np.inf, np.inf, 0, []
    with ne.LocalEvaluator(network, problem, n_threads=1) as evaluator:
        for generation in range(400):
            population = strategy.ask()
            error = evaluator.evaluate(population).error
            strategy.tell(population, error)
            place = int(np.argmin(error))
            if error[place] < least:
                least = error[place]
                value = float(evaluator.evaluate(population[[place]], "validation").error[0])
                found.append((value, population[place].copy()))
                if value < best:
                    best, since = value, generation
            if generation - since >= 100:
                break
    chosen = sorted(found, key=lambda each: each[0])[:N_INCUMBENTS]
    chosen += [chosen[-1]] * (N_INCUMBENTS - len(chosen))
    outputs = [network.predict(genome, problem.inputs) for _, genome in [*chosen, found[-1]]]
    return np.stack([problem.predictions(each)[0, :, 0] for each in outputs])


def case(name: str, share: float, file: Path) -> dict[str, np.ndarray]:
    found = dict(np.load(file)) if file.exists() else {}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        here = Path(folder)
        for label, (keys, n_hidden) in SETTINGS.items():
            missing = [seed for seed in SEEDS if f"{label}/{seed}" not in found]
            problem = problem_of(name, share, here, **keys) if missing else None
            for seed in missing:
                found[f"{label}/{seed}"] = search(problem, n_hidden, seed)
        plain = problem_of(name, share, here)
        found["targets"] = plain.original.targets[0, :, 0]
        for part in plain.parts:
            found[f"mask_{part}"] = plain.counted(part)[0, :, 0]
        for each in baselines(plain):
            found[f"simple/{each.name}"] = plain.predictions(each.outputs)[0, :, 0]
    np.savez(file, **found)
    return found


def compared(found: dict[str, np.ndarray]) -> dict[str, float]:
    """Held-out errors of the default and of what is left without its parts, by the best simple competitor's."""
    targets = found["targets"]
    train, validation, held = (found[f"mask_{part}"] for part in ("train", "validation", "test"))

    def error(outputs: np.ndarray, mask: np.ndarray) -> float:
        return float(((outputs - targets)[mask] ** 2).mean())

    def mean(label: str, n: int, places: slice | int = 0) -> np.ndarray:
        return np.mean(
            [found[f"{label}/{seed}"][places].reshape(-1, len(targets)).mean(axis=0) for seed in SEEDS[:n]], 0
        )

    simple = {
        name: values
        for name, values in found.items()
        if name.startswith("simple/") and np.isfinite(values[validation | held]).all()
    }
    best = min(error(values, held) for values in simple.values())
    simple = {name: values for name, values in simple.items() if name != "simple/drift"}
    fits = {name: error(values, train & np.isfinite(values)) for name, values in simple.items()}
    good = [values for name, values in simple.items() if fits[name] <= MOST_WORSE * min(fits.values())]

    def selected(points: list[np.ndarray], others: list[np.ndarray]) -> np.ndarray:
        models = np.stack([*points, *others])
        chosen = ensemble_selection(models[:, validation, None], targets[validation, None])
        return chosen.weights @ models

    two = [mean(label, 5) for label in ("linear4", "none4")]
    singles = [error(found[f"linear4/{seed}"][0], held) for seed in SEEDS]
    lasts = [error(found[f"linear4/{seed}"][-1], held) for seed in SEEDS]
    found_errors = {
        "**the default**: two points of five seeds, selection among them and simple competitors": selected(two, good),
        "with ten seeds for each point": selected([mean(label, 10) for label in ("linear4", "none4")], good),
        "with a third and fourth point of eight units": selected([*two, mean("linear8", 5), mean("none8", 5)], good),
        "without the simple competitors": selected(two, []),
        "with all simple competitors, poor ones on the training part too": selected(two, list(simple.values())),
        "the better point by validation alone": min(two, key=lambda each: error(each, validation)),
        "both points alike": np.mean(two, axis=0),
        "`residual = \"linear\"` alone, ten seeds": mean("linear4", 10),
        "no residual, ten seeds": mean("none4", 10),
        "`residual = \"linear\"`, eight units, ten seeds": mean("linear8", 10),
        "`residual = \"linear\"`, `weight_decay = 0.001`, ten seeds": mean("decay", 10),
        "`residual = \"linear\"`, ten seeds, last incumbents instead of champions": mean("linear4", 10, -1),
        "`residual = \"linear\"`, five best incumbents of each of ten seeds": mean("linear4", 10, BEST),
        "`residual = \"linear\"`, five best incumbents of each of two seeds": mean("linear4", 2, BEST),
        "`residual = \"linear\"`, two seeds": mean("linear4", 2),
        "the best simple competitor by validation": min(simple.values(), key=lambda each: error(each, validation)),
    }  # fmt: skip
    ratios = {name: error(outputs, held) / best for name, outputs in found_errors.items()}
    return ratios | {
        '`residual = "linear"`, one seed': float(np.median(singles)) / best,
        '`residual = "linear"`, one seed, its last incumbent': float(np.median(lasts)) / best,
    }


def markdown(ratios: dict[str, dict[str, float]]) -> str:
    names = list(next(iter(ratios.values())))
    lines = [
        "# What each part of the default brings", "", *__doc__.split("\n\n")[2].strip().split("\n"), "",
        "    python benchmarks/ablations.py --pool /tmp/pool --markdown results/benchmarks/ablations.md", "",
        f"| | geometric mean | median | worst of {len(ratios)} | cases 5 % worse or more |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]  # fmt: skip
    table = {name: np.array([its[name] for its in ratios.values()]) for name in names}
    for name, values in table.items():
        mean = float(np.exp(np.log(values).mean()))
        lines.append(
            f"| {name} | {mean:.3f} | {np.median(values):.3f} | {values.max():.2f} | {int((values > 1.05).sum())} |"
        )
    lines += ["", "By case:", "", "| | " + " | ".join(("default", "linear", "none", "better point")) + " |"]
    lines.append("| --- " + "| ---: " * 4 + "|")
    shown = [names[0], names[7], names[8], names[5]]
    for label, its in ratios.items():
        lines.append(f"| {label} | " + " | ".join(f"{its[name]:.3f}" for name in shown) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pool", type=Path, required=True, help="a folder for the champions' predictions")
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    options.pool.mkdir(parents=True, exist_ok=True)
    ratios = {}
    for share in SHARES:
        for name in SERIES:
            begun = time.perf_counter()
            label = name if share == 1.0 else f"{name}, first {100 * share:.0f} %"
            ratios[label] = compared(case(name, share, options.pool / f"{name.replace(' ', '_')}-{share}.npz"))
            print(f"{label}: {time.perf_counter() - begun:.0f} s", flush=True)
    text = markdown(ratios)
    print(text)
    if options.markdown:
        options.markdown.write_text(text)


if __name__ == "__main__":
    main()

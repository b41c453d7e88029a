"""Yearly sunspots by Levenberg-Marquardt: networks chosen by the end of the training part, then the two test parts.

    python benchmarks/sunspots_descent.py --validate      # all candidates; no test part is looked at
    python benchmarks/sunspots_descent.py                 # what was chosen, ten seeds, on 1921-1955 and 1956-1979

A candidate is 16 starts of Levenberg-Marquardt, 80 generations each, without restarts, on the raw series one year
ahead; its prediction is the median of the 16 networks. Candidates are judged by training to 1840, 1860 and 1880 and
looking at the 40 years that follow; what is chosen are the three whose mean does best there. It then trains on
1700-1920. Figures are average relative variances, mean squared errors over 1535 (Weigend, Huberman and Rumelhart 1990).
"""

from __future__ import annotations

import argparse
import itertools
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from neuroevo.scenario import load_scenario  # noqa: E402
from neuroevo.strategies import make_strategy  # noqa: E402

SCENARIO = ROOT / "scenarios" / "sunspots.toml"
VARIANCE, STARTS, GENERATIONS = 1535.0, 16, 80
FOLDS = ((1840, 1880), (1860, 1900), (1880, 1920))
INITIAL = {"initial_state": True}
CANDIDATES = {
    **{
        f"elman {n}, decay {w}": ("elman", n, w, {}) for n, w in ((3, 0.01), (4, 0.02), (6, 0.03), (8, 0.06), (12, 0.1))
    },
    **{f"gru {n}, decay {w}": ("gru", n, w, {}) for n, w in ((3, 0.01), (4, 0.01), (4, 0.02), (6, 0.02), (6, 0.05))},
    **{f"lstm {n}, decay {w}": ("lstm", n, w, {}) for n, w in ((3, 0.01), (3, 0.02), (4, 0.02), (4, 0.04), (6, 0.05))},
    "ctrnn 4, decay 0.01": ("ctrnn", 4, 0.01, {}),
    "lstm 3, decay 0.02, initial state": ("lstm", 3, 0.02, INITIAL),
    "lstm 4, decay 0.04, initial state": ("lstm", 4, 0.04, INITIAL),
    "gru 4, decay 0.01, initial state": ("gru", 4, 0.01, INITIAL),
    "lstm 3, decay 0.02, skip": ("lstm", 3, 0.02, {"skip": True}),
}
CHOSEN = (
    "lstm 3, decay 0.02, initial state", "lstm 4, decay 0.04, initial state", "gru 4, decay 0.01, initial state",
)  # fmt: skip


def predictions(candidate: str, seed: int, overrides: dict) -> tuple[object, np.ndarray, np.ndarray]:
    """The problem, the target in sunspots, and the predictions of all networks, ``(STARTS, n_steps)``."""
    kind, n_hidden, decay, more = CANDIDATES[candidate]
    table = {
        **overrides,
        "precision": "double",
        "problem.weight_decay": decay,
        "network": {"kind": kind, "n_hidden": n_hidden, **more},
        "strategy": {"kind": "levenberg_marquardt", "population_size": STARTS, "restart_after": 0},
    }
    scenario = load_scenario(SCENARIO, overrides=table)
    problem, network = scenario.problem, scenario.network
    strategy = make_strategy(
        "levenberg_marquardt", n_genes=network.n_genes, seed=seed, population_size=STARTS, layout=network.layout,
        restart_after=0, first_damping=0.01,
    )  # fmt: skip
    with scenario.evaluator.build(1) as evaluator:
        for _ in range(GENERATIONS):
            population = strategy.ask()
            evaluation = evaluator.evaluate(population, wants=strategy.wants)
            strategy.tell(population, evaluation.error, **evaluation.more)
    genomes, _ = strategy.emigrants(STARTS)
    outputs = [problem.predictions(network.predict(genome, problem.inputs)).ravel() for genome in genomes]
    return problem, problem.predictions(problem.targets).ravel(), np.array(outputs)


def figure(problem, target: np.ndarray, prediction: np.ndarray, part: str) -> float:
    counted = problem.counted(part).ravel()
    return float(np.square(prediction - target)[counted].mean() / VARIANCE)


def validate() -> None:
    found: dict[str, list[np.ndarray]] = {}
    for name in CANDIDATES:
        for last, until in FOLDS:
            parts = {"train": [1700, last], "validation": [last + 1, until]}
            table = {"problem.span": [1700, until], "problem.parts": parts}
            problem, target, outputs = predictions(name, 1, table)
            counted = problem.counted("validation").ravel()
            found.setdefault(name, []).append((np.median(outputs, axis=0) - target)[counted])

    def figures(names):
        return [
            np.square(np.mean([found[name][k] for name in names], axis=0)).mean() / VARIANCE for k in range(len(FOLDS))
        ]

    for size in (1, 3):
        ranked = sorted(itertools.combinations(found, size), key=lambda names: np.mean(figures(names)))
        for names in ranked[: None if size == 1 else 3]:
            print(
                " ".join(f"{value:.4f}" for value in figures(names)),
                f"mean {np.mean(figures(names)):.4f}",
                " + ".join(names),
            )


def test(seeds: int) -> None:
    rows = []
    for seed in range(1, seeds + 1):
        medians = []
        for name in CHOSEN:
            problem, target, outputs = predictions(name, seed, {})
            medians.append(np.median(outputs, axis=0))
        parts = ("train", "test_1921_1955", "test_1956_1979")
        alone = [[figure(problem, target, median, part) for part in parts] for median in medians]
        together = [figure(problem, target, np.mean(medians, axis=0), part) for part in parts]
        rows.append([together, *alone])
        print(seed, " ".join(f"{value:.4f}" for value in together), flush=True)
    for k, label in enumerate(("together", *CHOSEN)):
        print(label, "median", np.round(np.median([row[k] for row in rows], axis=0), 4),
              "least", np.round(np.min([row[k] for row in rows], axis=0), 4),
              "most", np.round(np.max([row[k] for row in rows], axis=0), 4))  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--validate", action="store_true")
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_args()
    if options.validate:
        validate()
    else:
        test(options.seeds)


if __name__ == "__main__":
    main()

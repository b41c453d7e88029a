"""What a residual or a difference brings, for the table of docs/decisions/generalisation.md.

    python benchmarks/residuals.py

Seven shipped series without their test parts: 60 % train, 20 % validate, 20 % are held out. SNES with 24 genomes, 300
generations, 6 seeds, the champion by validation. Printed: normalised errors on validation and held-out rows, the median
of the seeds and those of the mean of their outputs; of the simple competitors on top.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import neuroevo as ne
from neuroevo.problems import PROBLEMS
from neuroevo.problems.metrics import measure
from neuroevo.settings import parse_settings

DATA = Path(__file__).resolve().parent.parent / "scenarios" / "data"
SERIES = {
    "sunspots, yearly": ("sunspots_yearly.csv", "sunspots", 221, 1),
    "airline": ("airline_passengers.csv", "passengers", 108, 1),
    "El Nino": ("elnino_sst_monthly.csv", "sst_c", 600, 1),
    "laser": ("santafe_laser.csv", "intensity", 1000, 1),
    "Nile": ("nile.csv", "volume", 75, 1),
    "sunspots, monthly, every third": ("sunspots_monthly.csv", "sunspots", 2400, 3),
    "CO2, every second week": ("co2_weekly.csv", "co2_ppm", 1800, 2),
}
"""File, column, rows before the test part, and which of them are taken."""
VARIANTS = {
    "plain": {},
    "last value": {"residual": "last_value"},
    "linear": {"residual": "linear"},
    "difference": {"transform": "difference"},
    "linear, robust": {"residual": "linear", "scaling": "robust"},
}
PARTS = ("validation", "held_out")
GENERATIONS, POPULATION = 300, 24


def rows(file: str, column: str, n: int, every: int) -> np.ndarray:
    lines = [line for line in (DATA / file).read_text().splitlines() if not line.startswith("#")]
    place = lines[0].split(",").index(column)
    return np.array([float(line.split(",")[place]) for line in lines[1 : n + 1]])[::every]


def champion(
    evaluator: ne.LocalEvaluator, network: ne.Network, seed: int, start: Mapping[str, Any] | None = None
) -> np.ndarray:
    """Of all incumbents the one with the smallest validation error; `start` has further arguments of the strategy."""
    more = {"layout": network.layout, "population_size": POPULATION, **(start or {})}
    strategy = ne.make_strategy("snes", n_genes=network.n_genes, seed=seed, **more)
    incumbent, chosen = np.inf, (np.inf, np.empty(0))
    for _ in range(GENERATIONS):
        population = strategy.ask()
        error = evaluator.evaluate(population).error
        strategy.tell(population, error)
        best = int(np.argmin(error))
        if error[best] < incumbent:
            incumbent = error[best]
            validation = float(evaluator.evaluate(population[[best]], "validation").error[0])
            chosen = min(chosen, (validation, population[best].copy()), key=lambda each: each[0])
    return chosen[1]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, (file, column, n, every) in SERIES.items():
            values = rows(file, column, n, every)
            (Path(folder) / "values.csv").write_text("value\n" + "\n".join(map(repr, values.tolist())))
            train, validation = int(0.6 * len(values)), int(0.2 * len(values))
            parts = {"train": train, "validation": validation, "held_out": "rest"}
            table = {"file": "values.csv", "input": "value", "washout": 12, "parts": parts}
            logarithms = {"log, linear": {"transform": "log", "residual": "linear"}} if (values > 0).all() else {}
            print(name)
            for variant, keys in {**VARIANTS, **logarithms}.items():
                problem = parse_settings(PROBLEMS["series"], {**table, **keys}).build(Path(folder))
                if variant == "plain":
                    for label, found in problem.competitors().items():
                        print(f"  {label:36s} " + " ".join(f"{found[part]['nmse']:.3f}" for part in PARTS))
                for network in (ne.Elman(1, 6, 1), ne.Gru(1, 4, 1)):
                    with ne.LocalEvaluator(network, problem, n_threads=1) as evaluator:
                        genomes = [champion(evaluator, network, seed) for seed in range(6)]
                    outputs = [network.predict(genome, problem.inputs, problem.lengths) for genome in genomes]
                    single = [np.median([measure(problem, each, part).nmse for each in outputs]) for part in PARTS]
                    mean = [measure(problem, np.mean(outputs, axis=0), part).nmse for part in PARTS]
                    figures = " ".join(f"{value:.3f}" for value in (*single, *mean))
                    print(f"  {variant:16s} {network.kind:6s} {figures}", flush=True)


if __name__ == "__main__":
    main()

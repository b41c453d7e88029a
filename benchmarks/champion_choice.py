"""Who should be the champion: all that were best in a generation, or only those that were best so far?

    python benchmarks/champion_choice.py

SNES, 400 generations, 6 seeds, on the part of five shipped series that lies before their test parts: 60 % train, 20 %
validate, 20 % are held out. Normalised errors on what is held out, medians over the seeds, for four weight decays:

- last: the incumbent of the last generation, validation unheard;
- incumbents: of all that were best so far, the best by validation (what a run delivers);
- generations: of all that were best in their generation, the best by validation;
- path: of the four decays, each seed takes the one that is best by validation.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import neuroevo as ne

DATA = Path(__file__).resolve().parent.parent / "scenarios" / "data"
SERIES = {
    "sunspots, yearly": ("sunspots_yearly.csv", "sunspots", 221),
    "airline, log": ("airline_passengers.csv", "passengers", 108),
    "El Nino": ("elnino_sst_monthly.csv", "sst_c", 600),
    "laser": ("santafe_laser.csv", "intensity", 1000),
    "Nile": ("nile.csv", "volume", 75),
}
DECAYS = (0.0, 1e-4, 1e-3, 1e-2)
WAYS = ("last", "incumbents", "generations")


def rows(file: str, column: str, n: int) -> np.ndarray:
    lines = [line for line in (DATA / file).read_text().splitlines() if not line.startswith("#")]
    place = lines[0].split(",").index(column)
    return np.array([float(line.split(",")[place]) for line in lines[1 : n + 1]])


def problem_of(values: np.ndarray) -> ne.SequenceProblem:
    n = len(values)
    first, second = int(0.6 * n), int(0.8 * n)
    values = (values - values[:first].mean()) / values[:first].std()
    t = np.arange(1, n)[None]
    parts = {"train": t < first, "validation": (t >= first) & (t < second), "held_out": t >= second}
    return ne.SequenceProblem(values[None, :-1, None], values[None, 1:, None], washout=min(12, first // 5), parts=parts)


def champions(evaluator: ne.LocalEvaluator, network: ne.Network, seed: int, decay: float) -> dict[str, tuple]:
    """For each way its champion's validation error and genome."""
    strategy = ne.make_strategy("snes", n_genes=network.n_genes, seed=seed, layout=network.layout)
    best, found = np.inf, dict.fromkeys(WAYS, (np.inf, None))
    for _ in range(400):
        population = strategy.ask()
        error = evaluator.evaluate(population).error + decay * (population**2).mean(axis=1)
        strategy.tell(population, error)
        k = int(np.argmin(error))
        one = (float(evaluator.evaluate(population[[k]], "validation").error[0]), population[k].copy())
        found["generations"] = min(found["generations"], one, key=lambda each: each[0])
        if error[k] < best:
            best = error[k]
            found["last"] = one
            found["incumbents"] = min(found["incumbents"], one, key=lambda each: each[0])
    return found


def main() -> None:
    for name, (file, column, n) in SERIES.items():
        values = rows(file, column, n)
        problem = problem_of(np.log(values) if name.endswith("log") else values)
        for network in (ne.Elman(1, 8, 1), ne.Gru(1, 5, 1)):
            errors: dict[str, np.ndarray] = {way: np.empty((2, 6, len(DECAYS))) for way in WAYS}
            with ne.LocalEvaluator(network, problem, n_threads=1) as evaluator:
                for seed in range(6):
                    for place, decay in enumerate(DECAYS):
                        for way, (validation, genome) in champions(evaluator, network, seed, decay).items():
                            held_out = evaluator.evaluate(genome[None], "held_out").error[0]
                            errors[way][:, seed, place] = validation, held_out
            print(name, network.kind)
            for way, (validation, held_out) in errors.items():
                path = np.median(held_out[np.arange(6), validation.argmin(axis=1)])
                figures = " ".join(f"{value:.4f}" for value in np.median(held_out, axis=0))
                print(f"  {way:12s} {figures}" + ("" if way == "last" else f"   path {path:.4f}"), flush=True)


if __name__ == "__main__":
    main()

"""How often do the intervals of a forecast of many steps hold what came? Four ways to make them, on shipped series.

    python benchmarks/forecast_intervals.py

A GRU of 4 units on what ridge regression leaves, SNES, 200 generations, 3 seeds; 60 % of a series train, 20 % validate,
20 % test. The champion forecasts 24 steps from many places of the test part, its own outputs fed back. The share of the
targets at steps 1, 6, 12 and 24 that lie in intervals of 90 %, the mean over the seeds:

- one step: as wide as 90 % of the misses one step ahead on the validation part, at every step;
- bootstrap: 5 % to 95 % of 200 simulated paths, to each of whose steps a miss of the validation part is added;
- misses: at each step as wide as 90 % of the misses of forecasts from the validation part at that step;
- growing: the same, never narrower than at an earlier step (what `neuroevo forecast` gives).
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

import neuroevo as ne
from neuroevo.prediction import Loop, StepMisses, loop_of, step_misses
from neuroevo.problems.series import Series

DATA = Path(__file__).resolve().parent.parent / "scenarios" / "data"
SERIES = {
    "sunspots, monthly": ("sunspots_monthly.csv", "sunspots"),
    "El Nino": ("elnino_sst_monthly.csv", "sst_c"),
    "CO2, weekly": ("co2_weekly.csv", "co2_ppm"),
    "laser, first 2000": ("santafe_laser.csv", "intensity"),
}
STEPS, SHOWN, LEVEL, N_PATHS, N_ORIGINS, SEEDS = 24, (1, 6, 12, 24), 0.9, 200, 40, (1, 2, 3)


def problem_of(file: str, column: str, folder: Path) -> ne.SequenceProblem:
    lines = [line for line in (DATA / file).read_text().splitlines() if not line.startswith("#")]
    (folder / file).write_text("\n".join(lines[:2001] if "laser" in file else lines) + "\n")
    extra = {"ignore": "interpolated"} if "interpolated" in lines[0] else {}
    parts = {"train": 0.6, "validation": 0.2, "test": "rest"}
    return Series(file=file, input=column, residual="linear", parts=parts, **extra).build(folder)


def champion(problem: ne.SequenceProblem, seed: int, folder: Path) -> ne.Predictor:
    network = ne.Gru(problem.n_inputs, 4, problem.n_outputs)
    scenario = ne.make_scenario(problem, network, "snes", {"generations": 200}, seed=seed)
    return ne.run(scenario, results=folder).predictor()


def shares(misses: StepMisses, widths: np.ndarray) -> list[float]:
    return [float(np.mean(misses.misses[step - 1][0] <= widths[step - 1])) for step in SHOWN]


def simulated(
    predictor: ne.Predictor, problem: ne.SequenceProblem, loop: Loop, rng: np.random.Generator
) -> list[float]:
    """The share of test targets between the quantiles of simulated paths."""
    series = problem.original
    inputs, targets, counted = series.inputs[0], series.targets[0, :, 0], series.counted("test")[0, :, 0]
    said = predictor.predict(series.inputs)[0, :, 0]
    residuals = (targets - said)[series.counted("validation")[0, :, 0]]
    able = np.flatnonzero(counted)[:-STEPS]
    origins = set(able[np.linspace(0, len(able) - 1, N_ORIGINS).astype(int)].tolist())
    stream, inside = predictor.stream(N_PATHS), []
    for row in range(max(origins) + 1):
        rows = np.repeat(inputs[row : row + 1], N_PATHS, axis=0)
        outputs = stream.step(rows)
        if row in origins:
            path, its = stream.copy(), []
            for step in range(STEPS):
                values = outputs + rng.choice(residuals, size=(N_PATHS, 1))
                low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
                its.append(low <= targets[row + step] <= high)
                rows = loop.following(rows, values)
                outputs = path.step(rows)
            inside.append(its)
    return [float(np.mean([its[step - 1] for its in inside])) for step in SHOWN]


def main() -> None:
    print(f"| series | way | {' | '.join(f'step {step}' for step in SHOWN)} |")
    print(f"| --- | --- |{' ---: |' * len(SHOWN)}")
    for name, (file, column) in SERIES.items():
        found: dict[str, list[list[float]]] = {}
        with tempfile.TemporaryDirectory() as text:
            folder = Path(text)
            problem = problem_of(file, column, folder)
            loop = loop_of(problem, (1,))
            for seed in SEEDS:
                predictor = champion(problem, seed, folder)
                learnt = step_misses(predictor, problem, loop, STEPS)
                test = step_misses(predictor, problem, loop, STEPS, "test")
                assert learnt is not None
                assert test is not None
                growing = learnt.half_widths(LEVEL)[:, 0]
                own = [its[0][int(np.ceil((len(its[0]) + 1) * LEVEL)) - 1] for its in learnt.misses]
                ways = {
                    "one step": shares(test, np.full(STEPS, growing[0])),
                    "bootstrap": simulated(predictor, problem, loop, np.random.default_rng(seed)),
                    "misses": shares(test, np.array(own)),
                    "growing": shares(test, growing),
                }
                for way, its in ways.items():
                    found.setdefault(way, []).append(its)
        for way, its in found.items():
            cells = " | ".join(f"{100 * share:.0f} %" for share in np.mean(its, axis=0))
            print(f"| {name} | {way} | {cells} |", flush=True)


if __name__ == "__main__":
    main()

"""What holds on data that nobody has seen: the documented default beside simple and learnt competitors.

    python benchmarks/new_data.py --rehearse              # series without their test parts, to see that all works
    python benchmarks/new_data.py --json results/benchmarks/new_data.json --tables results/benchmarks/new_data_tables.md

The protocol was fixed before any test part was looked at:

- Problems: every shipped data set, one step ahead and, for the three long seasonal ones, further; and the four sets of
  sequences to be classified. Test parts are the customary ones; of what lies before, the last fifth (of sequences, a
  fifth) is for validation. Errors are normalised mean squared errors in original units, or shares of wrong classes.
- The default, as docs/prediction.md writes it: a GRU with 4 units, SNES with 24 genomes, at most 400 generations,
  patience 100, five seeds each on `residual = "linear"` and on the target itself, combined by
  `ensemble = "selection"`; for classes 8 units, softmax, 32 genomes, 600 generations and ten seeds. One thread. It is
  repeated with other seeds: the first time with 1 to 5 (of classes 1 to 10), then with those that follow, and so on.
- Its parts: the mean of the champions of one point, and single champions of `residual = "linear"`.
- Competitors: the last value, the last season, drift, linear autoregression, ridge regression, gradient-boosted trees
  (scikit-learn); of classes a linear classifier and logistic regression.
- PyTorch: GRU and LSTM with 16 units, Adam, full backpropagation through time, three learning rates chosen on the
  validation part, stopped early by it. Each learning rate has the seconds of one of our runs, at least one second.
- An echo state network: 200 units, spectral radius and leak of six pairs and ridge factor chosen on the validation
  part.
- Intervals: the share of test targets within those of 90 %.

One core; the machine is shared, so seconds are rough. With --keep, PyTorch and the echo states are taken from an
earlier report by the same protocol instead of being run again.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import tomli_w

import neuroevo as ne
from neuroevo.problems import PROBLEMS
from neuroevo.problems.metrics import measure
from neuroevo.records import saved_ensemble
from neuroevo.settings import parse_settings
from neuroevo.trials import plan_runs, run_plans

DATA = Path(__file__).resolve().parent.parent / "scenarios" / "data"
SEEDS, REPEATS = 10, 10
PARTS = ("validation", "test")
DEFAULT, ONE = "neuroevo, chosen by validation", "neuroevo, one seed"
POINTS = {"residual=linear": "neuroevo, residual", "residual=none": "neuroevo, no residual"}
SERIES = {
    "sunspots, yearly": ("sunspots_yearly.csv", "sunspots", 221, 280, 1),
    "sunspots, monthly": ("sunspots_monthly.csv", "sunspots", 2400, 3126, 1),
    "airline passengers": ("airline_passengers.csv", "passengers", 108, 144, 1),
    "El Nino": ("elnino_sst_monthly.csv", "sst_c", 600, 732, 1),
    "laser": ("santafe_laser.csv", "intensity", 1000, 10_093, 1),
    "Nile": ("nile.csv", "volume", 75, 100, 1),
    "CO2, weekly": ("co2_weekly.csv", "co2_ppm", 1800, 2284, 1),
    "sunspots, a year ahead": ("sunspots_monthly.csv", "sunspots", 2400, 3126, 12),
    "El Nino, half a year ahead": ("elnino_sst_monthly.csv", "sst_c", 600, 732, 6),
    "CO2, a quarter ahead": ("co2_weekly.csv", "co2_ppm", 1800, 2284, 13),
}
"""File, column, rows before the test part, rows in all, horizon."""
CLASSES = {
    "power demand": "italy_power_demand.npz",
    "Japanese vowels": "japanese_vowels.npz",
    "basic motions": "basic_motions.npz",
    "pick-up gestures": "pickup_gesture_wiimote_z.npz",
}


def rows(file: str, column: str) -> np.ndarray:
    lines = [line for line in (DATA / file).read_text().splitlines() if not line.startswith("#")]
    names = lines[0].split(",")
    return np.array([float(line.split(",")[names.index(column)]) for line in lines[1:]])


def series_table(name: str, folder: Path, rehearse: bool = False) -> dict:
    """The table [problem] of a series, whose file is written into the folder."""
    file, column, before, n, horizon = SERIES[name]
    values = rows(file, column)[:n]
    if rehearse:
        values = values[:before]
        before = int(0.8 * before)
    path = folder / "values.csv"
    path.write_text(column + "\n" + "\n".join(map(repr, values.tolist())))
    train = int(0.8 * before)
    return {
        "file": path.name, "input": column, "horizon": horizon, "washout": 12, "gradient_boosting": True,
        "parts": {"train": train, "validation": before - train, "test": "rest"},
    }  # fmt: skip


def class_table(name: str) -> dict:
    return {
        "file": str(DATA / CLASSES[name]), "labels": "y", "lengths": "len", "parts": ["train", "test"],
        "validation": 0.2, "scaling": "standard", "gradient_boosting": True,
    }  # fmt: skip


def scenario_table(name: str, folder: Path, rehearse: bool = False) -> dict:
    """The default as a scenario file has it."""
    if name in SERIES:
        return {
            "problem": {"kind": "series", **series_table(name, folder, rehearse)},
            "network": {"kind": "gru", "n_hidden": 4},
            "strategy": {"kind": "snes", "population_size": 24},
            "stop": {"generations": 400, "validation_patience": 100},
            "record": {"plots": False},
            "sweep": {"trials": 5, "ensemble": "selection", "over": {"problem": {"residual": ["linear", "none"]}}},
        }
    return {
        "problem": {"kind": "sequences", **class_table(name)},
        "network": {"kind": "gru", "n_hidden": 8, "output_activation": "softmax"},
        "strategy": {"kind": "snes", "population_size": 32},
        "stop": {"generations": 600, "validation_patience": 100},
        "record": {"plots": False},
        "sweep": {"trials": 10, "ensemble": "selection"},
    }


def figure(problem, outputs: np.ndarray, part: str) -> float:
    found = measure(problem, outputs, part)
    return 1 - found.learned if problem.learned.by_class else found.nmse


def default(name: str, folder: Path, rehearse: bool, repeats: int) -> dict[str, dict[str, list[float]]]:
    """Figures of the default and of its parts in each repeat."""
    table = scenario_table(name, folder, rehearse)
    path = folder / "default.toml"
    path.write_text(tomli_w.dumps(table))
    by_class, trials = name in CLASSES, table["sweep"]["trials"]
    found: dict[str, dict[str, list[float]]] = {}

    def note(label: str, parts: dict, **more: float) -> None:
        figures = {part: 1 - parts[part]["learned"] if by_class else parts[part]["nmse"] for part in PARTS}
        for key, value in {**figures, **more}.items():
            found.setdefault(label, {}).setdefault(key, []).append(value)

    for repeat in range(repeats):
        plan = plan_runs(path, seed=1 + repeat * trials)
        whole = run_plans([plan], folder / f"runs{repeat}", ne.Compute(threads=1)).folders[0]
        saved = saved_ensemble(whole.path)
        contestants, weights = saved.results["contestants"], saved.chosen["weights"]
        runs = {its.path.name: its.finished() for its in (whole.points() if plan.keys else [whole])}
        networks = sum(share for key, share in weights.items() if key in runs)
        figures = {"networks": networks}
        if "nmse" in saved.chosen["validation"]:
            figures["out_of_bag"] = saved.chosen["validation"]["nmse"]
        if saved.intervals:
            figures["coverage"] = saved.intervals["parts"]["test"]["absolute_coverage"]
        seconds = sum(record.run["seconds"] for its in runs.values() for record in its)
        note(DEFAULT, contestants["chosen by validation"], seconds=seconds, **figures)
        for key, its in runs.items():
            mean = contestants[f"{key} (mean of {len(its)})"]
            note(f"{POINTS.get(key, 'neuroevo')}, mean of {len(its)}", mean)
        for record in runs.get("residual=linear", its):
            champion = record.run["results"]["contestants"]["champion"]
            note(ONE, champion, seconds=record.run["seconds"])
    return found


def torch_outputs(problem, kind: str, seed: int, seconds: float) -> np.ndarray:
    """Outputs of a network of PyTorch, its learning rate and its end chosen on the validation part."""
    import torch

    torch.set_num_threads(1)
    by_class = problem.learned.by_class
    inputs = torch.tensor(np.nan_to_num(problem.inputs), dtype=torch.float32)
    targets = torch.tensor(np.nan_to_num(problem.targets), dtype=torch.float32)
    counted = {part: torch.tensor(np.array(problem.counted(part))) for part in ("train", "validation")}

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell = getattr(torch.nn, kind.upper())(problem.n_inputs, 16, batch_first=True)
            self.out = torch.nn.Linear(16, problem.n_outputs)

        def forward(self, x):
            return self.out(self.cell(x)[0])

    def loss(outputs, part):
        if by_class:
            steps = counted[part].any(dim=2)
            return torch.nn.functional.cross_entropy(outputs[steps], targets[steps].argmax(dim=1))
        return ((outputs - targets)[counted[part]] ** 2).mean()

    best = (np.inf, None)
    for rate in (1e-2, 3e-3, 1e-3):
        torch.manual_seed(seed)
        net = Net()
        optimiser = torch.optim.Adam(net.parameters(), lr=rate)
        begun, waited, own = time.perf_counter(), 0, np.inf
        while time.perf_counter() - begun < seconds and waited < 200:
            optimiser.zero_grad()
            outputs = net(inputs)
            loss(outputs, "train").backward()
            with torch.no_grad():
                value = float(loss(outputs, "validation"))
            if value < own:
                own, waited = value, 0
                if value < best[0]:
                    best = (value, outputs.detach().numpy().astype(np.float64).copy())
            else:
                waited += 1
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step()
    return best[1]


def echo_outputs(problem, seed: int, n_units: int = 200) -> np.ndarray:
    """Outputs of an echo state network with a linear read-out of units and inputs."""
    rng = np.random.default_rng(seed)
    w_in = rng.uniform(-0.5, 0.5, (n_units, problem.n_inputs + 1))
    w = rng.normal(size=(n_units, n_units)) * (rng.random((n_units, n_units)) < 0.1)
    w /= np.abs(np.linalg.eigvals(w)).max()
    inputs, train = np.nan_to_num(problem.inputs), problem.counted("train").any(axis=2)
    best = (np.inf, None)
    for radius in (0.7, 0.9, 1.1):
        for leak in (0.3, 1.0):
            state = np.zeros((problem.n_sequences, n_units))
            states = np.empty((*inputs.shape[:2], n_units + problem.n_inputs + 1))
            for t in range(problem.n_steps):
                fed = np.concatenate([inputs[:, t], np.ones((problem.n_sequences, 1))], axis=1)
                state = (1 - leak) * state + leak * np.tanh(fed @ w_in.T + state @ (radius * w).T)
                states[:, t] = np.concatenate([state, fed], axis=1)
            x, y = states[train], np.nan_to_num(problem.targets)[train]
            for factor in (1e-6, 1e-4, 1e-2, 1.0):
                weights = np.linalg.solve(x.T @ x + factor * len(x) * np.eye(x.shape[1]), x.T @ y)
                outputs = states @ weights
                value = figure(problem, outputs, "validation")
                if value < best[0]:
                    best = (value, outputs)
    return best[1]


def spread(values: list[float]) -> list[float]:
    return [float(np.quantile(values, q)) for q in (0.5, 0.25, 0.75)]


def study(name: str, n_seeds: int, repeats: int, rehearse: bool, kept: dict) -> dict:
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        here = Path(folder)
        found = {
            label: {key: spread(values) for key, values in its.items()}
            for label, its in default(name, here, rehearse, repeats).items()
        }
        kind, table = (
            ("series", series_table(name, here, rehearse)) if name in SERIES else ("sequences", class_table(name))
        )
        plain = parse_settings(PROBLEMS[kind], table).build(here)
        key = "learned" if plain.learned.by_class else "nmse"
        for label, parts in plain.competitors().items():
            values = {part: parts[part][key] for part in PARTS}
            if plain.learned.by_class:
                values = {part: 1 - value for part, value in values.items()}
            found[label] = {part: [value] * 3 for part, value in values.items()}
        if kept:
            return found | {label: its for label, its in kept.items() if label.startswith(("PyTorch", "echo"))}

        def note(label, outputs, **more):
            its = {part: spread([figure(plain, each, part) for each in outputs]) for part in PARTS}
            found[label] = its | {key: [value] * 3 for key, value in more.items()}

        seconds = max(1.0, found[ONE]["seconds"][0])
        for network in ("gru", "lstm"):
            trained = [torch_outputs(plain, network, seed, seconds) for seed in range(n_seeds)]
            note(f"PyTorch {network.upper()}", trained, seconds=3 * seconds)
        note("echo state network", [echo_outputs(plain, seed) for seed in range(n_seeds)])
        return found


def cell(figures: list[float]) -> str:
    median, low, high = figures
    return f"{median:.4f}" if low == high else f"{median:.4f} ({low:.4f} to {high:.4f})"


def summary(report: dict) -> str:
    """The default beside the best simple and the best other competitor, and how its intervals hold."""
    head = "problem", "chosen by validation", "one seed", "best simple competitor", "best of PyTorch and echo states"
    lines = [
        f"| {' | '.join(head)} | say of networks | test targets in 90 % intervals |",
        "| --- | ---: | ---: | --- | --- | ---: | ---: |",
    ]
    for name, found in report.items():
        simple, other = {}, {}
        for label, figures in found.items():
            if not label.startswith("neuroevo"):
                kind = other if label.startswith(("PyTorch", "echo")) else simple
                kind[label] = figures["test"][0]
        best = [f"{its[label]:.4f}, {label}" for its in (simple, other) for label in [min(its, key=its.__getitem__)]]
        own = found[DEFAULT]
        coverage = f"{100 * own['coverage'][0]:.0f} %" if "coverage" in own else ""
        lines.append(
            f"| {name} | {cell(own['test'])} | {cell(found[ONE]['test'])} | {best[0]} | {best[1]} "
            f"| {100 * own['networks'][0]:.0f} % | {coverage} |"
        )
    return "\n".join(lines) + "\n"


def tables(report: dict) -> str:
    """A table for each problem, the smallest test error first."""
    lines = ["# Errors on data that nobody has seen: all tables", "", "What they say: [new_data.md](new_data.md).", ""]
    for name, found in report.items():
        lines += [f"## {name}", "", "| | validation | test | seconds |", "| --- | ---: | ---: | ---: |"]
        for label, figures in sorted(found.items(), key=lambda item: item[1]["test"][0]):
            seconds = figures.get("seconds")
            # Earlier reports have one number.
            shown = "" if seconds is None else f"{np.ravel(seconds)[0]:.1f}"
            bold = "**" if label == DEFAULT else ""
            cells = " | ".join(cell(figures[part]) for part in PARTS)
            lines.append(f"| {bold}{label}{bold} | {cells} | {shown} |")
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rehearse", action="store_true")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--only", nargs="*", help="words of problems' names")
    parser.add_argument("--repeats", type=int, default=REPEATS, help="of the whole default, each with its own seeds")
    parser.add_argument("--keep", type=Path, help="an earlier report whose rows of PyTorch and echo states are kept")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--tables", type=Path)
    options = parser.parse_args()
    report = json.loads(options.json.read_text()) if options.json and options.json.exists() and options.only else {}
    kept = json.loads(options.keep.read_text()) if options.keep else {}
    for name in (*SERIES, *CLASSES):
        if options.rehearse and name in CLASSES:
            continue
        if options.only and not any(word in name for word in options.only):
            continue
        report[name] = study(name, options.seeds, options.repeats, options.rehearse, kept.get(name, {}))
        print(name, flush=True)
        for label, figures in sorted(report[name].items(), key=lambda item: item[1]["test"][0]):
            print(f"  {label:45s} {figures['validation'][0]:.4f} {figures['test'][0]:.4f}", flush=True)
        if options.json:
            options.json.write_text(json.dumps(report, indent=1) + "\n")
        if options.tables:
            options.tables.write_text(tables(report))
    print(summary(report))


if __name__ == "__main__":
    main()

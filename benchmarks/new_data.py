"""What holds on data that nobody has seen: the documented default beside simple and learnt competitors.

    python benchmarks/new_data.py --rehearse              # on the training data alone, to see that all works
    python benchmarks/new_data.py --json results/benchmarks/new_data.json --markdown results/benchmarks/new_data.md

The protocol was fixed before any test part was looked at:

- Problems: every shipped data set, one step ahead and, for the three long seasonal ones, further; and the four sets of
  sequences to be classified. Test parts are the customary ones; of what lies before, the last fifth (of sequences, a
  fifth) is for validation. Errors are normalised mean squared errors in original units, or shares of wrong classes.
- The default: a GRU with 4 units on `residual = "linear"`, SNES with 24 genomes, at most 400 generations, patience 100;
  for classes 8 units, softmax, 32 genomes, 600 generations. Ten seeds, one thread. Beside the champions of single
  seeds, the mean of their ten outputs.
- The ablation: no residual.
- Competitors: the last value, the last season, drift, linear autoregression, ridge regression, gradient-boosted trees
  (scikit-learn); of classes a linear classifier and logistic regression.
- PyTorch: GRU and LSTM with 16 units, Adam, full backpropagation through time, three learning rates chosen on the
  validation part, stopped early by it. Each learning rate has the seconds of one of our runs, at least one second.
- An echo state network: 200 units, spectral radius and leak of six pairs and ridge factor chosen on the validation
  part.

One core; the machine is shared, so seconds are rough.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

import neuroevo as ne
from neuroevo.problems import PROBLEMS
from neuroevo.problems.metrics import measure
from neuroevo.settings import parse_settings

DATA = Path(__file__).resolve().parent.parent / "scenarios" / "data"
SEEDS = 10
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


def series(name: str, folder: Path, rehearse: bool, **keys):
    file, column, before, n, horizon = SERIES[name]
    values = rows(file, column)[:n]
    if rehearse:
        values = values[:before]
        before = int(0.8 * before)
    path = folder / "values.csv"
    path.write_text(column + "\n" + "\n".join(map(repr, values.tolist())))
    train = int(0.8 * before)
    table = {
        "file": path.name, "input": column, "horizon": horizon, "washout": 12, "gradient_boosting": True,
        "parts": {"train": train, "validation": before - train, "test": "rest"}, **keys,
    }  # fmt: skip
    return parse_settings(PROBLEMS["series"], table).build(folder)


def classes(name: str, rehearse: bool):
    parts = ["train", "test"]
    table = {
        "file": str(DATA / CLASSES[name]), "labels": "y", "lengths": "len", "parts": parts, "validation": 0.2,
        "scaling": "standard", "gradient_boosting": True,
    }  # fmt: skip
    problem = parse_settings(PROBLEMS["sequences"], table).build(DATA)
    if not rehearse:
        return problem
    # Half of the validation part stands in for the test part.
    fields = problem.original.fields()
    masks = {part: np.array(mask) for part, mask in problem.original.parts.items()}
    places = np.flatnonzero(masks["validation"].any(axis=1))[::2]
    masks["test"] = np.zeros_like(masks["test"])
    masks["test"][places] = masks["validation"][places]
    masks["validation"][places] = False
    return ne.SequenceProblem(**{**fields, "parts": masks}).scaled("standard")


def figure(problem, outputs: np.ndarray, part: str) -> float:
    found = measure(problem, outputs, part)
    return 1 - found.learned if problem.learned.by_class else found.nmse


def evolved(problem, folder: Path, n_seeds: int, *, patience: bool = True):
    """Outputs of the champions of each seed, seconds of a run, and what the last incumbents give."""
    by_class = problem.learned.by_class
    settings = {"n_hidden": 8, "output_activation": "softmax"} if by_class else {"n_hidden": 4}
    network = ne.make_network("gru", problem.n_inputs, problem.n_outputs, **settings)
    stop = {"generations": 600 if by_class else 400, **({"validation_patience": 100} if patience else {})}
    strategy = {"kind": "snes", "population_size": 32 if by_class else 24}
    scenario = ne.make_scenario(problem, network, strategy, stop, record={"plots": False})
    found, seconds = [], []
    for seed in range(1, n_seeds + 1):
        record = ne.run(scenario, seed=seed, results=folder, compute=ne.Compute(threads=1))
        found.append(network.predict(record.champion.genome, problem.inputs, problem.lengths))
        seconds.append(record.run["seconds"])
    return found, float(np.median(seconds))


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


def study(name: str, n_seeds: int, rehearse: bool) -> dict:
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        here = Path(folder)
        if name in SERIES:
            plain = series(name, here, rehearse)
            default = series(name, here, rehearse, residual="linear")
        else:
            plain = default = classes(name, rehearse)
        found: dict[str, dict] = {}

        def note(label, problem, outputs, seconds=None):
            found[label] = {
                "validation": spread([figure(problem, each, "validation") for each in outputs]),
                "test": spread([figure(problem, each, "test") for each in outputs]),
                **({} if seconds is None else {"seconds": seconds}),
            }

        outputs, seconds = evolved(default, here / "runs", n_seeds)
        note("neuroevo, ensemble of ten", default, [np.mean(outputs, axis=0)], n_seeds * seconds)
        note("neuroevo, one seed", default, outputs, seconds)
        if name in SERIES:
            outputs, own = evolved(plain, here / "plain", n_seeds)
            note("without residual, ensemble", plain, [np.mean(outputs, axis=0)], n_seeds * own)
            note("without residual, one seed", plain, outputs, own)
        key = "learned" if plain.learned.by_class else "nmse"
        for label, parts in plain.competitors().items():
            values = {part: parts[part][key] for part in ("validation", "test")}
            if plain.learned.by_class:
                values = {part: 1 - value for part, value in values.items()}
            found[label] = {part: [value] * 3 for part, value in values.items()}
        for kind in ("gru", "lstm"):
            trained = [torch_outputs(plain, kind, seed, max(1.0, seconds)) for seed in range(n_seeds)]
            note(f"PyTorch {kind.upper()}", plain, trained, 3 * max(1.0, seconds))
        note("echo state network", plain, [echo_outputs(plain, seed) for seed in range(n_seeds)])
        return found


def markdown(report: dict, command: str) -> str:
    lines = [
        "# Errors on data that nobody has seen", "",
        "Normalised mean squared errors in original units, or shares of wrong classes, on the test parts: the median",
        "of the seeds, quartiles in brackets. The protocol stands on top of `benchmarks/new_data.py`; it was fixed",
        "before any test part was looked at.", "",
        f"    {command}", "",
    ]  # fmt: skip
    for name, found in report.items():
        lines += [f"## {name}", "", "| | validation | test | seconds |", "| --- | ---: | ---: | ---: |"]
        for label, figures in sorted(found.items(), key=lambda item: item[1]["test"][0]):
            cells = []
            for part in ("validation", "test"):
                median, low, high = figures[part]
                cells.append(f"{median:.4f}" if low == high else f"{median:.4f} ({low:.4f} to {high:.4f})")
            seconds = f"{figures['seconds']:.1f}" if "seconds" in figures else ""
            bold = "**" if label.startswith("neuroevo") else ""
            lines.append(f"| {bold}{label}{bold} | {cells[0]} | {cells[1]} | {seconds} |")
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rehearse", action="store_true")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--only", nargs="*", help="words of problems' names")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    report = {}
    for name in (*SERIES, *CLASSES):
        if options.only and not any(word in name for word in options.only):
            continue
        report[name] = study(name, options.seeds, options.rehearse)
        print(name, flush=True)
        for label, figures in sorted(report[name].items(), key=lambda item: item[1]["test"][0]):
            print(f"  {label:45s} {figures['validation'][0]:.4f} {figures['test'][0]:.4f}", flush=True)
        if options.json:
            options.json.write_text(json.dumps(report, indent=1) + "\n")
        if options.markdown:
            options.markdown.write_text(markdown(report, "python benchmarks/new_data.py"))


if __name__ == "__main__":
    main()

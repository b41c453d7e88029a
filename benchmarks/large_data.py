"""150 000 steps on one core: SNES with and without mini-batches beside PyTorch, in seconds of processor time.

    python benchmarks/large_data.py --json results/benchmarks/large_data.json

The series is made here: white Gaussian noise u drives a Wiener-Hammerstein system, x(t) = 1.5 x(t-1) - 0.7 x(t-2) +
0.2 u(t), y(t) = 0.8 y(t-1) + 0.2 tanh(2 x(t)), and the target is y with Gaussian noise of a tenth of its deviation. It
is to be simulated from u alone, never shown y. 120 000 steps train, 15 000 validate, 15 000 test; errors are normalised
mean squared errors, of which 0.0099 is the noise and can't be learnt.

- The linear model: ridge regression on 50 values of u, its penalty chosen on the validation part.
- neuroevo: a GRU of 8 units, SNES with 32 genomes, single precision, one thread; on all data, and with `[batch]` of 32
  stretches of 100 steps after 50 of washout. On the target itself, and on the residual of the linear model.
- PyTorch: LSTM of 16 units and a linear read-out, Adam, batches of 32 random stretches of 150 steps of which the last
  100 count, learning rates 0.01 and 0.003 on separate clocks; validation on 50 stretches of that part every 20 updates
  and on all of it whenever these say that it is better. One thread.

Seconds are those of the process's own processor time, compilation and reading included, so that other work on the
machine lengthens none of them. Each method has 60 of them for each seed; the champion is chosen on the validation part.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import tempfile
import time
from pathlib import Path

import numpy as np

import neuroevo as ne
from neuroevo.problems.metrics import measure

N, TRAIN, VALIDATION = 150_000, 120_000, 15_000
BATCH = {"size": 32, "steps": 100, "washout": 50}


def system() -> ne.SequenceProblem:
    rng = np.random.default_rng(0)
    u = rng.normal(size=N)
    x, y = np.zeros(N), np.zeros(N)
    for t in range(2, N):
        x[t] = 1.5 * x[t - 1] - 0.7 * x[t - 2] + 0.2 * u[t]
        y[t] = 0.8 * y[t - 1] + 0.2 * np.tanh(2 * x[t])
    seen = y + 0.1 * y.std() * rng.normal(size=N)
    steps = np.arange(N)
    parts = {
        "train": steps < TRAIN,
        "validation": (steps >= TRAIN) & (steps < TRAIN + VALIDATION),
        "test": steps >= TRAIN + VALIDATION,
    }
    masks = {name: mask[None] for name, mask in parts.items()}
    return ne.SequenceProblem(u[None, :, None], seen[None, :, None], parts=masks, washout=50)


def linear(problem: ne.SequenceProblem) -> dict[str, float]:
    prepared = problem.prepared("linear", residual_lags=50)
    zeros = np.zeros(prepared.targets.shape)
    return {part: measure(prepared, zeros, part).nmse for part in ("validation", "test")}


class Clock(ne.Callback):
    """Notes processor time and the champion's validation error, and ends the run in good order when time is up."""

    def __init__(self, variance: float, begun: float, seconds: float) -> None:
        self.variance, self.begun, self.limit, self.ended = variance, begun, seconds, False
        self.curve: list[tuple[float, float]] = []

    def generation(self, progress) -> None:
        spent, value = time.process_time() - self.begun, progress.validation_error / self.variance
        if np.isfinite(value) and (not self.curve or value < self.curve[-1][1]):
            self.curve.append((spent, value))
        if spent >= self.limit and not self.ended:
            self.ended = True
            os.kill(os.getpid(), signal.SIGINT)


def evolved(problem: ne.SequenceProblem, seed: int, seconds: float, *, residual: str | None, batch: bool) -> dict:
    begun = time.process_time()
    prepared = problem.prepared(residual, residual_lags=50 if residual else None).scaled("standard")
    network = ne.make_network("gru", 1, 1, n_hidden=8)
    tables = {"batch": BATCH} if batch else {}
    scenario = ne.make_scenario(
        prepared, network, {"kind": "snes", "population_size": 32}, {"generations": 10**6}, record={"plots": False},
        **tables,
    )  # fmt: skip
    # The variance of the target itself in the units that its residual is scaled to.
    variance = float(problem.targets[problem.counted("validation")].var())
    clock = Clock(variance / float(prepared.scaling.target_factor[0]) ** 2, begun, seconds)
    with tempfile.TemporaryDirectory() as folder:
        record = ne.run(scenario, seed=seed, results=folder, compute=ne.Compute(threads=1), callbacks=[clock])
        outputs = np.zeros(prepared.targets.shape)
        late = prepared.inputs[:, TRAIN - 1000 :]  # the state has settled long before the validation part
        outputs[:, TRAIN - 1000 :] = network.predict(record.champion.genome, late)
        generations = record.history.n_generations
    found = {part: measure(prepared, outputs, part).nmse for part in ("validation", "test")}
    return {**found, "curve": clock.curve, "updates": generations}


def trained(problem: ne.SequenceProblem, seed: int, seconds: float, rate: float) -> dict:
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    begun = time.process_time()
    scaled = problem.scaled("standard")
    inputs = torch.tensor(scaled.inputs[0], dtype=torch.float32)
    targets = torch.tensor(scaled.targets[0], dtype=torch.float32)
    cell, out = torch.nn.LSTM(1, 16, batch_first=True), torch.nn.Linear(16, 1)
    parameters = [*cell.parameters(), *out.parameters()]
    optimiser = torch.optim.Adam(parameters, lr=rate)
    starts = np.arange(TRAIN - 50, TRAIN + VALIDATION - 150, 100)
    windows = torch.tensor(starts[:, None] + np.arange(150))

    def error(rows) -> float:
        with torch.no_grad():
            miss = out(cell(inputs[rows])[0])[:, 50:] - targets[rows][:, 50:]
            return float((miss**2).mean())

    variance = float(targets[windows[:, 50:]].var())
    best, curve, updates, kept = np.inf, [], 0, None
    few = np.inf
    while time.process_time() - begun < seconds:
        rows = torch.tensor(rng.integers(0, TRAIN - 150, 32)[:, None] + np.arange(150))
        optimiser.zero_grad()
        miss = out(cell(inputs[rows])[0])[:, 50:] - targets[rows][:, 50:]
        (miss**2).mean().backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        updates += 1
        if updates % 20 == 0:
            seen = error(windows[:50])
            if seen < few:
                few, value = seen, error(windows)
                if value < best:
                    best, kept = value, [p.detach().clone() for p in parameters]
                    curve.append((time.process_time() - begun, value / variance))
    with torch.no_grad():
        for p, value in zip(parameters, kept, strict=True):
            p.copy_(value)
        outputs = out(cell(inputs[None])[0]).numpy().astype(np.float64)
    found = {part: measure(scaled, outputs, part).nmse for part in ("validation", "test")}
    return {**found, "curve": curve, "updates": updates}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--only", nargs="*", help="names of methods")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    problem = system()
    simple = linear(problem)
    report: dict[str, object] = {"linear": simple}
    print(f"linear model: validation {simple['validation']:.4f}, test {simple['test']:.4f}", flush=True)

    def ours(**keys):
        return lambda seed: evolved(problem, seed, options.seconds, **keys)

    methods = {
        "neuroevo, batch": ours(residual=None, batch=True),
        "neuroevo, all data": ours(residual=None, batch=False),
        "PyTorch LSTM, rate 0.003": lambda seed: trained(problem, seed, options.seconds, 0.003),
        "neuroevo, batch, residual": ours(residual="linear", batch=True),
        "PyTorch LSTM, rate 0.01": lambda seed: trained(problem, seed, options.seconds, 0.01),
    }
    for seed in range(1, options.seeds + 1):
        for name, method in methods.items():
            if options.only and name not in options.only:
                continue
            found = method(seed)
            reached = [spent for spent, value in found["curve"] if value <= simple["validation"]]
            found["seconds_to_linear"] = reached[0] if reached else None
            report.setdefault(name, []).append(found)  # type: ignore[attr-defined]
            after = f"{reached[0]:.1f} s" if reached else "never"
            print(
                f"{name}, seed {seed}: validation {found['validation']:.4f}, test {found['test']:.4f}, level with the "
                f"linear model after {after}, {found['updates']} updates",
                flush=True,
            )
            if options.json:
                options.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()

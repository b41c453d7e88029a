"""Time the gradients of populations beside JAX, and those of one network beside PyTorch's own modules.

    python benchmarks/gradients.py --threads 2            # all workloads, into results/benchmarks/gradients.{json,md}
    python benchmarks/gradients.py series-lstm-16 --threads 1 --rounds 3

Needs ``pip install neuroevo-rnn[bench]``. As in `compare_peers`, the tools take turns and the best time of each counts.
Errors and gradients are compared before anything is timed. One process has one number of threads; its rows replace
those in the report, the others stay.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.compare_peers import number  # noqa: E402
from benchmarks.peers import jax_peer, torch_peer  # noqa: E402
from benchmarks.undisturbed import first_in_line  # noqa: E402
from neuroevo.bench import as_workload, measure_peaks  # noqa: E402
from neuroevo.bench.timing import environment, limit_seconds  # noqa: E402
from neuroevo.evaluation import LocalEvaluator  # noqa: E402

NAMES = (
    "series-elman-16", "batch-elman-32", "mid-elman-64", "series-elman-64", "series-lstm-16", "batch-lstm-32",
    "mid-lstm-64", "series-gru-16", "batch-gru-32", "mid-gru-64", "series-graph-64", "batch-graph-64",
)  # fmt: skip
GRADIENT = frozenset({"gradient"})


def close(found, expected, name, tolerance=2e-3):
    """Stop where two gradients differ by more than single precision explains."""
    distance = np.linalg.norm(np.asarray(found) - expected, axis=-1) / np.linalg.norm(expected, axis=-1)
    # The median: of some networks a thousand steps are chaotic, and any rounding grows.
    if not np.median(distance) < tolerance:
        sys.exit(f"{name} computes another gradient: relative distance {np.median(distance):.1e}")


def own_ways(workload, n_threads):
    plain = LocalEvaluator(workload.network(), workload.problem(), n_threads=n_threads)
    full = LocalEvaluator(workload.network(), workload.problem(), n_threads=n_threads, wants=GRADIENT)

    def gradients(population):
        evaluation = full.evaluate(population, wants=GRADIENT)
        return evaluation.error, evaluation.more["gradient"]

    return {"forward": lambda population: (plain.evaluate(population).error,), "neuroevo": gradients}


def best_times(calls, rounds, undisturbed):
    """The best seconds of each call; they take turns."""
    best = dict.fromkeys(calls, np.inf)
    for i in range(rounds):
        for name, call in calls.items():
            time.sleep(0.02)
            # Now and then without priority: some thread pools do better under the ordinary scheduler.
            with first_in_line(undisturbed and i % 3 != 2):
                stop = time.perf_counter() + 0.05
                while True:
                    start = time.perf_counter()
                    call()
                    now = time.perf_counter()
                    best[name] = min(best[name], now - start)
                    if now >= stop:
                        break
    return best


def populations(workload, n_threads, rounds, undisturbed):
    """Best seconds of the gradients of a population: "forward" (errors alone), "neuroevo", "jax", "jax_apart"."""
    population = workload.population()
    ways = own_ways(workload, n_threads)
    ways |= jax_peer.gradient_ways(workload, n_threads)
    expected = ways["neuroevo"](population)
    for name, way in ways.items():
        error, *gradient = way(population)
        np.testing.assert_allclose(error, expected[0], rtol=2e-3, err_msg=f"{name} computes another error")
        for found in gradient:
            close(found, expected[1], name)
    calls = {name: lambda way=way: way(population) for name, way in ways.items()}
    return best_times(calls, rounds, undisturbed)


def epochs(workload, n_threads, rounds, undisturbed):
    """Best seconds of the gradient of one network: "neuroevo", "torch"; nothing where PyTorch has no such module."""
    import torch

    from neuroevo.networks.exchange import from_torch

    if workload.cell not in ("elman", "lstm", "gru"):
        return {}
    torch.set_num_threads(n_threads)
    genome = workload.population()[:1]
    own, epoch = own_ways(workload, n_threads)["neuroevo"], torch_peer.epoch_way(workload)
    error, named = epoch()
    expected = own(genome)
    np.testing.assert_allclose(error, expected[0][0], rtol=1e-4, err_msg="PyTorch computes another error")
    shown = {name: parameter.grad.numpy() for name, parameter in named.items()}
    if workload.cell != "gru":  # PyTorch's two biases are added: each has the gradient of our one
        shown["bias_hh_l0"] = np.zeros_like(shown["bias_hh_l0"])
    else:
        n = 2 * workload.n_hidden
        shown["bias_hh_l0"][:n] = 0.0
    close(from_torch(workload.network(), shown)[None], expected[1], "PyTorch")
    return best_times({"neuroevo": lambda: own(genome), "torch": epoch}, rounds, undisturbed)


def row_of(workload, options, peaks):
    found = populations(workload, options.threads, options.rounds, options.undisturbed)
    one = epochs(workload, options.threads, options.rounds, options.undisturbed)
    row = {
        "name": workload.name,
        "limit_milliseconds": 3e3 * limit_seconds(workload, peaks),
        "milliseconds": {name: 1e3 * seconds for name, seconds in found.items()},
        "epoch_milliseconds": {name: 1e3 * seconds for name, seconds in one.items()},
    }
    print(row, flush=True)
    return row


def cells(row):
    """One row of the table of populations as text."""
    times = row["milliseconds"]
    jax = min(seconds for name, seconds in times.items() if name.startswith("jax"))
    figures = [times["neuroevo"], times["jax"], times.get("jax_apart")]
    return [
        f"`{row['name']}`",
        *("" if figure is None else number(figure) for figure in figures),
        f"{jax / times['neuroevo']:.1f}",
        f"{times['neuroevo'] / times['forward']:.1f}",
        f"{100 * row['limit_milliseconds'] / times['neuroevo']:.0f} %",
    ]


def markdown(report):
    """Tables of populations and of single networks, with what a reader needs to make them again."""
    runs = report["runs"]
    text = f"""# Gradients beside JAX and PyTorch

Milliseconds, float32. The tools take turns; the best time of each counts. Made by
{", ".join(f"`{run['command']}`" for run in runs.values())}.

Machine: {report["environment"]["processor"]}. Versions: {", ".join(f"{p} {v}" for p, v in report["versions"].items())}.

## Populations

Errors and gradients of one population (256 networks, 64 for `mid`). JAX is `jit(vmap(value_and_grad(scan)))`, gated
cells in two forms; the last columns are the time beside the quicker form, beside neuroevo's own evaluation without
gradients, and the share of the machine's limit (`docs/decisions/machine-limit.md`) for three forward passes.
"""
    head = "workload | neuroevo | JAX | JAX, a product a gate | times faster | forward passes | share of the limit"
    for n, run in runs.items():
        peaks = run["peaks"]
        speed = f"{2e-9 * peaks['multiply_adds']:.0f} GFLOP/s, {1e-9 * peaks['activations']:.1f} G tanh/s"
        text += f"\n{n} thread{'s' * (n != '1')} (peaks {speed}; {run['rounds']} rounds):\n"
        text += f"\n| {head} |\n|---|---:|---:|---:|---:|---:|---:|\n"
        text += "".join("| " + " | ".join(cells(row)) + " |\n" for row in run["rows"])
    return text + epoch_table(runs)


def epoch_table(runs):
    """The table of single networks; the quicker number of threads of PyTorch counts."""
    found = {}
    for run in runs.values():
        for row in run["rows"]:
            for name, milliseconds in row["epoch_milliseconds"].items():
                times = found.setdefault(row["name"], {})
                times[name] = min(milliseconds, times.get(name, np.inf))
    rows = []
    for name, times in found.items():
        own, torch = times["neuroevo"], times["torch"]
        rows.append(f"| `{name}` | {number(own)} | {number(torch)} | {torch / own:.1f} |\n")
    return f"""
## One network

Error and gradient of one network on all sequences, the quicker of {" and ".join(runs)} threads; PyTorch is its own
`nn.RNN`, `nn.LSTM` or `nn.GRU` forward and `backward()`. A single network fills one of the {lanes()} lanes of a vector.

| workload | neuroevo | PyTorch | times faster |
|---|---:|---:|---:|
{"".join(rows)}
How the cost grows with the units, for RTRL and the hybrid too: [gradient_costs.md](gradient_costs.md).
"""


def lanes():
    from neuroevo.kernels.processor import LANES

    return LANES["float32"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("workloads", nargs="*", help="names or cell,P,S,T,I,H,O; by default twelve of them")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "benchmarks")
    parser.add_argument("--undisturbed", action="store_true", help="timed calls get real-time priority (Linux, root)")
    options = parser.parse_args()
    peaks = measure_peaks(options.threads, seconds=1.0)
    for workload in [as_workload(name) for name in options.workloads or NAMES]:
        write(row_of(workload, options, peaks), options, peaks)


def write(row, options, peaks):
    """Put a row into the report, in the place of the same workload's last one."""
    path = options.out / "gradients.json"
    report = json.loads(path.read_text()) if path.exists() else {"runs": {}}
    report["environment"] = environment()
    report["versions"] = {package: version(package) for package in ("numba", "numpy", "jax", "torch")}
    run = report["runs"].setdefault(str(options.threads), {"rows": []})
    run["rows"] = [other for other in run["rows"] if other["name"] != row["name"]] + [row]
    run |= {
        "command": " ".join(["python benchmarks/gradients.py", *sys.argv[1:]]),
        "peaks": {"multiply_adds": peaks.multiply_adds, "activations": peaks.activations},
        "rounds": options.rounds,
    }
    options.out.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1) + "\n")
    path.with_suffix(".md").write_text(markdown(report))


if __name__ == "__main__":
    main()

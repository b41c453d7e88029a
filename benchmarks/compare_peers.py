"""Time neuroevo beside JAX, PyTorch and numpy on the named workloads, in one run.

    python benchmarks/compare_peers.py                    # all workloads, to results/benchmarks/peers.{json,md}
    python benchmarks/compare_peers.py series-elman-16 elman,256,1,300,1,32,1 --rounds 5

Needs ``pip install neuroevo-rnn[bench]``; a tool that is not installed is left out. The tools take turns, round after
round, so that whatever else the machine does hits all of them; the best time of each counts, after a first call that
compiles. With ``--undisturbed`` the timed calls go before all other work of the machine. All errors are compared before
anything is timed.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.peers import jax_peer, numpy_peer, torch_peer  # noqa: E402
from benchmarks.undisturbed import first_in_line  # noqa: E402
from neuroevo.bench import WORKLOADS, as_workload, measure_peaks  # noqa: E402
from neuroevo.bench.timing import environment, limit_seconds  # noqa: E402

PEERS = {"jax": jax_peer, "torch": torch_peer, "numpy": numpy_peer}
WAYS = {
    "neuroevo": "neuroevo",
    "jax": "JAX jit(vmap(scan))",
    "jax_apart": "JAX, a product a gate",
    "torch_bmm": "PyTorch bmm",
    "torch_nn": "PyTorch nn, one call a genome",
    "numpy": "numpy, one genome at a time",
}
SLOW_SECONDS = 1.5
"""Slower ways are timed once only, after a first call with few genomes."""
ONE_BY_ONE = {"torch_nn": 8, "numpy": 8}
"""Ways that take one genome after the other: timed on so many genomes, and multiplied."""
PAUSE = 0.02


def own_way(workload, n_threads):
    from neuroevo.evaluation import LocalEvaluator

    evaluator = LocalEvaluator(workload.network(), workload.problem(), n_threads=n_threads, precision="single")
    return lambda population: evaluator.evaluate(population).error


def timed(errors, population):
    """Seconds of one call, and of the best of several if it is quick."""
    best, stop = np.inf, time.perf_counter() + 0.05
    while True:
        start = time.perf_counter()
        errors(population)
        now = time.perf_counter()
        best = min(best, now - start)
        if now >= stop:
            return best


def compare(workload, peers, n_threads, rounds, undisturbed):
    """Names of ways to the best seconds."""
    population = workload.population()
    ways = {"neuroevo": own_way(workload, n_threads)}
    for peer in peers:
        ways |= PEERS[peer].ways(workload, n_threads)
    expected = ways["neuroevo"](population[:8])
    for name, errors in ways.items():
        np.testing.assert_allclose(
            errors(population[:8].copy()), expected, rtol=2e-3, err_msg=f"{name} computes otherwise"
        )
    best = dict.fromkeys(ways, np.inf)
    populations = {name: population[: ONE_BY_ONE.get(name, len(population))].copy() for name in ways}
    for name, errors in ways.items():
        compiles = name.startswith(("neuroevo", "jax"))
        errors(populations[name] if compiles else populations[name][:8])
        with first_in_line(undisturbed):
            best[name] = timed(errors, populations[name])
    for i in range(rounds - 1):
        for name, errors in ways.items():
            if best[name] < SLOW_SECONDS:
                time.sleep(PAUSE)  # lets the other tools' threads stop spinning
                # Now and then without priority: some thread pools do better under the ordinary scheduler.
                with first_in_line(undisturbed and i % 3 != 0):
                    best[name] = min(best[name], timed(errors, populations[name]))
    return {name: seconds * len(population) / len(populations[name]) for name, seconds in best.items()}


def markdown(report):
    """The table as Markdown, with what a reader needs to make it again."""
    peaks, versions = report["peaks"], report["versions"]
    names = [name for name in WAYS if any(name in row["milliseconds"] for row in report["rows"])]
    head = [
        "workload",
        *(WAYS[name] for name in names),
        "times faster than the quicker JAX",
        "limit",
        "share of the limit",
    ]
    speed = f"{2e-9 * peaks['multiply_adds']:.0f} GFLOP/s, {1e-9 * peaks['activations']:.1f} G tanh/s"
    intro = f"""# neuroevo beside JAX, PyTorch and numpy

Milliseconds to score one population once, float32, {peaks["n_threads"]} threads; best of {report["rounds"]} rounds in
which the tools take turns. Made by `{report["command"]}`.

Machine: {report["environment"]["processor"]}; measured peaks {speed}.
Versions: {", ".join(f"{package} {number}" for package, number in versions.items())}.

| {" | ".join(head)} |
|---{"|---:" * (len(head) - 1)}|
"""
    rows = ["| " + " | ".join(cells(row, names)) + " |\n" for row in report["rows"]]
    outro = f"""
The workloads are those of `neuroevo bench`, the limit is defined in `docs/decisions/machine-limit.md`. JAX and the `nn`
calls have their weights ready on the device; neuroevo and `bmm` start from the float64 population. What takes one
genome at a time was timed on {ONE_BY_ONE["numpy"]} genomes and multiplied.
"""
    return intro + "".join(rows) + outro


def cells(row, names):
    """One row of the table as text."""
    times = row["milliseconds"]
    figures = [number(times[name]) if name in times else "" for name in names]
    jax = min((seconds for name, seconds in times.items() if name.startswith("jax")), default=None)
    ratio = f"{jax / times['neuroevo']:.1f}" if jax else ""
    share = f"{100 * row['limit_milliseconds'] / times['neuroevo']:.0f} %"
    return [f"`{row['name']}`", *figures, ratio, number(row["limit_milliseconds"]), share]


def number(milliseconds):
    """Three digits or so."""
    digits = 2 if milliseconds < 10 else 1 if milliseconds < 100 else 0
    return f"{milliseconds:.{digits}f}"


def row_dict(workload, best, peaks):
    """One workload as plain numbers."""
    return {
        "name": workload.name,
        "cell": workload.cell,
        "numbers": dict(zip("PSTIHO", workload.numbers, strict=True)),
        "limit_milliseconds": 1e3 * limit_seconds(workload, peaks),
        "milliseconds": {name: 1e3 * seconds for name, seconds in best.items()},
    }


def installed(package):
    try:
        importlib.import_module(package)
    except ImportError:
        print(f"{package} is not installed and left out", file=sys.stderr)
        return False
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("workloads", nargs="*", help="names or cell,P,S,T,I,H,O; by default all named ones")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--peers", default="jax,torch,numpy", help="of jax, torch, numpy")
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "benchmarks")
    parser.add_argument("--name", default="peers")
    parser.add_argument("--undisturbed", action="store_true", help="timed calls get real-time priority (Linux, root)")
    options = parser.parse_args()
    peers = [peer for peer in options.peers.split(",") if peer and installed(peer)]
    workloads = [as_workload(text) for text in options.workloads] or list(WORKLOADS)
    peaks = measure_peaks(options.threads, seconds=1.0)
    rows = []
    for workload in workloads:
        best = compare(workload, peers, options.threads, options.rounds, options.undisturbed)
        rows.append((workload, best))
        shown = ", ".join(f"{name} {1e3 * seconds:.2f}" for name, seconds in best.items())
        print(f"{workload.name}: {shown}", flush=True)
    again = measure_peaks(options.threads, seconds=1.0)
    peaks = max(peaks, again, key=lambda p: p.multiply_adds * p.activations)
    packages = ["numba", "numpy", *(peer for peer in peers if peer != "numpy")]
    report = {
        "command": " ".join(["python benchmarks/compare_peers.py", *sys.argv[1:]]),
        "environment": environment(),
        "versions": {package: version(package) for package in packages},
        "peaks": {"multiply_adds": peaks.multiply_adds, "activations": peaks.activations, "n_threads": peaks.n_threads},
        "rounds": options.rounds,
        "rows": [row_dict(workload, best, peaks) for workload, best in rows],
    }
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / f"{options.name}.json").write_text(json.dumps(report, indent=1) + "\n")
    (options.out / f"{options.name}.md").write_text(markdown(report))


if __name__ == "__main__":
    main()

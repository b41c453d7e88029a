"""Time double pole balancing beside a plain numba loop and JAX, in one run on one core.

    python benchmarks/control.py                # to results/benchmarks/control.{json,md}
    python benchmarks/control.py --rounds 5

All play the same episodes: positions in sight, Runge-Kutta steps of 0.01 s, 100 000 control steps from 4 degrees. The
genomes are those of a network that balances them to the end, each a little different, as in a population that is nearly
there; a second row are random genomes, which fall soon. Time is the processor's, of all threads of a call: other work
of the machine does not count. The tools take turns, round after round; the best time of each counts, after a first call
that compiles. JAX is left out where it is not installed (``pip install neuroevo-rnn[bench]``).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import neuroevo as ne  # noqa: E402
from benchmarks.peers import poles as peers  # noqa: E402
from neuroevo.bench.timing import environment  # noqa: E402
from neuroevo.problems.control.poles import DoublePole  # noqa: E402
from neuroevo.strategies import STRATEGIES  # noqa: E402

N_STEPS = 100_000


def spread(genome, n):
    """A population around a genome."""
    return genome * (1 + 1e-3 * np.random.default_rng(0).standard_normal((n, len(genome))))


def solutions(network):
    """Genomes that balance to the end, and do so calmly: any arithmetic keeps them there."""
    problem, strategy = DoublePole(fitness="damping"), STRATEGIES["cma_es"]
    search = strategy(strategy.Settings(step_size=1.0), n_genes=network.n_genes, seed=0)
    single, double = (ne.LocalEvaluator(network, problem, n_threads=1, precision=name) for name in ("single", "double"))
    with single, double:
        for _ in range(20_000):
            genomes = search.ask()
            error = single.evaluate(genomes).error
            search.tell(genomes, error)
            near = spread(genomes[error.argmin()], 64)
            balances = single.evaluate(near[:1], "validation").error[0] == 0
            if balances and all(one.evaluate(near, "validation").error.max() == 0 for one in (single, double)):
                return near
    raise SystemExit("no search has balanced the poles")


def own(network, problem, precision):
    evaluator = ne.LocalEvaluator(network, problem, n_threads=1, precision=precision)
    return lambda genomes: np.rint((1 - evaluator.evaluate(genomes).error) * N_STEPS)


def ways(network, problem):
    def peer(run):
        return lambda genomes: run(peers.parts_of(network, genomes), N_STEPS)

    found = {
        "neuroevo, single": own(network, problem, "single"),
        "neuroevo, double": own(network, problem, "double"),
        "numba loop, double": peer(peers.numba_loop(np.float64, False)),
        "numba loop, single, fastmath": peer(peers.numba_loop(np.float32, True)),
    }
    try:
        found["JAX jit(vmap(while_loop)), single"] = peer(peers.jax_vmap())
    except ImportError:
        print("jax is not installed: left out")
    return found


def seconds(balance, genomes):
    start = time.process_time()
    balance(genomes)
    return time.process_time() - start


def measured(balances, populations, rounds):
    """Populations to ways to evaluations a second."""
    best = {kind: dict.fromkeys(balances, np.inf) for kind in populations}
    for _ in range(rounds):
        for kind, genomes in populations.items():
            for name, balance in balances.items():
                some = genomes if name.startswith(("neuroevo", "JAX")) else genomes[: max(8, len(genomes) // 8)]
                best[kind][name] = min(best[kind][name], seconds(balance, some) / len(some))
    return {kind: {name: 1 / value for name, value in row.items()} for kind, row in best.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "benchmarks")
    arguments = parser.parse_args()
    problem = DoublePole()
    network = ne.Elman(3, peers.N_HIDDEN, 1, output_activation="tanh")
    rng = np.random.default_rng(0)
    populations = {
        "balanced for 100 000 steps": solutions(network),
        "random, fallen soon": rng.normal(size=(4096, network.n_genes)),
    }
    balances = ways(network, problem)
    lasted = {}
    for kind, genomes in populations.items():
        lasted[kind] = {name: balance(genomes[:32]) for name, balance in balances.items()}
        for name, steps in lasted[kind].items():
            agreement = (np.abs(steps - lasted[kind]["neuroevo, double"]) <= 1).mean()
            print(f"{kind}: {name} lasts {steps.mean():.0f} steps, {100 * agreement:.0f} % as neuroevo in double")
            assert agreement > 0.9, f"{name} plays another game"
    rates = measured(balances, populations, arguments.rounds)
    lines = ["# Double pole balancing, positions alone: evaluations a second of one core", ""]
    lines += ["| | " + " | ".join(populations) + " |", "| --- |" + " ---: |" * len(populations)]
    lines += [
        f"| {name} | " + " | ".join(f"{rates[kind][name]:.3g}" for kind in populations) + " |" for name in balances
    ]
    machine = ", ".join(f"{name} {value}" for name, value in environment().items())
    text = "\n".join([*lines, "", f"`python benchmarks/control.py --rounds {arguments.rounds}`; {machine}", ""])
    print(text)
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "control.md").write_text(text, encoding="utf-8")
    report = {"environment": environment(), "n_genes": network.n_genes, "evaluations_per_second": rates}
    (arguments.out / "control.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

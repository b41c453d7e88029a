"""Whole generations on `series-elman-16`, evaluation included, beside evosax's jitted loop in the same run.

    python benchmarks/generations.py

Population 256, 305 genes, float32, two threads. evosax runs `ask`, jit(vmap(scan)) and `tell` as one compiled function.
The tools take turns; the median over the rounds counts. Writes results/benchmarks/generations.json and .md.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np

import neuroevo as ne
from benchmarks.peers import jax_peer
from neuroevo.bench import as_workload

PAIRS = {
    "genetic_algorithm": "SimpleGA",
    "particle_swarm": "PSO",
    "differential_evolution": "DifferentialEvolution",
    "openai_es": "Open_ES",
    "cma_es": "CMA_ES",
}
WANTED = {"openai_es": 8, "cma_es": 5}
ROUNDS, GENERATIONS = 7, 40
OUT = Path(__file__).parents[1] / "results" / "benchmarks"


def evosax_generations(name, workload):
    """A function that runs so many generations of an algorithm, compiled as one loop body."""
    import jax
    import jax.numpy as jnp
    from evosax import algorithms

    evaluate = jax.vmap(jax_peer.dense_error(workload, jax_peer.elman))
    population = jnp.asarray(workload.population(), jnp.float32)
    algorithm = getattr(algorithms, name)(population_size=len(population), solution=population[0])
    params, key = algorithm.default_params, jax.random.key(0)
    if hasattr(algorithm, "mean") or name in ("Open_ES", "CMA_ES"):
        state = algorithm.init(key, population[0], params)
    else:
        state = algorithm.init(key, population, evaluate(population), params)

    @jax.jit
    def generation(key, state):
        key, first, second = jax.random.split(key, 3)
        genomes, state = algorithm.ask(first, state, params)
        state, _ = algorithm.tell(second, genomes, evaluate(genomes), state, params)
        return key, state

    key, state = generation(key, state)

    def run(n):
        nonlocal key, state
        for _ in range(n):
            key, state = generation(key, state)
        jax.block_until_ready(state)

    return run


def our_generations(name, evaluator):
    strategy = ne.make_strategy(
        name, n_genes=evaluator.network.n_genes, seed=1, population_size=256, layout=evaluator.network.layout
    )

    def run(n):
        for _ in range(n):
            population = strategy.ask()
            strategy.tell(population, evaluator.evaluate(population).error)

    run(1)
    return run


def main():
    workload = as_workload("series-elman-16")
    jax_peer.ways(workload, 2)
    rows = {}
    with ne.LocalEvaluator(workload.network(), workload.problem(), n_threads=2) as evaluator:
        for ours, theirs in PAIRS.items():
            runs = {
                "neuroevo": our_generations(ours, evaluator),
                "evosax": evosax_generations(theirs, workload),
            }
            times = {tool: [] for tool in runs}
            for _ in range(ROUNDS):
                for tool, run in runs.items():
                    begun = time.perf_counter()
                    run(GENERATIONS)
                    times[tool].append(1e3 * (time.perf_counter() - begun) / GENERATIONS)
            medians = {tool: float(np.median(values)) for tool, values in times.items()}
            rows[ours] = medians | {"ratio": medians["evosax"] / medians["neuroevo"], "wanted": WANTED.get(ours, 4)}
            print(ours, {key: round(value, 2) for key, value in rows[ours].items()}, flush=True)
    (OUT / "generations.json").write_text(json.dumps(rows, indent=2) + "\n")
    lines = [
        "# Whole generations, evaluation included",
        "",
        "`series-elman-16`, population 256, 305 genes, milliseconds a generation; `python benchmarks/generations.py`,",
        f"median of {ROUNDS} rounds of {GENERATIONS} generations in which the tools take turns, two threads, 2 cores.",
        "",
        "| strategy | neuroevo | evosax | times faster | wanted |",
        "|---|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {name} | {row['neuroevo']:.2f} | {row['evosax']:.1f} | {row['ratio']:.1f} | {row['wanted']} |"
        for name, row in rows.items()
    ]
    (OUT / "generations.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

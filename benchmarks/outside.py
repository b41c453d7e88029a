"""Strategies on five small tasks that the quality table does not use, so that settings can be chosen on them.

    python benchmarks/outside.py snes pgpe --seeds 5
    python benchmarks/outside.py pgpe 'width_rate=0.1,0.5' 'step_size=0.2,0.3'

Prints the median training error of every strategy (or of every combination of settings) on every task, and the
geometric mean over the tasks. 30 000 evaluations and one thread, which is a second for each run.
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path

import numpy as np
from defaults import _value

import neuroevo as ne
from neuroevo.problems import PROBLEMS
from neuroevo.strategies import make_strategy

Case = tuple[ne.Network, ne.SequenceProblem]


def flip_flop() -> Case:
    """Three bits, each set or cleared now and then by an input of its own, and to be held in between (Elman)."""
    rng, n, n_steps = np.random.default_rng(0), 8, 60
    inputs = np.where(rng.random((n, n_steps, 3)) < 0.1, rng.choice([-1.0, 1.0], (n, n_steps, 3)), 0.0)
    targets, bits = np.zeros_like(inputs), np.zeros((n, 3))
    for t in range(n_steps):
        bits = targets[:, t] = np.where(inputs[:, t] != 0, inputs[:, t], bits)
    return ne.Elman(3, 10, 3), ne.SequenceProblem(inputs, targets)


def sine() -> Case:
    """Two superimposed waves from a constant input: the network has to swing by itself (Elman)."""
    t = np.arange(150)
    wave = (np.sin(0.2 * t) + np.sin(0.311 * t)) / 2
    return ne.Elman(1, 12, 1), ne.SequenceProblem(np.ones((1, 150, 1)), wave[np.newaxis, :, np.newaxis])


def adding() -> Case:
    return ne.Lstm(2, 8, 1), PROBLEMS["adding"](min_length=12, n_train=48, n_test=8, data_seed=5).build(Path())


def narma() -> Case:
    return ne.Elman(1, 10, 1), PROBLEMS["narma10"](n_values=1600).build(Path())


def mackey_glass() -> Case:
    return ne.Gru(1, 6, 1), PROBLEMS["mackey_glass"](tau=30, n_values=600).build(Path())


CASES = (flip_flop, sine, adding, narma, mackey_glass)


def reached(case: Case, kind: str, settings: dict[str, object], seed: int, budget: int) -> float:
    network, problem = case
    strategy = make_strategy(kind, n_genes=network.n_genes, seed=seed, layout=network.layout, **settings)
    best, used = np.inf, 0
    with ne.LocalEvaluator(network, problem, n_threads=1) as evaluator:
        while used < budget:
            population = strategy.ask()
            error = evaluator.evaluate(population).error
            strategy.tell(population, error)
            best = min(best, float(error[: budget - used].min()))
            used += len(error)
    return best


def rows(words: list[str]) -> list[tuple[str, dict[str, object]]]:
    """Strategies, or all combinations of the settings of one."""
    kinds = [word for word in words if "=" not in word]
    values = [word.split("=") for word in words if "=" in word]
    choices = [[(name, _value(text)) for text in texts.split(",")] for name, texts in values]
    return [(kind, dict(choice)) for kind in kinds for choice in itertools.product(*choices)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="+", help="strategies, and name=value,value,... for their settings")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--budget", type=int, default=30_000)
    arguments = parser.parse_args()
    cases = [make() for make in CASES]
    print(f"| strategy | {' | '.join(case.__name__ for case in CASES)} | mean |")
    print("|---" * (len(CASES) + 2) + "|")
    for kind, settings in rows(arguments.words):
        seeds = range(1000, 1000 + arguments.seeds)
        errors = [[reached(case, kind, settings, seed, arguments.budget) for seed in seeds] for case in cases]
        medians = np.median(errors, axis=1)
        label = " ".join([kind, *(f"{name}={value}" for name, value in settings.items())])
        print(
            f"| {label} | {' | '.join(f'{m:.2g}' for m in medians)} | {np.exp(np.log(medians).mean()):.2g} |",
            flush=True,
        )


if __name__ == "__main__":
    main()

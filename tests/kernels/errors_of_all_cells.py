"""Writes a hash of the errors of every cell and precision asked for: run by tests on other instruction sets."""

from __future__ import annotations

import hashlib
import sys

import numpy as np

import neuroevo as ne

NETWORKS = {
    "elman": [
        ne.Elman(2, 9, 1),
        ne.Elman(2, 57, 1, initial_state=True),
        ne.Elman(2, 5, 3, n_layers=2, initial_state=True, output_activation="softmax"),
    ]
    + [ne.Elman(2, 6, 2, activation=name) for name in ("logistic", "softsign", "relu", "sine", "hard_step")],
    "jordan": [ne.Jordan(2, 5, 2, output_activation="logistic")],
    "ctrnn": [ne.Ctrnn(2, 7, 2, initial_state=True)],
    "lstm": [ne.Lstm(2, 6, 2, initial_state=True), ne.Lstm(2, 3, 2, n_layers=2)],
    "gru": [ne.Gru(2, 6, 2, initial_state=True), ne.Gru(2, 3, 2, n_layers=2)],
    "graph": [ne.Graph(2, 11, 2, {"density": 0.4, "seed": 2}, initial_state=True)],
}


def main(kinds, precisions):
    for kind in kinds:
        for precision in precisions:
            digest = hashlib.sha256()
            for network in NETWORKS[kind]:
                rng = np.random.default_rng(3)
                for n_sequences in (1, 2, 7):
                    shape = (n_sequences, 70)
                    problem = ne.SequenceProblem(
                        rng.normal(size=(*shape, 2)), rng.normal(size=(*shape, network.n_outputs)),
                        lengths=rng.integers(1, 71, n_sequences),
                    )  # fmt: skip
                    population = rng.normal(size=(21, network.n_genes))
                    with ne.LocalEvaluator(network, problem, n_threads=1, precision=precision) as evaluator:
                        evaluation = evaluator.evaluate(population)
                    digest.update(evaluation.error.tobytes() + evaluation.learned.tobytes())
            sys.stdout.write(f"{kind} {precision} {digest.hexdigest()}\n")


if __name__ == "__main__":
    main(sys.argv[1].split(","), sys.argv[2].split(","))

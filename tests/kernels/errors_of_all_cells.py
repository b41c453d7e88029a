"""Writes a hash of the errors of every cell and precision asked for: run by tests on other instruction sets.

With "gradient:" before a cell's name the gradients go in too, and what cells with a method of their own learn online.
"""

from __future__ import annotations

import hashlib
import sys

import numpy as np

import neuroevo as ne
from neuroevo.evaluation import Learning, Online
from neuroevo.problems.control.acrobot import Acrobot
from neuroevo.problems.control.compiled import CompiledSimulator
from neuroevo.problems.control.hills import MountainCar
from neuroevo.problems.control.mazes import TMaze
from neuroevo.problems.control.poles import DoublePole, SinglePole
from neuroevo.problems.control.recall import DistractedRecall
from neuroevo.problems.objectives import PerStep

NETWORKS = {
    "elman": [
        ne.Elman(2, 9, 1),
        ne.Elman(2, 57, 1, initial_state=True),
        ne.Elman(2, 57, 2, skip=True),
        ne.Elman(2, 5, 3, n_layers=2, initial_state=True, output_activation="softmax"),
    ]
    + [ne.Elman(2, 6, 2, activation=name) for name in ("logistic", "softsign", "relu", "sine", "hard_step", "sign")]
    + [ne.Elman(2, 6, 2, activation="k_winners", winners=2)],
    "jordan": [ne.Jordan(2, 5, 2, output_activation="logistic", skip=True)],
    "ctrnn": [
        ne.Ctrnn(2, 7, 2, initial_state=True),
        ne.Ctrnn(2, 3, 9, skip=True),
        ne.Ctrnn(2, 5, 2, n_layers=2, initial_state=True, substeps=3),
    ],
    "lstm": [
        ne.Lstm(2, 6, 2, initial_state=True),
        ne.Lstm(2, 3, 2, n_layers=2, skip=True),
        ne.Lstm(2, 5, 2, n_layers=2, initial_state=True, forget_gate=False),
    ],
    "gru": [ne.Gru(2, 6, 2, initial_state=True), ne.Gru(2, 3, 2, n_layers=2, skip=True, initial_state=True)],
    "locally_recurrent": [
        ne.LocallyRecurrent(2, 6, 2, n_layers=2, ma_taps=3, ar_taps=2, dynamic_output=True),
        ne.LocallyRecurrent(2, 9, 2, feedback="activation", ma_taps=1, ar_taps=2),
        ne.LocallyRecurrent(2, 5, 2, feedback="output", ar_taps=3, dynamic_output=True, output_activation="tanh"),
    ],
    "lif": [
        ne.Lif(2, 9, 2, n_layers=2, initial_state=True, reset="zero", refractory=2, skip=True),
        ne.Lif(2, 6, 3, threshold=0.4, readout="spikes", refractory=1, substeps=3),
    ],
    "graph": [
        ne.Graph(2, 11, 2, {"density": 0.4, "seed": 2}, initial_state=True),
        ne.Graph(2, 6, 5, {"density": 0.5, "seed": 3, "skip": True}, activation="sine", output_activation="softmax"),
    ],
}


OBJECTIVES = [
    ("softmax", {"learned": ne.RightClass(), "objective": "cross_entropy", "class_weights": [1.0, 2.0]}),
    ("softmax", {"learned": ne.RightClass(), "objective": "balanced_error"}),
    ("logistic", {"objective": "cross_entropy", "target_weights": [0.3, 1.7]}),
    *[("linear", {"objective": name, "target_weights": [0.3, 1.7]}) for name in ("absolute", "huber", "pinball")],
]


def objectives(precision):
    """A hash of the errors by every kind of objective."""
    digest = hashlib.sha256()
    for activation, settings in OBJECTIVES:
        network = ne.Elman(2, 9, 2, output_activation=activation)
        rng = np.random.default_rng(3)
        targets = np.eye(2)[rng.integers(0, 2, (7, 70))]
        problem = ne.SequenceProblem(rng.normal(size=(7, 70, 2)), targets, **settings)
        with ne.LocalEvaluator(network, problem, n_threads=1, precision=precision) as evaluator:
            digest.update(evaluator.evaluate(rng.normal(size=(21, network.n_genes)) * 2).error.tobytes())
    return digest.hexdigest()


OWN = {"lstm": ("lstm_truncated", {}), "locally_recurrent": ("crbp", {"delay": 2})}


def derivatives(evaluator, population):
    """The gradients of a population, in all the ways that a kind has for itself, and what they lead to."""
    network, found = evaluator.network, [evaluator.gradient(population)]
    if network.kind == "ctrnn":
        found.append(evaluator.gradient(population, learning=Learning("pearlmutter")))
    if network.kind in OWN and not (network.kind == "lstm" and network.n_layers > 1):
        method, settings = OWN[network.kind]
        found.append(evaluator.gradient(population, learning=Learning(method, **settings)))
        wants = frozenset({"refined"})
        with ne.LocalEvaluator(
            network, evaluator.problem, n_threads=1, precision=evaluator.precision, wants=wants, methods={method}
        ) as online:
            learning = Learning(method, **settings, online=Online(1e-3, momentum=0.5, clip=3.0))
            found.append(online.evaluate(population, wants=wants, learning=learning).more["refined"])
    return b"".join(array.tobytes() for array in found)


POLES = DoublePole(fitness="damping", n_steps=500, test_steps=40), SinglePole(velocities=True, bias=0.5)
WORLDS = (
    TMaze(length=4, noise=True, n_train=6, n_test=5),
    DistractedRecall(length=5, n_train=9, n_test=5),
    MountainCar(n_test=5),
    MountainCar(action="continuous", fitness="return", velocities=True, n_steps=300, n_test=5),
    Acrobot(velocities=True, n_steps=150, n_test=5),
)


def poles(precision):
    """A hash of the errors of networks that balance poles, on all parts."""
    return played(POLES, precision)


def worlds(precision):
    """The same of the other worlds."""
    return played(WORLDS, precision)


def played(problems, precision):
    digest = hashlib.sha256()
    for problem in problems:
        network = ne.Elman(problem.n_inputs, 3, problem.n_outputs, initial_state=True, output_activation="tanh")
        genomes = np.random.default_rng(3).normal(size=(61, network.n_genes))
        with ne.LocalEvaluator(network, problem, n_threads=1, precision=precision) as evaluator:
            for part in problem.parts:
                evaluation = evaluator.evaluate(genomes, part)
                digest.update(evaluation.error.tobytes() + evaluation.learned.tobytes())
    return digest.hexdigest()


def carried(precision):
    """A hash of what sensitivities give: gradients, curvature by both ways, and genomes that moved."""
    network, rng, digest = ne.Elman(2, 5, 2, initial_state=True), np.random.default_rng(3), hashlib.sha256()
    genomes = rng.normal(size=(11, network.n_genes))
    everything, last = np.ones((3, 30, 2), dtype=bool), np.zeros((3, 30, 2), dtype=bool)
    last[:, -1] = True
    wants = frozenset({"gradient", "curvature", "refined"})
    for mask in (everything, last):
        problem = ne.SequenceProblem(rng.normal(size=(3, 30, 2)), rng.normal(size=(3, 30, 2)), target_mask=mask)
        with ne.LocalEvaluator(network, problem, n_threads=1, precision=precision, wants=wants) as evaluator:
            ways = (
                ({"gradient"}, Learning("rtrl")),
                ({"gradient"}, Learning("hybrid")),
                ({"gradient", "curvature"}, None),
                ({"refined"}, Learning("rtrl", online=Online(1e-2, momentum=0.5, clip=1.0))),
                ({"refined"}, Learning("bptt", truncation=7, online=Online(1e-2, interval=3))),
            )
            for wanted, learning in ways:
                found = evaluator.evaluate(genomes, wants=frozenset(wanted), learning=learning).more
                digest.update(b"".join(found[name].tobytes() for name in sorted(found)))
    return digest.hexdigest()


def own(precision):
    """A hash of the errors by functions of one's own: of one step, and of a simulator."""
    rng = np.random.default_rng(3)
    costly = ne.SequenceProblem(
        rng.normal(size=(7, 90, 2)), rng.normal(size=(7, 90, 3)), lengths=rng.integers(1, 91, 7),
        target_mask=rng.random((7, 90, 3)) < 0.7, target_weights=rng.uniform(0.1, 3, (7, 90, 3)),
        objective=PerStep("tests.problems.costs:bent_counted"),
    )  # fmt: skip
    chase = CompiledSimulator(
        functions="tests.problems.control.simulators:Chase", n_inputs=2, n_outputs=1, n_state=2, n_steps=30
    )
    digest = hashlib.sha256()
    for network, problem in ((ne.Elman(2, 5, 3), costly), (ne.Elman(2, 3, 1, output_activation="tanh"), chase)):
        genomes = rng.normal(size=(37, network.n_genes))
        with ne.LocalEvaluator(network, problem, n_threads=1, precision=precision) as evaluator:
            digest.update(evaluator.evaluate(genomes).error.tobytes())
    return digest.hexdigest()


def free_runs(precision):
    """A hash of the errors of outputs that come back, as plain values and on top of what a preparation takes off."""
    rng, digest = np.random.default_rng(3), hashlib.sha256()
    table = {"a": np.sin(np.arange(160) / 3) + 0.1 * rng.normal(size=160), "b": rng.normal(size=160)}
    ways = (
        {"lags": 2},
        {"residual": "linear", "transform": "difference"},
        {"horizon": [1, 3], "residual": "last_value"},
    )
    for more in ways:
        asked = {"steps": 7, "every": 3, "washout": 10}
        problem = ne.make_series(table, input=["a", "b"], parts={"train": "rest"}, free_run=asked, **more)
        network = ne.Elman(problem.n_inputs, 5, problem.n_outputs)
        genomes = 0.5 * rng.normal(size=(21, network.n_genes))
        with ne.LocalEvaluator(network, problem, n_threads=1, precision=precision) as evaluator:
            evaluation = evaluator.evaluate(genomes)
        digest.update(evaluation.error.tobytes() + evaluation.learned.tobytes())
    return digest.hexdigest()


OTHERS = {
    "objectives": objectives,
    "poles": poles,
    "worlds": worlds,
    "carried": carried,
    "own": own,
    "free_runs": free_runs,
}


def main(kinds, precisions):
    for kind in kinds:
        for precision in precisions:
            if kind in OTHERS:
                sys.stdout.write(f"{kind} {precision} {OTHERS[kind](precision)}\n")
                continue
            digest = hashlib.sha256()
            wanted, _, cell = kind.rpartition(":")
            for network in NETWORKS[cell]:
                rng = np.random.default_rng(3)
                for n_sequences in (1, 2, 7):
                    shape = (n_sequences, 70)
                    problem = ne.SequenceProblem(
                        rng.normal(size=(*shape, 2)), rng.normal(size=(*shape, network.n_outputs)),
                        lengths=rng.integers(1, 71, n_sequences),
                    )  # fmt: skip
                    population = rng.normal(size=(21, network.n_genes)) * network.layout.start_scale
                    with ne.LocalEvaluator(network, problem, n_threads=1, precision=precision) as evaluator:
                        evaluation = evaluator.evaluate(population)
                        if wanted:
                            digest.update(derivatives(evaluator, population))
                    digest.update(evaluation.error.tobytes() + evaluation.learned.tobytes())
            sys.stdout.write(f"{kind} {precision} {digest.hexdigest()}\n")


if __name__ == "__main__":
    main(sys.argv[1].split(","), sys.argv[2].split(","))

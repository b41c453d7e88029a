"""Gradients of unstructured networks by the kernels: PyTorch's, and those of the signal-flow graph."""

from __future__ import annotations

import numpy as np
import pytest

import neuroevo as ne
from neuroevo.evaluation.learning import Learning, Online
from neuroevo.networks import signal_flow as sf
from tests.networks.graph_gradients import network_of, stored_cases

NETWORKS = {
    "output alone": ne.Graph(1, 2, 1, [[0, 2], [1, 2]]),
    "nothing fed back": ne.Graph(2, 5, 2, [[0, 0], [1, 3], [2, 1], [3, 5], [4, 6], [6, 6]]),
    "one unit for all": ne.Graph(1, 6, 1, [[0, 3], *[[5, j] for j in range(6)], *[[2 + j, 6] for j in range(6)]]),
    "all": ne.Graph(2, 9, 5, "all", initial_state=True),
    "sparse": ne.Graph(3, 23, 2, {"density": 0.15, "seed": 4, "skip": True}, activation="sine"),
}


@pytest.mark.parametrize(("precision", "tolerance"), [("double", 1e-10), ("single", 3e-5)])
def test_gradients_equal_those_of_pytorch(precision, tolerance):
    for case, arrays in stored_cases().items():
        problem = ne.SequenceProblem(arrays["inputs"], arrays["targets"])
        with ne.LocalEvaluator(network_of(case, arrays), problem, n_threads=1, precision=precision) as evaluator:
            found = evaluator.gradient(arrays["genome"][None])[0]
        scale = np.abs(arrays["gradient"]).max()
        np.testing.assert_allclose(found, arrays["gradient"], rtol=0, atol=tolerance * scale, err_msg=case)


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_equal_those_of_the_signal_flow_graph(name):
    network, rng = NETWORKS[name], np.random.default_rng(6)
    lengths = np.array([9, 70, 41, 70, 3, 66])
    inputs = rng.normal(size=(6, 70, network.n_inputs))
    targets = rng.normal(size=(6, 70, network.n_outputs))
    counted = (np.arange(70) < lengths[:, None])[..., None]
    n_counted = counted.sum() * network.n_outputs
    population = rng.normal(size=(19, network.n_genes)) * 0.5
    problem = ne.SequenceProblem(inputs, targets, lengths=lengths)
    found = {}
    for n_threads in (1, 2):
        with ne.LocalEvaluator(network, problem, n_threads=n_threads, precision="double") as evaluator:
            found[n_threads] = evaluator.gradient(population)
    assert found[1].tobytes() == found[2].tobytes()
    for genome, gradient in zip(population[:3], found[1], strict=False):
        expected = sf.gradient(network, genome, inputs, lambda y: np.where(counted, 2 * (y - targets), 0) / n_counted)
        np.testing.assert_allclose(gradient, expected, rtol=0, atol=1e-10 * np.abs(expected).max())


def steps_of(network, inputs, targets, genomes, window):
    """One genome through one sequence after the other: at each step the gradient of its squared errors."""
    for sequence, wanted in zip(inputs, targets, strict=True):
        online = sf.Online(network, window)
        for x, target in zip(sequence, wanted, strict=True):
            outputs = online.step(genomes[-1], x[None])
            yield online.gradient(genomes[-1], 2 * (outputs - target))


@pytest.mark.parametrize("window", [1, 4])
def test_errors_run_back_over_a_window(window):
    network, rng = NETWORKS["all"], np.random.default_rng(8)
    inputs, targets = rng.normal(size=(3, 12, 2)), rng.normal(size=(3, 12, 5))
    problem = ne.SequenceProblem(inputs, targets)
    genome, rate = rng.normal(size=network.n_genes) * 0.4, 0.01
    truncated, moving = Learning("signal_flow", window), Learning("signal_flow", window, online=Online(rate))
    with ne.LocalEvaluator(network, problem, n_threads=1, precision="double") as evaluator:
        found = evaluator.gradient(genome[None], learning=truncated)[0]
    expected = sum(steps_of(network, inputs, targets, [genome], window)) / targets.size
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)

    wants, methods = frozenset({"refined"}), frozenset({"signal_flow"})
    how = {"n_threads": 1, "precision": "double", "wants": wants, "methods": methods}
    with ne.LocalEvaluator(network, problem, **how) as evaluator:
        refined = evaluator.evaluate(genome[None], wants=wants, learning=moving).more["refined"][0]
    path = [genome]
    for gradient in steps_of(network, inputs, targets, path, window):
        path.append(path[-1] - rate * gradient)
    np.testing.assert_allclose(refined, path[-1], rtol=0, atol=1e-12)

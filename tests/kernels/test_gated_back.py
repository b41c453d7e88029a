"""Gradients of LSTM and GRU against central differences, and their bits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neuroevo as ne
from neuroevo.evaluation.backends import by_adjoints
from tests.evaluation.test_local import problem_for
from tests.networks.drawn import networks

NETWORKS = [
    ne.Lstm(2, 6, 2, n_layers=2, initial_state=True),
    ne.Lstm(2, 5, 1, forget_gate=False, skip=True, output_activation="tanh"),
    ne.Gru(2, 7, 3, n_layers=2, initial_state=True, output_activation="softmax"),
]


@settings(max_examples=25, deadline=None)
@given(networks(("lstm", "gru"), max_units=9), st.integers(0, 10**6), st.integers(1, 9), st.integers(2, 9))
def test_gradient_equals_central_differences(network, seed, n_sequences, n_steps):
    rng = np.random.default_rng(seed)
    problem = problem_for(network, seed, n_sequences, n_steps, weight_decay=0.1 * (seed % 2))
    genome, directions = rng.normal(size=network.n_genes), rng.normal(size=(3, network.n_genes))
    size, steps = 2e-4, np.array([-2.0, -1.0, 1.0, 2.0])
    # Two central differences, whose errors of second order cancel.
    around = genome + size * steps[:, None] * directions[:, None]
    with ne.LocalEvaluator(network, problem, n_threads=1, precision="double") as evaluator:
        errors = evaluator.evaluate(around.reshape(-1, network.n_genes)).error.reshape(3, 4)
        (gradient,) = evaluator.gradient(genome[None])
    slopes = errors @ np.array([1.0, -8.0, 8.0, -1.0]) / (12.0 * size)
    scale = np.linalg.norm(gradient) * np.sqrt(network.n_genes)
    np.testing.assert_allclose(directions @ gradient, slopes, rtol=1e-6, atol=1e-6 * scale + 1e-11)


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.kind)
@pytest.mark.parametrize("precision", ["single", "double"])
def test_bits_depend_on_genome_and_data_alone(network, precision, monkeypatch):
    problem = problem_for(network, 7, 6, 70)
    population = np.random.default_rng(8).normal(size=(41, network.n_genes))
    with ne.LocalEvaluator(network, problem, n_threads=3, precision=precision) as evaluator:
        whole = evaluator.gradient(population)
        assert evaluator.gradient(population[::-1])[::-1].tobytes() == whole.tobytes()
        assert evaluator.gradient(population[19:20]).tobytes() == whole[19:20].tobytes()
    # So little memory that all stretches but the last run forward twice.
    monkeypatch.setattr(by_adjoints, "KEPT_BYTES", 1)
    with ne.LocalEvaluator(network, problem, n_threads=1, precision=precision) as evaluator:
        assert evaluator.gradient(population).tobytes() == whole.tobytes()

"""The compiled cell of leaky integrate-and-fire networks: spikes and potentials of all steps, and ties.

A comparison of a potential with the threshold may come out otherwise where the two differ by rounding alone. In double
precision that is a matter of 1e-16 and no drawn case meets it; in single precision errors may differ by a spike, so
there the test has numbers that both precisions hold exactly, ties among them.
"""

from __future__ import annotations

import numpy as np
import pytest

import neuroevo as ne
from neuroevo.evaluation import trace
from tests.oracle import spiking

NETWORKS = [
    ne.Lif(2, 9, 2, n_layers=2, initial_state=True, refractory=2, skip=True),
    ne.Lif(2, 5, 6, reset="zero", readout="spikes", refractory=1, substeps=3, threshold=0.5),
    ne.Lif(3, 4, 1, substeps=2, output_activation="tanh"),
]


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: f"{network.readout}{network.n_hidden}")
def test_spikes_and_potentials_are_those_of_the_oracle(network):
    rng = np.random.default_rng(3)
    genomes, inputs = rng.normal(size=(3, network.n_genes)) * 1.5, rng.normal(size=(2, 40, network.n_inputs)) * 2
    found = trace(network, genomes, inputs)
    for g, genome in enumerate(genomes):
        for s, sequence in enumerate(inputs.tolist()):
            outputs, spikes, potentials = spiking.run(network, genome, sequence)
            np.testing.assert_array_equal(found["hidden"][g, s], spikes)
            np.testing.assert_allclose(found["potential"][g, s], potentials, rtol=1e-10, atol=1e-12)
            np.testing.assert_allclose(found["outputs"][g, s], outputs, rtol=1e-10, atol=1e-12)
    assert 0.05 < found["hidden"].mean() < 0.95


@pytest.mark.parametrize("reset", ["subtract", "zero"])
def test_both_precisions_agree_where_all_numbers_are_exact(reset):
    network = ne.Lif(2, 5, 2, reset=reset, fixed={"time_constant_l0": 0.0, "time_constant_out": 0.0})
    rng = np.random.default_rng(4)
    genomes, inputs = rng.integers(-8, 9, (40, network.n_genes)) / 4, rng.integers(0, 2, (3, 9, 2)).astype(float)
    double, single = (trace(network, genomes, inputs, precision=name) for name in ("double", "single"))
    for name in ("hidden", "potential", "outputs"):
        np.testing.assert_array_equal(single[name], double[name])
    by_hand = np.stack([network.predict(genome, inputs) for genome in genomes])
    np.testing.assert_array_equal(double["outputs"], by_hand)
    at_threshold = (double["potential"] == 0.0) & (double["hidden"] == 1.0)
    assert at_threshold.sum() > 20  # after a reset to 0 they all lie there


def test_a_genome_that_is_no_number_fails():
    network = NETWORKS[1]
    problem = ne.SequenceProblem(np.ones((1, 5, 2)), np.zeros((1, 5, 6)))
    genomes = np.full((2, network.n_genes), 0.1)
    genomes[1, 0] = np.nan
    with ne.LocalEvaluator(network, problem, precision="double") as evaluator:
        error = evaluator.evaluate(genomes).error
    assert np.isfinite(error[0])
    assert np.isinf(error[1])


def test_gradients_are_refused_by_name():
    problem = ne.SequenceProblem(np.ones((1, 5, 2)), np.zeros((1, 5, 6)))
    with pytest.raises(ne.BadInput, match="no backend gives gradient for a network 'lif'"):
        ne.LocalEvaluator(NETWORKS[1], problem, wants=frozenset({"gradient"}))

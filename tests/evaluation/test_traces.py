"""Traces: outputs and states at every step against a slow reading of the equations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neuroevo as ne
from neuroevo.errors import BadInput
from neuroevo.evaluation import fallback, memory, trace
from tests.evaluation.test_local import EVERY_KIND, NoKernel
from tests.networks.drawn import networks
from tests.oracle import recurrent as oracle


def inputs_for(network, seed, n_sequences, n_steps):
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(n_sequences, n_steps, network.n_inputs))
    return inputs, rng.integers(1, n_steps + 1, n_sequences), rng.normal(size=(19, network.n_genes)) * 0.5


@settings(max_examples=30, deadline=None)
@given(networks(max_units=9), st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 9))
def test_outputs_equal_the_oracle(network, seed, n_sequences, n_steps):
    inputs, lengths, genomes = inputs_for(network, seed, n_sequences, n_steps)
    outputs = trace(network, genomes[:2], inputs, lengths)["outputs"]
    assert outputs.shape == (2, n_sequences, n_steps, network.n_outputs)
    assert (np.isnan(outputs).all(axis=3) == (np.arange(n_steps) >= lengths[:, None])).all()
    for genome, found in zip(genomes, outputs, strict=False):
        expected = oracle.outputs(network, genome, inputs, lengths)
        for s in range(n_sequences):
            np.testing.assert_allclose(found[s, : lengths[s]], expected[s], rtol=1e-10, atol=1e-12)


def states_of(network, genome, sequence):
    """(hidden, cell) ``(n_steps, n_units)`` by the oracle's steps, layer by layer."""
    found = {"hidden": [], "cell": []}

    def watched(step):
        def watch(network, layer, x):
            step(network, layer, x)
            found["hidden"][-1].extend(layer["seen"])
            found["cell"][-1].extend(layer.get("c", []))

        return watch

    steps = dict(oracle.STEPS)
    for t in range(len(sequence)):
        found["hidden"].append([])
        found["cell"].append([])
        n_before = t * getattr(network, "n_layers", 1)
        calls = []

        def counted(network, layer, x, calls=calls, n_before=n_before):
            step = steps[network.kind] if len(calls) < n_before else watched(steps[network.kind])
            calls.append(1)
            step(network, layer, x)

        oracle.STEPS[network.kind] = counted
        try:
            oracle.dense_outputs(network, genome, [list(map(float, x)) for x in sequence[: t + 1]])
        finally:
            oracle.STEPS[network.kind] = steps[network.kind]
    return {name: np.array(rows) for name, rows in found.items()}


STATES = [
    ne.Elman(2, 5, 3, n_layers=2, initial_state=True),
    ne.Jordan(2, 5, 3, output_activation="tanh"),
    ne.Ctrnn(2, 5, 3, n_layers=2),
    ne.Lstm(2, 5, 3, n_layers=2, initial_state=True),
    ne.Lstm(2, 5, 3, n_layers=2, forget_gate=False),
    ne.Gru(2, 5, 3, n_layers=2),
]


@pytest.mark.parametrize("network", STATES, ids=lambda network: network.kind)
def test_states_equal_the_oracle(network):
    inputs, lengths, genomes = inputs_for(network, 3, 3, 6)
    found = trace(network, genomes, inputs, lengths)
    assert set(found) == {"outputs", "hidden"} | ({"cell"} if network.kind == "lstm" else set())
    for k in (0, 18):
        for s in range(3):
            expected = states_of(network, genomes[k], inputs[s, : lengths[s]])
            for name in set(found) - {"outputs"}:
                np.testing.assert_allclose(found[name][k, s, : lengths[s]], expected[name], rtol=1e-11, atol=1e-13)
                assert np.isnan(found[name][k, s, lengths[s] :]).all()


def test_states_of_a_graph_are_in_the_order_of_its_units():
    network = ne.Graph(2, 9, 1, {"density": 0.5, "seed": 4}, initial_state=True)
    shown = ne.Graph(
        2, 9, 9, [*network.links[network.links[:, 1] < 9], *[(3 + k, 9 + k) for k in range(9)]], initial_state=True
    )
    inputs, lengths, genomes = inputs_for(network, 3, 2, 6)
    is_kept = np.concatenate([network.links[:, 1] < 9, np.ones(9, bool)])
    for genome in genomes[:3]:
        links, state = genome[is_kept][:-9], genome[-9:]
        expected = shown.predict(np.concatenate([links, np.ones(9), state]), inputs, lengths)
        np.testing.assert_allclose(trace(network, genome[None], inputs, lengths)["hidden"][0], expected, rtol=1e-12)


def test_outputs_have_the_bits_of_the_evaluators_errors():
    network = EVERY_KIND["elman"]
    inputs, _, genomes = inputs_for(network, 5, 1, 40)
    problem = ne.SequenceProblem(inputs, np.zeros((1, 40, 3)))
    squares = trace(network, genomes, inputs)["outputs"] ** 2
    with ne.LocalEvaluator(network, problem, precision="double") as evaluator:
        error = evaluator.evaluate(genomes).error
    np.testing.assert_allclose(error, [math.fsum(rows.ravel()) / 120 for rows in squares], rtol=1e-14)


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_single_precision_is_near_double(kind):
    network = EVERY_KIND[kind]
    inputs, lengths, genomes = inputs_for(network, 7, 5, 12)
    single, double = (trace(network, genomes, inputs, lengths, precision=name) for name in ("single", "double"))
    for name, values in single.items():
        assert values.dtype == np.float32
        np.testing.assert_allclose(values, double[name], rtol=1e-4, atol=1e-5)


def test_network_without_a_kernel_has_outputs_only():
    network = NoKernel()
    inputs, lengths, genomes = inputs_for(network.inner, 5, 2, 4)
    fallback._warned.clear()
    found = trace(network, genomes[:3], inputs, lengths)
    assert set(found) == {"outputs"}
    np.testing.assert_array_equal(found["outputs"][2], network.predict(genomes[2], inputs, lengths))


def test_wrong_arguments_are_refused(monkeypatch):
    network = EVERY_KIND["gru"]
    inputs, lengths, genomes = inputs_for(network, 5, 2, 4)
    with pytest.raises(BadInput, match="one genome per row"):
        trace(network, genomes[0], inputs)
    with pytest.raises(BadInput, match="single or double"):
        trace(network, genomes, inputs, precision="half")
    with pytest.raises(BadInput, match="lengths must lie between"):
        trace(network, genomes, inputs, lengths + 9)
    monkeypatch.setattr(memory, "available_bytes", lambda: 1000)
    with pytest.raises(MemoryError, match="a trace of all steps"):
        trace(network, genomes, inputs, lengths)

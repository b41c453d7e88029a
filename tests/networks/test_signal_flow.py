from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neuroevo.networks as nets
from neuroevo.errors import BadInput
from neuroevo.networks import signal_flow as sf
from tests.networks.drawn import networks
from tests.networks.graph_gradients import network_of, stored_cases
from tests.reference import make_graph_gradients

SMOOTH = nets.Graph(2, 6, 2, {"density": 0.6, "seed": 3, "skip": True}, initial_state=True)


def sequences(network, seed, n_sequences=3, n_steps=12):
    rng = np.random.default_rng(seed)
    genome = 0.5 * rng.normal(size=network.n_genes)
    inputs = rng.normal(size=(n_sequences, n_steps, network.n_inputs))
    return genome, inputs, rng.normal(size=(n_sequences, n_steps, network.n_outputs))


def central_differences(function, genome, step=1e-5):
    """The gradient of a function by its values alone."""
    found = np.empty(len(genome))
    for k in range(len(genome)):
        moved = np.zeros(len(genome))
        moved[k] = step
        found[k] = (function(genome + moved) - function(genome - moved)) / (2 * step)
    return found


@settings(max_examples=40, deadline=None)
@given(network=networks(kinds=("graph",)), seed=st.integers(0, 1000))
def test_the_graph_computes_the_network(network, seed):
    genome, inputs, _ = sequences(network, seed)
    outputs, signals = sf.run(network, genome, inputs)
    np.testing.assert_allclose(outputs, network.predict(genome, inputs), rtol=1e-12, atol=1e-12)
    assert signals.shape[2] == len(sf.signal_flow_graph(network).nodes)


@settings(max_examples=20, deadline=None)
@given(network=networks(kinds=("graph",)))
def test_the_adjoint_of_the_adjoint_is_the_graph(network):
    flow = sf.signal_flow_graph(network)
    again = flow.adjoint.adjoint
    assert flow.adjoint.is_reversed
    assert not again.is_reversed
    for name in ("gains", "functions", "delays", "inputs", "outputs"):
        np.testing.assert_array_equal(getattr(again, name), getattr(flow, name))


def test_graph_and_adjoint_of_a_linear_network_are_reciprocal():
    """Tellegen's theorem: <e, G x> = <G* e, x> for every x and e, whatever the graph."""
    network = nets.Graph(2, 7, 3, {"density": 0.5, "seed": 5}, activation="linear")
    flow = sf.signal_flow_graph(network)
    genome, inputs, errors = sequences(network, 1)
    driven = np.concatenate([inputs, np.ones((*inputs.shape[:2], 1))], axis=2)

    def signals(graph, drives):
        stored, found = np.zeros((len(inputs), network.n_units)), []
        for drive in np.moveaxis(drives, 1, 0):
            every, stored = graph.step(genome, drive, stored, lambda _branches, entering: entering)
            found.append(every[:, graph.outputs])
        return np.stack(found, axis=1)

    through, back = signals(flow, driven), signals(flow.adjoint, errors[:, ::-1])[:, ::-1]
    assert (errors * through).sum() == pytest.approx((back * driven).sum(), rel=1e-12)


@pytest.mark.parametrize("case", stored_cases())
def test_gradients_equal_those_of_pytorch(case):
    arrays = stored_cases()[case]
    targets = arrays["targets"]
    network, genome = network_of(case, arrays), arrays["genome"]
    found = sf.gradient(network, genome, arrays["inputs"], lambda y: 2 * (y - targets) / targets.size)
    np.testing.assert_allclose(found, arrays["gradient"], rtol=1e-10, atol=1e-10 * np.abs(arrays["gradient"]).max())


@settings(max_examples=15, deadline=None)
@given(network=networks(kinds=("graph",), max_units=4), seed=st.integers(0, 1000))
def test_gradients_equal_central_differences(network, seed):
    if network.activation in ("relu", "hard_step"):
        network = nets.make_network("graph", network.n_inputs, network.n_outputs, **{
            **network.settings(), "activation": "softsign"
        })  # fmt: skip
    genome, inputs, targets = sequences(network, seed, n_steps=6)
    found = sf.gradient(network, genome, inputs, lambda y: 2 * (y - targets))
    expected = central_differences(lambda g: ((network.predict(g, inputs) - targets) ** 2).sum(), genome)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7 * max(1.0, np.abs(expected).max()))


def online_gradients(network, genome, inputs, targets, window):
    """The gradient of each step's squared errors."""
    online = sf.Online(network, window, len(inputs))
    found = []
    for t in range(inputs.shape[1]):
        outputs = online.step(genome, inputs[:, t])
        found.append(online.gradient(genome, 2 * (outputs - targets[:, t])))
    return found


def test_online_gradients_over_the_whole_past_sum_up_to_that_of_the_batch():
    genome, inputs, targets = sequences(SMOOTH, 2)
    batch = sf.gradient(SMOOTH, genome, inputs, lambda y: 2 * (y - targets))
    for window in (0, inputs.shape[1]):
        total = sum(online_gradients(SMOOTH, genome, inputs, targets, window))
        np.testing.assert_allclose(total, batch, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("window", [1, 3])
def test_a_window_takes_the_state_at_its_start_for_given(window):
    genome, inputs, targets = sequences(SMOOTH, 4, n_sequences=1)
    n_links, last = len(SMOOTH.links), inputs.shape[1] - 1
    found = online_gradients(SMOOTH, genome, inputs, targets, window)[last]
    state = SMOOTH.start(SMOOTH.layout.decode(genome))
    for t in range(last + 1 - window):
        _, state = SMOOTH.advance({}, state, inputs[:, t])

    def error(links):
        from_there = np.concatenate([links, state[0][0]])
        outputs = SMOOTH.predict(from_there, inputs[:, last + 1 - window :])
        return ((outputs[0, -1] - targets[0, -1]) ** 2).sum()

    np.testing.assert_allclose(found[:n_links], central_differences(error, genome[:n_links]), rtol=1e-6, atol=1e-8)
    assert not found[n_links:].any()


def test_other_networks_are_refused():
    with pytest.raises(BadInput, match="only a network of links has a signal-flow graph here, got 'elman'"):
        sf.signal_flow_graph(nets.Elman(1, 2, 1))
    with pytest.raises(ValueError, match="window"):
        sf.Online(SMOOTH, -1)


@pytest.mark.peers
def test_stored_gradients_are_those_of_pytorch_now():
    pytest.importorskip("torch")
    for case, arrays in make_graph_gradients.all_cases().items():
        stored = stored_cases()[case]["gradient"]
        np.testing.assert_allclose(arrays["gradient"], stored, rtol=1e-10, atol=1e-12, err_msg=case)


def test_the_pages_python_runs():
    page = (Path(__file__).parents[2] / "docs" / "signal-flow.md").read_text(encoding="utf-8")
    code = "".join(re.findall(r"```python\n(.*?)```", page, re.DOTALL))
    names = {}
    exec(compile(code, "signal-flow.md", "exec"), names)  # noqa: S102
    assert names["flow"].nodes == ("x0", "1", "h0[t-1]", "h1[t-1]", "s0", "s1", "h0", "h1", "s2", "y0")
    assert names["gradient"].shape == (6,)

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import neuroevo.networks as nets
from tests.networks.drawn import genome_and_inputs, networks
from tests.oracle import recurrent


@given(networks(competing=True), st.integers(0, 1000), st.lists(st.integers(1, 6), min_size=3, max_size=3))
def test_predict_equals_the_equations(network, seed, lengths):
    genome, inputs = genome_and_inputs(network, seed)
    outputs = network.predict(genome, inputs, lengths)
    expected = recurrent.outputs(network, genome, inputs, lengths)
    for s, n_steps in enumerate(lengths):
        np.testing.assert_allclose(outputs[s, :n_steps], expected[s], rtol=1e-9, atol=1e-11)
        assert np.isnan(outputs[s, n_steps:]).all()


@given(networks(), st.integers(0, 1000))
def test_step_by_step_equals_the_equations(network, seed):
    genome, inputs = genome_and_inputs(network, seed)
    arrays = network.layout.decode(genome)
    states = [network.start(arrays, len(inputs))]
    outputs = []
    for step in range(inputs.shape[1]):
        its, state = network.advance(arrays, states[-1], inputs[:, step])
        outputs.append(its)
        states.append(state)
    expected = recurrent.outputs(network, genome, inputs, [inputs.shape[1]] * len(inputs))
    np.testing.assert_allclose(np.stack(outputs, axis=1), expected, rtol=1e-9, atol=1e-11)
    # A state is left as it is: going on from it again gives the same.
    again, _ = network.advance(arrays, states[0], inputs[:, 0])
    np.testing.assert_array_equal(again, outputs[0])


class Reversed(nets.Network):
    kind = "reversed"
    n_inputs = n_outputs = 1

    def _specs(self):
        return []

    def _run(self, arrays, inputs):
        return inputs[:, ::-1]


def test_a_kind_that_sees_whole_sequences_is_not_asked_step_by_step():
    with pytest.raises(ValueError, match="'reversed' sees whole sequences alone"):
        Reversed().start({})
    with pytest.raises(ValueError, match="'reversed' sees whole sequences alone"):
        Reversed().advance({}, None, np.zeros((1, 1)))


@given(networks(), st.integers(0, 1000))
def test_padding_is_not_read(network, seed):
    genome, inputs = genome_and_inputs(network, seed)
    inputs[1, 2:] = np.nan
    outputs = network.predict(genome, inputs, [6, 2, 6])
    inputs[1, 2:] = 0.0
    np.testing.assert_array_equal(outputs, network.predict(genome, inputs, [6, 2, 6]))


@given(networks(), st.integers(0, 1000))
def test_sequences_do_not_touch_each_other(network, seed):
    genome, inputs = genome_and_inputs(network, seed)
    alone = [network.predict(genome, inputs[s : s + 1])[0] for s in range(len(inputs))]
    np.testing.assert_allclose(network.predict(genome, inputs), alone, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("activation", ["tanh", "hard_step", "sine"])
@given(seed=st.integers(0, 1000), n_units=st.integers(1, 5), skip=st.booleans())
def test_a_graph_with_all_links_is_an_elman_network(activation, seed, n_units, skip):
    n_inputs, n_outputs = 2, 3
    elman = nets.Elman(n_inputs, n_units, n_outputs, activation=activation, initial_state=True, skip=skip)
    wiring = {"density": 1.0, "seed": seed, "skip": True} if skip else "all"
    graph = nets.Graph(n_inputs, n_units, n_outputs, wiring, activation=activation, initial_state=True)
    genome, inputs = genome_and_inputs(elman, seed)
    arrays = elman.layout.decode(genome)
    to_units = np.hstack([arrays["weight_ih_l0"], arrays["bias_l0"][:, None], arrays["weight_hh_l0"]])
    to_outputs = np.hstack([arrays["bias_out"][:, None], arrays["weight_out"]])
    if skip:
        to_outputs = np.hstack([arrays["weight_skip"], to_outputs])
    links = np.concatenate([to_units.ravel(), to_outputs.ravel(), arrays["initial_state_l0"]])
    np.testing.assert_allclose(graph.predict(links, inputs), elman.predict(genome, inputs), rtol=1e-12, atol=1e-13)


def test_a_unit_of_a_graph_without_links_gives_its_activation_of_zero():
    graph = nets.Graph(1, 2, 1, [(3, 2)], activation="logistic")
    np.testing.assert_array_equal(graph.predict([4.0], np.ones((1, 2, 1))), np.full((1, 2, 1), 2.0))


def test_units_of_a_graph_see_the_last_step_and_outputs_this_one():
    chain = nets.Graph(1, 2, 2, [(0, 0), (2, 1), (2, 2), (3, 3)], activation="linear")
    outputs = chain.predict(np.ones(4), np.array([[[1.0], [0.0], [0.0]]]))
    np.testing.assert_array_equal(outputs[0], [[1, 0], [0, 1], [0, 0]])


def test_a_jordan_network_feeds_back_its_activated_output():
    network = nets.Jordan(1, 1, 1, activation="linear", output_activation="tanh")
    arrays = {
        "weight_ih_l0": [[1.0]],
        "weight_hh_l0": [[0.5]],
        "bias_l0": [0.0],
        "weight_out": [[1.0]],
        "bias_out": [0],
    }
    outputs = network.predict(network.layout.encode(arrays), np.array([[[1.0], [0.0]]]))
    first = np.tanh(1.0)
    np.testing.assert_allclose(outputs.ravel(), [first, np.tanh(0.5 * first)], rtol=1e-15)


def test_a_ctrnn_unit_moves_towards_its_target_by_its_share():
    network = nets.Ctrnn(1, 1, 1, activation="linear", step=0.5)
    arrays = {"weight_ih_l0": [[1.0]], "weight_out": [[1.0]]}
    arrays |= {"weight_hh_l0": [[0.0]], "bias_l0": [0.0], "bias_out": [0.0], "time_constant_l0": [np.log(1 / 3)]}
    genome = network.layout.encode(arrays)
    np.testing.assert_allclose(network.time_constants(genome), [[2.0]], rtol=1e-15)
    outputs = network.predict(genome, np.ones((1, 3, 1)))
    np.testing.assert_allclose(outputs.ravel(), 1 - 0.75 ** np.arange(1, 4), rtol=1e-14)


def test_a_diverging_network_gives_non_finite_outputs_without_a_warning():
    network = nets.Elman(1, 1, 1, activation="linear")
    outputs = network.predict([1.0, 1e200, 0.0, 1.0, 0.0], np.ones((1, 4, 1)))
    assert not np.isfinite(outputs[0, -1, 0])


@pytest.mark.parametrize(
    ("inputs", "lengths", "message"),
    [
        (np.zeros((5, 2)), None, r"inputs must have shape \(n_sequences, n_steps, 2\), got \(5, 2\).*inputs\[None\]"),
        (np.zeros((1, 5, 3)), None, r"inputs must have shape \(n_sequences, n_steps, 2\), got \(1, 5, 3\)"),
        (np.zeros((2, 5, 2)), [5], r"lengths must be 2 whole numbers"),
        (np.zeros((2, 5, 2)), [5.0, 5.0], r"lengths must be 2 whole numbers.* got float64"),
        (np.zeros((2, 5, 2)), [5, 6], r"lengths must lie between 1 and 5 \(n_steps\), got 5 to 6"),
        (np.array([[[0.0, np.nan]]]), None, r"inputs must be finite, got nan at .* = \[0, 0, 1\]"),
    ],
)
def test_predict_refuses_what_is_no_sequence(inputs, lengths, message):
    network = nets.Elman(2, 3, 1)
    with pytest.raises(ValueError, match=message):
        network.predict(np.zeros(network.n_genes), inputs, lengths)

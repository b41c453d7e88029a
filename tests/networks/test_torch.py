from __future__ import annotations

import numpy as np
import pytest

import neuroevo.networks as nets
from neuroevo.evaluation import LocalEvaluator
from neuroevo.networks.exchange import from_torch, to_torch
from neuroevo.problems import SequenceProblem, Within
from tests.networks.torch_cases import as_network, stored_cases
from tests.reference import make_torch_reference

CASES = stored_cases()


@pytest.mark.parametrize("case", CASES)
def test_predict_equals_stored_pytorch_outputs(case):
    network, genome, inputs, outputs = as_network(case, CASES[case])
    np.testing.assert_allclose(network.predict(genome, inputs), outputs, rtol=1e-12, atol=1e-12)


@pytest.mark.peers
def test_predict_equals_pytorch_now():
    pytest.importorskip("torch")
    for case, arrays in make_torch_reference.all_cases().items():
        network, genome, inputs, outputs = as_network(case, arrays)
        np.testing.assert_allclose(network.predict(genome, inputs), outputs, rtol=1e-12, atol=1e-12, err_msg=case)
        np.testing.assert_allclose(outputs, CASES[case]["outputs"], rtol=1e-12, atol=1e-12, err_msg=case)


@pytest.mark.parametrize("kind", [nets.Elman, nets.Lstm, nets.Gru])
def test_weights_return_from_pytorch_as_they_went(kind):
    network = kind(2, 3, 1, n_layers=2, initial_state=True)
    genome = np.random.default_rng(5).normal(size=network.n_genes)
    arrays = to_torch(network, genome)
    assert arrays["bias_ih_l1"].shape == arrays["bias_hh_l1"].shape
    assert from_torch(network, arrays).tobytes() == genome.tobytes()


def test_lstm_without_forget_gate_is_one_whose_gate_is_held_open():
    network, whole = (nets.Lstm(2, 3, 1, n_layers=2, initial_state=True, forget_gate=gate) for gate in (False, True))
    rng = np.random.default_rng(7)
    genome, inputs = rng.normal(size=network.n_genes), rng.normal(size=(2, 9, 2))
    arrays = to_torch(network, genome)
    assert arrays["weight_hh_l1"].shape == (12, 3)
    np.testing.assert_allclose(
        whole.predict(from_torch(whole, arrays), inputs), network.predict(genome, inputs), rtol=1e-13, atol=1e-15
    )
    assert from_torch(network, arrays).tobytes() == genome.tobytes()
    for name, entry in (("bias_ih_l1", 3), ("weight_hh_l0", (4, 1))):
        moved = {key: array.copy() for key, array in arrays.items()}
        moved[name][entry] = 1.0
        with pytest.raises(ValueError, match=r"the forget gate in .* is at work, and the network has none"):
            from_torch(network, moved)


def test_a_cell_without_bias_has_biases_of_zero():
    network = nets.Gru(2, 3, 1)
    arrays = to_torch(network, np.ones(network.n_genes))
    del arrays["bias_ih_l0"], arrays["bias_hh_l0"]
    decoded = network.layout.decode(from_torch(network, arrays))
    assert not decoded["bias_l0"].any()
    assert not decoded["bias_hn_l0"].any()


def test_what_pytorch_does_not_have_is_refused():
    with pytest.raises(TypeError, match="tanh and relu units only, this network has sine"):
        to_torch(nets.Elman(1, 2, 1, activation="sine"), np.zeros(11))
    with pytest.raises(TypeError, match="no cell like Graph"):
        from_torch(nets.Graph(1, 1, 1, "all"), {})


def test_incomplete_biases_are_refused():
    network = nets.Elman(1, 2, 1)
    arrays = to_torch(network, np.zeros(network.n_genes))
    with pytest.raises(ValueError, match=r"biases of layer 0 must have shape \(2,\), got \(3,\)"):
        from_torch(network, {**arrays, "bias_ih_l0": np.zeros(3)})
    del arrays["bias_hh_l0"]
    with pytest.raises(ValueError, match="must have both bias_ih_l0 and bias_hh_l0, or neither"):
        from_torch(network, arrays)


@pytest.mark.parametrize(("precision", "tolerance"), [("single", 1e-5), ("double", 1e-11)])
def test_evaluator_equals_stored_pytorch_outputs(precision, tolerance):
    for case, arrays in CASES.items():
        network, genome, inputs, outputs = as_network(case, arrays)
        scale = max(1.0, np.abs(outputs).max())
        problem = SequenceProblem(inputs, outputs, learned=Within(tolerance * scale))
        with LocalEvaluator(network, problem, n_threads=1, precision=precision) as evaluator:
            evaluation = evaluator.evaluate(genome[None])
        assert evaluation.learned[0] == 1.0, case
        assert evaluation.error[0] <= (tolerance * scale) ** 2, case

"""Gradients against those of PyTorch's autograd: nn.RNN, nn.LSTM, nn.GRU, stacked, started, with direct links."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import neuroevo as ne
from neuroevo.evaluation.learning import Learning
from tests.networks.torch_cases import as_network, stored_cases
from tests.reference import make_torch_gradients

CASES = stored_cases()
STORED = dict(np.load(Path(__file__).parents[1] / "reference" / "torch_gradients.npz"))


def by_gene(network, given):
    """PyTorch's derivatives in the order of the genome."""
    n, readout = network.n_hidden, given["readout.weight"]
    found = {"bias_out": given["readout.bias"], "weight_out": readout[:, :n], "weight_skip": readout[:, n:]}
    for k in range(network.n_layers):
        # Of two biases that are added each has the derivative of the sum; a GRU's candidate adds no two.
        found |= {f"weight_{name}_l{k}": given[f"weight_{name}_l{k}"] for name in ("ih", "hh")}
        found |= {f"bias_l{k}": given[f"bias_ih_l{k}"], f"bias_hn_l{k}": given[f"bias_hh_l{k}"][-n:]}
        for ours, theirs in (("initial_state", "h0"), ("initial_cell", "c0")):
            found |= {f"{ours}_l{k}": given[theirs][k]} if theirs in given else {}
    return np.concatenate([found[block.name].ravel() for block in network.layout.blocks])


def assert_equal(case, given, learning=None, tolerance=1e-10, precision="double"):
    network, genome, inputs, outputs = as_network(case, CASES[case])
    problem = ne.SequenceProblem(inputs, make_torch_gradients.targets(outputs.shape))
    with ne.LocalEvaluator(network, problem, precision=precision) as evaluator:
        (found,) = evaluator.gradient(genome[None], learning=learning)
    expected = by_gene(network, given)
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * np.abs(expected).max(), err_msg=case)


def stored(prefix):
    """The derivatives under a prefix of the stored file."""
    return {key.removeprefix(prefix): value for key, value in STORED.items() if key.startswith(prefix)}


@pytest.mark.parametrize("case", CASES)
def test_gradient_equals_stored_gradients_of_pytorch(case):
    assert_equal(case, stored(f"{case}/"))


@pytest.mark.parametrize("case", CASES)
def test_truncated_gradient_equals_pytorchs_with_a_detached_state(case):
    window = make_torch_gradients.WINDOW
    assert_equal(case, stored(f"{case}/within_{window}/"), Learning(truncation=window))


@pytest.mark.parametrize("case", ["rnn_tanh_2_started", "lstm_2_started", "gru_2_started"])
def test_gradient_in_single_precision_is_that_to_its_digits(case):
    assert_equal(case, stored(f"{case}/"), tolerance=1e-5, precision="single")


@pytest.mark.peers
def test_gradient_equals_pytorch_now():
    pytest.importorskip("torch")
    for case, arrays in CASES.items():
        assert_equal(case, make_torch_gradients.torch_gradients(case, arrays, 0))

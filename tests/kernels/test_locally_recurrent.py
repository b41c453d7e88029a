"""The backward step of locally recurrent networks against central differences; poles against the filters themselves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neuroevo as ne
from neuroevo.evaluation import trace
from tests.networks.drawn import networks


@settings(max_examples=25, deadline=None)
@given(networks(("locally_recurrent",)), st.integers(0, 10**6))
def test_gradients_equal_central_differences(network, seed):
    if network.activation in ("relu", "hard_step", "softsign"):
        return
    rng = np.random.default_rng(seed)
    lengths = [9, 1, 7, 9, 4]
    inputs = [rng.normal(size=(n, network.n_inputs)) for n in lengths]
    targets = [rng.normal(size=(n, network.n_outputs)) for n in lengths]
    problem = ne.SequenceProblem(inputs, targets, weight_decay=0.1)
    genome, step = 0.4 * rng.normal(size=network.n_genes), 1e-6
    shifts = step * np.eye(network.n_genes)
    with ne.LocalEvaluator(network, problem, n_threads=1, precision="double") as evaluator:
        ours = evaluator.gradient(genome[None])[0]
        theirs = (evaluator.evaluate(genome + shifts).error - evaluator.evaluate(genome - shifts).error) / (2 * step)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-7 * max(1.0, np.abs(theirs).max()))


@pytest.mark.parametrize("feedback", ["synapse", "activation"])
def test_a_long_pass_in_stretches_has_the_gradient_of_one_in_memory(feedback, monkeypatch):
    network = ne.LocallyRecurrent(2, 9, 2, n_layers=2, feedback=feedback, ma_taps=3, ar_taps=2)
    rng = np.random.default_rng(1)
    problem = ne.SequenceProblem(rng.normal(size=(3, 150, 2)), rng.normal(size=(3, 150, 2)), lengths=[150, 70, 149])
    genomes = rng.normal(size=(4, network.n_genes)) * network.layout.start_scale
    found = []
    for n_bytes in (1 << 24, 1):
        monkeypatch.setattr("neuroevo.evaluation.backends.by_adjoints.KEPT_BYTES", n_bytes)
        with ne.LocalEvaluator(network, problem, n_threads=1, wants=frozenset({"gradient"})) as evaluator:
            found.append(evaluator.gradient(genomes).tobytes())
    assert found[0] == found[1]


def test_hidden_units_of_a_trace_are_what_the_read_out_sees():
    network = ne.LocallyRecurrent(2, 9, 2, n_layers=2)
    rng = np.random.default_rng(1)
    genomes, inputs = rng.normal(size=(3, network.n_genes)) * 0.3, rng.normal(size=(2, 8, 2))
    shown = trace(network, genomes, inputs)
    for genome, hidden, outputs in zip(genomes, shown["hidden"], shown["outputs"], strict=True):
        arrays = network.layout.decode(genome)
        top = hidden[..., 9:] @ arrays["weight_out"].T + arrays["bias_out"]
        np.testing.assert_allclose(outputs, top, rtol=1e-11, atol=1e-12)


def test_poles_say_how_a_filter_rings():
    network = ne.LocallyRecurrent(1, 1, 1, ma_taps=1, ar_taps=2, activation="linear")
    radius, angle = 0.9, 0.5
    arrays = {
        "weight_ma_l0": [[[1.0]]], "weight_ar_l0": [[[2 * radius * np.cos(angle), -(radius**2)]]], "bias_l0": [0.0],
        "weight_out": [[1.0]], "bias_out": [0.0],
    }  # fmt: skip
    genome = network.layout.encode(arrays)
    poles = network.poles(genome)["weight_ar_l0"]
    np.testing.assert_allclose(np.sort_complex(poles.ravel()), radius * np.exp([-1j * angle, 1j * angle]), rtol=1e-12)
    assert network.largest_pole(genome) == pytest.approx(radius)
    pulse = np.zeros((1, 60, 1))
    pulse[0, 0] = 1.0
    t = np.arange(60)
    # The impulse response of 1 / (1 - 2 r cos(a) z^-1 + r^2 z^-2) in every book on filters.
    expected = radius**t * np.sin((t + 1) * angle) / np.sin(angle)
    np.testing.assert_allclose(network.predict(genome, pulse)[0, :, 0], expected, atol=1e-12)
    assert network.remarks(genome) == ["all filters are stable, the largest modulus of a pole is 0.9"]


def test_unstable_filters_are_named():
    network = ne.LocallyRecurrent(1, 2, 1)
    arrays = network.layout.decode(np.zeros(network.n_genes)) | {"weight_ar_l0": [[[1.25]], [[0.5]]]}
    (remark,) = network.remarks(network.layout.encode(arrays))
    assert remark.startswith("1 of 2 filters are unstable, the largest modulus of a pole is 1.25: over long sequences")
    network = ne.LocallyRecurrent(1, 2, 1, feedback="output", activation="logistic")
    arrays = network.layout.decode(np.zeros(network.n_genes)) | {"weight_ar_l0": [[6.0], [3.0]]}
    (remark,) = network.remarks(network.layout.encode(arrays))
    assert remark.startswith("1 of 2 filters are unstable, the largest modulus of a pole is 1.5: outputs stay bounded")
    assert ne.LocallyRecurrent(1, 2, 1, ar_taps=0).remarks(np.zeros(9)) == []


@pytest.mark.parametrize("start", ["gaussian", "uniform", "glorot", "orthogonal"])
@pytest.mark.parametrize("ar_taps", [1, 3])
def test_first_populations_are_stable(start, ar_taps):
    network = ne.LocallyRecurrent(2, 6, 1, n_layers=2, ar_taps=ar_taps)
    strategy = ne.make_strategy(
        "genetic_algorithm", n_genes=network.n_genes, seed=1, layout=network.layout, start=start, population_size=64
    )
    poles = [network.largest_pole(genome) for genome in strategy.ask()]
    assert max(poles) < 1.0
    strategy = ne.make_strategy("snes", n_genes=network.n_genes, seed=1, layout=network.layout, step_size=1.0)
    assert np.mean([network.largest_pole(genome) < 1.0 for genome in strategy.ask()]) > 0.9

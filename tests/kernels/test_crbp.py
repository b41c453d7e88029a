"""Causal recursive backpropagation against its definition, its limits, and what moves online."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neuroevo as ne
from neuroevo.errors import BadInput
from neuroevo.evaluation.backends.by_crbp import ByCrbp
from neuroevo.evaluation.learning import Learning, Online
from tests.oracle import filters

FEEDBACK = ("synapse", "activation", "output")


def problem_for(network, seed, lengths=(12,), **options):
    rng = np.random.default_rng(seed)
    inputs = [rng.normal(size=(n, network.n_inputs)) for n in lengths]
    return ne.SequenceProblem(inputs, [rng.normal(size=(n, network.n_outputs)) for n in lengths], **options)


def genomes_for(network, seed, n=3):
    return np.random.default_rng(seed).normal(size=(n, network.n_genes)) * 0.4


def found(network, problem, genomes, learning, wants="gradient", n_threads=1, precision="double"):
    backend = ByCrbp(network, problem, n_threads=n_threads, precision=precision)
    try:
        return backend.evaluate(genomes, "train", frozenset({wants}), learning)
    finally:
        backend.close()


def gradient(network, problem, genomes, delay, **options):
    return found(network, problem, genomes, Learning("crbp", delay=delay), **options)["gradient"]


def exact(network, problem, genomes):
    with ne.LocalEvaluator(network, problem, n_threads=1, precision="double") as evaluator:
        return evaluator.gradient(genomes)


def assert_alike(one, other, tolerance=1e-10):
    np.testing.assert_allclose(one, other, rtol=0, atol=tolerance * np.abs(other).max())


@pytest.mark.parametrize("dynamic_output", [False, True])
@pytest.mark.parametrize("feedback", FEEDBACK)
@pytest.mark.parametrize("delay", [0, 1, 3])
def test_truncated_gradients_are_those_of_the_definition(feedback, dynamic_output, delay):
    network = ne.LocallyRecurrent(
        2, 3, 2, n_layers=2, feedback=feedback, ar_taps=2, dynamic_output=dynamic_output, output_activation="logistic"
    )
    problem, genomes = problem_for(network, 1), genomes_for(network, 2, 2)
    for genome, ours in zip(genomes, gradient(network, problem, genomes, delay), strict=True):
        slopes = 2 * (network.predict_rows(genome, problem.input_rows, [12]) - problem.target_rows) / 24
        theirs = filters.crbp(network, genome, problem.input_rows.tolist(), slopes.tolist(), delay)
        assert_alike(ours, np.array(theirs), 1e-12)


@settings(max_examples=20, deadline=None)
@given(
    st.sampled_from(FEEDBACK), st.integers(1, 3), st.integers(0, 3), st.integers(1, 3), st.booleans(),
    st.sampled_from(["tanh", "sine", "logistic"]), st.integers(0, 10**6),
)  # fmt: skip
def test_without_truncation_the_gradient_is_exact(feedback, ma, ar, n_layers, dynamic_output, activation, seed):
    network = ne.LocallyRecurrent(
        2, 3, 2, n_layers=n_layers, feedback=feedback, ma_taps=ma, ar_taps=ar, dynamic_output=dynamic_output,
        activation=activation, output_activation="tanh" if feedback == "output" else "softmax",
    )  # fmt: skip
    rng = np.random.default_rng(seed)
    problem = problem_for(network, seed, (9, 1, 7), weight_decay=0.1, washout=int(rng.integers(0, 3)))
    genomes = genomes_for(network, seed)
    assert_alike(gradient(network, problem, genomes, 1000), exact(network, problem, genomes))


@pytest.mark.parametrize(
    ("options", "delay"),
    [
        ({"ma_taps": 1, "ar_taps": 0, "n_layers": 3}, 0),  # backpropagation in a network without memory
        ({"ma_taps": 3, "ar_taps": 0, "n_layers": 2, "dynamic_output": True}, 2),  # temporal backpropagation
        ({"ma_taps": 1, "ar_taps": 2, "feedback": "activation"}, 0),  # BPS: one layer remembers, the read-out does not
        ({"ma_taps": 1, "ar_taps": 2, "feedback": "output"}, 0),
        ({"ma_taps": 2, "ar_taps": 2, "feedback": "synapse"}, 0),
    ],
)
def test_limits_are_exact_without_any_more_delay(options, delay):
    network = ne.LocallyRecurrent(2, 4, 1, **options)
    problem, genomes = problem_for(network, 3, (15, 8)), genomes_for(network, 4)
    assert_alike(gradient(network, problem, genomes, delay), exact(network, problem, genomes))


def test_the_direction_comes_nearer_to_the_gradient_with_the_delay():
    network = ne.LocallyRecurrent(2, 3, 1, ma_taps=2, ar_taps=2, dynamic_output=True)
    problem, genomes = problem_for(network, 5, (25,)), 0.7 * genomes_for(network, 6, 24)
    right, cosines = exact(network, problem, genomes), []
    for delay in (0, 1, 2, 4, 8, 12):
        ours = gradient(network, problem, genomes, delay)
        of = (ours * right).sum(axis=1) / np.sqrt((ours**2).sum(axis=1) * (right**2).sum(axis=1))
        cosines.append(np.median(of))
    assert (np.diff(cosines) > 0).all()
    assert cosines[0] < 0.99
    assert cosines[-1] > 0.9999


@pytest.mark.parametrize("dynamic_output", [False, True])
@pytest.mark.parametrize("feedback", FEEDBACK)
def test_weights_move_online_as_by_the_definition(feedback, dynamic_output):
    network = ne.LocallyRecurrent(2, 2, 2, n_layers=2, feedback=feedback, ar_taps=2, dynamic_output=dynamic_output)
    problem, genomes = problem_for(network, 1), genomes_for(network, 2, 2)
    online = Online(0.05, momentum=0.5, interval=2, clip=1.5)
    told = found(network, problem, genomes, Learning("crbp", delay=1, online=online), "refined")
    targets, moved = problem.target_rows, told["refined"]
    for genome, ours in zip(genomes, moved, strict=True):

        def slopes(t, outputs):
            return [2 * (y - float(d)) for y, d in zip(outputs, targets[t], strict=True)]

        theirs = filters.online(network, genome, problem.input_rows.tolist(), slopes, 1, 0.05, 0.5, 2, 1.5)
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)
        assert np.abs(ours - genome).max() > 0.01
    with ne.LocalEvaluator(network, problem, precision="double") as evaluator:
        assert told["error"].tobytes() == evaluator.evaluate(moved).error.tobytes()


@pytest.mark.parametrize("feedback", FEEDBACK)
def test_one_layer_moves_online_as_by_real_time_recurrent_learning(feedback):
    network = ne.LocallyRecurrent(2, 3, 2, feedback=feedback, ar_taps=2)
    problem, genomes = problem_for(network, 1, (12, 5, 9)), genomes_for(network, 2)
    online = Online(0.02, momentum=0.5, clip=1.0)
    ours, theirs = (
        found(network, problem, genomes, Learning(method, online=online), "refined")["refined"]
        for method in ("crbp", "rtrl")
    )
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)
    assert np.abs(ours - genomes).max() > 0.01


def test_one_step_after_all_is_a_step_down_the_gradient():
    network = ne.LocallyRecurrent(1, 3, 1, fixed={"bias_l0": 0.0})
    problem, genomes = problem_for(network, 1, (20,)), genomes_for(network, 2)
    moved = found(network, problem, genomes, Learning("crbp", online=Online(0.01, interval=1000)), "refined")["refined"]
    assert_alike((genomes - moved) / 0.01 / 20, exact(network, problem, genomes))


def test_genomes_stay_where_the_rate_is_zero():
    network = ne.LocallyRecurrent(1, 3, 1)
    problem, genomes = problem_for(network, 1), genomes_for(network, 2)
    told = found(network, problem, genomes, Learning("crbp", online=Online(0.0)), "refined")
    assert told["refined"].tobytes() == genomes.tobytes()


def test_online_sequences_follow_each_other_in_the_order_of_the_data():
    network = ne.LocallyRecurrent(1, 3, 1)
    whole, genomes = problem_for(network, 1, (9, 20, 4)), genomes_for(network, 2)
    learning = Learning("crbp", online=Online(0.02, momentum=0.0))
    moved = genomes
    for first, last in ((0, 9), (9, 29), (29, 33)):
        rows = slice(first, last)
        one = ne.SequenceProblem([whole.input_rows[rows]], [whole.target_rows[rows]])
        moved = found(network, one, moved, learning, "refined")["refined"]
    assert found(network, whole, genomes, learning, "refined")["refined"].tobytes() == moved.tobytes()


@pytest.mark.parametrize("wants", ["gradient", "refined"])
def test_no_bit_depends_on_threads_or_neighbours(wants):
    network = ne.LocallyRecurrent(2, 5, 2, n_layers=2, ar_taps=2, dynamic_output=True)
    problem, genomes = problem_for(network, 1, (9, 20, 4)), genomes_for(network, 2, 40)
    learning = Learning("crbp", delay=2, online=Online(0.01) if wants == "refined" else None)
    options = {"learning": learning, "wants": wants, "precision": "single"}
    both = found(network, problem, genomes, n_threads=2, **options)[wants]
    alone = [found(network, problem, genomes[k : k + 1], **options)[wants][0] for k in (0, 17, 39)]
    assert both[[0, 17, 39]].tobytes() == np.stack(alone).tobytes()


def test_what_crbp_cannot_do_is_refused():
    network = ne.LocallyRecurrent(1, 2, 2, feedback="output", dynamic_output=True, output_activation="softmax")
    assert "crbp" not in ByCrbp.methods(network)
    network = ne.LocallyRecurrent(1, 2, 2)
    assert "crbp" in ByCrbp.methods(network)
    problem, genomes = problem_for(network, 1), genomes_for(network, 2)
    with pytest.raises(BadInput, match="truncated by its delay"):
        found(network, problem, genomes, Learning("crbp", truncation=3))
    with pytest.raises(BadInput, match=r"refines genomes with learning\.online"):
        found(network, problem, genomes, Learning("crbp"), "refined")

"""Derivatives that run forward with a network: RTRL and the hybrid are backpropagation's gradient, curvature is J^T J."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import neuroevo as ne
from neuroevo.evaluation.learning import Learning, Online
from tests.evaluation.test_gradients import KINDS, STENCIL, STEP, assume_smooth, by_differences, given_state, step_for
from tests.evaluation.test_local import EVERY_KIND, problem_for
from tests.evaluation.test_objectives import fitting, judged
from tests.networks.drawn import networks

WANTS = frozenset({"gradient", "curvature"})


def jacobian(function, at, step=STEP):
    """The derivatives ``(..., at.size)`` of the array `function(vector)`, by differences of fourth order."""
    columns = [sum(factor * function(at + k * way) for k, factor in STENCIL.items()) for way in step * np.eye(at.size)]
    return np.stack(columns, axis=-1) / (12 * step)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(networks(KINDS, max_units=7), st.integers(0, 10**6), st.integers(1, 5), st.integers(2, 20), st.integers(1, 9))
@example(ne.LocallyRecurrent(1, 1, 1, feedback="output", ma_taps=1, ar_taps=1, dynamic_output=True), 0, 1, 2, 1)
def test_rtrl_and_the_hybrid_are_backpropagation(network, seed, n_sequences, n_steps, block):
    problem = problem_for(network, seed, n_sequences, n_steps, weight_decay=0.125)
    population = np.random.default_rng(seed).normal(size=(3, network.n_genes)) * 0.5
    with ne.LocalEvaluator(network, problem, n_threads=1, precision="double", wants=WANTS) as evaluator:
        expected = evaluator.gradient(population)
        scale = 1e-10 * (1e-3 + np.abs(expected).max())
        for learning in (Learning("rtrl"), Learning("hybrid"), Learning("hybrid", block=block)):
            np.testing.assert_allclose(
                evaluator.gradient(population, learning=learning), expected, rtol=1e-10, atol=scale
            )


def outputs_of(network, problem, genome):
    """Outputs ``(n_rows, n_outputs)``."""
    return network.predict_rows(genome, problem.input_rows, problem.lengths)


def bends(problem, outputs):
    """The second derivative of each loss by its output."""
    targets, name = problem.target_rows, problem.objective.name
    if name == "squared":
        return np.full(targets.shape, 2.0)
    if name == "huber":
        return (np.abs(outputs - targets) <= problem.objective.threshold).astype(float)
    hit = targets / outputs**2
    return hit if problem.learned.by_class else hit + (1 - targets) / (1 - outputs) ** 2


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(
    networks(KINDS, max_units=5),
    st.sampled_from([("squared", False), ("huber", False), ("cross_entropy", False), ("cross_entropy", True)]),
    st.integers(0, 10**6),
    st.integers(0, 3),
    st.sampled_from(["train", "test"]),
)
def test_curvature_is_that_of_gauss_and_newton(network, case, seed, weighted, part):
    name, by_class = case
    if (by_class and network.n_outputs == 1) or (network.kind not in ("elman", "lstm") and name != "squared"):
        return
    assume_smooth(network)
    network = fitting(network, name, by_class)
    problem = judged(network, seed, 3, 8, name, by_class, weighted, decay=0.125)
    genome = np.random.default_rng(seed).normal(size=network.n_genes) * 0.4
    counted = problem.counted_rows(part)
    where, weights = problem.objective.where(counted), problem.objective.weights(problem, counted)
    weights = where * (1.0 if weights is None else weights)
    slopes = jacobian(lambda moved: outputs_of(network, problem, moved), genome, step_for(network))
    bent = weights * bends(problem, outputs_of(network, problem, genome)) / weights.sum()
    expected = np.einsum("rog,ro,roh->gh", slopes, bent, slopes) + 0.25 / genome.size * np.eye(genome.size)
    with ne.LocalEvaluator(network, problem, n_threads=1, precision="double", wants=WANTS) as evaluator:
        found = evaluator.evaluate(genome[None], part, WANTS)
        gradient = evaluator.gradient(genome[None], part)
    (curvature,) = found.more["curvature"]
    np.testing.assert_array_equal(curvature, curvature.T)
    np.testing.assert_allclose(curvature, expected, rtol=1e-7, atol=1e-8 * np.abs(expected).max())
    np.testing.assert_allclose(found.more["gradient"], gradient, rtol=1e-9, atol=1e-10 * np.abs(gradient).max())


def leaves(state):
    """The arrays of a nest of tuples, in order."""
    return [array for part in state for array in leaves(part)] if isinstance(state, tuple) else [state]


def packed(network, state):
    """A state as a vector; of a graph's the units without the weights."""
    return np.concatenate([array.ravel() for array in leaves(state[:1] if network.kind == "graph" else state)])


def unpacked(network, arrays, vector):
    """The state whose numbers these are."""

    def filled(like):
        nonlocal first
        if isinstance(like, tuple):
            parts = [filled(part) for part in like]
            return type(like)(*parts) if hasattr(like, "_fields") else tuple(parts)
        first += like.size
        return vector[first - like.size : first].reshape(like.shape)

    first, state = 0, network.start(arrays)
    return given_state(network, arrays, (filled(state[0]), state[1]) if network.kind == "graph" else filled(state))


def learnt_by_rtrl(network, genome, inputs, targets, online):
    """Real-time recurrent learning by its definition: P carried on by the derivatives of one step, found by differences."""
    genome, moved, n = genome.copy(), np.zeros(genome.size), genome.size
    carried = jacobian(lambda genes: packed(network, network.start(network.layout.decode(genes))), genome)
    state = packed(network, network.start(network.layout.decode(genome)))
    total = np.zeros(n)

    def step(both):
        arrays = network.layout.decode(both[:n])
        outputs, after = network.advance(arrays, unpacked(network, arrays, both[n:]), inputs[t][None])
        return np.concatenate([outputs[0], packed(network, after)])

    for t in range(len(inputs)):
        both = np.concatenate([genome, state])
        slopes, after = jacobian(step, both), step(both)
        by_genes = slopes[:, :n] + slopes[:, n:] @ carried
        n_outputs = targets.shape[1]
        total += 2 * (after[:n_outputs] - targets[t]) @ by_genes[:n_outputs]
        state, carried = after[n_outputs:], by_genes[n_outputs:]
        if (t + 1) % online.interval == 0 or t + 1 == len(inputs):
            norm = np.linalg.norm(total)
            shorter = online.clip / norm if 0 < online.clip < norm else 1.0
            moved = online.momentum * moved + online.rate * shorter * total
            genome, total = genome - moved, np.zeros(n)
    return genome


@pytest.mark.parametrize("online", [Online(0.02), Online(0.02, momentum=0.5, interval=3, clip=0.5)], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_weights_that_move_follow_real_time_recurrent_learning(kind, online):
    network = EVERY_KIND[kind]
    if online.interval > 1 and kind != "elman":
        return
    rng = np.random.default_rng(3)
    inputs, targets = rng.normal(size=(8, network.n_inputs)), rng.normal(size=(8, network.n_outputs))
    genome = rng.normal(size=network.n_genes) * 0.5
    expected = learnt_by_rtrl(network, genome, inputs, targets, online)
    learning = Learning("rtrl", online=online)
    refined = frozenset({"refined"})
    with ne.LocalEvaluator(
        network, ne.SequenceProblem(inputs[None], targets[None]), precision="double", wants=refined
    ) as evaluator:
        found = evaluator.evaluate(genome[None], wants=refined, learning=learning)
    # A leaky network's shares are carried on as shares, not as genes: a difference of the second order in the rate.
    slack = 0.02 if kind == "ctrnn" else 1e-8
    moved = expected - genome
    np.testing.assert_allclose(found.more["refined"][0] - genome, moved, rtol=0, atol=slack * np.abs(moved).max())
    assert np.abs(moved).max() > 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_bits_depend_on_genome_and_data_alone(kind):
    network = EVERY_KIND[kind]
    problem = problem_for(network, 11, 3, 12)
    population = np.random.default_rng(5).normal(size=(20, network.n_genes)) * 0.5
    order = np.random.default_rng(6).permutation(20)
    found = []
    for n_threads, genomes in ((1, population), (3, population[order]), (1, population[3:12])):
        with ne.LocalEvaluator(network, problem, n_threads=n_threads, wants=WANTS) as evaluator:
            evaluation = evaluator.evaluate(genomes, wants=WANTS)
            rtrl = evaluator.gradient(genomes, learning=Learning("rtrl"))
            found.append((evaluation.error, evaluation.more["gradient"], evaluation.more["curvature"], rtrl))
    for whole, mixed, some in zip(*found, strict=True):
        np.testing.assert_array_equal(mixed, whole[order])
        np.testing.assert_array_equal(some, whole[3:12])


def test_curvature_times_a_step_is_the_change_of_the_gradient_of_a_linear_read_out():
    """Where outputs are linear in the genes, Gauss and Newton's curvature is the Hessian."""
    free = ne.Elman(2, 4, 2)
    rng = np.random.default_rng(2)
    fixed = {name: rng.normal(size=shape) for name, shape in zip(free.layout.names, free.layout.shapes, strict=True)}
    fixed = {name: array for name, array in fixed.items() if name not in ("weight_out", "bias_out")}
    network = ne.Elman(2, 4, 2, fixed=fixed)
    problem = problem_for(network, 3, 4, 15, weight_decay=0.125)
    genome, step = rng.normal(size=(2, network.n_genes))
    with ne.LocalEvaluator(network, problem, precision="double", wants=WANTS) as evaluator:
        (curvature,) = evaluator.evaluate(genome[None], wants=WANTS).more["curvature"]
        before, after = evaluator.gradient(np.stack([genome, genome + step]))
        hessian = by_differences(lambda moved: evaluator.gradient(moved) @ step, genome)
    np.testing.assert_allclose(curvature @ step, after - before, rtol=1e-10)
    np.testing.assert_allclose(curvature @ step, hessian, rtol=1e-7)

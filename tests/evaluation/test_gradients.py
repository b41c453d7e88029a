"""Gradients of every cell with a backward step: central differences, and bits that depend on nothing else.

A cell is tested by being registered in `CELLS`.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import neuroevo as ne
from neuroevo.errors import BadInput
from neuroevo.evaluation.backends import by_adjoints
from neuroevo.evaluation.cells import CELLS
from neuroevo.evaluation.learning import Learning
from neuroevo.problems.noise import InputNoise
from tests.evaluation.test_local import EVERY_KIND, problem_for
from tests.evaluation.test_objectives import fitting, judged
from tests.networks.drawn import networks

KINDS = tuple(kind for kind in CELLS.names() if CELLS[kind].has_backward_step)
GRADIENT = frozenset({"gradient"})
STEP = 3e-4
STENCIL = {1: 8.0, -1: -8.0, 2: -1.0, -2: 1.0}
"""Central differences of fourth order: the sum of factor times error at so many steps, over 12 steps."""


def step_for(network):
    """The slope of softsign has a corner at 0: a step across it leaves out what is of the order of the step."""
    return 1e-6 if getattr(network, "activation", "tanh") == "softsign" else STEP


def by_differences(errors, genome, step=STEP):
    """The gradient of `errors(population)` at a genome: what is left out is of the order of step**4."""
    moved = np.concatenate([genome + k * step * np.eye(genome.size) for k in STENCIL])
    found = errors(moved).reshape(len(STENCIL), genome.size)
    return np.array(list(STENCIL.values())) @ found / (12 * step)


def assert_close(found, expected, relative=1e-6):
    """Equal to so many digits of each entry, but for those that are small beside the largest."""
    np.testing.assert_allclose(found, expected, rtol=relative, atol=0.01 * relative * (1 + np.abs(expected).max()))


def assert_is_the_slope(network, problem, genome, **how):
    wants = GRADIENT
    with ne.LocalEvaluator(network, problem, n_threads=1, precision="double", wants=wants) as evaluator:
        plain = evaluator.evaluate(genome[None], **how)
        found = evaluator.evaluate(genome[None], wants=wants, **how)
        expected = by_differences(
            lambda population: evaluator.evaluate(population, **how).error,
            genome,
            step_for(network),
        )
    assert found.error[0] == plain.error[0]
    assert found.learned[0] == plain.learned[0]
    assert_close(found.more["gradient"][0], expected)


def assume_smooth(network):
    """No activation with corners, which a difference may cross; PyTorch's gradients vouch for "relu"."""
    assume(getattr(network, "activation", "tanh") not in ("relu", "hard_step", "sign"))


def distance_to_corners(problem, outputs):
    """How far the nearest counted output is from where the slope of its loss jumps."""
    away = np.abs(outputs - problem.target_rows)[problem.counted_rows()]
    corner = {"absolute": 0.0, "pinball": 0.0, "huber": problem.objective.parameter}.get(problem.objective.name, np.inf)
    return np.abs(away - corner).min()


def genome_of(network, seed, scale=0.6):
    return np.random.default_rng(seed).normal(size=network.n_genes) * scale


@settings(max_examples=30, deadline=None)
@given(
    networks(KINDS, max_units=9),
    st.integers(0, 10**6),
    st.integers(1, 9),
    st.integers(2, 9),
    st.sampled_from(["train", "test"]),
)
def test_gradient_is_the_slope_of_the_error(network, seed, n_sequences, n_steps, part):
    assume_smooth(network)
    problem = problem_for(network, seed, n_sequences, n_steps, weight_decay=0.125)
    assert_is_the_slope(network, problem, genome_of(network, seed), part=part)


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(
    networks(("elman", "lstm"), max_units=4),
    st.sampled_from(
        [(name, False) for name in ("squared", "absolute", "huber", "pinball")]
        + [("cross_entropy", True), ("cross_entropy", False)]
    ),
    st.integers(0, 10**6),
    st.integers(0, 4),
)
def test_gradient_is_the_slope_of_every_objective(network, case, seed, weighted):
    name, by_class = case
    assume_smooth(network)
    if by_class and network.n_outputs == 1:
        network = dataclasses.replace(network, n_outputs=2, fixed=None)
    network = fitting(network, name, by_class)
    problem = judged(network, seed, 3, 7, name, by_class, weighted, decay=0.125)
    genome = genome_of(network, seed, 0.4)
    outputs = network.predict_rows(genome, problem.input_rows, problem.lengths)
    assume(distance_to_corners(problem, outputs) > 20 * STEP)
    assert_is_the_slope(network, problem, genome)


@pytest.mark.parametrize("kind", KINDS)
def test_gradient_of_a_batch_with_noise_is_its_slope(kind):
    network = EVERY_KIND[kind]
    problem = problem_for(network, 4, 6, 40, weight_decay=0.125)
    long = int(np.argmax(problem.lengths))
    batch = np.array([[long, 3, 5, 20], [0, 0, 0, problem.lengths[0]], [long, 7, 7, 40]])
    noise = InputNoise(0.1, seed=3, address=(1, 2))
    assert_is_the_slope(network, problem, genome_of(network, 5), batch=batch, noise=noise)


@pytest.mark.parametrize("kind", KINDS)
def test_truncated_gradient_is_the_slope_with_the_states_of_windows_given(kind):
    """The error of each window as a function of the genome, begun from the state that the genome itself leads to."""
    network, truncation = EVERY_KIND[kind], 6
    rng = np.random.default_rng(8)
    inputs, targets = rng.normal(size=(5, 40, network.n_inputs)), rng.normal(size=(5, 40, network.n_outputs))
    genome = genome_of(network, 9)

    def error_from(states, arrays):
        total = 0.0
        for t in range(inputs.shape[1]):
            if t == 0:
                state = network.start(arrays, len(inputs))
            elif t % truncation == 0:
                state = given_state(network, arrays, states[t])
            outputs, state = network.advance(arrays, state, inputs[:, t])
            total += ((outputs - targets[:, t]) ** 2).sum()
        return total / targets.size

    arrays = network.layout.decode(genome)
    states, state = [], network.start(arrays, len(inputs))
    for t in range(inputs.shape[1]):
        states.append(state)
        _, state = network.advance(arrays, state, inputs[:, t])
    expected = by_differences(
        lambda population: np.array([error_from(states, network.layout.decode(moved)) for moved in population]), genome
    )
    with ne.LocalEvaluator(network, ne.SequenceProblem(inputs, targets), precision="double") as evaluator:
        (found,) = evaluator.gradient(genome[None], learning=Learning(truncation=truncation))
        (full,) = evaluator.gradient(genome[None])
    assert_close(found, expected)
    assert np.abs(found - full).max() > 1e-3 * np.abs(full).max()


def given_state(network, arrays, state):
    """The state with the weights of other arrays: a graph's state holds them as a matrix."""
    return (state[0], network.start(arrays)[1]) if network.kind == "graph" else state


@pytest.mark.parametrize("precision", ["single", "double"])
@pytest.mark.parametrize("kind", KINDS)
def test_bits_depend_on_genome_and_data_alone(kind, precision, monkeypatch):
    network = EVERY_KIND[kind]
    problem = problem_for(network, 11, 7, 100)
    population = np.random.default_rng(5).normal(size=(60, network.n_genes))
    order = np.random.default_rng(6).permutation(60)

    def found(evaluator, genomes):
        evaluation = evaluator.evaluate(genomes, wants=GRADIENT)
        return evaluation.error, evaluation.more["gradient"]

    with ne.LocalEvaluator(network, problem, n_threads=1, precision=precision) as plain:
        errors = plain.evaluate(population).error
    with ne.LocalEvaluator(network, problem, n_threads=1, precision=precision, wants=GRADIENT) as evaluator:
        error, gradient = found(evaluator, population)
        np.testing.assert_array_equal(error, errors)
        np.testing.assert_array_equal(evaluator.evaluate(population).error, errors)
        np.testing.assert_array_equal(found(evaluator, population[order])[1], gradient[order])
        np.testing.assert_array_equal(found(evaluator, population[3:24])[1], gradient[3:24])
        np.testing.assert_array_equal(found(evaluator, population[17:18])[1], gradient[17:18])
    monkeypatch.setattr(by_adjoints, "KEPT_BYTES", 1)
    with ne.LocalEvaluator(network, problem, n_threads=3, precision=precision, wants=GRADIENT) as evaluator:
        error, again = found(evaluator, population)
        np.testing.assert_array_equal(error, errors)
        np.testing.assert_array_equal(again, gradient)


@pytest.mark.parametrize("kind", KINDS)
def test_single_precision_has_its_digits(kind):
    network = EVERY_KIND[kind]
    problem = problem_for(network, 12, 6, 150)
    population = np.random.default_rng(5).normal(size=(3, network.n_genes)) * 0.4
    by_precision = []
    for precision in ("single", "double"):
        with ne.LocalEvaluator(network, problem, precision=precision) as evaluator:
            by_precision.append(evaluator.gradient(population))
    for found, expected in zip(*by_precision, strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("kind", KINDS)
def test_genome_that_fails_takes_no_other_along(kind):
    network = EVERY_KIND[kind]
    problem = problem_for(network, 1, 5, 40)
    population = np.random.default_rng(1).normal(size=(20, network.n_genes)) * network.layout.start_scale
    ill = population.copy()
    ill[[0, 17]] = np.nan
    others = np.delete(np.arange(20), [0, 17])
    with ne.LocalEvaluator(network, problem, wants=GRADIENT) as evaluator:
        healthy, found = (evaluator.evaluate(genomes, wants=GRADIENT) for genomes in (population, ill))
    assert np.isinf(found.error[[0, 17]]).all()
    assert found.n_failed == 2
    np.testing.assert_array_equal(found.more["gradient"][others], healthy.more["gradient"][others])


@pytest.mark.parametrize("name", ["classification_error", "balanced_error", "not_learned"])
def test_shares_of_steps_have_no_gradient(name):
    network = fitting(ne.Elman(2, 3, 2), name, True)
    problem = judged(network, 1, 3, 9, name, name != "not_learned")
    with pytest.raises(BadInput, match="no backend gives gradient"):
        ne.LocalEvaluator(network, problem, wants=GRADIENT)


@pytest.mark.slow
@pytest.mark.parametrize("wants", [{"gradient"}, {"gradient", "curvature"}])
def test_derivatives_beyond_all_numbers_are_told_as_zeros(wants):
    # Sines keep the error small, while an error that goes back through 400 steps grows a thousandfold in each.
    network = ne.Elman(1, 6, 1, activation="sine")
    rng = np.random.default_rng(0)
    problem = ne.SequenceProblem(rng.normal(size=(1, 400, 1)), rng.normal(size=(1, 400, 1)))
    genomes = rng.normal(size=(3, network.n_genes)) * [[1e3], [0.1], [1e3]]
    with ne.LocalEvaluator(network, problem, n_threads=1, precision="double", wants=frozenset(wants)) as evaluator:
        evaluation = evaluator.evaluate(genomes, wants=frozenset(wants))
    assert np.isfinite(evaluation.error).all()
    for name in wants:
        assert (evaluation.more[name][[0, 2]] == 0).all()
        assert np.isfinite(evaluation.more[name][1]).all()
        assert (evaluation.more[name][1] != 0).any()

"""Continuous time: the substeps of a Ctrnn, their exact gradient, and Pearlmutter's."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import neuroevo as ne
from neuroevo.evaluation.learning import Learning
from tests.networks.test_signal_flow import central_differences
from tests.oracle import continuous

PEARLMUTTER = Learning(method="pearlmutter")


def task(network, seed, n_sequences=3, n_steps=10):
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(n_sequences, n_steps, network.n_inputs))
    targets = rng.normal(size=(n_sequences, n_steps, network.n_outputs))
    return ne.SequenceProblem(inputs, targets), 0.7 * rng.normal(size=network.n_genes)


def gradients(network, problem, genome):
    """The exact gradient and Pearlmutter's."""
    with ne.LocalEvaluator(network, problem, n_threads=1, precision="double") as evaluator:
        return tuple(evaluator.gradient(genome[None], learning=how)[0] for how in (None, PEARLMUTTER))


def test_outputs_go_to_the_solution_of_the_differential_equation():
    network = ne.Ctrnn(1, 3, 1, step=0.5)
    problem, genome = task(network, 1, n_sequences=1)
    arrays, tau = network.layout.decode(genome), network.time_constants(genome)[0]

    def slope(_time, h, u):
        weighted = arrays["weight_ih_l0"] @ u + arrays["weight_hh_l0"] @ h + arrays["bias_l0"]
        return (np.tanh(weighted) - h) / tau

    h = np.zeros(3)
    for u in problem.inputs[0]:
        h = solve_ivp(slope, (0.0, network.step), h, args=(u,), rtol=1e-10, atol=1e-12).y[:, -1]
    expected = arrays["weight_out"] @ h + arrays["bias_out"]

    def distance(k):
        finer = ne.Ctrnn(1, 3, 1, step=0.5, substeps=k)
        return np.abs(finer.predict(genome, problem.inputs)[0, -1] - expected)[0]

    # Euler's method: half the step, half the error.
    assert distance(400) < 1e-3
    assert distance(200) / distance(400) == pytest.approx(2.0, rel=0.02)


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        {"substeps": 1},
        {"substeps": 3, "n_layers": 2, "initial_state": True, "skip": True},
        {"substeps": 2, "activation": "sine"},
    ],
)
def test_the_exact_gradient_equals_central_differences(settings):
    network = ne.Ctrnn(2, 4, 2, **settings)
    problem, genome = task(network, 2)

    def error(g):
        return ((network.predict(g, problem.inputs) - problem.targets) ** 2).mean()

    expected = central_differences(error, genome)
    np.testing.assert_allclose(gradients(network, problem, genome)[0], expected, rtol=1e-6, atol=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["rtrl", "hybrid"])
def test_what_is_carried_forward_through_substeps_gives_the_same_gradient(method):
    network = ne.Ctrnn(2, 3, 1, n_layers=2, initial_state=True, substeps=3)
    problem, genome = task(network, 6)
    with ne.LocalEvaluator(network, problem, n_threads=1, precision="double") as evaluator:
        found, exact = (evaluator.gradient(genome[None], learning=how)[0] for how in (Learning(method), None))
    np.testing.assert_allclose(found, exact, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("substeps", [1, 4])
def test_pearlmutters_gradient_is_that_of_his_equations(substeps):
    step = 0.3
    network = ne.Ctrnn(2, 4, 1, step=step, substeps=substeps)
    problem, genome = task(network, 3, n_sequences=1)
    arrays, T = network.layout.decode(genome), network.time_constants(genome)[0]
    V, targets = arrays["weight_out"][0], problem.targets[0, :, 0]

    def e(y, t):
        return (2 * (V @ y + arrays["bias_out"][0] - targets[t]) / len(targets) * V).tolist()

    weights = (arrays[name].tolist() for name in ("weight_ih_l0", "weight_hh_l0", "bias_l0"))
    inputs, dt = problem.inputs[0].tolist(), step / substeps
    dW, dU, db, dT = continuous.gradient(*weights, T.tolist(), inputs, dt, substeps, e)
    found = network.layout.decode(gradients(network, problem, genome)[1])
    for name, expected in (("weight_ih_l0", dW), ("weight_hh_l0", dU), ("bias_l0", db)):
        np.testing.assert_allclose(found[name], expected, rtol=1e-10, atol=1e-12)
    # T = step / a with a = logistic(gene), so dT / dgene = -T (1 - a).
    share = step / T
    np.testing.assert_allclose(found["time_constant_l0"], np.array(dT) * -T * (1 - share), rtol=1e-10, atol=1e-12)


def test_both_gradients_meet_as_the_step_of_integration_goes_to_zero():
    def apart(substeps):
        network = ne.Ctrnn(2, 4, 2, n_layers=2, initial_state=True, substeps=substeps)
        problem, genome = task(network, 4)
        exact, his = gradients(network, problem, genome)
        return np.linalg.norm(his - exact) / np.linalg.norm(exact)

    distances = [apart(k) for k in (32, 64, 128)]
    assert distances[0] < 0.01
    for coarse, fine in pairwise(distances):
        assert coarse / fine == pytest.approx(2.0, rel=0.02)


def test_only_continuous_time_has_it():
    problem, genome = task(ne.Elman(2, 3, 1), 5)
    with (
        ne.LocalEvaluator(ne.Elman(2, 3, 1), problem, n_threads=1) as evaluator,
        pytest.raises(ValueError, match="pearlmutter"),
    ):
        evaluator.gradient(genome[None], learning=PEARLMUTTER)


@pytest.mark.parametrize("method", ["pearlmutter", "bptt"])
def test_xor_is_learnt_in_about_as_many_epochs_as_in_the_paper(method):
    """Two inputs are held for three units of time, steps of integration are 0.1 long, the error counts after t = 2.

    Pearlmutter shows the task solved after about 100 epochs. His inputs feed units of their own; here they have weights.
    """
    pairs = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    inputs, wanted = np.repeat(pairs[:, None], 6, axis=1), np.repeat(np.array([0, 1, 1, 0])[:, None, None], 6, axis=1)
    counted = np.zeros((4, 6, 1), bool)
    counted[:, 4:] = True
    problem = ne.SequenceProblem(inputs, wanted, target_mask=counted)
    network = ne.Ctrnn(2, 2, 1, activation="logistic", step=0.5, substeps=5)
    settings = {"population_size": 40, "optimiser": "sgd", "rate": 0.5}
    strategy = ne.make_strategy(method, n_genes=network.n_genes, seed=1, layout=network.layout, **settings)
    solved = np.full(40, np.inf)
    how = {"n_threads": 1, "precision": "double", "wants": strategy.wants, "methods": frozenset({method})}
    with ne.LocalEvaluator(network, problem, **how) as evaluator:
        for epoch in range(300):
            population = strategy.ask()
            evaluation = evaluator.evaluate(population, wants=strategy.wants, learning=strategy.learning)
            strategy.tell(population, evaluation.error, **evaluation.more)
            solved = np.minimum(solved, np.where(evaluation.error < 0.01, epoch, np.inf))
    assert 50 < np.median(solved) < 200
    assert np.isfinite(solved).mean() > 0.8

"""Poles on a cart against an independent simulator, published scalings, and random weight guessing."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

import neuroevo as ne
from neuroevo.problems.control.poles import GRUAU, STARTS, DoublePole, SinglePole
from neuroevo.settings import SettingsError, parse_settings
from tests.oracle import poles as oracle

LIMITS = {SinglePole: 0.2094384, DoublePole: 0.628329}
FRICTION = {SinglePole: (0.0, 0.0), DoublePole: (0.0005, 0.000002)}


def network_of(problem):
    return ne.Elman(problem.n_inputs, 3, 1, output_activation="tanh")


def one_unit(problem):
    """The network of the published counts: one unit that sees the inputs and itself and is the force."""
    fixed = {"weight_out": 1.0, "bias_out": 0.0, "bias_l0": 0.0}
    return ne.Elman(problem.n_inputs, 1, 1, fixed=fixed)


def scaled(kind, velocities, inputs, bias, state):
    """The inputs as their programs print them."""
    x, speed, *poles = state
    angles, turnings = poles[0::2], poles[1::2]
    if inputs == "gomez":
        second = 0.628329 if velocities else 0.52
        shown = [10 * (x / 2.4 - 0.01)] + [10 * (speed / 10 - 0.01)] * velocities
        for angle, turning, limit, fast in zip(angles, turnings, (0.2094384, second), (0.5, 16), strict=False):
            shown += [angle / limit] + [turning / fast] * velocities
    else:
        length, lean = (2.4, LIMITS[kind]) if inputs == "unit" else (4.8, 0.52)
        shown = [x / length] + [speed / 2] * velocities
        for angle, turning in zip(angles, turnings, strict=True):
            shown += [angle / lean] + [turning / 2] * velocities
    return shown + [bias] * (bias != 0)


def played_slowly(problem, network, genome, start, n_steps):
    kind = type(problem)

    def show(state):
        return scaled(kind, problem.velocities, problem.inputs, problem.bias, state)

    rods = oracle.RODS[: len(problem.poles)]
    return oracle.balance(network, genome, start, n_steps, show, rods, FRICTION[kind], LIMITS[kind])


CASES = [
    (SinglePole, {"inputs": "unit"}),
    (SinglePole, {"velocities": True, "inputs": "shark", "start": "shark"}),
    (DoublePole, {"inputs": "gomez", "start": "gomez", "bias": 0.01}),
    (DoublePole, {"velocities": True, "inputs": "gomez", "start": "neat"}),
    (DoublePole, {"inputs": "shark", "start": "igel", "fitness": "damping", "damping_steps": 160}),
]


@pytest.mark.parametrize(("kind", "keys"), CASES)
def test_episodes_are_those_of_an_independent_simulator(kind, keys):
    problem = kind(n_steps=160, **keys)
    network = one_unit(problem)
    guesses = np.random.default_rng(2).normal(0, 5.0, (100_000, network.n_genes))
    with ne.LocalEvaluator(network, problem, n_threads=1, precision="double") as evaluator:
        first = evaluator.evaluate(guesses)
        order = np.argsort(first.error)
        genomes = guesses[[*order[:3], *order[-3:], *order[1000:1003]]]
        found = {part: evaluator.evaluate(genomes, part) for part in problem.parts if part != "test"}
    start = [0, 0, STARTS[problem.start], 0, 0, 0][: 2 + 2 * len(problem.poles)]
    for k, genome in enumerate(genomes):
        states = played_slowly(problem, network, genome, start, 160)
        error = 1 - len(states) / 160
        if problem.fitness == "damping":
            wobble = np.abs(states[-100:, :4]).sum() if len(states) >= 100 else np.inf
            fitness = 0.1 * len(states) / 160 + 0.9 * 0.75 / wobble
            assert found["validation"].error[k] == pytest.approx(error, abs=1e-12)
            error = 1 / fitness
        assert found["train"].error[k] == pytest.approx(error, rel=1e-9)
        assert found["train"].learned[k] == (len(states) == 160)
        assert problem.score(network, genome, "train") == pytest.approx((error, float(len(states) == 160)), rel=1e-9)
    assert (found["train"].learned == 1).any()
    assert (found["train"].learned == 0).any()


def test_the_test_part_are_gruaus_625_starts():
    problem = DoublePole(n_steps=10, test_steps=40)
    starts = problem.starts("test")
    low = np.array([-2.16, -1.35, -0.06283152, -0.15009752])
    high = -low
    shares = list(itertools.product((0.05, 0.25, 0.5, 0.75, 0.95), repeat=4))
    assert len(shares) == 625
    np.testing.assert_allclose(starts[:, :4], low + np.array(shares) * (high - low), atol=1e-9)
    assert not starts[:, 4:].any()
    np.testing.assert_allclose(GRUAU.sum(axis=1), high)
    network = network_of(problem)
    genome = np.random.default_rng(0).normal(size=network.n_genes)
    lasted = [len(played_slowly(problem, network, genome, starts[k], 40)) for k in range(0, 625, 39)]
    np.testing.assert_array_equal(problem.play(network, genome, "test").steps[::39], lasted)
    with ne.LocalEvaluator(network, problem, n_threads=1, precision="double") as evaluator:
        assert evaluator.evaluate(genome[None], "test").error[0] == pytest.approx(
            problem.score(network, genome, "test")[0], abs=1e-4
        )


def test_a_free_pole_keeps_its_energy_and_its_momentum():
    problem = SinglePole()
    state = (0.0, 0.3, 0.1, -0.2)

    def conserved(state):
        _, speed, angle, turning = state
        tip = 0.5 * turning
        momentum = 1.1 * speed + 0.1 * tip * math.cos(angle)
        kinetic = 0.55 * speed**2 + 0.1 * speed * tip * math.cos(angle) + 0.1 * (4 / 3) * tip**2 / 2
        return np.array([momentum, kinetic + 0.1 * 9.8 * 0.5 * math.cos(angle)])

    before = conserved(state)
    for _ in range(50):
        state = problem._integrated(state, 0.0, 0.01)
    np.testing.assert_allclose(conserved(state), before, atol=1e-7)
    assert abs(state[2] - 0.1) > 0.05


def test_a_frictionless_pole_is_that_of_barto_sutton_and_anderson():
    # The accelerations as printed by Florian 2007, (23) and (24), which Gymnasium's CartPole has too.
    angle, turning, force = 0.15, -0.7, 6.0
    push = (force + 0.05 * turning**2 * math.sin(angle)) / 1.1
    angular = (9.8 * math.sin(angle) - math.cos(angle) * push) / (0.5 * (4 / 3 - 0.1 * math.cos(angle) ** 2 / 1.1))
    linear = push - 0.05 * angular * math.cos(angle) / 1.1
    slopes = SinglePole().slopes((0.4, 1.0, angle, turning), force)
    assert slopes == pytest.approx((1.0, linear, turning, angular), rel=1e-13)


def test_guessing_weights_of_a_single_pole_takes_as_long_as_published():
    # Gomez, Schmidhuber and Miikkulainen 2008, table 1: 199 guesses on average in 50 runs, so 28 is one standard error.
    problem = SinglePole(velocities=True, inputs="gomez")
    network = one_unit(problem)
    genomes = np.random.default_rng(0).uniform(-10, 10, (40_000, network.n_genes))
    with ne.LocalEvaluator(network, problem) as evaluator:
        solved = evaluator.evaluate(genomes).learned.sum()
    assert abs(40_000 / solved - 199) < 2 * 199 / math.sqrt(50)


@pytest.mark.parametrize("precision", ["single", "double"])
def test_no_bit_depends_on_neighbours_threads_or_chunks(precision):
    problem = DoublePole(n_steps=300, test_steps=60)
    network = network_of(problem)
    genomes = np.random.default_rng(1).normal(0, 1.5, (150, network.n_genes))
    with ne.LocalEvaluator(network, problem, n_threads=1, precision=precision) as evaluator:
        whole = {part: evaluator.evaluate(genomes, part) for part in problem.parts}
    with ne.LocalEvaluator(network, problem, n_threads=3, precision=precision) as evaluator:
        for part, expected in whole.items():
            for chosen in (np.arange(150), np.arange(149, -1, -1), np.arange(7), np.array([77])):
                found = evaluator.evaluate(genomes[chosen], part)
                np.testing.assert_array_equal(found.error, expected.error[chosen])
                np.testing.assert_array_equal(found.learned, expected.learned[chosen])
    assert len(np.unique(whole["test"].error)) > 100


def test_a_genome_that_is_not_finite_fails_and_harms_nobody():
    problem = DoublePole(n_steps=200)
    network = network_of(problem)
    genomes = np.random.default_rng(1).normal(size=(40, network.n_genes))
    with ne.LocalEvaluator(network, problem, n_threads=1) as evaluator:
        before = evaluator.evaluate(genomes)
        broken = genomes.copy()
        broken[3, 1], broken[20, 0] = np.nan, np.inf
        after = evaluator.evaluate(broken)
    assert after.n_failed == 2
    others = np.delete(np.arange(40), [3, 20])
    np.testing.assert_array_equal(after.error[others], before.error[others])
    for k in (3, 20):
        assert problem.score(network, broken[k], "train") == (np.inf, 0.0)


def test_wrong_keys_are_named():
    with pytest.raises(SettingsError, match=r"problem\.start: must be 'gsm08', .*got 'gomes'; did you mean 'gomez'"):
        parse_settings(DoublePole, {"start": "gomes"}, "problem")
    with pytest.raises(SettingsError, match=r"problem\.n_steps: must be at least 1, got 0"):
        parse_settings(DoublePole, {"n_steps": 0}, "problem")

"""T-maze, recall, mountain car and acrobot: against walks of Gymnasium, and against simulators written on their own."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neuroevo as ne
from neuroevo.problems import PROBLEMS
from neuroevo.problems.control.acrobot import Acrobot, height, wrapped
from neuroevo.problems.control.hills import MountainCar
from neuroevo.problems.control.mazes import EAST, NORTH, SOUTH, WEST, TMaze
from neuroevo.problems.control.recall import DistractedRecall
from neuroevo.settings import SettingsError, parse_settings
from tests.oracle import worlds as oracle

WALKS = np.load(Path(__file__).parents[2] / "reference" / "gymnasium_worlds.npz")
OF_GYMNASIUM = {
    "MountainCar-v0": MountainCar(n_steps=300),
    "MountainCarContinuous-v0": MountainCar(action="continuous"),
    "Acrobot-v1": Acrobot(),
}


def network_of(problem):
    return ne.Elman(problem.n_inputs, 3, problem.n_outputs)


def slow_car(problem, network, genome, start):
    continuous = problem.action == "continuous"
    goal = 0.45 if continuous else 0.5
    places, pushes, reached = oracle.car(
        network, genome, start[0], problem.n_steps, continuous=continuous, velocities=problem.velocities
    )
    if problem.fitness == "goal":
        return max(0.0, goal - max(start[0], *places)) / (goal + 1.2), len(places)
    returned = 100 * reached - 0.1 * sum(push**2 for push in pushes) if continuous else -len(places)
    return max(0.0, (90 if continuous else -110) - returned), len(places)


def slow_links(problem, network, genome, start):
    heights, reached = oracle.links(network, genome, start[:4], problem.n_steps, velocities=problem.velocities)
    if problem.fitness == "goal":
        return max(0.0, 1 - max(start[4], *heights)) / 3, len(heights)
    return max(0, len(heights) - reached - 100), len(heights)


def slow_maze(problem, part, network, genome, k):
    rng, n_steps = np.random.default_rng(problem.seeds(part)[k]), problem.longest(part)
    noise = rng.random((n_steps, 2)) if problem.noise else None
    goal = "south" if k % 2 else "north"
    returned, reached = oracle.maze(network, genome, problem.corridor(part), goal, n_steps, noise)
    return 4 - returned, reached


def slow_recall(problem, part, network, genome, k):
    symbols, answers = problem.sequences[part]
    right = oracle.recall(network, genome, symbols[k], answers[k, -problem.n_asked :], problem.n_inputs)
    return 1 - right / problem.n_asked, right == problem.n_asked


def played_slowly(problem, network, genome, part):
    """Error and success of every episode."""
    found = []
    for k, start in enumerate(problem.starts(part)):
        if isinstance(problem, TMaze | DistractedRecall):
            slow = slow_maze if isinstance(problem, TMaze) else slow_recall
            found.append(slow(problem, part, network, genome, k))
        else:
            slow = slow_car if isinstance(problem, MountainCar) else slow_links
            error, _ = slow(problem, network, genome, start)
            found.append((error, error == 0))
    return np.array(found, dtype=np.float64)


FEW = {"n_train": 4, "n_test": 3}
CASES = [
    TMaze(length=2, **FEW),
    TMaze(length=3, noise=True, test_length=6, n_steps=9, n_validation=1, **FEW),
    DistractedRecall(n_asked=2, n_symbols=2, n_distractors=2, length=6, **FEW),
    MountainCar(n_steps=120, n_train=1, n_test=3),
    MountainCar(n_steps=250, velocities=True, action="continuous", fitness="return", data_seed=2, **FEW),
    MountainCar(n_steps=180, velocities=True, fitness="return", **FEW),
    Acrobot(n_steps=80, **FEW),
    Acrobot(n_steps=250, velocities=True, fitness="return", **FEW),
]


@pytest.mark.parametrize("problem", CASES, ids=lambda problem: problem.kind)
def test_episodes_are_those_of_an_independent_simulator(problem):
    network = network_of(problem)
    guesses = np.random.default_rng(2).normal(0, 3.0, (3000, network.n_genes))
    with ne.LocalEvaluator(network, problem, n_threads=1, precision="double") as evaluator:
        order = np.argsort(evaluator.evaluate(guesses).error)
        genomes = guesses[[*order[:2], order[300], order[-1]]]
        found = {part: evaluator.evaluate(genomes, part) for part in problem.parts}
    for part, evaluation in found.items():
        for k, genome in enumerate(genomes):
            expected = played_slowly(problem, network, genome, part)
            played = problem.play(network, genome, part)
            np.testing.assert_allclose(played.error, expected[:, 0], rtol=1e-7, atol=1e-9)
            np.testing.assert_array_equal(played.solved, expected[:, 1])
            assert evaluation.error[k] == pytest.approx(expected[:, 0].mean(), rel=1e-7, abs=1e-9)
            assert evaluation.learned[k] == expected[:, 1].mean()
    assert found["train"].learned[0] > 0 or problem.kind in ("mountain_car", "acrobot")
    assert found["train"].learned[3] == 0


@pytest.mark.parametrize("name", OF_GYMNASIUM)
@pytest.mark.parametrize("seed", [3, 8, 5])
def test_each_step_is_that_of_gymnasium(name, seed):
    problem, walk = OF_GYMNASIUM[name], {key: WALKS[f"{name}/{seed}/{key}"] for key in ("states", "actions", "reached")}
    states, actions = walk["states"], walk["actions"]
    np.testing.assert_array_equal(problem.begun(np.random.default_rng(seed), 0)[: states.shape[1]], states[0])
    # All steps side by side, each from where Gymnasium was.
    outputs = actions[:, None] if name == "MountainCarContinuous-v0" else np.eye(3)[actions.astype(int)]
    before = [*states[:-1].T, *[np.full(len(actions), -9.0)] * (len(problem.state_names) - states.shape[1])]
    after = problem.moved(tuple(before), outputs)
    # The continuous car is rounded to single precision after every step.
    tolerance = 1e-7 if name == "MountainCarContinuous-v0" else 1e-12
    np.testing.assert_allclose(np.array(after[: states.shape[1]]).T, states[1:], atol=tolerance)
    np.testing.assert_array_equal(~problem.lasts(after), walk["reached"])


# The continuous car of Gymnasium is rounded to single precision after every step, so that whole episodes part.
@pytest.mark.peers
@pytest.mark.parametrize(
    ("name", "ours", "observed"),
    [
        ("MountainCar-v0", MountainCar(fitness="return"), [0]),
        ("Acrobot-v1", Acrobot(fitness="return"), [0, 1, 2, 3]),
    ],
)
def test_the_same_episodes_as_the_environments_of_gymnasium(name, ours, observed):
    pytest.importorskip("gymnasium")
    settings = {"environment": name, "observed": observed, "n_train": 8, "n_test": 0}
    theirs = parse_settings(PROBLEMS["gymnasium"], settings, "problem").build(Path())
    network = network_of(ours)
    with ne.LocalEvaluator(network, ours, n_threads=1, precision="double") as evaluator:
        guesses = np.random.default_rng(1).normal(0, 2, (20_000, network.n_genes))
        order = np.argsort(evaluator.evaluate(guesses).error)
    for k in (*order[:3], order[1000]):
        played, expected = ours.play(network, guesses[k], "train"), theirs.play(network, guesses[k], "train")
        np.testing.assert_array_equal(played.steps, expected.steps)
        np.testing.assert_array_equal(played.error, expected.error)


def moves(problem, state, actions):
    for action in actions:
        state = problem.moved(state, np.eye(4)[[action]])
    return problem.judged("train", np.zeros(1, np.int64), [state])


def test_the_return_of_a_walk_through_the_maze_is_that_of_the_paper():
    problem = TMaze(length=3)
    north, south = (tuple(start) for start in problem.starts("train"))
    np.testing.assert_array_equal(problem.observed(north), [[0, 1, 1]])
    np.testing.assert_array_equal(problem.observed(south), [[1, 1, 0]])
    assert moves(problem, north, [EAST] * 3 + [NORTH]) == (0.0, 1.0)
    assert moves(problem, south, [EAST] * 3 + [NORTH]) == (pytest.approx(4.1), 0.0)
    # Two steps against walls, one back and forth, one into the end of the corridor.
    walk = [WEST, EAST, SOUTH, WEST, EAST, EAST, EAST, EAST, SOUTH]
    assert moves(problem, south, walk) == (pytest.approx(0.3), 1.0)
    assert moves(problem, north, [WEST] * 8) == (pytest.approx(4.8), 0.0)


@given(
    n_asked=st.integers(1, 4),
    n_symbols=st.integers(2, 5),
    n_distractors=st.integers(1, 5),
    more=st.integers(0, 9),
    data_seed=st.integers(0, 9),
)
@settings(max_examples=25, deadline=None)
def test_what_is_asked_for_came_in_that_order_among_distractors(n_asked, n_symbols, n_distractors, more, data_seed):
    problem = DistractedRecall(
        n_asked=n_asked, n_symbols=n_symbols, n_distractors=n_distractors, length=n_asked + more, n_train=5,
        n_validation=2, n_test=0, data_seed=data_seed,
    )  # fmt: skip
    for symbols, answers in problem.sequences.values():
        for row, answer in zip(symbols, answers, strict=True):
            shown, prompts = row[: problem.length], row[problem.length :]
            assert list(shown[shown < n_symbols]) == list(answer[problem.length :])
            assert (answer[: problem.length] == -1).all()
            assert list(prompts) == list(range(n_symbols, n_symbols + n_asked))
            others = shown[shown >= n_symbols]
            assert len(others) == more
            assert ((others >= n_symbols + n_asked) & (others < problem.n_inputs)).all()
            seen = np.concatenate([problem.observed((0.0, 0.0, float(t))) for t in range(problem.longest("train"))])
            assert (seen.sum(axis=1) == 1).all()


@given(st.floats(-200, 200))
def test_angles_are_wrapped(angle):
    found = float(wrapped(np.array(angle)))
    assert abs(found) <= math.pi + 1e-12
    assert math.cos(found) == pytest.approx(math.cos(angle), abs=1e-9)
    assert math.sin(found) == pytest.approx(math.sin(angle), abs=1e-9)


def test_the_tip_hangs_two_metres_below_the_bar():
    assert height((0.0, 0.0)) == -2.0
    assert height((math.pi, 0.0)) == pytest.approx(2.0)
    assert height((math.pi / 2, math.pi / 2)) == pytest.approx(1.0)


def test_a_batch_are_its_episodes_and_a_genome_that_is_not_finite_harms_nobody():
    problem = TMaze(length=3, noise=True, n_train=6)
    network = network_of(problem)
    genomes = np.random.default_rng(1).normal(0, 2, (40, network.n_genes))
    broken = genomes.copy()
    broken[3, 1], broken[20, 0] = np.nan, np.inf
    batch = np.array([[4, 0, 0, 0], [1, 0, 0, 0]])
    others = np.delete(np.arange(40), [3, 20])
    with ne.LocalEvaluator(network, problem, n_threads=1, precision="double") as evaluator:
        whole, after = evaluator.evaluate(genomes), evaluator.evaluate(broken)
        some = evaluator.evaluate(genomes, batch=batch)
    assert after.n_failed == 2
    np.testing.assert_array_equal(after.error[others], whole.error[others])
    assert problem.score(network, broken[3], "train") == (np.inf, 0.0)
    played = [problem.play(network, genome, "train").error[[4, 1]].mean() for genome in genomes]
    np.testing.assert_allclose(some.error, played, rtol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("problem", [CASES[1], *CASES[2:5], CASES[7]], ids=lambda problem: problem.kind)
def test_no_bit_depends_on_neighbours_threads_or_chunks(problem):
    network = network_of(problem)
    genomes = np.random.default_rng(1).normal(0, 2, (150, network.n_genes))
    with ne.LocalEvaluator(network, problem, n_threads=1) as evaluator:
        whole = {part: evaluator.evaluate(genomes, part) for part in problem.parts}
    with ne.LocalEvaluator(network, problem, n_threads=3) as evaluator:
        for part, expected in whole.items():
            for chosen in (np.arange(149, -1, -1), np.arange(7), np.array([77])):
                found = evaluator.evaluate(genomes[chosen], part)
                np.testing.assert_array_equal(found.error, expected.error[chosen])
                np.testing.assert_array_equal(found.learned, expected.learned[chosen])
    assert len(np.unique(whole["train"].error)) > 2


@pytest.mark.parametrize(
    ("kind", "keys", "message"),
    [
        (TMaze, {"n_steps": 10}, r"n_steps: must be more than length = 10, or no network can reach an arm, got 10"),
        (DistractedRecall, {"length": 1}, r"length: must be at least n_asked = 2, .*, got 1"),
        (MountainCar, {"n_steps": 110, "fitness": "return"}, r"n_steps: must be more than 110, .*, got 110"),
        (MountainCar, {"action": "contin"}, r"action: must be 'discrete' or 'continuous', got 'contin'"),
        (Acrobot, {"n_steps": 100, "fitness": "return"}, r"n_steps: must be more than 100, .*, got 100"),
    ],
)
def test_wrong_keys_are_named(kind, keys, message):
    with pytest.raises(SettingsError, match=rf"problem\.{message}"):
        parse_settings(kind, keys, "problem")

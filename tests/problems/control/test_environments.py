"""Environments of Gymnasium, where it is installed: played here once more in the plainest way."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

import neuroevo as ne
from benchmarks.peers.twins import CartPole, Pendulum
from neuroevo.problems import PROBLEMS
from neuroevo.problems.control.environments import Environment
from neuroevo.settings import SettingsError, parse_settings

NOWHERE = Path("/nonexistent")


def built(name, **keys):
    return parse_settings(PROBLEMS["gymnasium"], {"environment": name, **keys}, "problem").build(NOWHERE)


def test_a_stored_environment_is_opened_without_gymnasium():
    problem = Environment(
        environment="A-v0", options={"gravity": 3.5}, observed=(0, 2), n_inputs=2, n_outputs=1, best=5.0, n_train=3
    )
    assert Environment.from_arrays(problem.to_arrays()) == problem
    assert pickle.loads(pickle.dumps(problem)) == problem  # noqa: S301 - our own
    every = Environment(environment="A-v0", n_inputs=2, n_outputs=1, best=5.0)
    assert Environment.from_arrays(every.to_arrays()) == every
    own = Environment(
        environment="A-v0", wrappers=("a:B", "c.d:E"), vector=True, scaled=False, n_inputs=2, n_outputs=1, best=5.0
    )
    assert Environment.from_arrays(own.to_arrays()) == own
    # Keys that are younger than records leave the fingerprints of these as they are.
    assert set(own.to_arrays()) - set(every.to_arrays()) == {"wrappers", "vector", "scaled"}
    assert len({problem.fingerprint(), every.fingerprint(), own.fingerprint()}) == 3


@pytest.mark.peers
@pytest.mark.parametrize(
    ("name", "keys", "see", "act"),
    [
        ("CartPole-v1", {"observed": [0, 2]}, lambda o: o[[0, 2]] / [4.8, 0.41887903], lambda y: int(np.argmax(y))),
        ("Pendulum-v1", {"best": 0.0, "observed": [0, 1]}, lambda o: o[:2], lambda y: np.clip(2 * y, -2, 2)),
    ],
)
def test_episodes_are_those_of_the_environment_with_its_seeds(name, keys, see, act):
    gymnasium = pytest.importorskip("gymnasium")
    problem = built(name, n_train=3, **keys)
    network = ne.Elman(problem.n_inputs, 3, problem.n_outputs)
    genome = np.random.default_rng(1).normal(size=network.n_genes) * 2
    played = problem.play(network, genome, "train")
    for k, seed in enumerate(problem.seeds("train")):
        environment, player = gymnasium.make(name), ne.Player(network, genome)
        observation, total, steps, over = environment.reset(seed=int(seed))[0], 0.0, 0, False
        while not over:
            observation, reward, ended, cut, _ = environment.step(act(player.step(see(observation.astype(float)))))
            total, steps, over = total + float(reward), steps + 1, ended or cut
        assert played.error[k] == pytest.approx(problem.best - total, rel=1e-5)
        assert played.steps[k] == steps
    again = problem.play(network, genome, "train", np.array([2, 0]))
    np.testing.assert_allclose(again.error, played.error[[2, 0]], rtol=1e-9)
    assert problem.score(network, np.full(network.n_genes, np.nan), "train") == (np.inf, 0.0)


@pytest.mark.peers
def test_what_gymnasium_has_not_is_said():
    pytest.importorskip("gymnasium")
    with pytest.raises(ne.BadInput, match="Gymnasium makes no 'CartPole-v99'"):
        built("CartPole-v99")
    with pytest.raises(SettingsError, match="best: Pendulum-v1 has no threshold"):
        built("Pendulum-v1")
    with pytest.raises(SettingsError, match="observed: must be numbers from 0 to 3"):
        built("CartPole-v1", observed=[4])


TOY = "tests.problems.control.toys:Sums-v0"


def toy_action(outputs):
    """What 12 outputs ask of `Sums`, by hand."""
    a, b, c, d, e, f = outputs[:2], outputs[2:4], outputs[4:6], outputs[6:9], outputs[9:11], outputs[11]
    free = 5 * (1 + np.clip(e[0], -1, 1))
    return {
        "a": (5 + int(a[1] > a[0]), (b > 0).astype(np.int8)),
        "b": np.array([int(c[1] > c[0]), int(np.argmax(d))]),
        "c": np.array([free, e[1]]),
        "d": np.array([round(100 * (1 + np.clip(f, -1, 1)))], np.uint8),
    }


@pytest.mark.peers
@pytest.mark.parametrize("scaled", [True, False])
def test_observations_and_actions_with_parts(scaled):
    pytest.importorskip("gymnasium")
    from tests.problems.control.toys import Doubled, Sums

    problem = built(TOY, best=0.0, n_train=2, scaled=scaled, wrappers=["tests.problems.control.toys:Doubled"])
    network = ne.Elman(6, 3, 12)
    assert (problem.n_inputs, problem.n_outputs) == (6, 12)
    genome = np.random.default_rng(3).normal(size=network.n_genes)
    played = problem.play(network, genome, "train")
    for k, seed in enumerate(problem.seeds("train")):
        environment, player, total = Doubled(Sums()), ne.Player(network, genome), 0.0
        observation = environment.reset(seed=int(seed))[0]
        for _ in range(7):
            level = observation["level"].astype(float)
            shown = [*(level / 4 - 1 if scaled else level), *np.eye(3)[observation["sign"]]]
            # Gymnasium sorts the parts of a mapping by name: free, level, sign.
            observation, reward, *_ = environment.step(toy_action(player.step([float(observation["free"][0]), *shown])))
            total += reward
        assert played.error[k] == pytest.approx(-total, rel=1e-9)


@pytest.mark.peers
def test_a_vector_environment_plays_all_episodes_with_one_seed():
    gymnasium = pytest.importorskip("gymnasium")
    problem, network = built("CartPole-v1", n_train=5, vector=True), ne.Elman(4, 3, 2)
    genomes = np.random.default_rng(1).normal(size=(4, network.n_genes)) * 2
    returns, steps = problem.played(network, genomes, "train")
    for k, genome in enumerate(genomes):
        environment, player = gymnasium.make_vec("CartPole-v1", 5, "vector_entry_point"), ne.Player(network, genome, 5)
        observation = environment.reset(seed=int(problem.seeds("train")[0]))[0]
        total, going = np.zeros(5), np.ones(5, bool)
        while going.any():
            shown = observation.astype(float) / [4.8, 1, 0.41887903, 1]
            observation, reward, ended, cut, _ = environment.step(player.step(shown).argmax(axis=1))
            total += going * reward
            going &= ~(ended | cut)
        np.testing.assert_allclose(returns[k], total)
        np.testing.assert_array_equal(steps[k], total)
        some = problem.play(network, genome, "train", np.array([3, 1]))
        np.testing.assert_array_equal(some.steps, steps[k][[3, 1]])
    assert len(np.unique(steps)) > 4
    with pytest.raises(ne.BadInput, match=r"Gymnasium makes no 'Pendulum-v1'.*vector"):
        built("Pendulum-v1", best=0.0, vector=True)


@pytest.mark.peers
@pytest.mark.parametrize("vector", [True, False])
def test_no_bit_depends_on_who_plays_beside_a_genome(vector):
    pytest.importorskip("gymnasium")
    problem, network = built("CartPole-v1", n_train=5, n_steps=60, vector=vector), ne.Gru(4, 3, 2)
    genomes = np.random.default_rng(1).normal(size=(70, network.n_genes))
    genomes[[4, 30], 2] = np.nan
    batch = np.array([[3, 0, 0, 1], [0, 0, 0, 1]])
    with ne.LocalEvaluator(network, problem) as evaluator:
        whole, some = evaluator.evaluate(genomes), evaluator.evaluate(genomes, batch=batch)
        for chosen in (np.arange(69, -1, -1), np.arange(7), np.array([30]), np.array([69])):
            for found, expected in (
                (evaluator.evaluate(genomes[chosen]), whole),
                (evaluator.evaluate(genomes[chosen], batch=batch), some),
            ):
                np.testing.assert_array_equal(found.error, expected.error[chosen])
                np.testing.assert_array_equal(found.learned, expected.learned[chosen])
    assert whole.n_failed == 2
    assert len(np.unique(whole.error)) > 12
    for k in (0, 12, 69):
        error = problem.play(network, genomes[k], "train").error
        assert whole.error[k] == pytest.approx(error.mean(), rel=1e-13)
        assert some.error[k] == pytest.approx(error[[3, 0]].mean(), rel=1e-13)


@pytest.mark.peers
def test_wrong_wrappers_and_spaces_are_said():
    gymnasium = pytest.importorskip("gymnasium")
    from gymnasium import spaces

    from neuroevo.problems.control.bodies import acting

    with pytest.raises(ne.BadInput, match="the wrapper 'nowhere:Wrapper' is not found"):
        built("CartPole-v1", wrappers=["nowhere:Wrapper"])
    with pytest.raises(ne.BadInput, match="a wrapper is a function by its place"):
        built("CartPole-v1", wrappers=["Wrapper"])
    with pytest.raises(ne.BadInput, match=r"actions must be of Gymnasium's Discrete, .*got Text"):
        acting(spaces.Text(5))
    assert gymnasium.__version__


@pytest.mark.peers
@pytest.mark.parametrize(("name", "twin"), [("Pendulum-v1", Pendulum), ("CartPole-v1", CartPole)])
def test_the_compiled_twins_of_the_benchmarks_are_the_environments(name, twin):
    gymnasium = pytest.importorskip("gymnasium")
    rng = np.random.default_rng(8)
    for _ in range(5):
        drawn, state, inputs = twin.draw(rng), np.zeros(5), np.zeros(2)
        twin.begin(state, drawn)
        environment, total, steps, lasts, over = gymnasium.make(name), 0.0, 0, True, False
        environment.reset(seed=0)
        environment.unwrapped.state = np.array(drawn)
        while not over:
            outputs = rng.normal(size=2)
            action = int(outputs.argmax()) if twin is CartPole else np.clip(2 * outputs[:1], -2, 2)
            observation, reward, ended, cut, _ = environment.step(action)
            assert lasts
            # A pendulum never falls: nothing is returned.
            lasts = twin.move(state, outputs) in (None, True)
            twin.observe(state, inputs)
            shown = observation[[0, 2]] / [4.8, 0.41887903] if twin is CartPole else observation[:2]
            np.testing.assert_allclose(inputs, shown, atol=1e-4)
            total, steps, over = total + float(reward), steps + 1, ended or cut
        assert steps == 200 or not lasts
        best = 500 if twin is CartPole else 0
        error = twin.conclude(state)[0] if twin is CartPole else twin.conclude(state)
        assert error == pytest.approx(best - total, rel=1e-4)

"""Environments of Gymnasium, where it is installed: played here once more in the plainest way."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

import neuroevo as ne
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

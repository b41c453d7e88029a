"""A trace is the episode that the champion plays, and the same once more."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import neuroevo as ne
from neuroevo.errors import BadInput
from neuroevo.problems import PROBLEMS
from neuroevo.problems.control.hills import MountainCar
from neuroevo.problems.control.mazes import TMaze
from neuroevo.problems.control.own import Simulator
from neuroevo.problems.control.poles import DoublePole
from neuroevo.problems.control.recall import DistractedRecall
from neuroevo.problems.control.traces import trace
from neuroevo.settings import parse_settings

FOLLOW = "tests.problems.control.simulators:follow"
PROBLEMS_OF_ALL_SORTS = [
    TMaze(length=4, noise=True),
    DistractedRecall(length=5, n_test=3),
    DoublePole(n_steps=60, test_steps=20),
    MountainCar(n_steps=30),
    Simulator(function=FOLLOW, n_inputs=1, n_outputs=1, n_test=4),
]


@pytest.mark.parametrize("problem", PROBLEMS_OF_ALL_SORTS, ids=lambda problem: problem.kind)
@pytest.mark.parametrize("kind", ["elman", "lstm"])
def test_what_is_traced_is_what_was_played(problem, kind):
    network = ne.make_network(kind, n_inputs=problem.n_inputs, n_outputs=problem.n_outputs, n_hidden=3)
    genome = np.random.default_rng(4).normal(0, 1.5, network.n_genes)
    for part, episode in (("train", 0), ("test", 2)):
        played = problem.play(network, genome, part, np.array([episode]))
        found = trace(problem, network, genome, part, episode)
        assert (found.error, found.solved) == (played.error[0], bool(played.solved[0]))
        np.testing.assert_allclose(network.predict(genome, found.inputs[None])[0], found.outputs, rtol=1e-12)
        names = ("unit 1", "unit 2", "unit 3", "cell 1", "cell 2", "cell 3")
        assert found.unit_names == names[: 3 if kind == "elman" else 6]
        assert found.units.shape == (found.n_steps, len(found.unit_names))
        if kind == "elman":
            arrays = network.layout.decode(genome)
            read_out = found.units @ arrays["weight_out"].T + arrays["bias_out"]
            np.testing.assert_allclose(read_out, found.outputs, atol=1e-12)
        if found.states is not None:
            assert len(found.states) == found.n_steps + 1
            seen = [problem.observed(tuple(state))[0] for state in found.states[:-1]]
            np.testing.assert_allclose(seen, found.inputs, atol=1e-12)


def test_a_trace_may_end_before_its_episode():
    problem = TMaze()
    network = ne.Elman(3, 2, 4)
    genome = np.random.default_rng(0).normal(size=network.n_genes)
    whole, found = (trace(problem, network, genome, "test", 1, n_steps) for n_steps in (None, 5))
    assert (found.n_steps, found.error, found.solved) == (5, None, None)
    np.testing.assert_array_equal(found.outputs, whole.outputs[:5])
    np.testing.assert_array_equal(found.states, whole.states[:6])


def test_what_there_is_not_is_not_traced():
    problem = TMaze(n_test=3)
    network = ne.Elman(3, 2, 4)
    genome = np.zeros(network.n_genes)
    with pytest.raises(BadInput, match="there is no part 'validation'"):
        trace(problem, network, genome, "validation", 0)
    with pytest.raises(BadInput, match="the part test has 3 episodes, numbered from 1: there is no 4"):
        trace(problem, network, genome, "test", 3)


@pytest.mark.peers
@pytest.mark.parametrize("in_sight", [True, False])
def test_an_environment_of_gymnasium_is_traced_too(in_sight):
    pytest.importorskip("gymnasium")
    pytest.importorskip("pygame")
    settings = {"environment": "CartPole-v1", "observed": [0, 2]}
    problem = parse_settings(PROBLEMS["gymnasium"], settings, "problem").build(Path())
    network = ne.Elman(2, 2, 2)
    genome = np.random.default_rng(0).normal(size=network.n_genes)
    found, played = trace(problem, network, genome, "test", 3, in_sight=in_sight), problem.play(network, genome, "test")
    assert (found.error, found.n_steps) == (played.error[3], played.steps[3])
    assert len(found.frames.pictures) == (found.n_steps if in_sight else 0)
    assert all(picture.shape == (400, 600, 3) for picture in found.frames.pictures)

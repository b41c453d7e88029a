"""Simulators of one's own, the players that they ask, and batches of episodes."""

from __future__ import annotations

import numpy as np
import pytest

import neuroevo as ne
from neuroevo.errors import BadInput
from neuroevo.problems.control.base import SomeEpisodes, chosen_episodes
from neuroevo.problems.control.own import Simulator
from neuroevo.problems.control.poles import DoublePole
from tests.problems.control.simulators import follow

PLACE = "tests.problems.control.simulators"


def simulator(name="follow", **keys):
    return Simulator(function=f"{PLACE}:{name}", n_inputs=1, n_outputs=1, **keys)


def genomes_of(network, n=6):
    return np.random.default_rng(4).normal(size=(n, network.n_genes))


@pytest.mark.parametrize("network", [ne.Elman(2, 3, 2), ne.Lstm(2, 2, 2), ne.Jordan(2, 3, 2)], ids=lambda n: n.kind)
def test_a_player_gives_what_predict_gives_for_all_steps_at_once(network):
    (genome,) = genomes_of(network, 1)
    inputs = np.random.default_rng(0).normal(size=(5, 9, 2))
    expected = network.predict(genome, inputs)
    together = ne.Player(network, genome, 5)
    alone = ne.Player(network, genome)
    for again in range(2):
        for t in range(9):
            np.testing.assert_array_equal(together.step(inputs[:, t]), expected[:, t])
            np.testing.assert_allclose(alone.step(inputs[2, t]), expected[2, t], rtol=1e-12)
        assert together.n_steps == 9, again
        together.reset()
        alone.reset()
        assert alone.n_steps == 0


@pytest.mark.parametrize("network", [ne.Gru(2, 2, 2), ne.Graph(2, 3, 2, ne.networks.all_links(2, 3, 2)), ne.LocallyRecurrent(2, 3, 2)], ids=lambda n: n.kind)  # fmt: skip
def test_some_episodes_of_a_player_begin_anew_while_others_go_on(network):
    (genome,) = genomes_of(network, 1)
    # As many episodes as a graph of 3 units has rows of links.
    inputs = np.random.default_rng(0).normal(size=(8, 5, 2))
    together, alone = ne.Player(network, genome, 5), [ne.Player(network, genome) for _ in range(5)]
    for t, block in enumerate(inputs):
        over = np.array([t == 3, False, t in (2, 3), False, t == 6])
        if over.any():
            together.reset(over)
            for k in np.flatnonzero(over):
                alone[k].reset()
        np.testing.assert_allclose(together.step(block), [one.step(x) for one, x in zip(alone, block, strict=True)])
    assert together.n_steps == 8
    with pytest.raises(BadInput, match=r"must be 5 truth values, got int64 of shape \(2,\)"):
        together.reset([0, 1])


def test_a_player_refuses_inputs_of_another_shape():
    player = ne.Player(ne.Elman(2, 1, 1), np.zeros(ne.Elman(2, 1, 1).n_genes), 3)
    with pytest.raises(BadInput, match=r"shape \(3, 2\), one row an episode, .*got \(2,\)"):
        player.step([1.0, 2.0])


def test_episodes_are_those_of_the_function_and_the_same_for_all_genomes():
    problem, network = simulator(n_train=3, n_test=4), ne.Elman(1, 2, 1)
    genomes = genomes_of(network)
    with ne.LocalEvaluator(network, problem) as evaluator:
        found = {part: evaluator.evaluate(genomes, part) for part in problem.parts}
    for part, evaluation in found.items():
        seeds = problem.seeds(part)
        assert len(seeds) == problem.n_episodes(part)
        for k, genome in enumerate(genomes):
            went = [follow(ne.Player(network, genome), np.random.default_rng(seed)) for seed in seeds]
            errors, solved = np.array(went).T
            assert evaluation.error[k] == pytest.approx(errors.mean(), rel=1e-13)
            assert evaluation.learned[k] == solved.mean()
    assert not set(problem.seeds("train")) & set(problem.seeds("test"))
    more = simulator(n_train=9)
    np.testing.assert_array_equal(more.seeds("train")[:3], problem.seeds("train"))


def test_all_episodes_at_once_are_worth_the_same():
    network = ne.Elman(1, 2, 1)
    for genome in genomes_of(network):
        expected = simulator().play(network, genome, "test")
        found = simulator("follow_all", together=True).play(network, genome, "test")
        np.testing.assert_allclose(found.error, expected.error, rtol=1e-9)
        np.testing.assert_array_equal(found.steps, 20)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("wordy", "must return an error, .*'well done'"),
        ("negative", "errors of at least 0, got -1"),
        ("forgetful", r"simulators:forgetful has failed: KeyError: 'speed' \(.*simulators.py, line \d+\)"),
    ],
)
def test_what_is_no_error_is_refused(name, message):
    network = ne.Elman(1, 1, 1)
    with pytest.raises(BadInput, match=message):
        simulator(name).score(network, genomes_of(network)[0], "train")


def test_an_error_that_is_not_finite_is_a_failed_evaluation():
    network = ne.Elman(1, 1, 1)
    with ne.LocalEvaluator(network, simulator("failing")) as evaluator:
        evaluation = evaluator.evaluate(genomes_of(network))
    assert evaluation.n_failed == 6


def test_a_function_that_is_not_there_is_named_before_anything_runs(tmp_path):
    with pytest.raises(BadInput, match=r"the simulator 'nowhere:play' is not found"):
        Simulator(function="nowhere:play", n_inputs=1, n_outputs=1).build(tmp_path)
    with pytest.raises(BadInput, match="by its place, \"module:function\", got 'play'"):
        Simulator(function="play", n_inputs=1, n_outputs=1)


SCENARIO = {
    "problem": simulator(n_train=12, n_test=20),
    "network": ne.Elman(1, 2, 1),
    "strategy": {"kind": "snes", "population_size": 6},
    "batch": {"size": 3, "every": 2},
    "stop": {"generations": 5},
}


def test_a_run_with_batches_of_episodes_repeats_resumes_and_is_opened(tmp_path):
    def run(name, generations=5):
        scenario = ne.make_scenario(**{**SCENARIO, "stop": {"generations": generations}}, title="Follow")
        return ne.run(scenario, results=tmp_path / name)

    whole, again = run("a"), run("b")
    short = ne.extend(run("c", 3).path, overrides={"stop.generations": 5})
    for other in (again, short):
        for name, column in whole.history.items():
            if name != "seconds":
                np.testing.assert_array_equal(other.history[name], column, err_msg=name)
    opened = ne.RunRecord.open(whole.path)
    assert opened.problem == SCENARIO["problem"]
    # The incumbent is measured on all episodes, in the first generation and in every second.
    error = opened.history["incumbent_error"]
    assert (np.diff(error) <= 0).all()
    assert error[2] == error[1]
    champion = opened.champion.genome
    assert opened.problem.score(opened.network, champion, "train")[0] == pytest.approx(error[-1], rel=1e-12)


def test_batches_of_compiled_episodes_are_those_of_the_whole():
    problem, network = DoublePole(n_steps=60, n_starts=5), ne.Elman(3, 3, 1, output_activation="tanh")
    genomes = genomes_of(network, 20)
    batch = np.array([[1, 0, 0, 1], [4, 0, 0, 1]])
    with ne.LocalEvaluator(network, problem, n_threads=2, precision="double") as evaluator:
        found = evaluator.evaluate(genomes, batch=batch)
        whole = evaluator.evaluate(genomes)
        with pytest.raises(BadInput, match="the first below 5"):
            evaluator.evaluate(genomes, batch=np.array([[5, 0, 0, 1]]))
    for k, genome in enumerate(genomes):
        errors = problem.play(network, genome, "train").error
        assert found.error[k] == pytest.approx(errors[[1, 4]].mean(), abs=1e-9)
        assert whole.error[k] == pytest.approx(errors.mean(), abs=1e-9)


def test_a_batch_of_episodes_is_stored_and_opened_again():
    problem, network = simulator(n_train=6), ne.Elman(1, 2, 1)
    some = chosen_episodes(problem, np.array([[4, 0, 0, 1], [1, 0, 0, 1]]), "train")
    opened = SomeEpisodes.from_arrays(some.to_arrays())
    assert opened.fingerprint() == some.fingerprint() != problem.fingerprint()
    (genome,) = genomes_of(network, 1)
    errors = problem.play(network, genome, "train").error
    assert opened.score(network, genome, "train")[0] == pytest.approx(errors[[4, 1]].mean(), rel=1e-13)
    for name, wrong, message in (("episodes", np.array([9]), "below 6"), ("part", np.array("tests"), "no part"), ("kind", np.array("narma10"), "control")):  # fmt: skip
        with pytest.raises(BadInput, match=message):
            SomeEpisodes.from_arrays({**some.to_arrays(), name: wrong})
    with pytest.raises(BadInput, match="lack 'kind'"):
        SomeEpisodes.from_arrays(problem.to_arrays())


def test_a_batch_of_cut_episodes_or_of_all_is_refused(tmp_path):
    for table, message in (({"size": 3, "steps": 4}, "drawn whole"), ({"size": 12}, "12 episodes; make it smaller")):
        with pytest.raises(ne.ScenarioError, match=message):
            ne.make_scenario(**{**SCENARIO, "batch": table}, title="Follow")

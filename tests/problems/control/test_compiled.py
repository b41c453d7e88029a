"""Simulators of one's own that are compiled: what they play, against the same games played here in plain Python."""

from __future__ import annotations

import numpy as np
import pytest

import neuroevo as ne
from neuroevo.errors import BadInput
from neuroevo.evaluation import BACKENDS
from neuroevo.evaluation.backends import choose
from neuroevo.problems.control.compiled import CompiledSimulator
from neuroevo.problems.control.poles import SinglePole
from neuroevo.settings import SettingsError, parse_settings
from tests.problems.control.simulators import Chase
from tests.results import results_of

PLACE = "tests.problems.control.simulators"


def simulator(name="Chase", **keys):
    sizes = {"n_inputs": 2, "n_outputs": 1, "n_state": 2, "n_steps": 30}
    return CompiledSimulator(functions=f"{PLACE}:{name}", **{**sizes, **keys})


def genomes_of(network, n):
    return np.random.default_rng(4).normal(size=(n, network.n_genes)) * 2


def chased(network, genome, drawn):
    """An episode of `Chase`, written once more: error, success, steps."""
    player, target = ne.Player(network, genome), drawn[0]
    place, speed = -0.5 * target, 0.0
    for steps in range(1, 31):
        speed += 0.3 * player.step([target - place, speed if steps % 2 else 0.0])[0] + drawn[steps]
        place += 0.3 * speed
        if abs(place) >= 1.5:
            return abs(target - place) + 1 + 1 / steps, abs(target - place) < 0.3, steps
    return abs(target - place), abs(target - place) < 0.3, 30


def test_compiled_episodes_are_those_of_the_functions_whoever_plays_beside():
    problem, network = simulator(n_train=5, n_test=7), ne.Elman(2, 3, 1, output_activation="tanh")
    assert choose(network, problem) is BACKENDS["in_simulators"]
    genomes = genomes_of(network, 61)
    genomes[11] = np.nan
    found = {}
    for n_threads in (1, 3):
        with ne.LocalEvaluator(network, problem, n_threads=n_threads, precision="double") as evaluator:
            found[n_threads] = [evaluator.evaluate(genomes, part) for part in problem.parts]
            few = evaluator.evaluate(genomes[20:23], "test").error
            batch = evaluator.evaluate(genomes, batch=np.array([[3, 0, 0, 1], [1, 0, 0, 1]])).error
    lengths = set()
    for one, other, part in zip(found[1], found[3], problem.parts, strict=True):
        np.testing.assert_array_equal(one.error, other.error)
        assert one.n_failed == 1
        drawn = [Chase.draw(np.random.default_rng(seed)) for seed in problem.seeds(part)]
        for k in (0, 10, 12, 33, 60):
            error, solved, steps = np.array([chased(network, genomes[k], row) for row in drawn]).T
            lengths |= set(steps)
            assert one.error[k] == pytest.approx(error.mean(), rel=1e-9)
            assert one.learned[k] == solved.mean()
            played = problem.play(network, genomes[k], part)
            np.testing.assert_allclose(played.error, error, rtol=1e-12)
            np.testing.assert_array_equal(played.steps, steps)
            if part == "train":
                assert batch[k] == pytest.approx(error[[3, 1]].mean(), rel=1e-9)
    assert len(lengths) > 4, "episodes of all lengths"
    np.testing.assert_array_equal(few, found[1][1].error[20:23])
    assert problem.score(network, genomes[11], "train") == (np.inf, 0.0)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["single", "double"])
def test_a_pole_of_ones_own_falls_when_the_built_in_one_does(precision):
    own = simulator("Pole", n_state=4, n_steps=160, n_train=1, n_test=0)
    built_in, network = SinglePole(n_steps=160), ne.Elman(2, 1, 1)
    genomes = genomes_of(network, 4000) * 3
    with ne.LocalEvaluator(network, own, precision=precision) as evaluator:
        found = evaluator.evaluate(genomes)
    with ne.LocalEvaluator(network, built_in, precision=precision) as evaluator:
        expected = evaluator.evaluate(genomes)
    assert (found.error == 0).any()
    assert (found.error == expected.error).mean() > (0.999 if precision == "double" else 0.99)


@pytest.mark.slow
def test_functions_may_leave_out_what_they_do_not_need():
    problem, network = simulator("Plain", n_inputs=1, n_state=1, n_train=2, n_test=0), ne.Elman(1, 2, 1)
    genomes = genomes_of(network, 20)
    outputs = np.array([network.predict(genome, np.ones((1, 30, 1)))[0, :, 0] for genome in genomes])
    with ne.LocalEvaluator(network, problem) as evaluator:
        found = evaluator.evaluate(genomes)
    np.testing.assert_allclose(found.error, np.maximum(outputs.max(axis=1), 0), rtol=1e-5)
    assert (found.learned == 0).all()
    assert problem.play(network, genomes[0], "train").steps.tolist() == [30, 30]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Missing", "is not found: .* no attribute 'Missing'"),
        ("NoMove", "NoMove has no function move; it needs observe, move, conclude"),
        ("Strange", "move of the simulator .*Strange can ask for state, outputs, drawn, steps, and not for position"),
    ],
)
def test_functions_that_are_not_there_or_ask_for_too_much_are_named_before_anything_runs(tmp_path, name, message):
    with pytest.raises(BadInput, match=message):
        simulator(name).build(tmp_path)


def test_an_index_beyond_an_array_is_refused_before_compiled_code_writes_there(tmp_path):
    assert simulator("Chase").build(tmp_path) == simulator("Chase")
    for sizes in ({"n_state": 1}, {"n_inputs": 1}, {"n_steps": 31}):  # the last one asks for more than was drawn
        message = "of the simulator .*Chase has failed: IndexError: .*; arrays are as long as n_state = "
        with pytest.raises(BadInput, match=message):
            simulator("Chase", **sizes).build(tmp_path)
    assert simulator("Failing").build(tmp_path), "what fails by its numbers may do so for these outputs alone"
    with pytest.raises(BadInput, match=r"conclude of the simulator .*Three must return the error"):
        simulator("Three").build(tmp_path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Wordy", "move of .* must say whether the episode goes on, as True or False, or nothing"),
        ("Three", "conclude of .* must give the error, or the error and whether it is solved"),
        ("Misspelt", "conclude of .* does not compile: .*'stat' is not defined"),
        ("Guessing", "move of .* uses a generator of random numbers, .* draw them beforehand"),
        ("Uneven", "draw of .* must give as many finite numbers for every episode, got"),
    ],
)
def test_functions_that_cannot_be_compiled_are_refused_in_a_line(name, message):
    network = ne.Elman(2, 1, 1)
    with ne.LocalEvaluator(network, simulator(name)) as evaluator, pytest.raises(BadInput, match=message) as caught:
        evaluator.evaluate(genomes_of(network, 2))
    assert "\n" not in str(caught.value)


FAILURES = [("Failing", "has failed: ValueError: too small"), ("Negative", "errors of at least 0, got -1")]


@pytest.mark.parametrize(("name", "message"), FAILURES)
def test_functions_that_fail_at_work_are_refused_by_the_definition(name, message):
    network = ne.Elman(2, 1, 1)
    with pytest.raises(BadInput, match=message):
        simulator(name).score(network, genomes_of(network, 1)[0], "train")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "message"), FAILURES)
def test_functions_that_fail_at_work_are_refused_by_the_kernel(name, message):
    network = ne.Elman(2, 1, 1)
    with ne.LocalEvaluator(network, simulator(name)) as evaluator, pytest.raises(BadInput, match=message):
        evaluator.evaluate(genomes_of(network, 2))


@pytest.mark.slow
def test_nothing_is_moved_after_the_end_of_its_episode_where_nobody_plays():
    network = ne.Elman(2, 1, 1)
    for data_seed in range(4):
        problem = simulator("Strict", n_steps=100, n_train=6, data_seed=data_seed)
        with ne.LocalEvaluator(network, problem) as evaluator:
            found = evaluator.evaluate(genomes_of(network, 1)).error
        np.testing.assert_array_equal(found, problem.drawn("train").mean())


def test_wrong_keys_are_named():
    with pytest.raises(BadInput, match='stand in a "module" or "module:Class", got \'a b\''):
        simulator().__class__(functions="a b", n_inputs=1, n_outputs=1, n_state=1, n_steps=1)
    keys = {"functions": "a", "n_inputs": 1, "n_outputs": 1, "n_state": 0, "n_steps": 1}
    with pytest.raises(SettingsError, match=r"problem\.n_state: must be at least 1, got 0"):
        parse_settings(CompiledSimulator, keys, "problem")


def scenario(generations):
    return ne.make_scenario(
        problem=simulator(n_train=12, n_test=20),
        network=ne.Elman(2, 3, 1, output_activation="tanh"),
        strategy={"kind": "snes", "population_size": 6},
        batch={"size": 3, "every": 2},
        stop={"generations": generations},
        precision="double",
        title="Chase",
    )


def test_a_run_repeats_is_continued_and_opened(tmp_path):
    whole = ne.run(scenario(5), results=tmp_path / "a")
    continued = ne.extend(ne.run(scenario(3), results=tmp_path / "b").path, overrides={"stop.generations": 5})
    for name, column in whole.history.items():
        if name != "seconds":
            np.testing.assert_array_equal(continued.history[name], column, err_msg=name)
    opened = ne.RunRecord.open(whole.path)
    assert opened.problem == simulator(n_train=12, n_test=20)
    score = opened.problem.score(opened.network, opened.champion.genome, "train")[0]
    assert score == pytest.approx(opened.history["incumbent_error"][-1], rel=1e-9)


@pytest.mark.ray
def test_workers_leave_the_same_files(ray_here, tmp_path):
    expected = results_of(ne.run(scenario(5), results=tmp_path / "here").path)
    path = ne.run(scenario(5), results=tmp_path / "there", compute=ne.Compute(workers=2)).path
    assert results_of(path) == expected

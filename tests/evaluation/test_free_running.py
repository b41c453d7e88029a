"""Outputs that come back as inputs in compiled code: the problem's own score, and the same bits however they are run."""

from __future__ import annotations

import numpy as np
import pytest

import neuroevo as ne
from neuroevo.evaluation.backends import choose
from tests.problems.test_free_run import WAYS, problem_of

MORE_WAYS = {
    "horizons": {"horizon": [1, 4], "residual": "linear"},
    "further ahead": {"horizon": 3, "lags": 2, "transform": "difference"},
    "longer than any output reaches": {"horizon": [2, 9]},
    "huber": {"objective": "huber", "residual": "last_value"},
    "weights": {"target_weights": [1.0, 3.0], "weight_decay": 0.1},
    "one of two comes back": {"input": "a", "target": ["a", "b"], "lags": 2},
}
NETWORKS = {
    "elman": ne.Elman(2, 5, 2, initial_state=True),
    "jordan": ne.Jordan(2, 4, 2, output_activation="tanh"),
    "ctrnn": ne.Ctrnn(2, 4, 2),
    "lstm": ne.Lstm(2, 3, 2, skip=True),
    "gru": ne.Gru(2, 3, 2, n_layers=2),
    "graph": ne.Graph(2, 7, 2, {"density": 0.4, "seed": 1}),
    "locally_recurrent": ne.LocallyRecurrent(2, 3, 2, ma_taps=2, ar_taps=2, dynamic_output=True),
}


def genomes_of(network, n=5):
    return 0.4 * np.random.default_rng(7).normal(size=(n, network.n_genes))


def assert_is_the_score(network, problem, precision, rel):
    genomes = genomes_of(network)
    with ne.LocalEvaluator(network, problem, precision=precision) as evaluator:
        for part in problem.parts:
            found = evaluator.evaluate(genomes, part)
            expected = [problem.score(network, genome, part) for genome in genomes]
            assert found.error == pytest.approx([error for error, _ in expected], rel=rel)
            assert found.learned == pytest.approx([learned for _, learned in expected], abs=rel if rel < 1e-8 else 0.03)


@pytest.mark.parametrize("way", WAYS | MORE_WAYS)
def test_compiled_errors_are_the_score(way):
    problem = problem_of(**(WAYS | MORE_WAYS)[way])
    network = ne.Elman(problem.n_inputs, 3, problem.n_outputs)
    assert choose(network, problem).__name__ == "FreeRunning"
    assert_is_the_score(network, problem, "double", 1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(("precision", "rel"), [("double", 1e-10), ("single", 2e-4)])
@pytest.mark.parametrize("kind", NETWORKS)
def test_compiled_errors_of_all_cells_are_the_score(kind, precision, rel):
    assert_is_the_score(NETWORKS[kind], problem_of(residual="last_value"), precision, rel)


def test_bits_depend_on_neither_threads_nor_neighbours():
    problem = problem_of(2, residual="linear")
    network = ne.Elman(problem.n_inputs, 3, problem.n_outputs)
    genomes = genomes_of(network, 37)
    errors = {}
    for threads in (1, 2, 3):
        with ne.LocalEvaluator(network, problem, n_threads=threads, precision="double") as evaluator:
            errors[threads] = evaluator.evaluate(genomes).error
            parts = np.concatenate([evaluator.evaluate(genomes[k : k + 5]).error for k in range(0, 37, 5)])
            assert (parts == errors[threads]).all()
    assert (errors[1] == errors[2]).all()
    assert (errors[1] == errors[3]).all()


def test_a_run_that_overflows_fails_alone():
    problem = problem_of(transform="difference")
    network = ne.Elman(2, 3, 2)
    genomes = genomes_of(network, 3)
    genomes[1] = 1e300
    with ne.LocalEvaluator(network, problem, precision="double") as evaluator:
        found = evaluator.evaluate(genomes)
        alone = evaluator.evaluate(genomes[:1]).error
    assert found.n_failed == 1
    assert found.error[0] == alone[0]


class Plain(ne.Elman):
    """A kind without a kernel."""


@pytest.mark.filterwarnings("ignore:.*has no kernel")
def test_networks_without_a_kernel_run_freely_too():
    problem = problem_of()
    network = Plain(2, 3, 2)
    genomes = genomes_of(network)
    with ne.LocalEvaluator(network, problem) as evaluator:
        found = evaluator.evaluate(genomes).error
    assert found.tolist() == [problem.score(network, genome, "train")[0] for genome in genomes]


def test_derivatives_are_refused_with_what_to_take_instead():
    with pytest.raises(ne.BadInput, match="no backward step; take a strategy"):
        ne.LocalEvaluator(ne.Elman(2, 3, 2), problem_of(), wants=frozenset({"gradient"}))


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"strategy": {"kind": "bptt"}}, "free_run gives errors alone"),
        ({"batch": {"size": 2, "steps": 20}}, r"leave out \[batch\]"),
        ({"generalise": {"input_noise": 0.1}}, "generalise.input_noise: is not for free runs"),
    ],
)
def test_scenarios_say_at_once_what_does_not_go_with_free_runs(tables, message):
    given = {"strategy": "snes", **tables}
    with pytest.raises(ne.BadInput, match=message):
        ne.make_scenario(problem_of(), ne.Elman(2, 3, 2), given.pop("strategy"), {"generations": 3}, **given)


@pytest.mark.slow
def test_a_cost_of_one_step_of_ones_own_is_compiled_into_free_runs():
    problem = problem_of(objective="tests.problems.costs:bent_first", per_step=True, residual="linear")
    network = ne.Elman(problem.n_inputs, 3, problem.n_outputs)
    assert choose(network, problem).__name__ == "FreeRunningBySteps"
    assert_is_the_score(network, problem, "double", 1e-9)


def test_an_objective_of_whole_outputs_of_ones_own_is_evaluated_by_the_score():
    problem = problem_of(objective="tests.problems.drawn:largest")
    network = ne.Elman(problem.n_inputs, 3, problem.n_outputs)
    genomes = genomes_of(network, 2)
    with ne.LocalEvaluator(network, problem) as evaluator:
        found = evaluator.evaluate(genomes, "test").error
    misses = []
    for genome in genomes:
        runs = problem.free_runs
        outputs = runs.outputs(network, genome, "test")
        misses.append(np.abs(outputs - runs.problem_of("test").target_rows).max())
    assert found.tolist() == misses

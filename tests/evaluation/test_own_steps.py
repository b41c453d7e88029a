"""Functions of one step as objectives: compiled, they are the mean of what Python says of the steps."""

from __future__ import annotations

import subprocess
import sys
import types
from pathlib import Path

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neuroevo as ne
from neuroevo.evaluation import BACKENDS
from neuroevo.evaluation.backends import choose
from neuroevo.problems.objectives import Own, PerStep
from neuroevo.problems.objectives import stored as stored_objective
from neuroevo.problems.series import Series
from neuroevo.settings import SettingsError, parse_settings
from tests.evaluation.test_local import RELATIVE, problem_for
from tests.evaluation.test_objectives import rebuilt
from tests.problems import costs
from tests.results import results_of

ROOT = Path(__file__).parents[2]
PLACE = "tests.problems.costs"
NETWORK = ne.Elman(2, 5, 3)


def weighed_steps(outputs, problem, part):
    """The mean of `bent_counted` over the steps, from the arrays of all sequences."""
    counted, weights = problem.counted(part), problem.weights
    difference = np.where(counted, outputs - problem.targets, 0.0)
    loss = difference**2 / (1 + np.abs(difference)) + costs.SLOPE * np.maximum(difference, 0)
    steps = counted.any(axis=2)
    each = np.ones(steps.shape)
    if weights is not None:
        each = np.where(counted, weights, 0).sum(axis=2) / np.maximum(counted.sum(axis=2), 1)
    return np.average(np.where(counted, loss, 0).sum(axis=2)[steps], weights=each[steps])


@pytest.mark.parametrize("precision", ["double", pytest.param("single", marks=pytest.mark.slow)])
def test_compiled_cost_is_the_mean_over_the_counted_steps_with_masks_washout_weights_and_lengths(precision):
    objective = PerStep(f"{PLACE}:bent_counted")
    problems = [problem_for(NETWORK, 4, 7, 90, weight_decay=0.5, learned=ne.Within(0.5), objective=objective)]
    problems.append(rebuilt(problems[0], target_weights=np.random.default_rng(1).uniform(0.1, 3, (7, 90, 3))))
    population = np.random.default_rng(4).normal(size=(37, NETWORK.n_genes)) * 0.4
    population[5] = np.nan
    for problem in problems:
        assert choose(NETWORK, problem) is BACKENDS["by_steps"]
        found = []
        for n_threads in (1, 3):
            with ne.LocalEvaluator(NETWORK, problem, n_threads=n_threads, precision=precision) as evaluator:
                found.append(evaluator.evaluate(population, "test"))
                alone = evaluator.evaluate(population[20:22], "test").error
        np.testing.assert_array_equal(found[0].error, found[1].error)
        np.testing.assert_array_equal(alone, found[0].error[20:22])
        assert found[0].n_failed == 1
        for k in (0, 17, 36):
            outputs = NETWORK.predict(population[k], problem.inputs, problem.lengths)
            wanted = weighed_steps(outputs, problem, "test") + 0.5 * np.mean(population[k] ** 2)
            assert found[0].error[k] == pytest.approx(wanted, rel=RELATIVE[precision])
            error, learned = problem.score(NETWORK, population[k], "test")
            assert error == pytest.approx(wanted, rel=1e-12)
            assert found[0].learned[k] == pytest.approx(learned, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 6), st.integers(1, 5), st.integers(0, 10**6), st.integers(1, 9), st.integers(2, 70), st.booleans()
)
def test_compiled_cost_is_that_mean_for_any_shape(n_hidden, n_outputs, seed, n_sequences, n_steps, weighs):
    network = ne.Elman(2, n_hidden, n_outputs)
    problem = problem_for(network, seed, n_sequences, n_steps, objective=PerStep(f"{PLACE}:bent_counted"))
    rng = np.random.default_rng(seed)
    if weighs:
        problem = rebuilt(problem, target_weights=rng.uniform(0.1, 3, problem.targets.shape))
    population = rng.normal(size=(3, network.n_genes)) * 0.5
    with ne.LocalEvaluator(network, problem, n_threads=2, precision="double") as evaluator:
        found = evaluator.evaluate(population).error
    wanted = [
        weighed_steps(network.predict(genome, problem.inputs, problem.lengths), problem, "train")
        for genome in population
    ]
    np.testing.assert_allclose(found, wanted, rtol=RELATIVE["double"])


def one_step(name, n_outputs=1, **settings):
    return ne.SequenceProblem(
        np.ones((1, 4, 1)), np.ones((1, 4, n_outputs)), objective=PerStep(f"{PLACE}:{name}"), **settings
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("wordy", "costs:wordy must give a real number for each step; it gives"),
        ("helped", r"does not compile: .*'plain'.*costs.py\", line .*made by @numba.njit"),
        ("meddling", "does not compile: .*must not change"),
        ("single", "must take outputs and targets, or outputs, targets and counted; it takes 1"),
        ("missing", "is not found: .* no attribute 'missing'"),
    ],
)
def test_functions_that_cannot_be_compiled_are_refused_in_a_line(name, message):
    network = ne.Elman(1, 2, 1)
    with ne.LocalEvaluator(network, one_step(name)) as evaluator, pytest.raises(ne.BadInput, match=message) as caught:
        evaluator.evaluate(np.zeros((2, network.n_genes)))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("wordy", "must give a real number for each step"),
        ("negative", "costs of at least 0, got -1"),
        ("failing", r"costs:failing has failed: ValueError: too small \(.*costs.py, line \d+\)"),
    ],
)
def test_costs_that_are_none_are_refused_by_the_definition_too(name, message):
    network = ne.Elman(1, 2, 1)
    with pytest.raises(ne.BadInput, match=message):
        one_step(name).score(network, np.zeros(network.n_genes), "train")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "message"), [("negative", "of at least 0, got -1"), ("failing", "has failed: ValueError: too small")]
)
def test_costs_that_are_none_are_refused_by_the_kernel(name, message):
    network = ne.Elman(1, 2, 1)
    with ne.LocalEvaluator(network, one_step(name)) as evaluator, pytest.raises(ne.BadInput, match=message):
        evaluator.evaluate(np.zeros((40, network.n_genes)))


def test_a_function_that_does_not_ask_what_counts_is_not_given_half_a_step():
    mask = np.ones((1, 4, 2), bool)
    mask[0, 1] = False
    whole = one_step("bent_first", 2, target_mask=mask)
    network = ne.Elman(1, 2, 2)
    assert whole.score(network, np.zeros(network.n_genes), "train")[0] == pytest.approx(0.5)
    mask[0, 2, 0] = False
    half = one_step("bent_first", 2, target_mask=mask)
    for evaluate in (
        lambda: half.score(network, np.zeros(network.n_genes), "train"),
        lambda: ne.LocalEvaluator(network, half).evaluate(np.zeros((1, network.n_genes))),
    ):
        with pytest.raises(ne.BadInput, match=r"only some targets of a step count .* third argument, counted"):
            evaluate()


@pytest.mark.parametrize("objective", [PerStep(f"{PLACE}:bent_first"), Own("tests.problems.drawn:largest")])
def test_strategies_that_want_derivatives_are_refused(objective):
    problem = ne.SequenceProblem(np.ones((1, 4, 1)), np.ones((1, 4, 1)), objective=objective)
    with pytest.raises(ne.BadInput, match="an objective of your own has no derivatives"):
        ne.LocalEvaluator(ne.Elman(1, 2, 1), problem, wants=frozenset({"gradient"}))


def test_a_stored_function_is_found_again_and_one_without_a_place_is_refused():
    problem = one_step("bent_first")
    assert ne.SequenceProblem.from_arrays(problem.to_arrays()).objective == problem.objective
    assert stored_objective(PerStep(costs.bent_first)) == stored_objective(problem.objective)
    with pytest.raises(ne.BadInput, match="can't be written down"):
        stored_objective(PerStep(lambda outputs, targets: 0.0))


def test_keys_of_a_scenario_name_functions_of_either_kind(tmp_path):
    (tmp_path / "data.csv").write_text("flow\n" + "".join(f"{k % 7}\n" for k in range(40)))

    def objective(**keys):
        return parse_settings(Series, {"file": "data.csv", "input": "flow", **keys}).build(tmp_path).objective

    assert objective(objective=f"{PLACE}:bent_first", per_step=True) == PerStep(f"{PLACE}:bent_first")
    assert objective(objective="tests.problems.drawn:largest") == Own("tests.problems.drawn:largest")
    with pytest.raises(ne.BadInput, match="'nowhere:cost' is not found: No module named 'nowhere'"):
        objective(objective="nowhere:cost")
    with pytest.raises(ne.BadInput, match=r"must take outputs, targets and counted, .* wants per_step = true"):
        objective(objective=f"{PLACE}:bent_first")
    with pytest.raises(ne.BadInput, match="must take outputs and targets, or outputs, targets and counted; it takes 1"):
        objective(objective=f"{PLACE}:plain", per_step=True)
    with pytest.raises(SettingsError, match="per_step: goes with a function of one's own only"):
        objective(per_step=True)


SOURCE = """
import math
from numba import njit
import numpy as np
{constant}

@njit{options}
def helper(x):
    return {helper}

def cost(outputs, targets):
    {comment}return helper(outputs[0]) {cost} LIMIT
"""
PARTS = {"options": "", "constant": "LIMIT = 2.0", "helper": "x * x", "cost": "+", "comment": ""}


def cost_of(**changes):
    module = types.ModuleType("drawn_up")
    exec(SOURCE.format(**{**PARTS, **changes}), module.__dict__)  # noqa: S102
    return module.cost


def test_a_function_is_known_by_its_code_what_it_calls_and_the_values_that_it_uses():
    from neuroevo.kernels.foreign import digest

    def known(**changes):
        return digest({"cost": cost_of(**changes)})

    assert known() == known() == known(comment="# a comment\n    ")
    assert known() == digest({"cost": numba.njit(cost_of())})
    edits = [
        {"constant": "LIMIT = 3.0"}, {"constant": "LIMIT = np.float32(2.0)"}, {"helper": "x * math.exp(x)"}, {"cost": "-"},
        {"options": "(fastmath=True)"},
    ]  # fmt: skip
    assert len({known(**edit) for edit in [{}, *edits]}) == 1 + len(edits)


EDITED = """
import numpy as np
import neuroevo as ne
from neuroevo.problems.objectives import PerStep
problem = ne.SequenceProblem(np.ones((1, 3, 1)), np.zeros((1, 3, 1)), objective=PerStep("my_costs:cost"))
network = ne.Elman(1, 1, 1, output_activation="linear")
genome = network.layout.encode({**{name: 0.0 * block for name, block in network.layout.decode(
    np.zeros(network.n_genes)).items()}, "bias_out": np.array([3.0])})
with ne.LocalEvaluator(network, problem, n_threads=1) as evaluator:
    print(evaluator.is_compiled, evaluator.evaluate(genome[None]).error[0])
"""


@pytest.mark.slow
def test_code_on_disk_is_found_again_and_never_answers_to_an_edited_function(tmp_path):
    def run(text):
        (tmp_path / "my_costs.py").write_text(text)
        command = [sys.executable, "-W", "error", "-c", EDITED]
        environment = {
            "PYTHONPATH": f"{tmp_path}:{ROOT}",
            "XDG_CACHE_HOME": str(tmp_path),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    text = "def cost(outputs, targets):\n    return outputs[0]\n"
    assert run(text) == "False 3.0\n"
    assert run("# The same.\n" + text) == "True 3.0\n"
    assert run(text.replace("[0]", "[0] + 1.0")) == "False 4.0\n"


def scenario(objective, generations=4):
    problem = problem_for(NETWORK, 2, 3, 30, objective=objective)
    return ne.make_scenario(
        problem, NETWORK, {"kind": "snes", "population_size": 6}, {"generations": generations}, precision="double",
        title="Bent",
    )  # fmt: skip


COMPILED = f"{PLACE}:bent_counted"


def test_a_run_is_continued_and_opened(tmp_path):
    whole = ne.run(scenario(PerStep(COMPILED)), results=tmp_path / "a")
    continued = ne.extend(
        ne.run(scenario(PerStep(COMPILED), 2), results=tmp_path / "b").path, overrides={"stop.generations": 4}
    )
    np.testing.assert_array_equal(continued.history["best_error"], whole.history["best_error"])
    opened = ne.RunRecord.open(whole.path)
    assert opened.problem.objective == PerStep(COMPILED)
    score = opened.problem.score(opened.network, opened.champion.genome, "train")[0]
    assert score == pytest.approx(opened.champion.error, rel=1e-9)


@pytest.mark.ray
@pytest.mark.parametrize("objective", [PerStep(COMPILED), Own("tests.problems.drawn:largest")])
def test_workers_leave_the_same_files(ray_here, tmp_path, objective):
    expected = results_of(ne.run(scenario(objective), results=tmp_path / "here").path)
    path = ne.run(scenario(objective), results=tmp_path / "there", compute=ne.Compute(workers=2)).path
    assert results_of(path) == expected


@pytest.mark.ray
def test_what_goes_wrong_on_workers_is_the_users_to_mend(ray_here, tmp_path):
    with pytest.raises(ne.BadInput, match="costs:wordy: only some targets of a step count"):
        ne.run(scenario(PerStep(f"{PLACE}:wordy")), results=tmp_path, compute=ne.Compute(workers=1))

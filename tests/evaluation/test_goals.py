"""Goals beside the error: each as it would be found alone, whoever computes them."""

from __future__ import annotations

import numpy as np
import pytest

import neuroevo as ne
from neuroevo.distribution.sharded import EvaluationTask, Question
from neuroevo.evaluation.goals import title_of
from neuroevo.networks import count_links
from neuroevo.problems import Within
from neuroevo.spaces import Switched

WANTED = frozenset({"goals"})
NAMES = ("error", "links", "not_learned", "absolute")


def largest(outputs, targets, counted):
    """An objective of one's own, of a block of genomes."""
    return np.where(counted, np.abs(outputs - targets), 0.0).max(axis=(1, 2, 3))


def make_job(**arguments):
    rng = np.random.default_rng(2)
    network = ne.Elman(1, 3, 1)
    values = rng.normal(size=(2, 3, 12, 1))
    parts = {"train": np.arange(12) < 8, "validation": np.arange(12) >= 8}
    parts = {name: np.tile(mask, (3, 1)) for name, mask in parts.items()}
    return network, ne.SequenceProblem(*values, parts=parts, weight_decay=0.01, learned=Within(0.4), **arguments)


def judged(problem, network, weights, part, objective):
    """The error by another objective, by its definition."""
    fields = {**problem.fields(), "objective": objective, "weight_decay": 0.0}
    other = ne.SequenceProblem(**fields)
    return [other.score(network, genome, part)[0] for genome in weights]


@pytest.mark.parametrize("part", ["train", "validation"])
def test_goals_are_those_of_the_definitions(part):
    network, problem = make_job()
    space = Switched()
    genomes = np.random.default_rng(3).normal(size=(21, space.n_genes(network)))
    recipe = ne.EvaluatorRecipe(network, problem, "single", space, WANTED, goals=NAMES)
    recipe.check()
    with recipe.build(2) as evaluator, ne.EvaluatorRecipe(network, problem, "single", space).build(2) as plain:
        found = evaluator.evaluate(genomes, part, WANTED)
        alone = plain.evaluate(genomes, part)
        weights = space.express(genomes, network, problem)
        assert found.error.tobytes() == alone.error.tobytes()
        columns = dict(zip(NAMES, found.more["goals"].T, strict=True))
        assert np.array_equal(columns["error"], alone.error)
        assert np.array_equal(columns["links"], count_links(network, weights))
        assert np.array_equal(columns["not_learned"], 1 - alone.learned)
        np.testing.assert_allclose(columns["absolute"], judged(problem, network, weights, part, "absolute"), rtol=1e-5)
        assert not evaluator.evaluate(genomes, part).more


@pytest.mark.slow
def test_a_function_of_ones_own_is_a_goal():
    network, problem = make_job()
    genomes = np.random.default_rng(6).normal(size=(9, network.n_genes))
    place = "tests.evaluation.test_goals:largest"
    with ne.LocalEvaluator(network, problem, goals=("links", place)) as evaluator:
        goals = evaluator.evaluate(genomes, wants=WANTED).more["goals"]
    np.testing.assert_allclose(goals[:, 1], judged(problem, network, genomes, "train", place), rtol=1e-5)


def test_chunks_threads_and_workers_give_the_same_bits():
    network, problem = make_job()
    genomes = np.random.default_rng(4).normal(size=(40, network.n_genes))
    recipe = ne.EvaluatorRecipe(network, problem, "single", wants=WANTED, goals=NAMES)
    task = EvaluationTask(recipe, 1)
    task.start()
    asked = [Question("train", WANTED, low, low + 8, None, None, None) for low in range(0, 40, 8)]
    chunks = np.concatenate([task.run((question, genomes))["goals"] for question in asked])
    with recipe.build(1) as one, recipe.build(2) as two:
        assert one.evaluate(genomes, wants=WANTED).more["goals"].tobytes() == chunks.tobytes()
        assert two.evaluate(genomes, wants=WANTED).more["goals"].tobytes() == chunks.tobytes()


def test_a_failed_evaluation_has_no_goals():
    network, problem = make_job()
    genomes = np.zeros((2, network.n_genes))
    genomes[0, 0] = np.nan
    with ne.LocalEvaluator(network, problem, goals=("links", "error")) as evaluator:
        goals = evaluator.evaluate(genomes, wants=WANTED).more["goals"]
    assert np.isinf(goals[0]).all()
    assert goals[1].tolist()[0] == 0.0


def test_weighted_steps_are_judged_by_the_objective():
    network, problem = make_job(target_weights=np.linspace(0.1, 2.0, 36).reshape(3, 12, 1))
    genomes = np.random.default_rng(5).normal(size=(4, network.n_genes))
    with ne.LocalEvaluator(network, problem, goals=("not_learned",)) as evaluator:
        goals = evaluator.evaluate(genomes, wants=WANTED).more["goals"]
    expected = judged(problem, network, genomes, "train", "not_learned")
    np.testing.assert_allclose(goals[:, 0], expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("goals", "complaint"),
    [
        (("error", "linsk"), "no goal 'linsk'; did you mean 'links'"),
        (("links", "links"), "named twice"),
        (("error", "classification_error"), "needs classes"),
        (("error", "nowhere:at_all"), "nowhere:at_all"),
    ],
)
def test_goals_that_a_problem_does_not_have_are_refused(goals, complaint):
    with pytest.raises(ne.BadInput, match=complaint):
        ne.EvaluatorRecipe(*make_job(), wants=WANTED, goals=goals).check()
    with pytest.raises(ne.BadInput, match=complaint):
        ne.LocalEvaluator(*make_job(), goals=goals)


def test_goals_have_titles():
    _, problem = make_job()
    titles = [title_of(name, problem) for name in ("error", "links", "absolute")]
    assert titles == [
        problem.error_name,
        "links that are there, biases not counted",
        "mean absolute error (scaled units)",
    ]


def test_nobody_gives_goals_that_were_not_named():
    with ne.LocalEvaluator(*make_job()) as evaluator, pytest.raises(ne.BadInput, match="wants="):
        evaluator.evaluate(np.zeros((1, 19)), wants=WANTED)

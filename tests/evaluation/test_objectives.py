"""Every objective: the kernels, `score` and the oracle agree, and its bits depend on nothing else."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neuroevo as ne
from neuroevo.evaluation import BACKENDS, plans
from neuroevo.evaluation.backends import choose
from neuroevo.problems.objectives import OBJECTIVES, Huber, Pinball, as_objective
from tests.evaluation.test_local import EVERY_KIND, RELATIVE, problem_for
from tests.networks.drawn import networks
from tests.oracle import recurrent as oracle

POINTWISE = ("squared", "absolute", "huber", "pinball")
OF_CLASSES = ("cross_entropy", "classification_error", "balanced_error", "not_learned")
CASES = [(name, False) for name in (*POINTWISE, "not_learned", "cross_entropy")] + [
    (name, True) for name in (*POINTWISE, *OF_CLASSES)
]


def varied(name, drawn):
    """The objective with a parameter that is no default."""
    return {"huber": Huber(0.2 + drawn), "pinball": Pinball(0.05 + 0.9 * drawn)}.get(name, as_objective(name))


def rebuilt(problem, **changes):
    """The problem with other arguments, those of steps in padded arrays."""
    names = ("inputs", "targets", "target_mask", "times", "parts")
    return ne.SequenceProblem(**{**problem.fields(), **{name: getattr(problem, name) for name in names}, **changes})


def judged(network, seed, n_sequences, n_steps, name, by_class, weighted=0, decay=0.0):
    """A problem with this objective: `weighted` is 0, or the shape of the weights, 1 to 4."""
    rng = np.random.default_rng(seed)
    learned = ne.RightClass() if by_class else ne.Within(0.5)
    problem = problem_for(network, seed, n_sequences, n_steps, learned=learned, weight_decay=decay)
    changes = {"objective": varied(name, rng.random())}
    if name == "cross_entropy" and not by_class:
        # Probabilities, 0 and 1 among them, for which one of the two logarithms is left out.
        changes["targets"] = np.clip(rng.uniform(-0.5, 1.5, problem.targets.shape), 0, 1)
    steps = n_sequences, problem.n_steps
    shapes = [(*steps, problem.n_outputs), (*steps, 1), (problem.n_outputs,)]
    if weighted in (1, 2, 3):
        changes["target_weights"] = rng.uniform(0.1, 3, shapes[weighted - 1])
    elif weighted == 4 and by_class and name != "balanced_error":
        changes["class_weights"] = rng.uniform(0.1, 3, problem.n_outputs)
    return rebuilt(problem, **changes)


def fitting(network, name, by_class):
    """The network with outputs that the objective can judge."""
    if name != "cross_entropy":
        return network
    no_spikes = {"readout": "leaky"} if isinstance(network, ne.Lif) else {}
    return dataclasses.replace(network, output_activation="softmax" if by_class else "logistic", **no_spikes)


def expected(network, genome, problem, part):
    tolerance = None if problem.learned.by_class else problem.learned.tolerance
    return oracle.objective(network, genome, problem, part, tolerance)


@settings(max_examples=80, deadline=None)
@given(
    networks(max_units=9),
    st.sampled_from(CASES),
    st.integers(0, 10**6),
    st.integers(1, 9),
    st.integers(2, 9),
    st.integers(0, 4),
    st.sampled_from(["train", "test"]),
)
def test_kernels_and_score_equal_the_oracle_in_double(network, case, seed, n_sequences, n_steps, weighted, part):
    name, by_class = case
    if by_class and network.n_outputs == 1:
        return
    network = fitting(network, name, by_class)
    problem = judged(network, seed, n_sequences, n_steps, name, by_class, weighted, decay=0.125)
    population = np.random.default_rng(seed).normal(size=(2, network.n_genes)) * 0.5
    wanted = [expected(network, genome, problem, part) for genome in population]
    with ne.LocalEvaluator(network, problem, n_threads=2, precision="double") as evaluator:
        found = evaluator.evaluate(population, part)
    np.testing.assert_allclose(found.error, wanted, rtol=RELATIVE["double"], atol=1e-15)
    scored = [problem.score(network, genome, part) for genome in population]
    np.testing.assert_allclose([error for error, _ in scored], wanted, rtol=RELATIVE["double"], atol=1e-15)
    np.testing.assert_allclose(found.learned, [share for _, share in scored], atol=1e-12)


@pytest.mark.parametrize("weighted", [0, 1])
@pytest.mark.parametrize(("name", "by_class"), CASES)
def test_single_precision_is_close_to_the_oracle_over_many_blocks(name, by_class, weighted):
    network = fitting(ne.Elman(2, 5, 3), name, by_class)
    problem = judged(network, 5, 6, 150, name, by_class, weighted)
    population = np.random.default_rng(5).normal(size=(3, network.n_genes)) * 0.3
    with ne.LocalEvaluator(network, problem) as evaluator:
        found = evaluator.evaluate(population).error
    # A share jumps where an output lies within rounding of the border: by one step at most.
    slack = 1.5 / problem.counted().any(axis=2).sum() if name.endswith(("learned", "error")) else 0.0
    np.testing.assert_allclose(
        found, [expected(network, genome, problem, "train") for genome in population], rtol=2e-5, atol=slack
    )


@pytest.mark.parametrize("precision", ["single", "double"])
@pytest.mark.parametrize(("name", "by_class"), CASES)
def test_bits_depend_on_nothing_else(name, by_class, precision):
    network = fitting(ne.Gru(2, 5, 3), name, by_class)
    problem = judged(network, 11, 7, 70, name, by_class, weighted=1)
    population = np.random.default_rng(5).normal(size=(60, network.n_genes))
    with ne.LocalEvaluator(network, problem, n_threads=1, precision=precision) as evaluator:
        error = evaluator.evaluate(population).error
        order = np.random.default_rng(6).permutation(60)
        np.testing.assert_array_equal(evaluator.evaluate(population[order]).error, error[order])
        np.testing.assert_array_equal(evaluator.evaluate(population[3:24]).error, error[3:24])
    with ne.LocalEvaluator(network, problem, n_threads=3, precision=precision) as evaluator:
        np.testing.assert_array_equal(evaluator.evaluate(population).error, error)


@pytest.mark.parametrize("precision", ["single", "double"])
def test_equal_weights_leave_the_bits_of_the_squared_error(precision):
    network = EVERY_KIND["elman"]
    problem = problem_for(network, 2, 5, 80)
    population = np.random.default_rng(2).normal(size=(9, network.n_genes))
    errors = []
    for changes in ({}, {"target_weights": np.ones(3)}):
        with ne.LocalEvaluator(network, rebuilt(problem, **changes), precision=precision) as evaluator:
            errors.append(evaluator.evaluate(population).error)
    np.testing.assert_array_equal(*errors)


@pytest.mark.parametrize("poison", [np.nan, np.inf, 1e300])
@pytest.mark.parametrize(("name", "by_class"), CASES)
def test_failed_genome_fails_and_touches_no_other(name, by_class, poison):
    network = fitting(ne.Lstm(2, 4, 3), name, by_class)
    problem = judged(network, 1, 5, 20, name, by_class)
    population = np.random.default_rng(1).normal(size=(20, network.n_genes))
    ill = population.copy()
    ill[[0, 17]] = poison
    with ne.LocalEvaluator(network, problem) as evaluator:
        healthy, found = evaluator.evaluate(population), evaluator.evaluate(ill)
    others = np.delete(np.arange(20), [0, 17])
    np.testing.assert_array_equal(found.error[others], healthy.error[others])
    if np.isnan(poison):
        assert np.isinf(found.error[[0, 17]]).all()
        assert found.n_failed == 2
    with np.errstate(all="ignore"):
        scored = [problem.score(network, genome, "train")[0] for genome in ill[[0, 17]]]
    # Gates that saturate at 1e300 give finite outputs in either precision, or the same failure.
    assert not np.isfinite(scored).any() or not np.isnan(poison)


def test_units_as_lanes_leave_other_objectives_to_genomes_as_lanes():
    network = ne.Elman(2, 32, 1)
    problem = problem_for(network, 9, 1, 40)
    assert plans.suits_units(network, problem)
    for changes in ({"objective": "absolute"}, {"target_weights": [2.0]}):
        assert choose(network, rebuilt(problem, **changes)) is BACKENDS["compiled"]


def test_certain_and_wrong_costs_the_stated_most():
    network = ne.Elman(1, 1, 2, output_activation="softmax")
    genome = network.layout.encode({
        "weight_ih_l0": np.zeros((1, 1)), "weight_hh_l0": np.zeros((1, 1)), "bias_l0": np.zeros(1),
        "weight_out": np.zeros((2, 1)), "bias_out": np.array([60.0, -60.0]),
    })  # fmt: skip
    for right, most in ((0, 0.0), (1, np.log(1e7))):
        targets = np.eye(2)[[[right]]]
        problem = ne.SequenceProblem(
            np.ones((1, 1, 1)), targets, learned=ne.RightClass(), objective="cross_entropy", parts=None
        )
        for precision in ("single", "double"):
            with ne.LocalEvaluator(network, problem, precision=precision) as evaluator:
                assert evaluator.evaluate(genome[None]).error[0] == pytest.approx(most, rel=1e-6)
        assert problem.score(network, genome, "train")[0] == pytest.approx(most, rel=1e-12)


def mean_cubed(outputs, targets, counted):
    cubes = np.abs(np.where(counted, outputs - targets, 0)) ** 3
    return cubes.reshape(len(outputs), -1).sum(axis=1) / counted.sum()


@pytest.mark.parametrize("precision", ["single", "double"])
def test_own_objective_is_the_function_of_the_outputs_of_predict(precision):
    network = EVERY_KIND["lstm"]
    problem = rebuilt(problem_for(network, 4, 7, 30, weight_decay=0.5, learned=ne.Within(0.5)), objective=mean_cubed)
    population = np.random.default_rng(4).normal(size=(45, network.n_genes)) * 0.4
    population[5] = np.nan
    results = []
    for n_threads in (1, 3):
        with ne.LocalEvaluator(network, problem, n_threads=n_threads, precision=precision) as evaluator:
            assert choose(network, problem) is BACKENDS["by_outputs"]
            results.append(evaluator.evaluate(population, "test"))
            alone = evaluator.evaluate(population[40:42], "test").error
            assert len(evaluator.evaluate(population[:0]).error) == 0
        np.testing.assert_array_equal(alone, results[-1].error[40:42])
    np.testing.assert_array_equal(results[0].error, results[1].error)
    assert results[0].n_failed == 1
    assert np.isinf(results[0].error[5])
    counted = problem.counted("test")
    for k in (0, 17, 44):
        outputs = network.predict(population[k], problem.inputs, problem.lengths)
        cubes = np.abs((outputs - problem.targets)[counted]) ** 3
        wanted = cubes.mean() + 0.5 * np.mean(population[k] ** 2)
        assert results[0].error[k] == pytest.approx(wanted, rel=RELATIVE[precision])
        error, learned = problem.score(network, population[k], "test")
        assert error == pytest.approx(wanted, rel=1e-12)
        assert results[0].learned[k] == pytest.approx(learned, abs=1e-12)


def test_own_objective_sees_zeros_beyond_a_sequence():
    seen = []
    network = ne.Elman(1, 2, 1)

    def look(outputs, targets, counted):
        seen.append(outputs.copy())
        return np.zeros(len(outputs))

    problem = ne.SequenceProblem(np.ones((2, 4, 1)), np.ones((2, 4, 1)), lengths=np.array([4, 2]), objective=look)
    genome = np.ones(network.n_genes)
    with ne.LocalEvaluator(network, problem, precision="double") as evaluator:
        evaluator.evaluate(genome[None])
    problem.score(network, genome, "train")
    assert all((outputs[0, 1, 2:] == 0).all() and outputs[0, 1, 1] != 0 for outputs in seen)
    np.testing.assert_allclose(seen[0], seen[1], rtol=1e-14)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda outputs, *_: np.zeros((len(outputs), 1)), r"must give \(2,\) real numbers"),
        (lambda outputs, *_: ["no"] * len(outputs), "must give"),
        (lambda outputs, *_: np.full(len(outputs), -1.0), "at least 0, got -1"),
    ],
)
def test_own_objective_that_gives_no_errors_is_refused(function, message):
    network = ne.Elman(1, 2, 1)
    problem = ne.SequenceProblem(np.ones((1, 4, 1)), np.ones((1, 4, 1)), objective=function)
    with ne.LocalEvaluator(network, problem) as evaluator, pytest.raises(ne.BadInput, match=message):
        evaluator.evaluate(np.zeros((2, network.n_genes)))


@pytest.mark.parametrize(("learned", "wanted"), [(ne.RightClass(), "softmax"), (ne.Within(0.1), "logistic")])
def test_network_whose_outputs_are_no_probabilities_is_refused(learned, wanted):
    problem = ne.SequenceProblem(
        np.ones((1, 4, 1)), np.eye(2)[[[0, 1, 0, 1]]], learned=learned, objective="cross_entropy"
    )
    ne.LocalEvaluator(ne.Elman(1, 2, 2, output_activation=wanted), problem).close()
    with pytest.raises(ne.BadInput, match=f"needs output_activation = \"{wanted}\", got 'linear'"):
        ne.LocalEvaluator(ne.Elman(1, 2, 2), problem)


def test_every_objective_is_tested_here():
    assert {name for name, _ in CASES} == set(OBJECTIVES)

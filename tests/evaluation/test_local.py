"""LocalEvaluator: the same errors as the slow oracle, whatever counts, and failures that stay with their genome."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neuroevo as ne
from neuroevo.evaluation import fallback, memory, plans
from tests.networks.drawn import networks
from tests.oracle import recurrent as oracle

RELATIVE = {"single": 2e-5, "double": 1e-11}
SOFT = ("tanh", "logistic", "softsign", "relu", "linear", "sine")

EVERY_KIND = {
    "elman": ne.Elman(2, 5, 3),
    "jordan": ne.Jordan(2, 5, 3, output_activation="tanh"),
    "ctrnn": ne.Ctrnn(2, 5, 3),
    "lstm": ne.Lstm(2, 5, 3),
    "gru": ne.Gru(2, 5, 3),
    "graph": ne.Graph(2, 7, 3, {"density": 0.4, "seed": 1}),
    "locally_recurrent": ne.LocallyRecurrent(2, 5, 3, ma_taps=3, dynamic_output=True),
    "lif": ne.Lif(2, 5, 3, refractory=1, substeps=2, skip=True),
}


def problem_for(network, seed, n_sequences, n_steps, learned=None, **settings):
    """Random sequences of random lengths, with masks, two parts and a washout that leaves something to count."""
    rng = np.random.default_rng(seed)
    shape = (n_sequences, n_steps, network.n_outputs)
    targets = rng.normal(size=shape)
    mask = rng.random(shape) < 0.8
    if isinstance(learned, ne.RightClass):
        targets = np.eye(network.n_outputs)[rng.integers(0, network.n_outputs, shape[:2])]
        mask[:] = mask[:, :, :1]
    lengths = rng.integers(1, n_steps + 1, n_sequences)
    lengths[rng.integers(n_sequences)] = n_steps
    train = rng.random((n_sequences, n_steps)) < 0.6
    longest = int(lengths.argmax())
    train[longest, -1], train[longest, -2] = True, False
    mask[longest, -2:] = True
    return ne.SequenceProblem(
        rng.normal(size=(n_sequences, n_steps, network.n_inputs)), targets, lengths=lengths, target_mask=mask,
        washout=int(rng.integers(0, min(3, n_steps - 1))), parts={"train": train, "test": ~train}, learned=learned,
        **settings,
    )  # fmt: skip


def assert_equals_oracle(network, problem, population, precision, part="train"):
    with ne.LocalEvaluator(network, problem, n_threads=2, precision=precision) as evaluator:
        evaluation = evaluator.evaluate(population, part)
    tolerance = None if isinstance(problem.learned, ne.RightClass) else problem.learned.tolerance
    expected = [oracle.error(network, genome, problem, part) for genome in population]
    learned = [oracle.learned(network, genome, problem, part, tolerance) for genome in population]
    np.testing.assert_allclose(evaluation.error, expected, rtol=RELATIVE[precision])
    np.testing.assert_allclose(evaluation.learned, learned, atol=1e-12)
    np.testing.assert_array_equal(evaluation.fitness, 1.0 / evaluation.error)
    assert evaluation.n_failed == 0


@settings(max_examples=40, deadline=None)
@given(
    networks(max_units=19, competing=True),
    st.integers(0, 10**6),
    st.integers(1, 9),
    st.integers(2, 9),
    st.sampled_from(["train", "test"]),
)
def test_error_and_learned_equal_the_oracle_in_double(network, seed, n_sequences, n_steps, part):
    problem = problem_for(network, seed, n_sequences, n_steps, learned=ne.Within(0.5), weight_decay=0.125)
    population = np.random.default_rng(seed).normal(size=(2, network.n_genes)) * 0.5
    assert_equals_oracle(network, problem, population, "double", part)


@settings(max_examples=25, deadline=None)
@given(networks(max_units=19, with_fixed=False), st.integers(0, 10**6), st.integers(1, 9), st.integers(2, 9))
def test_error_and_learned_equal_the_oracle_in_single(network, seed, n_sequences, n_steps):
    if getattr(network, "activation", "tanh") not in SOFT:
        return
    problem = problem_for(network, seed, n_sequences, n_steps, learned=ne.Within(0.5))
    population = np.random.default_rng(seed).normal(size=(2, network.n_genes)) * 0.3
    assert_equals_oracle(network, problem, population, "single")


@pytest.mark.parametrize("precision", ["single", "double"])
def test_right_class_is_counted(precision):
    network = ne.Elman(2, 5, 4, output_activation="softmax")
    problem = problem_for(network, 3, 6, 20, learned=ne.RightClass())
    population = np.random.default_rng(3).normal(size=(9, network.n_genes))
    assert_equals_oracle(network, problem, population, precision)


@pytest.mark.parametrize("n_hidden", [1, 3, 4, 8, 15, 33])
def test_graph_with_all_links_equals_elman(n_hidden):
    elman, graph = ne.Elman(2, n_hidden, 3), ne.Graph(2, n_hidden, 3, "all")
    problem = problem_for(elman, n_hidden, 5, 30)
    rng = np.random.default_rng(n_hidden)
    genome = rng.normal(size=elman.n_genes) * 0.3
    arrays = elman.layout.decode(genome)
    to_units = np.column_stack([arrays["weight_ih_l0"], arrays["bias_l0"], arrays["weight_hh_l0"]])
    to_outputs = np.column_stack([arrays["bias_out"], arrays["weight_out"]])
    links = np.concatenate([to_units.ravel(), to_outputs.ravel()])
    errors = []
    for network, genes in ((elman, genome), (graph, links)):
        with ne.LocalEvaluator(network, problem, precision="double") as evaluator:
            errors.append(evaluator.evaluate(genes[None, :]).error[0])
    assert errors[0] == pytest.approx(errors[1], rel=1e-13)


def test_single_precision_stays_accurate_over_a_hundred_thousand_steps():
    network = ne.Elman(1, 2, 1)
    rng = np.random.default_rng(0)
    inputs, targets = rng.normal(size=(1, 100_000, 1)), rng.normal(size=(1, 100_000, 1))
    problem = ne.SequenceProblem(inputs, targets)
    population = rng.normal(size=(3, network.n_genes)) * 0.5
    with ne.LocalEvaluator(network, problem) as evaluator:
        error = evaluator.evaluate(population).error
    expected = [np.mean((network.predict(genome, inputs) - targets) ** 2) for genome in population]
    np.testing.assert_allclose(error, expected, rtol=1e-6)


@pytest.mark.parametrize("precision", ["single", "double"])
@pytest.mark.parametrize("kind", EVERY_KIND)
def test_bits_do_not_depend_on_company_position_or_threads(kind, precision):
    network = EVERY_KIND[kind]
    problem = problem_for(network, 11, 7, 70)
    population = np.random.default_rng(5).normal(size=(300, network.n_genes))
    with ne.LocalEvaluator(network, problem, n_threads=1, precision=precision) as evaluator:
        error = evaluator.evaluate(population).error
        alone = [evaluator.evaluate(population[k : k + 1]).error[0] for k in (0, 7, 16, 299)]
        assert alone == [error[k] for k in (0, 7, 16, 299)]
        order = np.random.default_rng(6).permutation(300)
        np.testing.assert_array_equal(evaluator.evaluate(population[order]).error, error[order])
        np.testing.assert_array_equal(evaluator.evaluate(population[3:77]).error, error[3:77])
    for n_threads in (2, 3):
        with ne.LocalEvaluator(network, problem, n_threads=n_threads, precision=precision) as evaluator:
            np.testing.assert_array_equal(evaluator.evaluate(population).error, error)


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_bits_of_a_sequence_do_not_depend_on_the_others(kind):
    network = EVERY_KIND[kind]
    rng = np.random.default_rng(2)
    inputs, targets = rng.normal(size=(6, 40, 2)), rng.normal(size=(6, 40, 3))
    lengths = np.array([40, 3, 17, 40, 1, 29])
    genome = rng.normal(size=(1, network.n_genes))

    def error(chosen):
        problem = ne.SequenceProblem(inputs[chosen], targets[chosen], lengths=lengths[chosen])
        with ne.LocalEvaluator(network, problem) as evaluator:
            return evaluator.evaluate(genome).error[0] * lengths[chosen].sum() * 3

    together = error(list(range(6)))
    assert together == pytest.approx(sum(error([s]) for s in range(6)), rel=1e-14)
    assert together == pytest.approx(error([4, 2, 0, 5, 1, 3]), rel=1e-14)


UNIT_LANES = [
    (ne.Elman(1, 64, 1), 1),
    (ne.Elman(3, 48, 2, initial_state=True, activation="logistic"), 3),
    (ne.Elman(2, 57, 3, initial_state=True), 2),
    (ne.Elman(3, 57, 2, initial_state=True, skip=True), 2),
    (ne.Elman(2, 32, 4, activation="relu", fixed={"weight_hh_l0": np.where(np.eye(32) > 0, np.nan, 0.0)}), 1),
]


@pytest.mark.parametrize("precision", ["single", "double"])
@pytest.mark.parametrize(("network", "n_sequences"), UNIT_LANES)
def test_lanes_of_units_and_lanes_of_genomes_give_the_same_bits(network, n_sequences, precision, monkeypatch):
    problem = problem_for(network, 4, n_sequences, 333, weight_decay=0.25)
    population = np.random.default_rng(4).normal(size=(19, network.n_genes)) * 0.3
    population[5] = np.nan
    results = []
    for by_units in (True, False):
        monkeypatch.setattr(plans, "suits_units", lambda *_, chosen=by_units: chosen)
        with ne.LocalEvaluator(network, problem, n_threads=2, precision=precision) as evaluator:
            results.append(evaluator.evaluate(population))
    assert np.isinf(results[0].error[5])
    np.testing.assert_array_equal(results[0].error, results[1].error)
    np.testing.assert_array_equal(results[0].learned, results[1].learned)


@pytest.mark.parametrize("skip", [False, True])
def test_many_units_on_one_series_equal_the_oracle(skip):
    network = ne.Elman(2, 32, 1, skip=skip)
    problem = problem_for(network, 9, 1, 40, learned=ne.Within(0.5))
    assert plans.suits_units(network, problem)
    population = np.random.default_rng(9).normal(size=(3, network.n_genes)) * 0.3
    assert_equals_oracle(network, problem, population, "double")


@pytest.mark.parametrize("poison", [np.nan, np.inf, -np.inf, 1e300])
@pytest.mark.parametrize("kind", EVERY_KIND)
def test_failed_genome_touches_no_other(kind, poison):
    network = EVERY_KIND[kind]
    problem = problem_for(network, 1, 5, 80)
    population = np.random.default_rng(1).normal(size=(40, network.n_genes))
    with ne.LocalEvaluator(network, problem) as evaluator:
        healthy = evaluator.evaluate(population)
        ill = population.copy()
        ill[[0, 17, 39]] = poison
        evaluation = evaluator.evaluate(ill)
    others = np.delete(np.arange(40), [0, 17, 39])
    np.testing.assert_array_equal(evaluation.error[others], healthy.error[others])
    np.testing.assert_array_equal(evaluation.learned[others], healthy.learned[others])
    failed = ~np.isfinite(evaluation.error)
    assert evaluation.n_failed == failed.sum()
    assert (evaluation.learned[failed] == 0).all()
    assert (evaluation.fitness[failed] == 0).all()
    if np.isnan(poison):
        assert failed[[0, 17, 39]].all()


def test_population_that_fails_as_a_whole_stops_early():
    network = ne.Elman(1, 8, 1, activation="linear")
    rng = np.random.default_rng(0)
    problem = ne.SequenceProblem(rng.normal(size=(1, 200_000, 1)), rng.normal(size=(1, 200_000, 1)))
    population = rng.normal(size=(64, network.n_genes)) * 3.0
    with ne.LocalEvaluator(network, problem, n_threads=1) as evaluator:
        evaluator.evaluate(population[:1])
        evaluation = evaluator.evaluate(population)
        healthy = evaluator.evaluate(population * 0.01)
    assert evaluation.n_failed == 64
    assert evaluation.seconds < 0.2 * healthy.seconds


def test_short_sequences_cost_what_they_are_long():
    network = ne.Elman(1, 16, 1)
    rng = np.random.default_rng(0)
    inputs, targets = rng.normal(size=(8, 20_000, 1)), rng.normal(size=(8, 20_000, 1))
    population = rng.normal(size=(16, network.n_genes)) * 0.3
    seconds = []
    for lengths in ([20_000, 1, 1, 1, 1, 1, 1, 1], [20_000] * 8):
        problem = ne.SequenceProblem(inputs, targets, lengths=lengths)
        with ne.LocalEvaluator(network, problem, n_threads=1) as evaluator:
            evaluator.compile()
            seconds.append(min(evaluator.evaluate(population).seconds for _ in range(5)))
    assert seconds[0] < 0.45 * seconds[1]


def test_empty_population_gives_an_empty_evaluation():
    network = ne.Elman(1, 2, 1)
    problem = ne.SequenceProblem(np.ones((1, 3, 1)), np.ones((1, 3, 1)))
    with ne.LocalEvaluator(network, problem) as evaluator:
        evaluation = evaluator.evaluate(np.empty((0, network.n_genes)))
    assert evaluation.error.shape == evaluation.learned.shape == (0,)


def test_evaluating_changes_neither_population_nor_problem():
    network = ne.Gru(2, 3, 2)
    problem = problem_for(network, 0, 3, 10)
    population = np.random.default_rng(0).normal(size=(20, network.n_genes))
    copies = population.copy(), problem.inputs.copy()
    population.flags.writeable = False
    with ne.LocalEvaluator(network, problem) as evaluator:
        evaluator.evaluate(population)
    np.testing.assert_array_equal(population, copies[0])
    np.testing.assert_array_equal(problem.inputs, copies[1])


@pytest.mark.parametrize(
    ("settings", "kind", "message"),
    [
        ({"precision": "half"}, ValueError, "single or double"),
        ({"n_threads": 0}, ValueError, "at least 1"),
        ({"n_threads": 1.5}, TypeError, "whole number"),
        ({"n_threads": True}, TypeError, "whole number"),
    ],
)
def test_wrong_settings_are_refused(settings, kind, message):
    problem = ne.SequenceProblem(np.ones((1, 3, 1)), np.ones((1, 3, 1)))
    with pytest.raises(kind, match=message):
        ne.LocalEvaluator(ne.Elman(1, 2, 1), problem, **settings)


def test_network_that_does_not_fit_the_problem_is_refused():
    problem = ne.SequenceProblem(np.ones((1, 3, 1)), np.ones((1, 3, 2)))
    with pytest.raises(ValueError, match="same n_outputs, got 1 and 2"):
        ne.LocalEvaluator(ne.Elman(1, 2, 1), problem)


def test_unknown_part_is_refused():
    network = ne.Elman(1, 2, 1)
    problem = ne.SequenceProblem(np.ones((1, 3, 1)), np.ones((1, 3, 1)))
    with ne.LocalEvaluator(network, problem) as evaluator, pytest.raises(ValueError, match="no part 'exam'"):
        evaluator.evaluate(np.ones((1, network.n_genes)), "exam")


def test_working_memory_beyond_the_machine_is_refused_before_it_is_allocated(monkeypatch):
    network = ne.Elman(1, 4, 1)
    problem = ne.SequenceProblem(np.ones((1, 3, 1)), np.ones((1, 3, 1)))
    evaluator = ne.LocalEvaluator(network, problem)
    monkeypatch.setattr(memory, "available_bytes", lambda: 1000)
    with pytest.raises(MemoryError, match="working memory of a thread"):
        evaluator.evaluate(np.ones((1, network.n_genes)))


def test_compilation_is_announced_once(monkeypatch, caplog):
    network = ne.Elman(1, 2, 1)
    problem = ne.SequenceProblem(np.ones((1, 3, 1)), np.ones((1, 3, 1)))
    evaluator = ne.LocalEvaluator(network, problem)
    monkeypatch.setattr(ne.LocalEvaluator, "is_compiled", False)
    with caplog.at_level(logging.INFO, logger="neuroevo"):
        evaluator.evaluate(np.ones((1, network.n_genes)))
        evaluator.evaluate(np.ones((1, network.n_genes)))
    assert [record.getMessage().split(":")[0] for record in caplog.records] == [
        "compiling the elman kernel in single precision"
    ]


def test_compiled_kernel_is_known_as_such():
    problem = ne.SequenceProblem(np.ones((1, 3, 1)), np.ones((1, 3, 1)))
    ne.LocalEvaluator(ne.Elman(1, 2, 1), problem).compile()
    assert ne.LocalEvaluator(ne.Elman(1, 7, 1), problem).is_compiled


@dataclass(frozen=True)
class NoKernel:
    """A network kind of one's own: an Elman network under another name."""

    kind: ClassVar[str] = "own"
    n_inputs: int = 2
    n_outputs: int = 3
    inner: ne.Elman = EVERY_KIND["elman"]

    @property
    def n_genes(self):
        return self.inner.n_genes

    def predict(self, genome, inputs, lengths=None):
        return self.inner.predict(genome, inputs, lengths)

    def predict_rows(self, genome, rows, lengths):
        return self.inner.predict_rows(genome, rows, lengths)


def test_network_without_a_kernel_is_evaluated_by_predict_and_says_so_once():
    network = NoKernel()
    problem = problem_for(network.inner, 8, 4, 12, weight_decay=0.5)
    population = np.random.default_rng(8).normal(size=(5, network.n_genes))
    population[2] = np.nan
    fallback._warned.clear()
    with pytest.warns(UserWarning, match="'own' has no kernel"):
        evaluator = ne.LocalEvaluator(network, problem)
    ne.LocalEvaluator(network, problem)
    evaluation = evaluator.evaluate(population)
    with ne.LocalEvaluator(network.inner, problem, precision="double") as fast:
        expected = fast.evaluate(population)
    np.testing.assert_allclose(evaluation.error, expected.error, rtol=1e-12)
    np.testing.assert_array_equal(evaluation.learned, expected.learned)
    assert evaluation.n_failed == 1


@dataclass(frozen=True, eq=False)
class Sluggish(ne.Elman):
    """An Elman network with a step of its own, which inherits the kind and the kernel's every setting."""

    def _step(self, arrays, layer, sources, state):
        (h,) = super()._step(arrays, layer, sources, state)
        return (0.5 * state[0] + 0.5 * h,)


def test_subclass_of_a_kind_with_a_kernel_is_evaluated_by_its_own_predict():
    network = Sluggish(2, 30, 3)
    problem = problem_for(network, 8, 1, 12)
    genome = np.random.default_rng(8).normal(size=(1, network.n_genes))
    fallback._warned.clear()
    with pytest.warns(UserWarning, match="Sluggish, derived from 'elman', has no kernel"):
        evaluator = ne.LocalEvaluator(network, problem)
    counted = problem.counted("train")
    difference = network.predict(genome[0], problem.inputs, problem.lengths) - problem.targets
    assert evaluator.evaluate(genome).error[0] == pytest.approx(np.mean(difference[counted] ** 2), rel=1e-12)

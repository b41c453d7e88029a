"""The truncated gradient of the first LSTM, in a batch and online, against forward-mode derivatives in numpy."""

from __future__ import annotations

import numpy as np
import pytest

import neuroevo as ne
from neuroevo.evaluation.backends.by_lstm import ByLstm
from neuroevo.evaluation.learning import Learning, Online
from tests.oracle import lstm_truncated as oracle

CASES = {
    "1997": ne.Lstm(2, 4, 2, forget_gate=False),
    "1997_started": ne.Lstm(1, 3, 1, forget_gate=False, initial_state=True, skip=True),
    "forgetting": ne.Lstm(2, 4, 9),
    "forgetting_started": ne.Lstm(3, 5, 2, initial_state=True, skip=True),
    "fixed": ne.Lstm(2, 3, 2, fixed={"weight_hh_l0": 0.25, "bias_out": [0.5, np.nan]}),
}


def made(network, n_sequences=5, n_steps=12):
    """A problem with masks and unequal lengths, a population, and both as the oracle takes them."""
    rng = np.random.default_rng(len(network.layout.names) + network.n_genes)
    lengths = np.array([7, n_steps, 3, 10, n_steps])[:n_sequences]
    shape = (n_sequences, n_steps)
    problem = ne.SequenceProblem(
        rng.normal(size=(*shape, network.n_inputs)), rng.normal(size=(*shape, network.n_outputs)), lengths=lengths,
        target_mask=rng.random((*shape, network.n_outputs)) < 0.7,
    )  # fmt: skip
    population = rng.normal(size=(11, network.n_genes))
    # What comes behind the last target that counts is not run.
    counted = [mask[:n] for n, mask in zip(lengths, problem.target_mask, strict=True)]
    n_run = [1 + int(np.flatnonzero(mask.any(axis=1))[-1]) for mask in counted]
    columns = [[a[s, :n] for s, n in enumerate(n_run)] for a in (problem.inputs, problem.targets, problem.target_mask)]
    return problem, population, columns


def told(network, problem, population, wants, learning, precision="double", n_threads=1):
    backend = ByLstm(network, problem, n_threads=n_threads, precision=precision)
    try:
        return backend.evaluate(population, "train", frozenset({wants}), learning)
    finally:
        backend.close()


@pytest.mark.parametrize("case", CASES)
def test_truncated_gradient_equals_derivatives_that_run_along_with_the_cell(case):
    network = CASES[case]
    problem, population, columns = made(network)
    found = told(network, problem, population, "gradient", Learning("lstm_truncated"))["gradient"]
    n_targets = sum(counts.sum() for counts in columns[2])
    for k in (0, 10):
        arrays = network.layout.decode(population[k])
        expected = oracle.gradient(arrays, *columns, network.forget_gate)
        genes = genes_of(network, expected) / n_targets
        np.testing.assert_allclose(found[k], genes, rtol=1e-10, atol=1e-10 * np.abs(genes).max())


def genes_of(network, arrays):
    """The entries of arrays that have genes."""
    found = np.zeros(network.n_genes)
    for block in network.layout.blocks:
        found[block.genes[block.genes >= 0]] = arrays[block.name][block.genes >= 0]
    return found


ONLINE = {
    "every step": Online(0.01),
    "every third": Online(0.02, interval=3),
    "momentum": Online(0.003, momentum=0.9, interval=2),
    "clipped": Online(0.05, clip=0.7, momentum=0.3),
}


class Steps:
    """Down the oracle's gradient, as `Online` says."""

    def __init__(self, network, online):
        self.online, self.waited = online, 0
        self.is_gene = {block.name: block.genes >= 0 for block in network.layout.blocks}
        self.last = dict.fromkeys(network.layout.names, 0.0)

    def moved(self, arrays, gradient, ends):
        online, self.waited = self.online, self.waited + 1
        if self.waited < online.interval and not ends:
            return arrays, gradient
        self.waited = 0
        norm = np.sqrt(sum((gradient[name][is_gene] ** 2).sum() for name, is_gene in self.is_gene.items()))
        share = online.clip / norm if 0 < online.clip < norm else 1.0
        for name, is_gene in self.is_gene.items():
            self.last[name] = online.momentum * self.last[name] - online.rate * share * gradient[name] * is_gene
        after = {name: array + self.last[name] for name, array in arrays.items()}
        return after, {name: np.zeros_like(array) for name, array in gradient.items()}


@pytest.mark.parametrize("way", ONLINE)
@pytest.mark.parametrize("case", CASES)
def test_online_learning_equals_steps_along_the_oracles_derivatives(case, way):
    network, online = CASES[case], ONLINE[way]
    problem, population, columns = made(network)
    found = told(network, problem, population, "refined", Learning("lstm_truncated", online=online))
    for k in (0, 10):
        steps = Steps(network, online)
        expected = oracle.gradient(network.layout.decode(population[k]), *columns, network.forget_gate, steps.moved)
        np.testing.assert_allclose(found["refined"][k], genes_of(network, expected), rtol=1e-9, atol=1e-10)
    with ne.LocalEvaluator(network, problem, precision="double") as evaluator:
        np.testing.assert_array_equal(found["error"], evaluator.evaluate(found["refined"]).error)


def test_genomes_stay_as_they_are_at_rate_zero():
    network = CASES["forgetting_started"]
    problem, population, _ = made(network)
    learning = Learning("lstm_truncated", online=Online(0.0, momentum=0.5, clip=1.0))
    found = told(network, problem, population, "refined", learning, "single")["refined"]
    assert found.tobytes() == population.tobytes()


@pytest.mark.parametrize("precision", ["single", "double"])
def test_bits_do_not_depend_on_company_or_threads(precision):
    network = CASES["forgetting_started"]
    problem, population, _ = made(network)
    population = np.repeat(population, 4, axis=0)
    for wants, learning in (
        ("gradient", Learning("lstm_truncated")),
        ("refined", Learning("lstm_truncated", online=Online(0.01, momentum=0.5, clip=1.0))),
    ):
        whole = told(network, problem, population, wants, learning, precision, n_threads=3)[wants]
        alone = told(network, problem, population[5:6], wants, learning, precision)[wants]
        assert whole[5].tobytes() == whole[4].tobytes() == alone[0].tobytes()


@pytest.mark.parametrize("network", [ne.Lstm(1, 2, 1, n_layers=2), ne.Gru(1, 2, 1)], ids=["stacked", "gru"])
def test_stacked_and_other_cells_have_no_truncated_gradient(network):
    problem = ne.SequenceProblem(np.zeros((1, 3, 1)), np.zeros((1, 3, 1)))
    with pytest.raises(
        ne.BadInput, match=f"no backend gives gradient by lstm_truncated for a network '{network.kind}'"
    ):
        ne.LocalEvaluator(network, problem, wants=frozenset({"gradient"}), methods=frozenset({"lstm_truncated"}))

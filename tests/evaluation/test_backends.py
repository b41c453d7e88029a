"""Every backend computes the same errors, and the one that is chosen offers what is wanted."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest

import neuroevo as ne
from neuroevo.errors import BadInput
from neuroevo.evaluation import BACKENDS, Backend, Learning, fallback
from neuroevo.evaluation.backends import choose
from neuroevo.evaluation.cells import CELLS
from neuroevo.registry import Registry
from tests.evaluation.test_local import EVERY_KIND, problem_for
from tests.oracle import recurrent as oracle

NETWORKS = {**EVERY_KIND, "many units": ne.Elman(2, 32, 3)}
OWN = ("by_units", "compiled", "by_score")
CASES = [(name, kind) for name in OWN for kind in NETWORKS if name != "by_units" or kind == "many units"]


@pytest.mark.filterwarnings("ignore:.*has no kernel")
@pytest.mark.parametrize("part", ["train", "test"])
@pytest.mark.parametrize(("name", "kind"), CASES)
def test_errors_equal_the_oracle_in_the_order_asked(name, kind, part):
    network = NETWORKS[kind]
    problem = problem_for(network, 3, 3, 9, learned=ne.Within(0.5), weight_decay=0.25)
    genomes = np.random.default_rng(3).normal(size=(19, network.n_genes)) * 0.5
    genomes.flags.writeable = False
    assert BACKENDS[name].supports(network, problem)
    backend = BACKENDS[name](network, problem, n_threads=2, precision="double")
    found = backend.evaluate(genomes, part)
    backend.close()
    backend.close()
    assert set(found) == {"error", "learned"}
    for k in (0, 7, 18):
        assert found["error"][k] == pytest.approx(oracle.error(network, genomes[k], problem, part), rel=1e-11)
        assert found["learned"][k] == pytest.approx(oracle.learned(network, genomes[k], problem, part, 0.5), abs=1e-12)


@pytest.mark.filterwarnings("ignore:.*has no kernel")
@pytest.mark.parametrize("name", OWN)
def test_unknown_part_is_refused(name):
    network = NETWORKS["many units"]
    backend = BACKENDS[name](network, problem_for(network, 1, 2, 5), n_threads=1, precision="double")
    with pytest.raises(BadInput, match="no part 'exam'"):
        backend.evaluate(np.zeros((1, network.n_genes)), "exam")


def test_backend_that_is_chosen_follows_from_network_and_problem():
    few, many = (problem_for(NETWORKS["many units"], 1, n, 5) for n in (3, 4))
    assert choose(NETWORKS["many units"], few) is BACKENDS["by_units"]
    assert choose(NETWORKS["many units"], many) is BACKENDS["compiled"]
    assert choose(NETWORKS["lstm"], many) is BACKENDS["compiled"]


class Differences(Backend):
    """The gradient by central differences of the error by `predict`; Elman networks only."""

    offers = frozenset({"gradient"})

    def __init__(self, network, problem, *, n_threads, precision):
        self.settings = n_threads, precision
        self.inner = BACKENDS["compiled"](network, problem, n_threads=n_threads, precision="double")

    @classmethod
    def supports(cls, network, problem):
        return isinstance(network, ne.Elman)

    def evaluate(self, genomes, part, wants=frozenset()):
        found = self.inner.evaluate(genomes, part)
        if "gradient" in wants:
            steps = 1e-6 * np.eye(genomes.shape[1])
            shifted = [np.concatenate([genome + steps, genome - steps]) for genome in genomes]
            errors = self.inner.evaluate(np.concatenate(shifted), part)["error"].reshape(len(genomes), 2, -1)
            found["gradient"] = (errors[:, 0] - errors[:, 1]) / 2e-6
        return found


@pytest.fixture
def backends(monkeypatch):
    """Registers backends of other packages in a registry of the test's own."""
    registry = Registry("backend", "neuroevo.no_such_group", {name: BACKENDS._targets[name] for name in OWN})
    monkeypatch.setattr("neuroevo.evaluation.backends.BACKENDS", registry)
    return registry.register


@pytest.fixture
def foreign(backends):
    """The registry with a backend of another package."""
    backends("differences", Differences)


@pytest.mark.usefixtures("foreign")
def test_backend_of_another_package_comes_first_and_its_findings_are_handed_over():
    network = NETWORKS["elman"]
    problem = problem_for(network, 5, 3, 9)
    genomes = np.random.default_rng(5).normal(size=(4, network.n_genes)) * 0.5
    wants = frozenset({"gradient"})
    with ne.LocalEvaluator(network, problem, n_threads=1, wants=wants) as evaluator:
        assert isinstance(evaluator._backend, Differences)
        assert evaluator._backend.settings == (1, "single")
        assert evaluator.offers == wants
        assert evaluator.evaluate(genomes).more == {}
        found = evaluator.evaluate(genomes, "train", wants)
    gradient = found.more["gradient"]
    assert not gradient.flags.writeable
    step = 1e-4 * np.random.default_rng(6).normal(size=network.n_genes)
    for k, genome in enumerate(genomes):
        rise = oracle.error(network, genome + step, problem) - oracle.error(network, genome - step, problem)
        assert 2 * gradient[k] @ step == pytest.approx(rise, rel=1e-4)


@pytest.mark.usefixtures("foreign")
def test_backend_of_another_package_is_left_out_where_it_does_not_fit():
    network = NETWORKS["gru"]
    problem = problem_for(network, 5, 3, 9)
    assert choose(network, problem) is BACKENDS["compiled"]
    fallback._warned.clear()
    message = "no backend gives curvature, gradient for a network 'gru' .* there are compiled: error; by_score: error"
    with pytest.raises(BadInput, match=message):
        ne.LocalEvaluator(network, problem, wants=frozenset({"gradient", "curvature"}))


@pytest.mark.usefixtures("foreign")
def test_who_offers_something_else_is_named():
    network = NETWORKS["elman"]
    with pytest.raises(BadInput, match="there are differences: error, gradient; compiled: error"):
        choose(network, problem_for(network, 5, 3, 9), frozenset({"refined"}))


class TwoWays(Differences):
    """The same under two names; what it is told of them is noted."""

    told: ClassVar[list] = []

    @classmethod
    def methods(cls, network):
        return frozenset({"bptt", "rtrl"})

    def evaluate(self, genomes, part, wants=frozenset(), learning=None):
        self.told.append(learning)
        return super().evaluate(genomes, part, wants)


def test_a_backend_is_chosen_by_the_methods_that_it_knows(backends):
    network = NETWORKS["elman"]
    problem, gradient = problem_for(network, 5, 3, 9), frozenset({"gradient"})
    backends("a", Differences)
    assert choose(network, problem, gradient) is Differences
    with pytest.raises(
        BadInput, match=r"gradient by rtrl for .*; there are a: error, gradient by bptt; compiled: error"
    ):
        choose(network, problem, gradient, frozenset({"rtrl"}))
    backends("b", TwoWays)
    assert choose(network, problem, gradient) is Differences
    assert choose(network, problem, gradient, frozenset({"rtrl"})) is TwoWays


def test_a_backend_is_told_how_where_that_is_not_the_usual_way(backends):
    network = NETWORKS["elman"]
    backends("b", TwoWays)
    TwoWays.told.clear()
    rtrl, genomes = Learning("rtrl"), np.full((2, network.n_genes), 0.1)
    with ne.LocalEvaluator(network, problem_for(network, 5, 3, 9)) as evaluator:
        found = [evaluator.gradient(genomes, learning=learning) for learning in (None, Learning(), rtrl)]
        assert TwoWays.told == [None, None, rtrl]
        np.testing.assert_array_equal(found[0], found[2])
        wanted = evaluator.evaluate(genomes, wants=frozenset({"gradient"}), learning=rtrl)
        np.testing.assert_array_equal(found[0], wanted.more["gradient"])
        with pytest.raises(BadInput, match="finds derivatives by bptt, rtrl, got 'crbp'"):
            evaluator.evaluate(genomes, wants=frozenset({"gradient"}), learning=Learning("crbp"))


def test_gradients_are_there_for_an_evaluator_that_was_made_without(backends):
    network = NETWORKS["elman"]
    problem, genomes = problem_for(network, 5, 3, 9), np.full((2, network.n_genes), 0.1)
    with ne.LocalEvaluator(network, problem) as evaluator:
        before = evaluator.evaluate(genomes).error
        backends("a", Differences)
        expected = Differences(network, problem, n_threads=1, precision="single")
        found = expected.evaluate(genomes, "train", frozenset({"gradient"}))["gradient"]
        np.testing.assert_array_equal(evaluator.gradient(genomes), found)
        np.testing.assert_array_equal(evaluator.evaluate(genomes).error, before)


def test_what_the_backend_does_not_offer_is_refused():
    network = NETWORKS["elman"]
    with (
        ne.LocalEvaluator(network, problem_for(network, 5, 3, 9)) as evaluator,
        pytest.raises(BadInput, match=r"gives nothing beside the error, got wants=\['gradient'\]"),
    ):
        evaluator.evaluate(np.zeros((1, network.n_genes)), wants=frozenset({"gradient"}))


class Short(Differences):
    def evaluate(self, genomes, part, wants=frozenset()):
        return {"error": np.zeros(1), "learned": np.zeros(1)}


def test_backend_that_forgets_genomes_is_a_defect(foreign, monkeypatch):
    monkeypatch.setattr(Differences, "evaluate", Short.evaluate)
    network = NETWORKS["elman"]
    with (
        ne.LocalEvaluator(network, problem_for(network, 5, 3, 9)) as evaluator,
        pytest.raises(RuntimeError, match="Differences gave no 'error' of all 2 genomes"),
    ):
        evaluator.evaluate(np.zeros((2, network.n_genes)))


def test_what_is_no_backend_is_refused():
    with pytest.raises(BadInput, match="'mine' must be a class derived from Backend, got <class 'dict'>"):
        BACKENDS.register("mine", dict)


def test_kernel_of_another_kind_is_refused():
    with pytest.raises(BadInput, match="'mine' must be a Kernel of a network of that kind, got Kernel"):
        CELLS.register("mine", CELLS["elman"])

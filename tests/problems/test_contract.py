"""What every problem promises, over the registry, and what is asked of problems that are no sequences."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

import neuroevo as ne
from neuroevo.problems import (
    PROBLEMS,
    NotSequences,
    Problem,
    Results,
    SequenceProblem,
    as_sequences,
    checked_problem,
    problem_class,
)
from neuroevo.problems.baselines import baselines
from neuroevo.problems.learned import rule_of
from neuroevo.registry import UnknownName
from neuroevo.settings import SettingsError, parse_settings
from tests.problems.test_generators import GENERATORS

SHIPPED = Path(__file__).parents[2] / "scenarios"
OF_FILES = {
    "series": {"file": "data/sunspots_yearly.csv", "time": "year"},
    "sequences": {"file": "data/japanese_vowels.npz", "inputs": "X", "labels": "y", "parts": ["train", "test"]},
}
OF_EPISODES = {
    "single_pole": {"n_steps": 50, "test_steps": 20},
    "double_pole": {"n_steps": 50, "test_steps": 20, "fitness": "damping", "damping_steps": 120},
    "t_maze": {"length": 3, "test_length": 5, "noise": True, "n_test": 4},
    "distracted_recall": {"length": 4, "n_train": 6, "n_test": 4},
    "mountain_car": {"n_steps": 60, "n_train": 3, "n_test": 2, "velocities": True},
    "acrobot": {"n_steps": 40, "n_train": 3, "n_test": 2},
    "simulator": {"function": "tests.problems.control.simulators:follow", "n_inputs": 1, "n_outputs": 1, "n_test": 5},
    "compiled_simulator": {
        "functions": "tests.problems.control.simulators:Chase", "n_inputs": 2, "n_outputs": 1, "n_state": 2,
        "n_steps": 30, "n_test": 5,
    },
    "gymnasium": {"environment": "CartPole-v1", "n_test": 5},
}  # fmt: skip
KINDS = {**GENERATORS, **OF_FILES, **OF_EPISODES}


def build(kind, **values):
    if kind == "gymnasium":
        pytest.importorskip("gymnasium")
    return parse_settings(PROBLEMS[kind], {**KINDS[kind], **values}, "problem").build(SHIPPED)


@dataclass(frozen=True)
class Distance(Problem):
    """The genome should be a number everywhere."""

    kind = "distance"
    n_inputs, n_outputs, parts = 1, 1, ("train", "test")
    wanted: float = 3.0

    def score(self, network, genome, part):
        wanted = self.wanted if part == "train" else -self.wanted
        return float(np.abs(genome - wanted).sum()), float((np.abs(genome - wanted) < 0.5).mean())

    def to_arrays(self):
        return {"wanted": np.array(self.wanted)}

    @classmethod
    def from_arrays(cls, arrays):
        return cls(float(arrays["wanted"]))

    def describe(self):
        return f"every gene {self.wanted:g}"


@dataclass(frozen=True)
class FromFile:
    """Settings that build a problem of another class than sequences."""

    problem_class: ClassVar[type[Problem]] = Distance

    def build(self, folder):
        return Distance(7.0)


@pytest.fixture
def distance(monkeypatch):
    monkeypatch.setitem(PROBLEMS._members, "distance", Distance)
    return Distance()


@pytest.mark.parametrize("kind", PROBLEMS.names())
def test_every_problem_is_stored_found_and_opened_again(kind):
    problem = build(kind)
    assert checked_problem(problem) is problem
    assert "train" in problem.parts
    opened = problem_class(kind).from_arrays(problem.to_arrays())
    for other in (opened, pickle.loads(pickle.dumps(problem))):  # noqa: S301 - our own
        assert type(other) is type(problem)
        assert list(other.parts) == list(problem.parts)
        assert other.fingerprint() == problem.fingerprint()
    assert str(problem.describe())
    assert all(isinstance(sentence, str) for sentence in problem.warnings())
    assert all(name.startswith("scaling_") for name in problem.scaling_arrays())


@pytest.mark.parametrize("kind", PROBLEMS.names())
def test_the_score_is_what_the_evaluator_gives(kind):
    problem = build(kind)
    network = ne.Elman(problem.n_inputs, 2, problem.n_outputs)
    genome = np.random.default_rng(0).normal(size=network.n_genes)
    with ne.LocalEvaluator(network, problem, n_threads=1, precision="double") as evaluator:
        for part in problem.parts:
            evaluation = evaluator.evaluate(genome[None], part)
            error, learned = problem.score(network, genome, part)
            assert error == pytest.approx(evaluation.error[0], rel=1e-9)
            assert learned == evaluation.learned[0]


@pytest.mark.parametrize("kind", sorted({*PROBLEMS.names()} - {*OF_EPISODES}))
def test_the_table_has_the_champion_and_all_competitors_on_every_part(kind):
    problem = build(kind)
    network = ne.Elman(problem.n_inputs, 2, problem.n_outputs)
    genome = np.random.default_rng(0).normal(size=network.n_genes)
    table = problem.results(network, genome).to_dict()
    assert list(table["contestants"]) == ["champion", *(baseline.label for baseline in baselines(problem))]
    for parts in table["contestants"].values():
        assert list(parts) == list(problem.parts)
    for part in problem.parts:
        champion = table["contestants"]["champion"][part]
        assert table["measures"].keys() <= champion.keys()
        error, learned = problem.score(network, genome, part)
        decay = problem.weight_decay * (genome**2).mean()
        assert champion["error"] + decay == pytest.approx(error, rel=1e-12)
        assert champion["learned"] == learned


def test_what_a_part_asks_too_early_is_left_out_of_a_competitors_row_and_not_of_the_table():
    values = np.sin(np.arange(60.0))[None, :, None]
    late = np.arange(60)[None] >= 25
    early = np.arange(60)[None] < 5  # a linear model of order 9 sees its first nine values at step 8
    problem = SequenceProblem(values, values, parts={"train": late, "early": early}, tied=[0])
    network = ne.Elman(1, 1, 1)
    table = problem.results(network, np.zeros(network.n_genes)).to_dict()["contestants"]
    assert table["linear autoregression of order 9"]["early"] == {}
    assert table["champion"]["early"]["n_targets"] == 5


def test_figures_that_are_not_finite_have_no_form_in_json():
    table = Results({"a": "A"}, {"champion": {"train": {"a": np.inf, "b": np.nan, "c": None, "d": 1.0}}}).to_dict()
    assert table["contestants"]["champion"]["train"] == {"a": None, "b": None, "c": None, "d": 1.0}


def test_competitors_are_fitted_once(monkeypatch):
    fitted = []
    monkeypatch.setattr("neuroevo.problems.sequence.baselines", lambda problem: fitted.append(problem) or ())
    problem = build("sine")
    assert problem.competitors() == problem.competitors() == {}
    assert fitted == [problem]


def test_a_problem_of_another_kind_is_evaluated_by_its_own_score(distance):
    network = ne.Elman(1, 2, 1)
    population = np.random.default_rng(0).normal(2.5, 1.0, (5, network.n_genes))
    with ne.LocalEvaluator(network, distance) as evaluator:
        for part, wanted in (("train", 3.0), ("test", -3.0)):
            evaluation = evaluator.evaluate(population, part)
            np.testing.assert_allclose(evaluation.error, np.abs(population - wanted).sum(axis=1), rtol=1e-13)
            np.testing.assert_array_equal(evaluation.learned, (np.abs(population - wanted) < 0.5).mean(axis=1))
        with pytest.raises(ValueError, match="there is no part 'validation'; the problem has train, test"):
            evaluator.evaluate(population, "validation")


def test_a_problem_of_another_kind_has_a_table_of_its_own(distance):
    network = ne.Elman(1, 2, 1)
    table = distance.results(network, np.full(network.n_genes, 3.0)).to_dict()
    far = 6.0 * network.n_genes
    assert table == {
        "measures": {"error": "error", "learned": "share learnt"},
        "contestants": {"champion": {"train": {"error": 0, "learned": 1}, "test": {"error": far, "learned": 0}}},
    }


def test_settings_may_be_the_problem_or_name_its_class(distance, monkeypatch):
    assert distance.build(SHIPPED) is distance
    assert problem_class("distance") is Distance
    monkeypatch.setitem(PROBLEMS._members, "distance", FromFile)
    assert problem_class("distance") is Distance
    assert checked_problem(FromFile().build(SHIPPED)).fingerprint() == Distance(7.0).fingerprint()
    with pytest.raises(UnknownName, match="nowhere"):
        problem_class("nowhere")


class Mine(SequenceProblem):
    pass


@pytest.mark.parametrize("problem", [Distance(), Mine(np.zeros((1, 3, 1)), np.ones((1, 3, 1)))])
def test_a_problem_that_no_record_could_open_is_refused(problem):
    with pytest.raises(ValueError, match=r"kind must be the name of a registered kind"):
        checked_problem(problem)


def test_what_is_no_problem_is_refused():
    with pytest.raises(TypeError, match=r"a neuroevo\.Problem, got dict"):
        checked_problem({})


def test_a_kind_that_builds_no_problem_is_a_mistake_of_the_table(monkeypatch, tmp_path):
    monkeypatch.setattr(FromFile, "build", lambda self, folder: None)
    monkeypatch.setitem(PROBLEMS._members, "distance", FromFile)
    (tmp_path / "a.toml").write_text('[problem]\nkind = "distance"\n')
    with pytest.raises(SettingsError, match=r"problem: a problem must be a neuroevo\.Problem, got NoneType"):
        ne.load_scenario(tmp_path / "a.toml")


def test_who_needs_sequences_says_so(distance):
    problem = build("sine")
    assert as_sequences(problem, "kernels") is problem
    with pytest.raises(NotSequences, match="a forecast: only for problems made of sequences, and 'distance' is of"):
        as_sequences(distance, "a forecast")


def test_a_rule_of_ones_own_would_be_judged_by_kernels_as_another_one():
    @dataclass(frozen=True)
    class Near(ne.Within):
        pass

    with pytest.raises(TypeError, match=r"learned must be Within\(tolerance\) or RightClass"):
        SequenceProblem(np.zeros((1, 3, 1)), np.ones((1, 3, 1)), learned=Near(0.1))


@pytest.mark.parametrize("rule", [ne.Within(0.25), ne.RightClass()])
def test_a_rule_is_what_its_attributes_say(rule):
    targets = np.eye(3)[[0, 1, 2]][None]
    outputs = targets + np.array([0.25, -0.25, 0.25])  # right by tolerance, and by class
    counted = np.ones(targets.shape, dtype=bool)
    assert rule.right(outputs, targets, counted).all()
    far = np.nextafter(rule.tolerance, 1) * np.array([1, 0, 0]) + targets
    # Half a target lets the class be the same, however far from it.
    assert rule.right(targets / 2, targets, counted).all() == rule.by_class
    assert rule.right(far, targets, counted).all() == rule.by_class
    assert rule_of(rule.name, rule.tolerance) == rule
    assert ("in scaled units" in rule.words(scaled=True)) == (not rule.by_class)
    assert "in scaled units" not in rule.words(scaled=False)

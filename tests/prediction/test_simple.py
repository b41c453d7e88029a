"""Simple competitors as members say what the tables of competitors say, and are kept as networks are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuroevo.errors import BadInput
from neuroevo.networks import Elman
from neuroevo.prediction import LogisticMember, Member, Predictor, simple_members
from neuroevo.problems import RightClass, SequenceProblem
from neuroevo.problems.baselines import baselines
from neuroevo.problems.classifiers import Logistic
from neuroevo.records import RecordError, load_predictor, save_predictor


def seasonal(n: int = 160) -> SequenceProblem:
    steps = np.arange(n + 1)
    rng = np.random.default_rng(0)
    values = 20 + 0.02 * steps + 4 * np.sin(2 * np.pi * steps / 12) + rng.normal(0, 0.3, n + 1)
    masks = {"train": steps[:n] < 100, "validation": (steps[:n] >= 100) & (steps[:n] < 130), "test": steps[:n] >= 130}
    return SequenceProblem(
        values[None, :n, None],
        values[None, 1:, None],
        parts={name: mask[None] for name, mask in masks.items()},
        tied=[0],
    )


def classes(whole: bool = True) -> SequenceProblem:
    rng = np.random.default_rng(1)
    inputs, labels, lengths = rng.normal(size=(40, 16, 2)), np.arange(40) % 3, rng.integers(9, 17, 40)
    inputs[:, 4:8, 0] += labels[:, None]
    mask = np.arange(16)[None, :] == lengths[:, None] - 1
    return SequenceProblem(
        inputs,
        np.repeat(np.eye(3)[labels][:, None], 16, axis=1),
        lengths=lengths,
        target_mask=np.repeat(mask[:, :, None], 3, axis=2) if whole else None,
        learned=RightClass(),
        parts={"train": np.arange(40) < 30, "validation": np.arange(40) >= 30},
    ).scaled("standard")


def test_members_predict_what_the_competitors_do() -> None:
    for problem in (seasonal(), seasonal().prepared("linear").scaled("standard")):
        found = {each.name: each for each in simple_members(problem)}
        expected = {each.label: each for each in baselines(problem)}
        shared = found.keys() & expected.keys()
        assert shared == {
            "mean of the training targets",
            "last value repeated",
            "last season repeated (12 steps)",
            "ridge regression on 13 values",
        }
        assert found.keys() - shared == {"ridge regression on 9 values"}
        for name in shared:
            outputs = found[name].predict(problem.original.inputs)
            for part, figures in expected[name].parts.items():
                miss = (outputs - problem.original.targets)[problem.counted(part)]
                if figures.n_targets == len(miss):
                    assert float((miss**2).mean()) == pytest.approx(figures.mse, rel=1e-9)


def test_without_the_past_of_the_target_there_is_no_last_value() -> None:
    rng = np.random.default_rng(0)
    problem = SequenceProblem(rng.normal(size=(1, 80, 2)), rng.normal(size=(1, 80, 1)))
    assert [each.name for each in simple_members(problem)] == [
        "mean of the training targets",
        "ridge regression on 18 values",
    ]


@pytest.mark.parametrize("whole", [True, False])
def test_logistic_regression_says_what_the_competitor_does(whole: bool, tmp_path: Path) -> None:
    problem = classes(whole)
    (member,) = simple_members(problem)
    assert isinstance(member, LogisticMember)
    assert member.model.of_whole == whole
    outputs = member.predict(problem.original.inputs, problem.lengths)
    expected = next(each for each in baselines(problem) if each.name == "logistic").outputs
    present = problem.present
    assert outputs[present] == pytest.approx(expected[present], abs=1e-6)
    assert np.isnan(outputs[~present]).all()
    predictor = Predictor((member,), "mean", by_class=True)
    save_predictor(predictor, tmp_path)
    again = load_predictor(tmp_path).predict(problem.original.inputs, problem.lengths)
    np.testing.assert_array_equal(again, outputs)


def weighted(weights: Any) -> Predictor:
    members = []
    for seed, name in enumerate("ab"):
        network = Elman(1, 2, 1)
        members.append(Member(network, np.random.default_rng(seed).normal(size=network.n_genes), {}, name))
    return Predictor(tuple(members), "mean", weights=weights)


INPUTS = np.linspace(-1, 1, 12).reshape(2, 6, 1)


def test_weights_are_those_of_the_mean_and_kept_on_disk(tmp_path: Path) -> None:
    predictor = weighted((0.75, 0.25))
    said = predictor.forecast(INPUTS)
    mean = 0.75 * said.members[0] + 0.25 * said.members[1]
    assert said.prediction == pytest.approx(mean, rel=1e-12)
    variance = 0.75 * (said.members[0] - mean) ** 2 + 0.25 * (said.members[1] - mean) ** 2
    assert said.spread == pytest.approx(np.sqrt(variance), rel=1e-9)
    saved = save_predictor(predictor, tmp_path)
    assert saved.contents["format_version"] == 2
    np.testing.assert_array_equal(load_predictor(tmp_path).predict(INPUTS), said.prediction)
    assert save_predictor(weighted(None), tmp_path / "plain").contents["format_version"] == 1


def test_a_member_that_overflows_has_no_say_at_that_step() -> None:
    network = Elman(1, 1, 1, activation="linear")
    growing = network.layout.encode(
        {
            "weight_ih_l0": [[1.0]],
            "weight_hh_l0": [[1e200]],
            "bias_l0": [1.0],
            "weight_out": [[1.0]],
            "bias_out": [0.0],
        }
    )
    calm = np.zeros(network.n_genes)
    predictor = Predictor((Member(network, growing, {}), Member(network, calm, {})), "mean", weights=(0.9, 0.1))
    outputs = predictor.predict(np.ones((1, 5, 1)))[0, :, 0]
    assert outputs[0] == pytest.approx(0.9 * 2.0)
    assert outputs[-1] == 0.0


@pytest.mark.parametrize("weights", [(0.5,), (0.5, 0.6), (1.0, 0.0), (2.0, -1.0), (np.nan, 0.5)])
def test_weights_that_are_no_shares_are_refused(weights: Any, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="numbers above 0 whose sum is 1"):
        weighted(weights)
    with pytest.raises(BadInput, match='combine must be "mean"'):
        Predictor(weighted(None).champions, "median", weights=(0.5, 0.5))


def test_an_archive_of_a_logistic_regression_that_lies_is_refused(tmp_path: Path) -> None:
    (member,) = simple_members(classes())
    arrays = member.model.to_arrays("x_")  # type: ignore[union-attr]
    for name, value in (("factor", -np.ones(18)), ("columns", np.arange(3)), ("weights", np.ones((2, 3)))):
        with pytest.raises(BadInput, match="logistic regression"):
            Logistic.from_arrays({**arrays, f"x_{name}": value}, "x_")
    save_predictor(Predictor((member,), "mean", by_class=True), tmp_path)
    text = (tmp_path / "ensemble.json").read_text()
    (tmp_path / "ensemble.json").write_text(text.replace('"n_inputs": 2', '"n_inputs": 7'))
    with pytest.raises(RecordError, match="does not hold an ensemble"):
        load_predictor(tmp_path)

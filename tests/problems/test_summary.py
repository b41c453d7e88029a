from __future__ import annotations

import dataclasses
import json

import numpy as np

from neuroevo.problems import RightClass, SequenceProblem


def test_the_summary_counts_parts_and_fits_into_json():
    train = np.arange(30)[None] < 20
    problem = SequenceProblem(
        np.random.default_rng(0).normal(size=(1, 30, 1)),
        np.random.default_rng(1).normal(size=(1, 30, 1)),
        parts={"train": train, "test": ~train},
        times=np.arange(1900, 1930),
        washout=5,
        weight_decay=0.01,
        input_names=["flow"],
        target_names=["flow"],
    ).scaled("standard")
    summary = problem.describe()
    assert [part.n_targets for part in summary.parts] == [15, 10]
    assert (summary.parts[0].first, summary.parts[1].last) == ("1905", "1929")
    assert json.loads(json.dumps(dataclasses.asdict(summary)))["scaling"] == "standard"
    assert str(summary).splitlines() == [
        "1 sequence of 30 steps",
        "inputs   1: flow",
        "targets  1: flow",
        "part     train: 15 targets in 15 steps, 1905 to 1919",
        "part     test: 10 targets in 10 steps, 1920 to 1929",
        "scaling  standard, learnt on the training part",
        "learned  within 0.1 of the target, in scaled units",
        "washout  5 steps",
        "decay    0.01 times the mean square of the genome",
    ]
    assert problem.warnings() == []


def test_what_is_legal_and_yet_not_meant_is_warned_of():
    inputs = np.stack([np.linspace(0.0, 500.0, 8), np.full(8, 3.0)], axis=-1)[None]
    targets = np.stack([np.full(8, 7.0), np.linspace(0.0, 50.0, 8)], axis=-1)[None]
    every = np.ones((1, 8), dtype=bool)
    found = "\n".join(SequenceProblem(inputs, targets, parts={"train": every, "test": every}).warnings())
    for sentence in (
        "input 'input 1' reaches 500, where squashing units saturate; scaling =",
        "input 'input 2' is constant",
        "target 'target 1' is constant",
        "target 'target 2' reaches 50; scaling =",
        "part 'test' shares targets with the training part",
    ):
        assert sentence in found


def test_few_targets_outputs_without_one_and_classes_without_one_are_warned_of():
    mask = np.ones((1, 8, 2), dtype=bool)
    mask[:, :, 1] = False
    values = np.random.default_rng(0).normal(size=(1, 8, 2))
    found = SequenceProblem(values, values, target_mask=mask).warnings()
    assert any("never counts in the training part" in sentence for sentence in found)
    assert any("only 8 targets" in sentence for sentence in found)
    classes = SequenceProblem(np.arange(12.0)[None, :, None] / 12, np.eye(3)[[[0, 1] * 6]], learned=RightClass())
    assert classes.warnings() == ["class 'target 3' does not occur among the training targets, or is the only one"]

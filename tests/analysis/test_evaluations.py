"""Errors on new data against a problem of the whole file in which they are a part from the beginning."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuroevo.analysis import evaluate
from neuroevo.analysis.evaluations import with_part
from neuroevo.errors import BadInput
from neuroevo.networks import Gru
from neuroevo.prediction import Member, Predictor
from neuroevo.problems.sequences import Sequences
from neuroevo.problems.series import Series
from neuroevo.records import Model

N_RUN, N_ALL = 100, 140
PARTS = {"train": 60, "validation": 20, "test": 20}


def write(path: Path, rows: slice) -> Path:
    steps = np.arange(N_ALL)
    load = 50 + steps / 5 + 8 * np.sin(steps * np.pi / 6) + np.random.default_rng(3).normal(size=N_ALL)
    lines = [f"{2000 + k // 12}-{k % 12 + 1:02d},{float(load[k])!r}" for k in range(*rows.indices(N_ALL))]
    path.write_text("\n".join(["month,load", *lines]) + "\n")
    return path


def series(file: Path, **keys: Any) -> Series:
    return Series(**{"file": file.name, "time": "month", "input": "load", "parts": PARTS, **keys})


def model(folder: Path, n: int = 1, **keys: Any) -> Model:
    asked = series(write(folder / "run.csv", slice(0, N_RUN)), **keys)
    problem = asked.build(folder)
    network = Gru(problem.n_inputs, 3, problem.n_outputs)
    genomes = np.random.default_rng(n).normal(size=(n, network.n_genes)) / 2
    members = [Member(network, genome, problem.scaling_arrays(), f"m{k}") for k, genome in enumerate(genomes)]
    return Model(folder, (), Predictor(tuple(members)).calibrated(problem), problem, asked)


@pytest.mark.parametrize("start", [0, 80, N_RUN])
@pytest.mark.parametrize(
    "keys",
    [{}, {"lags": 3, "horizon": 2}, {"residual": "seasonal", "season": 12}, {"transform": "log", "residual": "linear"}],
    ids=str,
)
def test_new_data_are_one_more_part(keys: dict[str, Any], start: int, tmp_path: Path) -> None:
    its = model(tmp_path, **keys)
    found = evaluate(its, write(tmp_path / "2008 on.csv", slice(start, N_ALL)), name="2008 on")
    assert found.part == "on"
    whole = series(write(tmp_path / "whole.csv", slice(0, N_ALL)), **{**keys, "parts": {**PARTS, "on": "rest"}})
    problem = whole.build(tmp_path)
    (member,) = its.predictor.champions
    expected = problem.results(member.network, member.genome)
    assert found.results.contestants.keys() == expected.contestants.keys()
    assert found.results.measures == expected.measures
    for name, parts in expected.contestants.items():
        for part, figures in parts.items():
            given = found.results.contestants[name][part]
            numbers = {key: value for key, value in figures.items() if value is not None}
            assert given.keys() == figures.keys()
            assert {key: given[key] for key in numbers} == pytest.approx(numbers, rel=1e-9, nan_ok=True), (name, part)
    assert found.results.verdict == expected.verdict
    assert found.intervals is not None
    low, high = its.predictor.interval(problem.original.inputs)
    counted, targets = problem.counted("on"), problem.original.targets
    inside = ((low <= targets) & (targets <= high))[counted].mean()
    assert found.intervals["parts"]["on"]["absolute_coverage"] == pytest.approx(inside)


def test_an_ensemble_stands_beside_its_members(tmp_path: Path) -> None:
    its = model(tmp_path, 3)
    path = write(tmp_path / "new.csv", slice(90, N_ALL))
    found = evaluate(its, path).results.contestants
    alone = []
    for member in its.predictor.champions:
        one = dataclasses.replace(its, predictor=Predictor((member,)).calibrated(its.problem))
        alone.append(evaluate(one, path).results.contestants["champion"]["new"]["mse"])
    assert found["median of the members"]["new"]["mse"] == pytest.approx(np.median(alone))
    table = its.predict(path)
    load = np.array([float(line.split(",")[1]) for line in path.read_text().splitlines()[1:]])
    misses = table.prediction[:-1, 0] - load[10:]
    assert found["ensemble (median of 3)"]["new"]["mse"] == pytest.approx(np.mean(misses**2))


def test_a_file_by_itself_is_a_sequence_of_its_own(tmp_path: Path) -> None:
    its = model(tmp_path)
    path = write(tmp_path / "other.csv", slice(20, 60))
    with pytest.raises(BadInput, match="no target is known after the data of the run"):
        evaluate(its, path)
    found = evaluate(its, path, name="test", restart=True)
    assert found.part == "test_new"
    problem = with_part(its.problem, "x", its.continued(path, restart=True))
    assert (problem.n_sequences, problem.counted("x").sum()) == (2, 39)
    load = np.array([float(line.split(",")[1]) for line in path.read_text().splitlines()[1:]])
    said = its.predictor.predict(load[None, :-1, None])[0, :, 0]
    mse = found.results.contestants["champion"]["test_new"]["mse"]
    assert mse == pytest.approx(np.mean((said - load[1:]) ** 2))


@pytest.mark.parametrize("counts", ["last", "all"])
def test_sequences_are_labelled_and_measured(counts: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)

    def table(path: Path, n: int, *, labelled: bool = True) -> Path:
        lines = ["who,x,kind" if labelled else "who,x"]
        for k in range(n):
            kind = "up" if k % 2 else "down"
            slope = 1.0 if k % 2 else -1.0
            end = f",{kind}" if labelled else ""
            lines += [f"s{k},{slope * step + rng.normal():.3f}{end}" for step in range(4 + k % 3)]
        path.write_text("\n".join(lines) + "\n")
        return path

    asked = Sequences(file="run.csv", sequence="who", inputs="x", labels="kind", counts=counts)
    table(tmp_path / "run.csv", 20)
    problem = asked.build(tmp_path)
    network = Gru(1, 2, 2)
    member = Member(network, rng.normal(size=network.n_genes), problem.scaling_arrays())
    its = Model(tmp_path, (), Predictor((member,), "mean", by_class=True), problem, asked)
    path = table(tmp_path / "new.csv", 7)
    said = its.predict(path)
    steps = [1] * 7 if counts == "last" else [4 + k % 3 for k in range(7)]
    assert list(said.keys["sequence"]) == [f"s{k}" for k in range(7) for _ in range(steps[k])]
    assert said.names == ("down", "up")
    assert said.classes is not None
    rows = [line.split(",") for line in path.read_text().splitlines()[1:]]
    right, place = 0, 0
    for k in range(7):
        own = [[float(x)] for who, x, _ in rows if who == f"s{k}"]
        outputs = member.predict([own])[0][-steps[k] :]
        np.testing.assert_array_equal(said.prediction[place : place + steps[k]], outputs)
        chosen = [("down", "up")[i] for i in outputs.argmax(axis=1)]
        assert list(said.classes[place : place + steps[k]]) == chosen
        right += chosen.count("up" if k % 2 else "down")
        place += steps[k]
    found = evaluate(its, path).results.contestants["champion"]["new"]
    assert found["learned"] == pytest.approx(right / sum(steps))
    unlabelled = its.predict(table(tmp_path / "plain.csv", 3, labelled=False))
    assert len(set(unlabelled.keys["sequence"])) == 3
    with pytest.raises(BadInput, match="classes have no intervals"):
        its.predict(path, level=0.9)
    with pytest.raises(BadInput, match="classes are not forecast"):
        its.forecast(3)

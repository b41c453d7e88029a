"""Runs for several goals: the front they leave, on the command line and off it, resumed, on islands, and damaged."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import neuroevo as ne
from neuroevo.callbacks import Callback
from neuroevo.cli.app import app
from neuroevo.networks import count_links
from neuroevo.records import RecordError
from neuroevo.records.front import FRONT_FILE, FRONT_TABLE

TABLES = """
[space]
kind = "switched"
"""
STRATEGY = """
kind = "nsga2"
goals = ["error", "links", "not_learned"]
population_size = 16
start_width = 0.3
"""


@pytest.fixture
def scenario(small_scenario):
    text = small_scenario.read_text()
    small_scenario.write_text(text.replace('\nkind = "genetic_algorithm"\npopulation_size = 16\n', STRATEGY) + TABLES)
    return small_scenario


@pytest.fixture
def record(scenario, tmp_path):
    return ne.run(scenario, results=tmp_path / "runs")


def files_of(record):
    history = {name: record.history[name].tobytes() for name in record.history if name != "seconds"}
    names = (FRONT_FILE, FRONT_TABLE, "champion.npz")
    return history, [(record.path / name).read_bytes() for name in names]


def test_members_are_what_their_goals_say_and_none_dominates_another(record):
    front, problem = record.front, record.problem
    weights = front.genomes
    assert front.goals == ("error", "links", "not_learned")
    assert np.array_equal(front.train[:, 1], count_links(record.network, weights))
    with ne.LocalEvaluator(record.network, problem) as evaluator:
        for part, goals in (("train", front.train), ("validation", front.validation)):
            found = evaluator.evaluate(weights, part)
            assert np.array_equal(goals[:, 0], found.error)
            assert np.array_equal(goals[:, 2], 1 - found.learned)
    for one in front.train:
        assert not any((other <= one).all() and (other < one).any() for other in front.train)
    assert (np.diff(front.train[:, 0]) >= 0).all()
    assert front.error[0] == record.history["incumbent_error"][-1]
    assert record.history["front_size"][-1] >= 1
    assert record.history["hypervolume"][-1] > record.history["hypervolume"][0]


def test_the_table_is_that_of_the_archive(record):
    with (record.path / FRONT_TABLE).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [
        "member", "error_train", "error_validation", "links", "not_learned_train", "not_learned_validation",
    ]  # fmt: skip
    assert [int(row["member"]) for row in rows] == list(range(1, len(record.front) + 1))
    assert [float(row["error_validation"]) for row in rows] == record.front.validation[:, 0].tolist()
    with np.load(record.path / FRONT_FILE, allow_pickle=False) as archive:
        assert archive["genomes"].shape == (len(rows), record.network.n_genes)


def test_the_page_of_formats_names_files_arrays_and_columns(record):
    page = (Path(__file__).parents[1] / "docs" / "file-formats.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([^`\n]+)`", page))
    assert {FRONT_FILE, FRONT_TABLE, "member", "NAME_train", "NAME_validation"} <= named
    with np.load(record.path / FRONT_FILE) as archive:
        assert {name for name in archive.files if not name.startswith("scaling_")} <= named


def test_a_member_stands_in_for_the_champion(record):
    front = record.front
    member = record.member(2)
    assert np.array_equal(member.champion.genome, front.genomes[1])
    assert (member.champion.error, member.champion.figures["validation_error"]) == (
        front.error[1], front.validation[1, 0],
    )  # fmt: skip
    inputs = record.problem.original.inputs
    alone = ne.RunRecord.open(record.path)
    scaled = record.network.predict(front.genomes[1], record.problem.inputs)
    expected = record.problem.predictions(scaled)
    np.testing.assert_allclose(member.predictor(calibrate=False).predict(inputs), expected)
    assert np.array_equal(alone.champion.genome, record.champion.genome)
    for number in (0, len(front) + 1):
        with pytest.raises(ne.BadInput, match=f"members 1 to {len(front)}"):
            record.member(number)


class StopAt(Callback):
    def generation(self, progress):
        if progress.generation == 7:
            raise RuntimeError("crash")


def test_a_resumed_run_ends_with_the_same_front(scenario, tmp_path, record):
    with pytest.raises(RuntimeError, match="crash"):
        ne.run(scenario, results=tmp_path / "crashed", callbacks=[StopAt()])
    (path,) = (tmp_path / "crashed").iterdir()
    # The last checkpoint left a front already.
    assert len(ne.RunRecord.open(path).front) >= 1
    assert files_of(ne.resume(path)) == files_of(record)


def test_islands_have_one_front_and_exchange_its_members(scenario, tmp_path):
    scenario.write_text(scenario.read_text() + "\n[islands]\ncount = 3\ninterval = 3\nmigrants = 4\n")
    record = ne.run(scenario, results=tmp_path / "runs")
    front = record.front
    for one in front.train:
        assert not any((other <= one).all() and (other < one).any() for other in front.train)
    assert front.error[0] == record.history["incumbent_error"][-1]
    with pytest.raises(RuntimeError, match="crash"):
        ne.run(scenario, results=tmp_path / "crashed", callbacks=[StopAt()])
    (path,) = (tmp_path / "crashed").iterdir()
    assert files_of(ne.resume(path)) == files_of(record)


def test_islands_of_different_goals_are_refused(scenario):
    other = '[[islands.strategies]]\nkind = "nsga2"\ngoals = ["links", "error"]\n'
    scenario.write_text(scenario.read_text() + f"\n[islands]\ncount = 2\n{other}")
    with pytest.raises(ne.BadInput, match="same goals"):
        ne.run(scenario)


def test_one_goal_leaves_no_front(scenario, tmp_path):
    record = ne.run(scenario, results=tmp_path / "runs", overrides={"strategy.goals": ["error"]})
    assert record.front is None
    assert not (record.path / FRONT_FILE).exists()
    with pytest.raises(ne.BadInput, match="no front"):
        record.member(1)
    assert "front_size" not in record.history


def called(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_commands_show_draw_and_use_members(record, tmp_path, scenario):
    shown = called("show", record.path, "--front")
    assert shown.exit_code == 0, shown.output
    lines = [line.split() for line in shown.output.splitlines()]
    numbers = [int(line[0]) for line in lines if line and line[0].isdigit()]
    assert numbers == list(range(1, len(record.front) + 1))
    (best,) = [line[0] for line in lines if line[-4:] == ["smallest", "error", "in", "validation"]]
    assert int(best) == 1 + int(np.argmin(record.front.validation[:, 0]))
    document = json.loads(called("show", record.path, "--front", "--json").output)
    assert [row["links"] for row in document["members"]] == record.front.train[:, 1].tolist()
    assert f"front of {len(record.front)} networks" in called("show", record.path).output
    drawn = called("plot", record.path, "--out", tmp_path / "pictures", "--format", "svg")
    assert "front.svg" in drawn.output
    data = scenario.parent / "series.csv"
    told = {number: called("predict", record.path, data, "--member", number).output for number in (1, len(numbers))}
    assert told[1] != told[len(numbers)]
    exported = called("export", record.path, "--to", "numpy", "--member", 2, "--out", tmp_path / "model")
    assert exported.exit_code == 0, exported.output
    refused = called("export", record.path, "--to", "numpy", "--member", 99, "--out", tmp_path / "other")
    assert refused.exit_code == 2
    nothing = called("show", tmp_path / "runs", "--front")
    assert nothing.exit_code == 2


def test_mistakes_are_found_before_anything_runs(scenario):
    text = scenario.read_text()
    for goals, complaint in (
        ('["error", "linsk"]', "did you mean 'links'"),
        ('["error", "error"]', "names one twice"),
        ("[]", "at least 1"),
        ('["error", "links"]\nreference = [1.0]', "a finite number for each of 2 goals"),
    ):
        scenario.write_text(text.replace('["error", "links", "not_learned"]', goals))
        with pytest.raises(ne.ScenarioError, match=complaint):
            ne.load_scenario(scenario)
    scenario.write_text(text.replace(TABLES, ""))
    (warning,) = [each for each in ne.load_scenario(scenario).warnings() if "goals" in each]
    assert 'kind = "switched"' in warning


@pytest.mark.parametrize("damage", ["missing", "shape", "kind", "infinite", "no_archive"])
def test_a_damaged_front_is_said_so_and_leaves_the_rest_readable(record, damage):
    file = record.path / FRONT_FILE
    with np.load(file) as archive:
        arrays = dict(archive)
    if damage == "missing":
        del arrays["train"]
    elif damage == "shape":
        arrays["genomes"] = arrays["genomes"][:, :-1]
    elif damage == "kind":
        arrays["goals"] = np.arange(3)
    elif damage == "infinite":
        arrays["genomes"][0, 0] = np.inf
    np.savez(file, **arrays)
    if damage == "no_archive":
        file.write_bytes(b"front")
    opened = ne.RunRecord.open(record.path)
    with pytest.raises(RecordError):
        _ = opened.front
    assert opened.champion.error == record.champion.error
    assert "its front can't be read" in called("show", record.path).output
    assert FRONT_FILE in opened.altered

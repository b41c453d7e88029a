"""What a run writes is what is read back, bit for bit, and equal runs leave equal bytes."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from neuroevo.networks import Elman, Graph, Network, all_links
from neuroevo.problems import SequenceProblem
from neuroevo.records import RecordError, RunRecord, RunWriter
from neuroevo.stopping import COLUMNS, StopReason
from tests.records.conftest import SCENARIO, advance, finish, row, state

Start = Callable[..., RunWriter]


def test_finished_record_gives_back_what_was_written(
    finished: Path, network: Network, problem: SequenceProblem
) -> None:
    record = RunRecord.open(finished)
    assert record.status == "finished"
    assert record.name == finished.name == "sine-seed3"
    assert record.run["seed"] == 3
    assert record.scenario["stop"] == {"generations": 8}
    assert record.stop_reason == StopReason("generations", 8.0, "8 generations done")
    assert record.network == network
    for generation in range(1, 9):
        assert {name: record.history[name][generation - 1] for name in COLUMNS} == row(generation)
    genome = np.random.default_rng(1).normal(size=network.n_genes)
    np.testing.assert_array_equal(record.champion.genome, genome)
    np.testing.assert_array_equal(record.champion.arrays["weight_hh_l0"], network.layout.decode(genome)["weight_hh_l0"])
    assert record.champion.error == 0.125
    assert record.champion.figures["generation"] == 8
    assert math.isnan(record.champion.figures["validation_error"])
    np.testing.assert_array_equal(record.problem.inputs, problem.inputs)
    np.testing.assert_array_equal(record.problem.original.targets, problem.original.targets)
    np.testing.assert_array_equal(record.champion.scaling.target_offset, problem.scaling.target_offset)
    assert str(record.champion.scaling) == str(problem.scaling)
    assert record.champion.preparation is None


def test_record_needs_nothing_outside_its_folder(finished: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    finished.rename(moved)
    record = RunRecord.open(moved)
    outputs = record.network.predict(record.champion.genome, record.problem.inputs)
    assert np.isfinite(outputs).all()


def test_network_with_fixed_entries_and_graphs_are_rebuilt(tmp_path: Path, problem: SequenceProblem) -> None:
    weights = np.full((2, 2), np.nan)
    weights[0, 1] = 0.0
    for index, network in enumerate(
        [Elman(1, 2, 1, fixed={"weight_hh_l0": weights}), Graph(1, 3, 1, all_links(1, 3, 1))]
    ):
        with RunWriter.create(
            tmp_path, f"run{index}", scenario_toml="", run={}, problem=problem, network=network
        ) as writer:
            assert RunRecord.open(writer.path).network == network


def test_equal_runs_leave_equal_bytes(start: Start, network: Network, problem: SequenceProblem) -> None:
    folders = []
    for name in ("one", "two"):
        writer = start(name)
        advance(writer, 1, 5)
        finish(writer, network, problem)
        folders.append(writer.path)
    for file in ("champion.npz", "history.csv", "data.npz", "scenario.toml", "checkpoints/000000005.npz"):
        assert (folders[0] / file).read_bytes() == (folders[1] / file).read_bytes()


def test_npz_files_open_with_numpy_alone(finished: Path) -> None:
    for file in ("champion.npz", "data.npz", "checkpoints/000000008.npz"):
        with np.load(finished / file, allow_pickle=False) as archive:
            assert archive.files
            for name in archive.files:
                assert archive[name].dtype.kind in "biufU"


def test_history_is_plain_csv(finished: Path) -> None:
    table = np.genfromtxt(finished / "history.csv", delimiter=",", names=True)
    assert table.dtype.names == COLUMNS
    assert table["best_error"][4] == row(5)["best_error"]


def test_further_columns_are_those_of_the_first_row_also_after_a_resume(start: Start) -> None:
    writer = start()
    assert RunRecord.open(writer.path).history.n_generations == 0
    step_sizes, temperatures = [0.1, 1 / 3, 5e-324, 1.7e308], [math.inf, -0.0, math.nan, 2.0]
    for generation in range(1, 5):
        if generation == 3:
            writer.checkpoint(2, state(2))
            writer.append(row(3) | {"step_size": 9.0, "temperature": 9.0})
            writer.close()
            writer, _ = RunWriter.reopen(writer.path)
            assert writer.history.n_generations == 2
        figures = {"step_size": step_sizes[generation - 1], "temperature": temperatures[generation - 1]}
        writer.append(row(generation) | (figures if generation == 1 else {**figures, "later": 1.0}))
    writer.append(row(5))
    writer.close()
    history = RunRecord.open(writer.path).history
    assert tuple(history) == (*COLUMNS, "step_size", "temperature")
    np.testing.assert_array_equal(history["step_size"], [*step_sizes, math.nan])
    np.testing.assert_array_equal(history["temperature"], [*temperatures, math.nan])
    assert {name: history[name][3] for name in COLUMNS} == row(4)


@pytest.mark.parametrize("n_bytes", [0, 1, 40, -400, -1])
def test_a_first_row_that_a_kill_cut_short_is_none(start: Start, n_bytes: int) -> None:
    writer = start()
    writer.append(row(1) | {"step_size": 0.5})
    writer.close()
    file = writer.path / "history.csv"
    file.write_bytes(file.read_bytes()[:n_bytes])
    assert RunRecord.open(writer.path).history.n_generations == 0
    writer, restored = RunWriter.reopen(writer.path)
    assert restored is None
    writer.append(row(1) | {"temperature": 0.5})
    writer.close()
    assert "damaged" not in (writer.path / "run.log").read_text()
    assert tuple(RunRecord.open(writer.path).history) == (*COLUMNS, "temperature")


def test_folder_names_that_are_taken_get_a_number(start: Start) -> None:
    writers = [start(), start(), start()]
    assert [writer.path.name for writer in writers] == ["sine-seed3", "sine-seed3-2", "sine-seed3-3"]
    assert [RunRecord.open(writer.path).name for writer in writers] == [writer.path.name for writer in writers]
    for writer in writers:
        writer.close()


def test_runs_that_start_at_once_get_a_folder_each(start: Start) -> None:
    with ThreadPoolExecutor(16) as pool:
        writers = list(pool.map(lambda _: start("same"), range(48)))
    for index, writer in enumerate(writers):
        writer.log(f"run {index}")
        writer.close()
    for index, writer in enumerate(writers):
        assert (writer.path / "run.log").read_text().endswith(f"run {index}\n")
        assert RunRecord.open(writer.path).name == writer.path.name
    assert {writer.path.name for writer in writers} == {"same", *(f"same-{number}" for number in range(2, 49))}
    assert len(list(writers[0].path.parent.iterdir())) == 48


@pytest.mark.parametrize("name", ["", "a/b", "../up", ".hidden", "nul\0"])
def test_name_that_is_no_folder_name_is_refused(start: Start, name: str) -> None:
    with pytest.raises(ValueError, match="name of a folder"):
        start(name)


def test_data_above_the_limit_leave_only_their_fingerprint(
    start: Start, network: Network, problem: SequenceProblem, finished: Path, tmp_path: Path
) -> None:
    with start("large", data_limit=100) as writer:
        record = RunRecord.open(writer.path)
    assert not (record.path / "data.npz").exists()
    with pytest.raises(RecordError, match="--data"):
        _ = record.problem
    np.testing.assert_array_equal(record.problem_from(finished / "data.npz").inputs, problem.inputs)
    other = SequenceProblem(problem.original.inputs + 1, problem.original.targets)
    with RunWriter.create(tmp_path, "other", scenario_toml="", run={}, problem=other, network=network) as writer:
        pass
    with pytest.raises(RecordError, match="fingerprint"):
        record.problem_from(writer.path / "data.npz")


def test_figures_that_are_not_finite_are_null_in_json(start: Start) -> None:
    with start() as writer:
        writer.update({"error": math.inf, "part_errors": {"test": np.float64(0.5), "validation": math.nan}})
    values = json.loads((writer.path / "run.json").read_text())
    assert values["error"] is None
    assert values["part_errors"] == {"test": 0.5, "validation": None}


def test_rows_must_come_in_order_and_whole(start: Start) -> None:
    with start() as writer:
        writer.append(row(1))
        with pytest.raises(ValueError, match="generation 2"):
            writer.append(row(3))
        with pytest.raises(ValueError, match="columns"):
            writer.append({"generation": 2})
        with pytest.raises(ValueError, match="history ends with generation 1"):
            writer.checkpoint(2, state(2))


def test_state_of_other_things_than_arrays_is_refused(start: Start) -> None:
    with start() as writer:
        writer.append(row(1))
        for value in (object(), {"a": 1}, 2**80):
            with pytest.raises(ValueError, match="has type object"):
                writer.checkpoint(1, {"thing": value})
        with pytest.raises(ValueError, match="array name"):
            writer.checkpoint(1, {"../thing": 1})
        writer.checkpoint(1, state(1))


def test_log_has_one_line_a_message(start: Start) -> None:
    with start() as writer:
        writer.log("first\nmessage")
        writer.log("second")
    lines = (writer.path / "run.log").read_text().splitlines()
    assert [line.partition("Z ")[2] for line in lines] == ["first message", "second"]


def test_exception_of_a_run_is_in_its_log(start: Start) -> None:
    writer = start()
    with pytest.raises(ZeroDivisionError), writer:
        _ = 1 / 0
    assert "ended by ZeroDivisionError" in (writer.path / "run.log").read_text()


@pytest.mark.parametrize("version", [0, 4, "1", None, True, 1.5, [1]])
def test_other_format_version_is_refused_by_name(finished: Path, version: object) -> None:
    values = json.loads((finished / "run.json").read_text())
    values["format_version"] = version
    (finished / "run.json").write_text(json.dumps(values))
    with pytest.raises(RecordError, match=r"format version .*reads 1, 2, 3"):
        RunRecord.open(finished)


def test_what_is_not_a_record_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    for name in ("missing", "empty", "file"):
        with pytest.raises(RecordError, match="not the folder of a run"):
            RunRecord.open(tmp_path / name)


def test_scenario_may_be_replaced(start: Start) -> None:
    with start() as writer:
        writer.replace_scenario(SCENARIO.replace("8", "16"))
    assert RunRecord.open(writer.path).scenario["stop"] == {"generations": 16}

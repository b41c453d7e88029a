"""Whose fault it was: exit code 2 for input, 1 for the machine and for defects, which alone show a traceback."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from neuroevo.cli.app import app
from neuroevo.cli.failures import exit_codes
from neuroevo.distribution.cluster import ClusterError
from neuroevo.errors import BadInput, MachineRefused, NeuroevoError, OutOfMemory, WrongType
from neuroevo.problems.errors import DataError
from neuroevo.records import RecordError, RecordLocked, RecordUnwritable
from neuroevo.registry import UnknownName
from neuroevo.scenario import ScenarioError
from neuroevo.settings import Mistake, SettingsError

INPUT = [
    BadInput("m"), WrongType("m"), DataError("m"), UnknownName("m"), RecordError("m"), RecordLocked("m"),
    SettingsError([Mistake("", "m")]), ScenarioError("s", [Mistake("", "m")]), NeuroevoError("m"),
]  # fmt: skip
MACHINE = [
    MachineRefused("m"), OutOfMemory("m"), RecordUnwritable("m"), ClusterError("m"), MemoryError("m"),
    OSError(errno.ENOSPC, "m"), PermissionError(errno.EACCES, "m", "file"),
]  # fmt: skip
DEFECTS = [
    ValueError("m"),
    TypeError("m"),
    KeyError("m"),
    RuntimeError("m"),
    np.linalg.LinAlgError("m"),
    AssertionError(),
]


def exit_code_of(error: Exception) -> int:
    with pytest.raises(typer.Exit) as left, exit_codes():
        raise error
    return left.value.exit_code


@pytest.mark.parametrize("error", INPUT, ids=repr)
def test_bad_input_is_a_message_and_code_2(error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code_of(error) == 2
    assert capsys.readouterr().err == f"neuroevo: {error}\n"


@pytest.mark.parametrize("error", MACHINE, ids=repr)
def test_what_the_machine_refuses_is_a_message_and_code_1(error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code_of(error) == 1
    said = capsys.readouterr().err
    assert said.startswith("neuroevo: ")
    assert "m" in said
    assert "Traceback" not in said
    assert "defect" not in said


@pytest.mark.parametrize("error", DEFECTS, ids=repr)
def test_anything_else_is_a_defect_with_its_traceback(error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code_of(error) == 1
    said = capsys.readouterr().err
    assert "Traceback (most recent call last)" in said
    assert "in exit_code_of" in said
    assert "please report it" in said.splitlines()[-1]


def test_a_numpy_error_inside_a_run_is_a_defect(
    small_scenario: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from neuroevo.strategies.genetic.strategy import GeneticAlgorithm

    monkeypatch.setattr(GeneticAlgorithm, "_tell", lambda self, population, error: np.zeros(2) + np.zeros(3))
    result = CliRunner().invoke(app, ["run", str(small_scenario), "--results", str(tmp_path / "runs")])
    assert result.exit_code == 1
    assert "could not be broadcast together" in result.stderr
    assert "please report it" in result.stderr


def test_a_defect_while_a_scenario_is_read_is_no_mistake_of_the_scenario(
    small_scenario: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from neuroevo.problems.series import Series

    def defect(self: object, folder: Path) -> None:
        raise ValueError("operands could not be broadcast together")

    monkeypatch.setattr(Series, "build", defect)
    result = CliRunner().invoke(app, ["check", str(small_scenario)])
    assert result.exit_code == 1
    assert "Traceback" in result.stderr


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("strategy.selection", "deap.selStochasticUniversalSampling"),
        ("strategy.selection", "deap.selDoubleTournament"),
        ("strategy.crossover", "deap.cxPartialyMatched"),
        ("strategy.mutation", "deap.mutShuffleIndexes"),
    ],
)
def test_operators_that_a_scenario_names_are_its_input(
    key: str, value: str, small_scenario: Path, tmp_path: Path
) -> None:
    options = ["--set", f"{key}={value}", "--results", str(tmp_path / "runs"), "-q"]
    result = CliRunner().invoke(app, ["run", str(small_scenario), *options])
    assert result.exit_code in (0, 2)
    assert "Traceback" not in result.stderr


def test_files_that_cannot_be_decoded_are_bad_input(small_scenario: Path, tmp_path: Path) -> None:
    small_scenario.with_name("series.csv").write_bytes(b"year,value\n1900,\xff\xfe\n")
    (tmp_path / "latin.toml").write_bytes(b'title = "\xe4"\n')
    for path in (small_scenario, tmp_path / "latin.toml"):
        result = CliRunner().invoke(app, ["check", str(path)])
        assert result.exit_code == 2, result.stderr
        assert "Traceback" not in result.stderr

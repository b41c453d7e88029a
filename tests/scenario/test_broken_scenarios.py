"""Every mistake a newcomer makes: exit code 2, a message that says what to change, and nothing left behind."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from neuroevo.cli.app import app

SCENARIO = """
title = "A small series"
seed = 1

[problem]
kind = "series"
file = "series.csv"
time = "year"
input = "value"
parts = { train = 20, test = "rest" }

[network]
kind = "elman"
n_hidden = 2

[strategy]
kind = "genetic_algorithm"
population_size = 8

[stop]
generations = 2
"""
SERIES = "year,value\n" + "".join(f"{1900 + k},{k % 7}\n" for k in range(30))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inside = tmp_path / "work"
    inside.mkdir()
    (inside / "scenario.toml").write_text(SCENARIO)
    (inside / "series.csv").write_text(SERIES)
    return inside


def edit(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new))

    return change


def scenario(old: str, new: str) -> Callable[[Path], None]:
    return edit("scenario.toml", old, new)


def series(old: str, new: str) -> Callable[[Path], None]:
    return edit("series.csv", old, new)


def make_folder(folder: Path) -> None:
    (folder / "scenario.toml").unlink()
    (folder / "scenario.toml").mkdir()


def forbid(folder: Path) -> None:
    (folder / "scenario.toml").chmod(0)


BROKEN = {
    "unknown key": (scenario("population_size", "populaton_size"), ["strategy.populaton_size", "population_size"]),
    "wrong type": (scenario("n_hidden = 2", 'n_hidden = "2"'), ["network.n_hidden", "a whole number", "'2'"]),
    "negative population": (scenario("= 8", "= -8"), ["strategy.population_size", "at least 1", "-8"]),
    "population beyond the memory": (scenario("= 8", "= 8000000000000"), ["strategy.population_size", "GiB"]),
    "units beyond the memory": (scenario("n_hidden = 2", "n_hidden = 90000000"), ["network.n_hidden", "GiB"]),
    "missing file": (scenario("series.csv", "sries.csv"), ["sries.csv", "series.csv"]),
    "NaN in the CSV": (series("1910,3", "1910,nan"), ["value", "12", "missing"]),
    "empty cell in the CSV": (series("1910,3", "1910,"), ["value", "12"]),
    "text in a number column": (series("1910,3", "1910,three"), ["value", "12", "three"]),
    "horizon longer than the series": (
        scenario('time = "year"', 'time = "year"\nhorizon = 40'),
        ["horizon = 40", "30"],
    ),
    "empty data file": (lambda folder: (folder / "series.csv").write_text(""), ["series.csv", "empty"]),
    "empty scenario": (lambda folder: (folder / "scenario.toml").write_text(""), ["[problem]", "[network]", "[stop]"]),
    "not TOML": (scenario("seed = 1", "seed = = 1"), ["TOML", "line 3"]),
    "a directory": (make_folder, ["folder"]),
    "no permission": (forbid, ["Permission denied"]),
    "impossible stopping criterion": (scenario("generations = 2", "learned = 1.5"), ["stop.learned", "1.5"]),
    "validation without a part for it": (
        scenario("generations = 2", "generations = 2\nvalidation_patience = 5"),
        ["stop.validation_patience", "part called validation"],
    ),
    "no stopping criterion": (scenario("generations = 2", ""), ["stop", "generations"]),
    "unknown table": (scenario("[network]", "[netwrk]"), ["netwrk", "network"]),
    "unknown strategy": (scenario("genetic_algorithm", "genetic_algoritm"), ["genetic_algorithm"]),
    "a key instead of a table": (scenario("[stop]\ngenerations = 2", "[x]"), ["[stop]"]),
    "a part that counts nothing": (scenario("train = 20", "train = 30"), ["test"]),
    "number of ten thousand digits": (scenario("seed = 1", f"seed = {'9' * 10_000}"), ["scenario.toml"]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_scenario_is_refused_with_advice_and_leaves_nothing(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaks, expected = BROKEN[name]
    breaks(folder)
    if name == "no permission" and os.access(folder / "scenario.toml", os.R_OK):
        # The superuser may read every file, so the system's answer has to be put into its mouth.
        refuse = PermissionError(errno.EACCES, "Permission denied")
        monkeypatch.setattr(Path, "read_text", lambda *args, **options: (_ for _ in ()).throw(refuse))
    before = sorted(folder.rglob("*"))
    result = CliRunner().invoke(app, ["run", str(folder / "scenario.toml"), "--results", str(folder / "results")])
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.stderr
    for word in expected:
        assert word in result.stderr
    assert sorted(folder.rglob("*")) == before


def test_all_mistakes_come_at_once(folder: Path) -> None:
    text = (folder / "scenario.toml").read_text()
    text = text.replace("population_size = 8", "population_size = 0").replace("generations = 2", "generations = 0")
    text = (
        text.replace("n_hidden = 2", "n_hidden = 0").replace("series.csv", "missing.csv").replace("seed = 1", "sed = 1")
    )
    (folder / "scenario.toml").write_text(text)
    result = CliRunner().invoke(app, ["check", str(folder / "scenario.toml")])
    assert result.exit_code == 2
    for word in ("strategy.population_size", "stop.generations", "network.n_hidden", "missing.csv", "sed", "'seed'"):
        assert word in result.stderr


@pytest.mark.parametrize("override", ["seed", "=3", "seed.x=1", "stop.generations.x=1", "network.n_hidden=two"])
def test_a_broken_override_is_refused(override: str, folder: Path) -> None:
    result = CliRunner().invoke(app, ["check", str(folder / "scenario.toml"), "--set", override])
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr

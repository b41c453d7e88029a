"""The command new as its users meet it: files, terminals, exit codes."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import jsonschema
import numpy as np
import pytest

import neuroevo as ne
from tests.cli import test_use
from tests.cli.test_commands import HEAVY

HOURLY = "when;weather;load\n" + "\n".join(
    f"{1 + hour // 24 % 28:02d}.{1 + hour // 672:02d}.2021 {hour % 24:02d}:00;{('sun', 'rain')[hour % 5 % 2]};"
    + f"{10 + 3 * np.sin(hour / 24 * 2 * np.pi):.2f}".replace(".", ",")
    for hour in range(672)
)


def neuroevo(*arguments: str | Path, cwd: Path) -> test_use.Done:
    return test_use.neuroevo(*map(str, arguments), cwd=cwd)


@pytest.fixture
def hourly(tmp_path: Path) -> Path:
    path = tmp_path / "data" / "power.csv"
    path.parent.mkdir()
    path.write_text(HOURLY)
    return path


def talk(command: list[str | Path], answers: list[str], cwd: Path) -> tuple[int, str]:
    """Exit code and screen of a command on a terminal, whose questions are answered in turn."""
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(cwd)
        os.execv(sys.executable, [sys.executable, "-m", "neuroevo", *map(str, command)])  # noqa: S606
    screen = b""
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:
            break
        screen += piece
        if answers and screen.endswith(b"]: "):
            os.write(terminal, (answers.pop(0) + "\n").encode())
            screen += b"\n"
    assert not answers
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen.decode())


def test_a_file_becomes_a_scenario_that_check_and_run_take(hourly: Path, tmp_path: Path) -> None:
    made = neuroevo("new", "data/power.csv", "--horizon", "24", "--seconds", "20", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert "power.csv has 672 rows every hour, from 01.01.2021 00:00 to 28.01.2021 23:00" in made.stderr
    assert "load     numbers, 7 to 13" in made.stderr
    assert "neuroevo run power.toml" in made.stdout
    table = tomllib.loads((tmp_path / "power.toml").read_text())
    assert table["problem"]["file"] == "data/power.csv"
    assert (table["problem"]["target"], table["problem"]["decimal"]) == ("load", ",")
    assert neuroevo("check", "power.toml", cwd=tmp_path).returncode == 0
    following = next(line for line in made.stdout.splitlines() if "forecast" in line).split()[1:]
    ran = neuroevo("run", "power.toml", "--set", "stop.generations=5", "--set", "sweep.trials=1", "-q", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    told = neuroevo(*following, cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    assert told.stdout.splitlines()[0].startswith("when,load,load_lower")
    assert len(told.stdout.splitlines()) == 25
    assert (tmp_path / "power.png").is_file()


def test_every_option_is_heeded(hourly: Path, tmp_path: Path) -> None:
    more = "group," + HOURLY.replace(",", ".").replace(";", ",").replace("\n", "\ng,")
    hourly.write_text(more.replace("g,", "a,", 300))
    options = ["--target", "load", "--horizon", "1", "--horizon", "3", "--input", "load", "--known", "weather"]
    options += ["--time", "when", "--seconds", "9", "--out", "other/mine.toml", "--yes"]
    made = neuroevo("new", hourly, *options, cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    table = tomllib.loads((tmp_path / "other" / "mine.toml").read_text())
    problem = table["problem"]
    assert (problem["target"], problem["horizon"], problem["input"]) == ("load", [1, 3], "load")
    assert (problem["known"], problem["time"], problem["file"]) == ("weather", "when", "../data/power.csv")
    assert table["stop"]["seconds"] == 0.9  # of each of ten runs
    made = neuroevo("new", hourly, "--sequence", "group", "--label", "load", cwd=tmp_path)
    assert made.returncode == 2
    assert "must be the same on all rows of a 'group'" in made.stderr
    made = neuroevo("new", hourly, "--sequence", "group", "--horizon", "2", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert tomllib.loads((tmp_path / "power.toml").read_text())["problem"]["sequence"] == "group"


def test_nothing_is_overwritten(hourly: Path, tmp_path: Path) -> None:
    (tmp_path / "power.toml").write_text("mine")
    made = neuroevo("new", hourly, cwd=tmp_path)
    assert (made.returncode, made.stdout) == (2, "")
    assert "power.toml exists already" in made.stderr
    assert "--out" in made.stderr
    assert (tmp_path / "power.toml").read_text() == "mine"


def test_a_terminal_is_asked_and_wrong_answers_are_asked_again(hourly: Path, tmp_path: Path) -> None:
    answers = ["lod", "load", "soon", "500", "24", ""]
    code, screen = talk(["new", hourly], answers, tmp_path)
    assert code == 0, screen
    assert "did you mean 'load'" in screen
    assert "whole numbers" in screen
    assert "--horizon 500 leaves too little" in screen
    problem = tomllib.loads((tmp_path / "power.toml").read_text())["problem"]
    assert (problem["target"], problem["horizon"], problem["input"]) == ("load", 24, ["load", "weather"])


def test_what_options_say_is_not_asked(hourly: Path, tmp_path: Path) -> None:
    code, screen = talk(["new", hourly, "--target", "load", "--horizon", "2"], ["load"], tmp_path)
    assert code == 0, screen
    assert tomllib.loads((tmp_path / "power.toml").read_text())["problem"]["input"] == "load"
    code, screen = talk(["new", hourly, "--yes", "--out", "b.toml"], [], tmp_path)
    assert code == 0, screen


def test_an_example_is_written_with_its_data_and_runs(tmp_path: Path) -> None:
    assert "\n  sunspots " in neuroevo("list", cwd=tmp_path).stdout
    made = neuroevo("new", "--example", "sunspots", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert made.stdout.splitlines()[:2] == ["sunspots.toml", "data/sunspots_yearly.csv"]
    assert neuroevo("check", "sunspots.toml", cwd=tmp_path).returncode == 0
    assert neuroevo("new", "--example", "sunspots", cwd=tmp_path).returncode == 0
    (tmp_path / "sunspots.toml").write_text("mine")
    again = neuroevo("new", "--example", "sunspots", cwd=tmp_path)
    assert again.returncode == 2
    assert "sunspots.toml exists already" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "name a file of data"),
        (("data.csv", "--example", "nile"), "name a file of data"),
        (("--example", "sunspot"), "did you mean 'sunspots'"),
        (("nothing.csv",), "there is no file"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    done = neuroevo("new", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_run_says_how_data_become_a_scenario(hourly: Path, tmp_path: Path) -> None:
    done = neuroevo("run", "data/power.csv", cwd=tmp_path)
    assert done.returncode == 2
    assert "`neuroevo new data/power.csv`" in done.stderr
    np.savez(tmp_path / "x.npz", x=np.arange(50.0) % 7)
    assert "`neuroevo new x.npz`" in neuroevo("check", "x.npz", cwd=tmp_path).stderr


def test_help_of_new_imports_nothing_heavy(tmp_path: Path) -> None:
    heavy = [name for name in HEAVY if name != "pydantic"]  # which typer imports for the options of a command
    code = (
        "import sys; sys.argv = ['neuroevo', 'new', '--help']\n"
        "from neuroevo.cli import main\n"
        "try: main()\n"
        f"finally: print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


@pytest.mark.slow
def test_a_wheel_holds_the_examples_and_their_data(tmp_path: Path) -> None:
    pytest.importorskip("hatchling")
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-build-isolation", "--no-deps", "-w", tmp_path, root]
    subprocess.run(command, check=True, capture_output=True)
    names = set(zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist())
    shipped = [path for path in (root / "scenarios").rglob("*") if path.is_file()]
    assert shipped
    assert {f"neuroevo/examples/{path.relative_to(root / 'scenarios').as_posix()}" for path in shipped} <= names


def test_ten_runs_on_the_same_data_warn_once(hourly: Path, tmp_path: Path) -> None:
    hourly.write_text(HOURLY.replace("7,00", "", 3))
    assert neuroevo("new", hourly, cwd=tmp_path).returncode == 0
    settings = ["stop.generations=2", "record.plots=false", "sweep.trials=1"]
    ran = neuroevo("run", "power.toml", *[word for each in settings for word in ("--set", each)], cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert "2 of 2: residual=none" in ran.stderr
    assert ran.stderr.count("cells of 'load' are missing") == 1


def test_a_sweep_forecasts_once_validation_has_combined_its_points(small_scenario: Path, tmp_path: Path) -> None:
    small_scenario.write_text(
        small_scenario.read_text() + '\n[sweep]\nover = { "problem.residual" = ["linear", "none"] }\n'
    )
    assert neuroevo("run", small_scenario, "-q", "--results", "plain", cwd=tmp_path).returncode == 0
    refused = neuroevo("forecast", "plain/small-sweep", "--steps", "2", cwd=tmp_path)
    assert refused.returncode == 2
    assert 'sweep.ensemble = "selection"' in refused.stderr
    options = ["--set", "sweep.ensemble=selection", "--results", "chosen"]
    assert neuroevo("run", small_scenario, "-q", *options, cwd=tmp_path).returncode == 0
    told = neuroevo("forecast", "chosen/small-sweep", "--steps", "2", cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    first = dict(zip(*(line.split(",") for line in told.stdout.splitlines()[:2]), strict=True))
    rows = np.loadtxt(small_scenario.parent / "series.csv", delimiter=",", skiprows=1)
    said = ne.load_predictor(tmp_path / "chosen" / "small-sweep").predict(rows[None, :, 1:])
    assert (first["year"], float(first["value"])) == ("2000", pytest.approx(said[0, -1, 0], rel=1e-9))


def test_what_is_written_names_a_schema_that_it_fits(hourly: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    assert neuroevo("new", hourly, "--out", "there/power.toml", cwd=tmp_path).returncode == 0
    text = (tmp_path / "there" / "power.toml").read_text(encoding="utf-8")
    assert text.splitlines()[0] == "#:schema ./neuroevo.schema.json"
    schema = json.loads((tmp_path / "there" / "neuroevo.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(tomllib.loads(text))
    (tmp_path / "there" / "neuroevo.schema.json").write_text("mine")
    assert neuroevo("new", hourly, "--out", "there/other.toml", cwd=tmp_path).returncode == 0
    assert (tmp_path / "there" / "neuroevo.schema.json").read_text() == "mine"

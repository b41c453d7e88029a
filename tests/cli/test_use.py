"""predict, forecast and evaluate as their users meet them."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import neuroevo as ne
from neuroevo.cli.app import app
from tests.cli.test_commands import HEAVY
from tests.conftest import SMALL_SCENARIO


@dataclass
class Done:
    """What a command left."""

    returncode: int
    stdout: str
    stderr: str


def neuroevo(*arguments: str, cwd: Path) -> Done:
    """In this process: each start of another costs a second."""
    with contextlib.chdir(cwd):
        done = CliRunner().invoke(app, arguments)
    return Done(done.exit_code, done.stdout, done.stderr)


def rows_of(years: range) -> str:
    values = [50 + 40 * np.sin(year * 0.6) + 10 * np.sin(year * 1.7) for year in years]
    return "".join(f"{year},{value:.3f}\n" for year, value in zip(years, values, strict=True))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run and a set of three trials, whose data file is gone, and new rows."""
    folder = tmp_path_factory.mktemp("use")
    (folder / "series.csv").write_text("year,value\n" + rows_of(range(1900, 2000)))
    (folder / "small.toml").write_text(SMALL_SCENARIO)
    ne.run(folder / "small.toml", results=folder)
    ne.run_trials(folder / "small.toml", 3, results=folder)
    (folder / "series.csv").unlink()
    (folder / "new.csv").write_text("year,value\n" + rows_of(range(2000, 2010)))
    (folder / "gap.csv").write_text("year,value\n" + rows_of(range(2005, 2010)))
    return folder


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("run", ["small-seed1", "small-trials", "small-trials/ensemble.json"])
def test_predict_prints_csv_with_the_row_whose_target_nobody_knows(run: str, folder: Path) -> None:
    done = neuroevo("predict", run, "new.csv", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    rows = table(done.stdout)
    assert [row["year"] for row in rows] == [str(year) for year in range(2000, 2011)]
    names = ["year", "value", "value_lower", "value_upper"]
    assert list(rows[0]) == (names if run == "small-seed1" else [*names, "value_spread"])
    model = ne.open_model(folder / run)
    years = range(1900, 2010)
    inputs = [[float(line.split(",")[1])] for line in rows_of(years).splitlines()]
    expected = model.predictor.predict([inputs])[0, 99:, 0]
    assert [float(row["value"]) for row in rows] == expected.tolist()
    lower = json.loads(neuroevo("predict", run, "new.csv", "--level", "0.8", "--json", cwd=folder).stdout)
    assert lower["level"] == 0.8
    assert lower["rows"][-1]["value"] == expected[-1]
    assert lower["rows"][-1]["value_lower"] > float(rows[-1]["value_lower"])


def test_predictions_are_written_to_a_file(folder: Path) -> None:
    done = neuroevo("predict", "small-seed1", "gap.csv", "--restart", "--out", "said.csv", cwd=folder)
    assert (done.returncode, done.stdout) == (0, "said.csv\n")
    assert [row["year"] for row in table((folder / "said.csv").read_text())] == [str(y) for y in range(2006, 2011)]


def test_forecast_prints_csv_and_draws(folder: Path) -> None:
    done = neuroevo("forecast", "small-trials", "--steps", "14", "--plot", "ahead.png", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines() == [
        "trained on true values, while here outputs come back as inputs; [problem] free_run trains for that",
        "the validation part is too short for intervals beyond step 12: those are left out",
    ]
    rows = table(done.stdout)
    assert [row["year"] for row in rows] == [str(year) for year in range(2000, 2014)]
    assert [bool(row["value_upper"]) for row in rows] == [True] * 12 + [False] * 2
    assert (folder / "ahead.png").read_bytes()[:4] == b"\x89PNG"
    more = neuroevo("forecast", "small-trials", "new.csv", "--out", "f.csv", "--plot", "ahead.svg", cwd=folder)
    assert more.stdout == "f.csv\nahead.svg\n"
    assert len(table((folder / "f.csv").read_text())) == 24
    options = ["--restart", "--level", "0.5", "--json", "--steps", "2"]
    alone = json.loads(neuroevo("forecast", "small-seed1", "gap.csv", *options, cwd=folder).stdout)
    assert [row["year"] for row in alone["rows"]] == [2010, 2011]
    assert alone["level"] == 0.5


def test_evaluate_prints_the_table_of_show_with_the_new_rows(folder: Path) -> None:
    done = neuroevo("evaluate", "small-seed1", "new.csv", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    shown = neuroevo("show", "small-seed1", cwd=folder).stdout

    def lines(text: str) -> dict[str, list[str]]:
        cells = [re.split(r"  +", line.strip()) for line in text.splitlines() if line.startswith("  ")]
        return {f"{place}{row[0]}": row[1:] for place, row in enumerate(cells) if len(row) > 3}

    before, after = lines(shown.split("\n\n", 1)[1]), lines(done.stdout)  # above: title, reason, champion
    assert next(iter(after.values())) == ["train", "validation", "test", "new"]
    same = {name: figures for name, figures in before.items() if name in after}
    assert len(same) >= 9
    for name, figures in same.items():
        assert after[name][:3] == figures
    assert "targets in intervals of one width" in done.stdout
    assert "as wide as the members differ" not in done.stdout
    found = json.loads(neuroevo("evaluate", "small-trials", "gap.csv", "--restart", "--json", cwd=folder).stdout)
    assert found["part"] == "gap"
    assert list(found["contestants"])[:2] == ["ensemble (median of 3)", found_best(found)]
    assert found["contestants"]["ensemble (median of 3)"]["gap"]["n_targets"] == 4


def found_best(found: dict[str, dict[str, object]]) -> str:
    return next(name for name in found["contestants"] if name.startswith("best trial by validation: seed"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["predict", "small-seed1", "gap.csv"], "there is a gap: the data of the run end at 1999, and gap.csv begins at 2005"),
        (["predict", "small-seed1", "none.csv"], "none.csv"),
        (["predict", "small-seed1", "other.csv"], "has no column"),
        (["predict", "small-seed1", "text.csv"], "is not a finite number"),
        (["predict", "nowhere", "new.csv"], "nowhere is not the folder of a run"),
        (["predict", "small-seed1", "new.csv", "--level", "1.5"], "level must be above 0 and below 1"),
        (["predict", "small-seed1", "new.csv", "--level", "0.99"], "needs 99 validation targets"),
        (["predict", "lone", "new.csv"], "an ensemble without its runs"),
        (["forecast", "small-seed1", "--plot", "x.gif"], "x.gif must end with .png, .svg or .pdf"),
        (["forecast", "small-seed1", "--restart"], "begins anew with a file, and none is given"),
        (["forecast", "small-seed1", "--steps", "200000"], "steps must be 100,000 at most"),
        (["evaluate", "small-seed1", "old.csv"], "no target is known after the data of the run"),
    ],
)  # fmt: skip
def test_wrong_input_is_told_in_one_line(arguments: list[str], words: str, folder: Path) -> None:
    (folder / "other.csv").write_text("year,power\n2000,1\n")
    (folder / "text.csv").write_text("year,value\n2000,many\n")
    (folder / "old.csv").write_text("year,value\n" + rows_of(range(1950, 1990)))
    shutil.rmtree(folder / "lone", ignore_errors=True)
    ne.save_predictor(ne.load_predictor(folder / "small-seed1"), folder / "lone")
    done = neuroevo(*arguments, cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["predict", "forecast", "evaluate"])
def test_help_names_every_option_and_imports_nothing_heavy(command: str, tmp_path: Path) -> None:
    # The last of what is heavy, pydantic, is typer's own.
    code = (
        f"import sys; sys.argv = ['neuroevo', {command!r}, '--help']\n"
        "from neuroevo.cli import main\n"
        "try: main()\n"
        f"finally: print([name for name in {HEAVY[:-1]!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert {"predict": "--level", "forecast": "--plot", "evaluate": "--restart"}[command] in done.stdout


def test_prediction_imports_neither_kernels_nor_ray(folder: Path) -> None:
    code = (
        "import sys\nfrom neuroevo.cli import main\n"
        "sys.argv = ['neuroevo', 'predict', 'small-seed1', 'new.csv']\n"
        "try: main()\n"
        "finally: print([n for n in ('numba', 'ray', 'matplotlib', 'deap') if n in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"

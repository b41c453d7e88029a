"""What others wrote is shown and never obeyed: in titles, names of files, columns and parts, messages and values."""

from __future__ import annotations

import ast
import io
import json
import os
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import neuroevo.cli
from neuroevo.cli.app import app
from neuroevo.cli.display import Display
from neuroevo.cli.terminal import escaped, print_message, print_path, print_result, shown

ATTACKS = {
    "colour": "\x1b[31m",
    "erase": "\x1b[2K\x1b[1A",
    "title": "\x1b]0;gotcha\x07",
    "link": "\x1b]8;;http://evil.example\x07",
    "bell": "\x07",
    "return": "\rstopped after 1 generations: all is well",
    "backspace": "a\x08b",
    "C1 introducer": "\x9b31m",
    "C1 command": "\x9d0;gotcha\x9c",
    "next line": "\x85",
    "override": "\u202egnp.exe\u202c",
    "isolate": "\u2066a\u2069",
    "mark": "\u200f",
    "line separator": "\u2028",
    "delete": "\x7f",
}
ALL = "".join(ATTACKS.values()) + "[bold red]markup[/]"
OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def neuroevo_(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "neuroevo", *map(str, arguments)]
    environment = os.environ | {"PYTHONUTF8": "1", "FORCE_COLOR": "1"}
    done = subprocess.run(command, cwd=cwd, capture_output=True, timeout=120, check=False, env=environment)
    out, err = (text.decode("utf-8", "surrogateescape") for text in (done.stdout, done.stderr))
    return subprocess.CompletedProcess(command, done.returncode, out, err)


def here(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The same in this process, which is quicker."""
    done = CliRunner().invoke(app, list(map(str, arguments)))
    return subprocess.CompletedProcess([], done.exit_code, done.stdout, done.stderr)


def assert_harmless(done: subprocess.CompletedProcess[str], code: int, *said: str) -> None:
    assert done.returncode == code, done.stderr
    everything = done.stdout + done.stderr
    assert not OBEYED.findall(everything), everything
    for words in said:
        assert words in everything
    assert "Traceback" not in everything


@pytest.mark.parametrize("attack", ATTACKS)
def test_every_attack_is_written_out(attack: str) -> None:
    text = escaped(f"before {ATTACKS[attack]} after")
    assert not OBEYED.findall(text)
    assert text.startswith("before ")
    assert text.endswith(" after")
    assert text.encode("ascii").decode("unicode_escape") == f"before {ATTACKS[attack]} after"


@given(st.text(st.characters()))
def test_nothing_but_lines_and_letters_is_left(text: str) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), "utf-8")
    left = shown(text, stream)
    assert {unicodedata.category(letter) for letter in left if letter != "\n"}.isdisjoint({"Cc", "Cs", "Zl", "Zp"})
    assert {unicodedata.bidirectional(letter) for letter in left}.isdisjoint(
        {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}
    )
    stream.write(left)  # can be written
    if text.isprintable():
        assert left == text


def test_people_write_as_they_write() -> None:
    for title in ("Größe & Maß", "年間太陽黒点数", "سری زمانی", "👩‍👩‍👧 family", "می‌خواهم", "[red]no markup[/red]"):
        assert escaped(title) == title


def test_a_stream_of_few_letters_shows_the_others_written_out() -> None:
    assert shown("Größe", io.TextIOWrapper(io.BytesIO(), "ascii")) == "Gr\\xf6\\xdfe"


def test_all_printing_goes_through_one_place() -> None:
    folder = Path(neuroevo.cli.__file__).parent
    for path in folder.glob("*.py"):
        calls = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        names = {getattr(call, "id", getattr(call, "attr", "")) for call in calls}
        if path.name != "terminal.py":
            assert names.isdisjoint({"print", "echo", "secho"}), path
        if path.name not in ("terminal.py", "display.py"):
            assert "write" not in names, path


def test_printing_escapes_whatever_it_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    print_result(f"one{ALL}\ntwo")
    print_message(f"three{ALL}")
    out, err = capsys.readouterr()
    assert not OBEYED.findall(out + err)
    assert out.splitlines()[1:] == ["two"]
    assert "[bold red]markup[/]" in out


def test_messages_above_the_live_line_are_escaped() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    Display({}, terminal).message(ALL)
    assert terminal.getvalue().startswith("\r\x1b[K")
    assert not OBEYED.findall(terminal.getvalue().removeprefix("\r\x1b[K"))


@pytest.fixture
def hostile(small_scenario: Path) -> Path:
    """The small scenario with a title, file, column and part full of commands to a terminal."""
    text = small_scenario.read_text()
    (small_scenario.parent / f"data{ATTACKS['colour']}.csv").write_text(
        small_scenario.with_name("series.csv").read_text().replace("year,value", f"year,value{ATTACKS['override']}")
    )
    text = text.replace('"A small series"', json.dumps(f"title{ALL}").replace("\x7f", "\\u007f"))
    text = text.replace('"series.csv"', json.dumps(f"data{ATTACKS['colour']}.csv"))
    text = text.replace('input = "value"', f"input = {json.dumps('value' + ATTACKS['override'])}")
    path = small_scenario.with_name(f"small{ATTACKS['title']}.toml")
    path.write_text(text, encoding="utf-8")
    small_scenario.unlink()
    return path


def test_check_list_run_show_resume_and_plot_obey_nothing(hostile: Path, tmp_path: Path) -> None:
    assert_harmless(neuroevo_("check", hostile, cwd=tmp_path), 0, "title\\x1b[31m", "[bold red]markup[/]", "\\u202e")
    assert_harmless(
        neuroevo_("list", hostile.parent, cwd=tmp_path), 0, "title\\x1b[31m", "small\\x1b]0;gotcha\\x07.toml"
    )
    run = neuroevo_("run", hostile, "--results", "runs", cwd=tmp_path)
    assert_harmless(run, 0, "title\\x1b[31m", "small\\x1b]0;gotcha\\x07-seed1")
    (folder,) = (tmp_path / "runs").iterdir()
    assert folder.name == f"small{ATTACKS['title']}-seed1"  # names that go into files keep their bytes
    assert json.loads((folder / "run.json").read_text())["title"] == f"title{ALL}"
    assert_harmless(neuroevo_("show", folder, cwd=tmp_path), 0, "title\\x1b[31m")
    assert_harmless(neuroevo_("resume", folder, cwd=tmp_path), 0, "has finished")
    assert_harmless(neuroevo_("plot", folder, cwd=tmp_path), 0, "curves.svg")
    quiet = neuroevo_("resume", "-q", folder, cwd=tmp_path)
    assert quiet.stdout == f"{folder}\n"  # what a program reads is the name itself


def test_records_obey_nothing(hostile: Path, tmp_path: Path) -> None:
    neuroevo_("run", hostile, "--results", "runs", "-q", cwd=tmp_path)
    (folder,) = (tmp_path / "runs").iterdir()
    run = json.loads((folder / "run.json").read_text())
    run["stop_reason"]["message"] = f"message{ALL}"
    run["results"]["measures"] = dict.fromkeys(run["results"]["measures"], f"measure{ALL}")
    contestants = run["results"]["contestants"]
    run["results"]["contestants"] = {f"{name}{ALL}": {f"{part}{ALL}": figures for part, figures in parts.items()}
                                     for name, parts in contestants.items()}  # fmt: skip
    (folder / "run.json").write_text(json.dumps(run))
    shown_ = neuroevo_("show", folder, cwd=tmp_path)
    assert_harmless(shown_, 0, "message\\x1b[31m", "measure\\x1b[31m", "champion\\x1b[31m", "train\\x1b[31m")
    assert_harmless(neuroevo_("resume", folder, cwd=tmp_path), 0, "message\\x1b[31m")
    for key, value in (("status", ALL), ("seed", ALL), (ALL, 1), ("format", ALL)):
        (folder / "run.json").write_text(json.dumps(run | {key: value}))
        assert_harmless(here("show", folder), 0 if key == ALL else 2)
    (folder / "run.json").write_text("{" + ALL)
    assert_harmless(here("show", folder), 2, "not valid JSON")


def test_sets_of_runs_obey_nothing(hostile: Path, tmp_path: Path) -> None:
    options = ["--sweep", "network.activation=tanh,logistic", "--trials", "2", "--results", "runs"]
    run = neuroevo_("run", hostile, *options, "--set", "stop.generations=2", cwd=tmp_path)
    assert_harmless(run, 0, "activation")
    (folder,) = (tmp_path / "runs").iterdir()
    point = json.loads(next(folder.glob("*/trials.json")).read_text())
    point["values"] = {"network.activation": f"value{ALL}"}
    next(folder.glob("*/trials.json")).write_text(json.dumps(point))
    assert_harmless(neuroevo_("show", folder, cwd=tmp_path), 0, "title\\x1b[31m", "value\\x1b[31m")


@pytest.mark.parametrize(
    "change",
    [
        (f"[{json.dumps('table' + ALL)}]\n", "table"),
        (f"{json.dumps('key' + ALL)} = 1\n", "key"),
        (f"[islands]\ntopology = {json.dumps('value' + ALL)}\n", "value"),
        (f"not toml {ALL}\n", "TOML"),
    ],
    ids=lambda change: change[1],
)
@pytest.mark.parametrize("command", ["check", "run"])
def test_mistakes_of_a_scenario_obey_nothing(command: str, change: tuple[str, str], small_scenario: Path) -> None:
    small_scenario.write_text(small_scenario.read_text() + change[0].replace("\x7f", "\\u007f"), encoding="utf-8")
    assert_harmless(here(command, small_scenario), 2, change[1])


def test_names_on_the_command_line_obey_nothing() -> None:
    for arguments in (
        ["check", f"missing{ALL}.toml"],
        ["show", f"missing{ALL}"],
        ["resume", f"missing{ALL}"],
        ["plot", f"missing{ALL}"],
        ["extend", f"missing{ALL}", "--set", f"stop.{ALL}=1"],
        ["run", "--seed", f"{ALL}", "x.toml"],
        ["run", f"--{ALL}", "x.toml"],
        ["run", "--set", ALL, "x.toml"],
        [f"command{ALL}"],
        ["resume", "one", f"two{ALL}"],
    ):
        assert_harmless(here(*arguments), 2)


def test_bytes_that_are_no_text_can_be_printed(tmp_path: Path) -> None:
    name = os.fsdecode(b"latin-\xe4.toml")
    done = neuroevo_("check", name, cwd=tmp_path)
    assert_harmless(done, 2, "latin-\\udce4.toml")


def test_a_path_for_a_program_keeps_its_bytes(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    path = Path(os.fsdecode(b"a\xe4\x1b[31m"))
    print_path(path, alone=True)
    print_path(path)
    assert capfdbinary.readouterr().out == b"a\xe4\x1b[31m\na\\udce4\\x1b[31m\n"

"""The command line as its users meet it: real processes, their streams and exit codes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

HEAVY = ("numpy", "numba", "ray", "deap", "pyswarms", "matplotlib", "scipy", "pydantic")


def neuroevo(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "neuroevo", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys; sys.argv = ['neuroevo', '--help']\n"
        "from neuroevo.cli import main\n"
        "try: main()\n"
        f"finally: print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert "run" in done.stdout
    assert not list(tmp_path.iterdir())


def test_importing_neuroevo_imports_nothing_heavy_and_writes_nothing(tmp_path: Path) -> None:
    code = f"import sys, neuroevo; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert not list(tmp_path.iterdir())


def test_a_run_ends_with_its_folder_after_saying_why_it_stopped(small_scenario: Path, tmp_path: Path) -> None:
    done = neuroevo("run", small_scenario, "--results", "runs", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "runs/small-seed1"
    assert "12 generations" in done.stderr.splitlines()[-1]
    for words in ("champion", "last value repeated", "linear autoregression of order 9", "train", "test"):
        assert words in done.stdout


def test_quiet_prints_the_folder_alone(small_scenario: Path, tmp_path: Path) -> None:
    done = neuroevo("run", small_scenario, "--results", "runs", "--quiet", "--seed", "7", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "runs/small-seed7\n")


def test_show_plot_check_and_list(small_scenario: Path, tmp_path: Path) -> None:
    neuroevo("run", small_scenario, "--results", "runs", "--quiet", cwd=tmp_path)
    shown = neuroevo("show", "runs/small-seed1", cwd=tmp_path)
    assert "12 generations" in shown.stdout
    checked = neuroevo("check", small_scenario, "--set", 'space={kind="grid",step=0.5}', cwd=tmp_path)
    assert "  space    grid, 19 genes" in checked.stdout.splitlines()
    small_scenario.with_name("series.csv").unlink()
    plotted = neuroevo("plot", "runs/small-seed1", cwd=tmp_path)
    files = [tmp_path / line for line in plotted.stdout.splitlines()]
    assert {file.suffix for file in files} == {".png", ".svg"}
    assert all(file.stat().st_size > 1000 for file in files)
    checked = neuroevo("check", small_scenario, cwd=tmp_path)
    assert checked.returncode == 2
    listed = neuroevo("list", small_scenario.parent, cwd=tmp_path)
    for name in ("A small series", "genetic_algorithm", "elman", "series", "grid", "generations"):
        assert name in listed.stdout


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_run_in_good_order_and_it_can_go_on(
    number: signal.Signals, code: int, small_scenario: Path, tmp_path: Path
) -> None:
    options = ["--results", "runs", "--set", "stop.generations=100000"]
    command = [sys.executable, "-m", "neuroevo", "run", str(small_scenario), *options]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        history = tmp_path / "runs" / "small-seed1" / "history.csv"
        deadline = time.monotonic() + 60
        while not (history.exists() and history.read_text().count("\n") > 20) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == code, stderr
    assert "defect" not in stderr
    assert stdout.splitlines()[-1] == "runs/small-seed1"
    record = json.loads((tmp_path / "runs" / "small-seed1" / "run.json").read_text())
    assert record["status"] == "interrupted"
    done = record["generations"]
    going_on = neuroevo("extend", "runs/small-seed1", "--set", f"stop.generations={done + 5}", cwd=tmp_path)
    assert going_on.returncode == 0, going_on.stderr
    assert history.read_text().count("\n") == done + 6


def test_a_sweep_is_run_checked_shown_and_drawn(small_scenario: Path, tmp_path: Path) -> None:
    sweep = ["--sweep", "strategy.kind=snes,random_search", "--sweep", "network.n_hidden=2,3", "--trials", "2"]
    done = neuroevo("run", small_scenario, *sweep, "--results", "runs", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "runs/small-sweep"
    assert "4 of 4 points, 8 runs" in done.stdout
    heads = ("kind", "n_hidden", "evaluations", "training error", "validation error", "test nmse", "test learned")
    assert all(head in done.stdout for head in heads)
    assert "4 points, 8 runs" in done.stderr
    again = neuroevo("run", small_scenario, *sweep, "--results", "runs", "-q", cwd=tmp_path)
    assert (again.returncode, again.stdout, again.stderr) == (0, "runs/small-sweep\n", "")
    shown = neuroevo("show", "runs/small-sweep", "runs/small-sweep/kind=snes,n_hidden=2", cwd=tmp_path)
    assert "4 of 4 points" in shown.stdout
    assert "over the trials" in shown.stdout
    drawn = neuroevo("plot", "runs/small-sweep", "runs/small-sweep/kind=snes,n_hidden=2", cwd=tmp_path)
    of_best = ("compare", "prediction")  # it is the best point, which has an ensemble
    assert drawn.stdout.splitlines() == [
        f"runs/small-sweep/{path}.{kind}"
        for path in ("plots/sweep", "plots/compare", *(f"kind=snes,n_hidden=2/plots/{name}" for name in of_best))
        for kind in ("png", "svg")
    ]


def test_a_sweep_of_the_scenario_is_checked_and_can_be_left_out(small_scenario: Path, tmp_path: Path) -> None:
    sweep = "[sweep]\ntrials = 3\n[sweep.over]\nnetwork.n_hidden = [2, 3]\n"
    small_scenario.write_text(small_scenario.read_text() + sweep)
    checked = neuroevo("check", small_scenario, cwd=tmp_path)
    assert "2 points over network.n_hidden; 3 seeds at each" in checked.stdout
    alone = neuroevo("run", small_scenario, "--no-sweep", "--results", "runs", "-q", cwd=tmp_path)
    assert alone.stdout == "runs/small-seed1\n"
    small_scenario.write_text(small_scenario.read_text().replace("[2, 3]", "[2, -3]"))
    for command in ("check", "run"):
        wrong = neuroevo(command, small_scenario, cwd=tmp_path)
        assert (wrong.returncode, wrong.stdout) == (2, "")
        assert wrong.stderr.endswith("small.toml at n_hidden=-3: network.n_hidden: must be at least 1, got -3\n")
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["small-seed1"]


def test_a_signal_ends_a_sweep_in_good_order_and_the_same_command_goes_on(small_scenario: Path, tmp_path: Path) -> None:
    options = ["--sweep", "network.n_hidden=2,3", "--results", "runs"]
    command = [sys.executable, "-m", "neuroevo", "run", str(small_scenario), *options]
    long = ["--set", "stop.generations=100000"]
    with subprocess.Popen([*command, *long], cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        history = tmp_path / "runs" / "small-sweep" / "n_hidden=2" / "seed1" / "history.csv"
        deadline = time.monotonic() + 60
        while not (history.exists() and history.read_text().count("\n") > 20) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert stderr.endswith("interrupted after 0 finished runs; the same command goes on\n")
    assert not (tmp_path / "runs" / "small-sweep" / "n_hidden=3" / "seed1").exists()


def test_a_finished_run_can_be_resumed_again_and_again(small_scenario: Path, tmp_path: Path) -> None:
    neuroevo("run", small_scenario, "--results", "runs", "-q", cwd=tmp_path)
    folder = tmp_path / "runs" / "small-seed1"
    for path in (folder, folder.parent):
        path.chmod(0o500)
    try:
        for options in ([], ["-q"]):
            done = neuroevo("resume", "runs/small-seed1", *options, cwd=tmp_path)
            assert done.returncode == 0, done.stderr
            assert done.stdout.splitlines()[-1] == "runs/small-seed1"
            assert "runs/small-seed1 has finished (12 generations" in done.stderr
            assert "neuroevo extend RUN" in done.stderr
    finally:
        for path in (folder.parent, folder):
            path.chmod(0o700)


def test_a_finished_set_of_runs_says_so_and_an_unfinished_one_names_the_way_on(
    small_scenario: Path, tmp_path: Path
) -> None:
    for options, name, n_runs in (
        (["--trials", "2"], "small-trials", 2),
        (["--sweep", "network.n_hidden=2,3"], "small-sweep", 2),
    ):
        neuroevo("run", small_scenario, *options, "--results", "runs", "-q", cwd=tmp_path)
        done = neuroevo("resume", f"runs/{name}", cwd=tmp_path)
        assert (done.returncode, done.stdout) == (0, f"runs/{name}\n")
        assert f"all {n_runs} runs in runs/{name} have finished" in done.stderr
        assert neuroevo("extend", f"runs/{name}", "--set", "stop.generations=20", cwd=tmp_path).returncode == 2
    run = tmp_path / "runs" / "small-trials" / "seed2" / "run.json"
    run.write_text(run.read_text().replace('"status": "finished"', '"status": "interrupted"'))
    done = neuroevo("resume", "runs/small-trials", cwd=tmp_path)
    assert done.returncode == 2
    assert "the command that began it goes on" in done.stderr


def test_an_unwritable_results_folder_is_the_machines_failure(small_scenario: Path, tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file where the folder should be")
    done = neuroevo("run", small_scenario, "--results", "runs", cwd=tmp_path)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "runs" in done.stderr


def test_a_reader_that_goes_away_is_no_traceback(tmp_path: Path) -> None:
    command = f"{sys.executable} -m neuroevo list | head -1"
    done = subprocess.run(["/bin/sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_a_set_shows_its_ensemble_beside_single_trials(small_scenario: Path, tmp_path: Path) -> None:
    done = neuroevo(
        "run", small_scenario, "--trials", "3", "--results", "runs", "--set", "record.plots=true", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    shown = neuroevo("show", "runs/small-trials", cwd=tmp_path)
    for text in (done.stdout, shown.stdout):
        for words in (
            "ensemble (median of 3)",
            "best trial by validation: seed",
            "median of the trials",
            "last value repeated",
        ):
            assert words in text
        assert "intervals of 90 %, from 20 validation targets" in text
    assert (tmp_path / "runs" / "small-trials" / "plots" / "prediction.png").is_file()
    (tmp_path / "runs" / "small-trials" / "ensemble.json").write_text("[]")
    broken = neuroevo("show", "runs/small-trials", cwd=tmp_path)
    assert (broken.returncode, "ensemble.json must hold an object" in broken.stderr) == (2, True)


def test_another_kind_drops_what_only_the_old_one_knows_and_says_so(small_scenario: Path, tmp_path: Path) -> None:
    text = small_scenario.read_text(encoding="utf-8")
    small_scenario.write_text(text.replace("population_size = 16", "population_size = 16\ntournament_size = 3"))
    done = neuroevo("check", small_scenario, "--set", "strategy.kind=random_search", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    table = json.loads(done.stdout)["scenario"]["strategy"]
    assert (table["kind"], table["population_size"]) == ("random_search", 16)
    assert "left out what only genetic_algorithm has: tournament_size\n" in done.stderr
    wrong = neuroevo("check", small_scenario, "--set", "strategy.kind=random_search", "--set", "strategy.selection=best", cwd=tmp_path)  # fmt: skip
    assert wrong.returncode == 2
    assert "strategy.selection: unknown key" in wrong.stderr


def test_documents_are_json_with_the_figures_of_the_record(small_scenario: Path, tmp_path: Path) -> None:
    neuroevo("run", small_scenario, "--results", "runs", "--quiet", cwd=tmp_path)
    shown = json.loads(neuroevo("show", "runs/small-seed1", "--json", cwd=tmp_path).stdout)
    stored = json.loads((tmp_path / "runs/small-seed1/run.json").read_text(encoding="utf-8"))
    assert {key: shown[key] for key in stored} == stored
    listed = json.loads(neuroevo("list", "--json", cwd=tmp_path).stdout)
    assert "snes" in listed["strategies"]
    schema = json.loads(neuroevo("schema", cwd=tmp_path).stdout)
    assert "snes" in [kind["properties"]["kind"]["const"] for kind in schema["properties"]["strategy"]["oneOf"]]


def test_a_module_of_ones_own_is_known_after_its_import(small_scenario: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from neuroevo.strategies import STRATEGIES\n"
        "from neuroevo.strategies.random_search import RandomSearch\n"
        "class Mine(RandomSearch):\n    'A search of mine.'\n"
        "STRATEGIES.register('mine', Mine)\n",
        encoding="utf-8",
    )
    options = ("--import", "mine", "run", small_scenario, "--set", "strategy.kind=mine", "--results", "runs")
    done = neuroevo(*options, "-q", "--workers", "0", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "runs/small-seed1\n"), done.stderr
    missing = neuroevo("--import", "mine.py", "list", cwd=tmp_path)
    assert missing.returncode == 2
    assert "without .py" in missing.stderr


def test_functions_in_the_present_folder_are_found_wherever_the_command_stands(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "neuroevo"
    command.write_text("from neuroevo.cli import main\nmain()\n")
    here = tmp_path / "here"
    here.mkdir()
    (here / "my_costs.py").write_text("def cost(outputs, targets):\n    return abs(outputs[0] - targets[0])\n")
    (here / "cost.toml").write_text(
        'title = "Cost"\n[problem]\nkind = "sine"\nobjective = "my_costs:cost"\nper_step = true\n'
        '[network]\nkind = "elman"\nn_hidden = 1\n[strategy]\nkind = "snes"\n[stop]\ngenerations = 1\n'
    )

    def check(*more: str) -> subprocess.CompletedProcess[str]:
        arguments = [sys.executable, str(command), "check", "cost.toml", *more]
        return subprocess.run(arguments, cwd=here, capture_output=True, text=True, check=False)

    good, missing = check(), check("--set", "problem.objective=my_costs:cots")
    assert (good.returncode, good.stderr) == (0, "")
    assert "mean cost (objective of one's own)" in good.stdout
    assert missing.returncode == 2
    assert "the objective 'my_costs:cots' is not found: module 'my_costs' has no attribute 'cots'" in missing.stderr


def test_short_and_long_help_say_the_same(tmp_path: Path) -> None:
    assert neuroevo("run", "-h", cwd=tmp_path).stdout == neuroevo("run", "--help", cwd=tmp_path).stdout

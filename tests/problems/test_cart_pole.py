"""A problem that is no set of sequences, added from outside: the code of docs/extending.md, through an entry point."""

from __future__ import annotations

import importlib.util
import math
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from subprocess import PIPE

import numpy as np
import pytest

import neuroevo as ne
from neuroevo.records import RunRecord

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
BLOCKS = [match.group(2) for match in re.finditer(r"```(python|toml)\n(.*?)```", PAGE, re.DOTALL)]

LASTING = {"stop.generations": 15, "record.checkpoint_generations": 3}


def block(marker: str) -> str:
    (found,) = (text for text in BLOCKS if marker in text)
    return found


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with the scenario, and the module and its entry point in `package`, as an installed package has them."""
    folder = tmp_path_factory.mktemp("site")
    information = folder / "package" / "cart_pole-1.0.dist-info"
    information.mkdir(parents=True)
    (folder / "package" / "cart_pole.py").write_text(block("class CartPole"))
    (folder / "balance.toml").write_text(block("[strategy]\nkind"))
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: cart_pole\nVersion: 1.0\n")
    line = block('entry-points."neuroevo.problems"').strip().splitlines()[1].replace('"', "")
    (information / "entry_points.txt").write_text(f"[neuroevo.problems]\n{line}\n")
    return folder


def started(site, *arguments, known=True):
    path = os.pathsep.join([*([str(site / "package")] if known else []), str(ROOT)])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONWARNINGS": "error"}
    command = [sys.executable, "-m", "neuroevo", *map(str, arguments)]
    return subprocess.Popen(command, cwd=site, env=environment, stdout=PIPE, stderr=PIPE, text=True)


def neuroevo(site, *arguments, known=True):
    with started(site, *arguments, known=known) as process:
        out, err = process.communicate(timeout=120)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def changes():
    return [word for key, value in LASTING.items() for word in ("--set", f"{key}={value}")]


@pytest.fixture(scope="module")
def module(site):
    spec = importlib.util.spec_from_file_location("cart_pole", site / "package" / "cart_pole.py")
    found = importlib.util.module_from_spec(spec)
    sys.modules["cart_pole"] = found
    spec.loader.exec_module(found)
    yield found
    del sys.modules["cart_pole"]


def slow_score(problem, network, genome, part):
    """Episode by episode, number by number; the network through `predict` on all positions so far."""
    fallen, balanced = 0, 0
    starts = problem.starts(part)
    for start in starts.tolist():
        (x, angle, speed, turning), seen = start, []
        for step in range(problem.n_steps):
            seen.append([x / 2.4, angle / math.radians(12)])
            force = 10 * math.tanh(network.predict(genome, np.array([seen]))[0, -1, 0])
            # The equations as Florian prints them, (23) and (24) without friction.
            centrifugal = 0.1 * 0.5 * turning**2 * math.sin(angle)
            angular = 9.8 * math.sin(angle) + math.cos(angle) * (-force - centrifugal) / 1.1
            angular /= 0.5 * (4 / 3 - 0.1 * math.cos(angle) ** 2 / 1.1)
            linear = (force + centrifugal - 0.1 * 0.5 * angular * math.cos(angle)) / 1.1
            x, angle = x + 0.02 * speed, angle + 0.02 * turning
            speed, turning = speed + 0.02 * linear, turning + 0.02 * angular
            if abs(x) > 2.4 or abs(angle) > math.radians(12):
                fallen += problem.n_steps - step
                break
        else:
            balanced += 1
    return fallen / (len(starts) * problem.n_steps), balanced / len(starts)


@pytest.mark.parametrize("kind", ["elman", "gru", "graph"])
def test_the_score_is_that_of_a_slow_simulation(module, kind):
    problem = module.CartPole(n_train=2, n_test=3, n_steps=60)
    settings = {"n_units": 2, "links": "all"} if kind == "graph" else {"n_hidden": 2}
    network = ne.make_network(kind, problem.n_inputs, problem.n_outputs, **settings)
    rng = np.random.default_rng(1)
    errors = set()
    for part in problem.parts:
        for _ in range(3):
            genome = rng.normal(size=network.n_genes)
            expected = slow_score(problem, network, genome, part)
            assert problem.score(network, genome, part) == pytest.approx(expected, abs=1e-12)
            errors.add(expected[0])
    assert len(errors) > 3


def test_a_pole_without_force_falls_as_an_upright_pendulum_on_a_free_cart(module):
    # Linearised: the angle grows as cosh(t * sqrt(g / (l (4/3 - m/M)))), and the centre of mass stays.
    rate = math.sqrt(9.8 / (0.5 * (4 / 3 - 0.1 / 1.1)))
    now = np.array([[0.0, 1e-5, 0.0, 0.0]])
    for _ in range(25):
        now = module.moved(now, np.zeros(1))
    grown = now[0, 1] / 1e-5
    # Euler's steps: (1 + h rate)^n and (1 - h rate)^n take the place of the exponentials.
    expected = ((1 + 0.02 * rate) ** 25 + (1 - 0.02 * rate) ** 25) / 2
    assert grown == pytest.approx(expected, rel=1e-6)
    assert 1.1 * now[0, 2] + 0.1 * 0.5 * now[0, 3] == pytest.approx(0, abs=1e-12)


def test_it_is_listed_checked_run_shown_and_drawn(site):
    assert "Keep the pole on a cart upright" in neuroevo(site, "list").stdout
    checked = neuroevo(site, "check", "balance.toml")
    assert "8 episodes of 5 s to train on, 50 to test" in checked.stdout
    done = neuroevo(site, "run", "balance.toml", "--results", "runs")
    assert done.returncode == 0, done.stderr
    path = site / done.stdout.splitlines()[-1]
    record = RunRecord.open(path)
    assert record.stop_reason.criterion == "error"
    assert record.run["data"]["problem"] == "cart_pole"
    assert record.error_name == "share of the time fallen"
    assert record.network.n_inputs == 2
    assert record.history["incumbent_error"][0] > 0.5
    assert record.run["results"]["contestants"]["champion"]["train"] == {"error": 0.0, "learned": 1.0}
    shown = neuroevo(site, "show", path)
    assert re.search(r"share of the time fallen +train +test\n +champion +0 ", shown.stdout)
    assert re.search(r"episodes balanced +train +test\n +champion +1 ", shown.stdout)
    assert sorted(file.name for file in (path / "plots").iterdir()) == ["curves.png", "curves.svg"]
    assert "no plot of predictions: only for problems made of sequences" in (path / "run.log").read_text()
    assert "Traceback" not in done.stderr + shown.stderr


def test_a_resumed_run_equals_the_uninterrupted_one_and_goes_on(site):
    whole = neuroevo(site, "run", "balance.toml", "--quiet", "--results", "whole", *changes())
    assert whole.returncode == 0, whole.stderr
    with started(site, "run", "balance.toml", "--quiet", "--results", "killed", *changes()) as process:
        while not any(len(file.read_bytes().splitlines()) > 5 for file in (site / "killed").glob("b*/history.csv")):
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
    (path,) = (site / "killed").iterdir()
    assert RunRecord.open(path).status == "running"
    resumed = neuroevo(site, "resume", path)
    assert resumed.returncode == 0, resumed.stderr
    expected, found = RunRecord.open(site / whole.stdout.strip()), RunRecord.open(path)
    for name, column in expected.history.items():
        if name != "seconds":
            np.testing.assert_array_equal(found.history[name], column, err_msg=name)
    assert (path / "champion.npz").read_bytes() == (expected.path / "champion.npz").read_bytes()
    assert found.run["results"] == expected.run["results"]
    extended = neuroevo(site, "extend", path, "--set", "stop.generations=16")
    assert extended.returncode == 0, extended.stderr
    assert RunRecord.open(path).history.n_generations == 16


def test_without_its_package_a_record_is_shown_and_says_what_is_missing(site):
    done = neuroevo(site, "run", "balance.toml", "--quiet", "--results", "foreign", *changes())
    path = site / done.stdout.strip()
    assert neuroevo(site, "show", path, known=False).returncode == 0
    drawn = neuroevo(site, "plot", path, known=False)
    assert drawn.returncode == 2
    assert "there is no problem 'cart_pole'" in drawn.stderr
    assert "the package that defines its problem is missing" in " ".join(drawn.stderr.split())
    assert "Traceback" not in drawn.stderr


def test_a_wrong_setting_is_a_mistake_of_the_table(site):
    refused = neuroevo(site, "check", "balance.toml", "--set", "problem.n_steps=0", "--set", "problem.n_tests=3")
    assert refused.returncode == 2
    assert re.search(r"problem\.n_steps.*at least 1", refused.stderr)
    assert re.search(r"problem\.n_tests.*n_test\b", refused.stderr, re.DOTALL)


def test_a_validation_part_is_asked_for_in_vain(site):
    refused = neuroevo(site, "check", "balance.toml", "--set", "stop.validation_error=0.1")
    assert refused.returncode == 2
    assert "needs a part called validation" in refused.stderr

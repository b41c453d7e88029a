"""A strategy that wants gradients and the backend that gives them, from another package, as `docs/extending.md` shows them."""

from __future__ import annotations

import importlib
import io
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

import neuroevo as ne
from neuroevo.evaluation import BACKENDS
from neuroevo.strategies import STRATEGIES
from tests.results import results_of

ROOT = Path(__file__).parents[2]


@pytest.fixture
def package(tmp_path):
    """The page's code: two modules, and the entry points of a distribution."""
    page = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    folder = tmp_path / "site"
    (folder / "my_descent").mkdir(parents=True)
    for name in ("rprop", "bptt"):
        code = re.search(rf"`my_descent/{name}\.py`.*?```python\n(.*?)```", page, re.DOTALL).group(1)
        (folder / "my_descent" / f"{name}.py").write_text(code)
    (lines,) = [block for block in re.findall(r"```toml\n(.*?)```", page, re.DOTALL) if "my_descent" in block]
    info = folder / "my_descent-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-descent\nVersion: 1.0\n")
    text = io.StringIO()
    for group, points in tomllib.loads(lines)["project"]["entry-points"].items():
        text.write(f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in points.items()))
    (info / "entry_points.txt").write_text(text.getvalue())
    return folder


@pytest.fixture
def installed(package, monkeypatch):
    """The package on the path of this process; what registries find there is forgotten at the end."""
    monkeypatch.syspath_prepend(str(package))
    for registry in (STRATEGIES, BACKENDS):
        monkeypatch.setattr(registry, "_foreign", None)
        monkeypatch.setattr(registry, "_members", dict(registry._members))


def neuroevo(package, *words, code=0):
    """Run the command with the package installed."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "neuroevo", *map(str, words)],
        cwd=package.parent,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(package), str(ROOT)])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done.stderr if code else done.stdout


@pytest.fixture
def scenario(small_scenario):
    text = small_scenario.read_text().replace('kind = "genetic_algorithm"', 'kind = "rprop"')
    small_scenario.write_text(text.replace("population_size = 16", "population_size = 6"))
    return small_scenario


@pytest.mark.usefixtures("installed")
def test_its_steps_are_those_of_a_loop_over_single_genes():
    rprop = importlib.import_module("my_descent.rprop")
    centre, stiffness = np.array([1.0, -2.0, 0.5]), np.array([1.0, 30.0, 0.1])
    strategy = rprop.Rprop(rprop.RpropSettings(population_size=4), n_genes=3, seed=1)
    genomes = strategy.ask()
    steps, before = np.full((4, 3), 0.1), np.zeros((4, 3))
    for _ in range(40):
        asked = genomes.copy()
        slopes = 2 * stiffness * (asked - centre)
        strategy.tell(genomes, (stiffness * (asked - centre) ** 2).sum(axis=1), gradient=slopes)
        expected = asked.copy()
        for k in range(4):
            for gene in range(3):
                slope = slopes[k, gene]
                if slope * before[k, gene] > 0:
                    steps[k, gene] = min(1.2 * steps[k, gene], 50.0)
                elif slope * before[k, gene] < 0:
                    steps[k, gene] = max(0.5 * steps[k, gene], 1e-6)
                    slope = 0.0
                expected[k, gene] -= steps[k, gene] if slope > 0 else -steps[k, gene] if slope < 0 else 0.0
                before[k, gene] = slope
        genomes = strategy.ask()
        assert genomes.tolist() == expected.tolist()
    assert strategy.incumbent[1] < 1e-3


def test_a_run_that_was_cut_and_extended_is_the_whole_one(package, scenario):
    runs = package.parent / "runs"
    first = neuroevo(package, "run", scenario, "--set", "stop.generations=5", "-q", "--results", runs).strip()
    neuroevo(package, "extend", first, "--set", "stop.generations=12", "-q")
    whole = neuroevo(package, "run", scenario, "-q", "--results", runs).strip()
    assert results_of(Path(first)) == results_of(Path(whole))
    rows, _ = results_of(Path(whole))
    assert float(rows[-1]["incumbent_error"]) < float(rows[0]["incumbent_error"])
    assert float(rows[-1]["mean_step"]) > 0


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.parametrize("islands", [[], ["--set", "islands.count=2", "--set", "islands.interval=3"]])
def test_workers_hand_gradients_over_like_errors(package, scenario, islands):
    runs = package.parent / "runs"
    words = ["run", scenario, "-q", "--results", runs, *islands]
    here, there = (
        neuroevo(package, *words).strip(),
        neuroevo(package, *words, "--workers", "2").strip(),
    )
    assert results_of(Path(here)) == results_of(Path(there))


def test_without_the_backend_it_is_refused_before_anything_is_written(package, scenario):
    # Another network than those of the foreign backend is one for the package's own.
    neuroevo(package, "check", scenario, "--set", "network.kind=elman", "--set", "network.activation=relu")
    other = ["--set", "network.kind=gru", "--set", "problem.objective=not_learned"]
    said = neuroevo(package, "run", scenario, *other, "--results", "nowhere", code=2)
    assert "no backend gives gradient for a network 'gru'" in said
    assert "strategy" in said
    assert not (package.parent / "nowhere").exists()


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("settings", [{}, {"initial_state": True, "fixed": {"weight_hh_l0": 0.25}}])
def test_the_gradient_is_that_of_central_differences(settings):
    backend = importlib.import_module("my_descent.bptt").ElmanGradients
    rng = np.random.default_rng(4)
    mask = rng.random((3, 9, 2)) < 0.7
    lengths = np.array([9, 5, 7])
    problem = ne.SequenceProblem(
        rng.normal(size=(3, 9, 2)), rng.normal(size=(3, 9, 2)), target_mask=mask, lengths=lengths, weight_decay=0.1
    )
    network = ne.Elman(2, 4, 2, **settings)
    genomes = rng.normal(size=(5, network.n_genes)) * 0.7
    found = backend(network, problem, n_threads=1, precision="double").evaluate(
        genomes, "train", frozenset({"gradient"})
    )
    with ne.LocalEvaluator(network, problem, precision="double") as evaluator:
        np.testing.assert_allclose(found["error"], evaluator.evaluate(genomes).error, rtol=1e-12)
        h = 1e-5
        for gene in range(network.n_genes):
            shift = np.zeros(network.n_genes)
            shift[gene] = h
            slope = (evaluator.evaluate(genomes + shift).error - evaluator.evaluate(genomes - shift).error) / (2 * h)
            np.testing.assert_allclose(found["gradient"][:, gene], slope, rtol=1e-6, atol=1e-9)

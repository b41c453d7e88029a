"""What the README and the documents say is true: their code runs, their links lead somewhere."""

from __future__ import annotations

import datetime as dt
import inspect
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

import neuroevo as ne
from neuroevo.scenario import load_scenario

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), ROOT / "results" / "README.md"]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_leads_to_a_file(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    missing = [target for target in targets if "://" not in target and not (page.parent / target).exists()]
    assert missing == []


def test_the_readmes_python_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (code,) = blocks(ROOT / "README.md", "python")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    names: dict[str, object] = {}
    exec(compile(code, "README.md", "exec"), names)  # noqa: S102
    assert np.isfinite(names["error"])  # type: ignore[call-overload]
    assert np.shape(names["outputs"]) == (1, 279, 1)


def test_a_criterion_of_ones_own_ends_a_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (code,) = (block for block in blocks(ROOT / "docs" / "extending.md", "python") if "class Narrow" in block)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    names: dict[str, object] = {"__name__": __name__}
    exec(compile(code, "extending.md", "exec", dont_inherit=True), names)  # noqa: S102
    reason = names["record"].stop_reason  # type: ignore[attr-defined]
    assert reason.criterion == "narrow"
    assert 0 < reason.value <= 0.1


@pytest.mark.slow
def test_a_loop_of_ones_own_on_the_page_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (code,) = (block for block in blocks(ROOT / "docs" / "control.md", "python") if "ne.Player" in block)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    names: dict[str, object] = {}
    exec(compile(code, "control.md", "exec"), names)  # noqa: S102
    assert np.shape(names["force"]) == (1,)
    assert np.shape(names["forces"]) == (64, 1)
    assert not np.ptp(names["forces"])  # type: ignore[call-overload]


@pytest.fixture(params=["control.md", "problems.md"])
def example(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder with the scenario and the module of a page's section on functions of one's own."""
    heading, module = {
        "control.md": ("## A simulator of your own, compiled", "my_rocket"),
        "problems.md": ("### An objective of one's own", "my_objectives"),
    }[request.param]
    section = (ROOT / "docs" / request.param).read_text(encoding="utf-8").split(heading)[1]
    code, toml = (re.findall(rf"```{name}\n(.*?)```", section, re.DOTALL)[0] for name in ("python", "toml"))
    (tmp_path / f"{module}.py").write_text(code)
    rest = '[network]\nkind = "elman"\nn_hidden = 2\n[strategy]\nkind = "snes"\n[stop]\ngenerations = 2\n'
    (tmp_path / "example.toml").write_text(f'title = "Of one\'s own"\nprecision = "double"\n{toml}{rest}')
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path / "example.toml"


def test_functions_of_ones_own_on_the_pages_judge_a_network(example: Path) -> None:
    scenario = load_scenario(example)
    problem, network = scenario.problem, scenario.network
    error, learned = problem.score(network, np.ones(network.n_genes), "train")
    assert error > 0
    assert 0 <= learned <= 1


@pytest.mark.slow
def test_functions_of_ones_own_on_the_pages_run(example: Path, tmp_path: Path) -> None:
    record = ne.run(example, results=tmp_path / "runs")
    score = record.problem.score(record.network, record.champion.genome, "train")[0]
    assert score == pytest.approx(record.history["incumbent_error"][-1], rel=1e-9)


def test_the_readmes_scenario_is_good(tmp_path: Path) -> None:
    (text,) = blocks(ROOT / "README.md", "toml")
    (tmp_path / "demand.toml").write_text(text)
    first = dt.date(2024, 1, 1)
    rows = [f"{first + dt.timedelta(days=k)},{100 + k % 7},{k % 30 - 5}" for k in range(200)]
    (tmp_path / "demand.csv").write_text("\n".join(["day,demand,temperature", *rows]) + "\n")
    scenario = load_scenario(tmp_path / "demand.toml")
    assert list(scenario.problem.parts) == ["train", "validation", "test"]


def test_the_readmes_figures_are_those_of_the_reference_run() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    champion = re.search(r"champion +([\d.]+) +([\d.]+) +([\d.]+)", text)
    rows = (ROOT / "results" / "sunspots" / "summary.csv").read_text().splitlines()
    header, first = rows[0].split(","), rows[1].split(",")
    stored = [float(first[header.index(f"{part}.arv")]) for part in ("train", "test_1921_1955", "test_1956_1979")]
    assert champion is not None
    assert [float(figure) for figure in champion.groups()] == pytest.approx(stored, rel=1e-3)


@pytest.mark.parametrize("name", ne.__all__)
def test_every_public_name_is_documented(name: str) -> None:
    assert len(inspect.getdoc(getattr(ne, name)) or "") > 20


def test_the_version_stands_once() -> None:
    metadata = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert metadata["project"]["version"] == ne.__version__
    assert f"version: {ne.__version__}" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")

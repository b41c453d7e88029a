"""Every scenario that is shipped: it loads, says what it is for, and runs."""

from __future__ import annotations

from pathlib import Path

import pytest

import neuroevo as ne
from neuroevo.scenario import Scenario, load_scenario
from neuroevo.strategies import STRATEGIES
from neuroevo.trials import plan_runs

FOLDER = Path(__file__).parents[2] / "scenarios"
SCENARIOS = sorted(FOLDER.glob("*.toml"))


PACKAGES = {"cartpole": ["gymnasium"], "repeat_first": ["gymnasium", "popgym"]}
"""What scenarios need that is not in the extra `dev`."""


@pytest.fixture(autouse=True)
def _is_installed(request: pytest.FixtureRequest) -> None:
    if "path" in request.fixturenames:
        for package in PACKAGES.get(request.getfixturevalue("path").stem, []):
            pytest.importorskip(package)


def points(path: Path) -> list[Scenario]:
    """The scenario, or where it is a sweep, the scenario at each of its points."""
    return [load_scenario(path, overrides=planned.values) for planned in plan_runs(path).sets]


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_it_loads_and_its_header_says_purpose_minutes_and_expected_error(path: Path) -> None:
    assert all(scenario.head.title for scenario in points(path))
    head = path.read_text(encoding="utf-8").split("\n\n")[0]
    for word in ("# Purpose: ", "# Minutes: ", "# Expect: ", "# Data: "):
        assert word in head


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
@pytest.mark.slow
def test_it_runs(path: Path, tmp_path: Path) -> None:
    overrides = {"stop": {"generations": 3}, "record.plots": False, **plan_runs(path).sets[0].values}
    record = ne.run(path, results=tmp_path, overrides=overrides)
    assert record.history.n_generations == 3
    assert record.history["incumbent_error"][-1] <= record.history["best_error"][0]


def test_every_strategy_has_a_scenario() -> None:
    shown = {
        scenario.table["strategy"]["kind"]
        for path in SCENARIOS
        if path.stem not in PACKAGES
        for scenario in points(path)
    }
    assert shown == set(STRATEGIES.names())

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path

import pytest

from neuroevo.problems import PROBLEMS
from neuroevo.settings import parse_settings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "problems.md").read_text(encoding="utf-8")
PAGES = PAGE + (ROOT / "docs" / "control.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", PROBLEMS.names())
def test_every_kind_and_every_key_stands_on_its_page(kind):
    assert f"`{kind}`" in PAGES
    missing = [field.name for field in dataclasses.fields(PROBLEMS[kind]) if f"`{field.name}`" not in PAGES]
    assert not missing


def test_the_scenarios_on_the_page_can_be_read():
    blocks = [block.partition("```")[0] for block in PAGE.split("```toml\n")[1:]]
    tables = [tomllib.loads(block)["problem"] for block in blocks if block.startswith("[problem]")]
    assert len(tables) >= 3
    for table in tables:
        kind = table.pop("kind")
        parse_settings(PROBLEMS[kind], table, "problem")


def test_the_example_series_on_the_page_can_be_read(tmp_path):
    content = PAGE.split("```csv\n")[1].partition("```")[0]
    (tmp_path / "demand.csv").write_text(content + "2019-01-03,1,2,0\n" * 30)
    settings = {"file": "demand.csv", "time": "day", "input": ["demand", "temperature"], "ignore": "repaired"}
    problem = parse_settings(PROBLEMS["series"], settings, "problem").build(tmp_path)
    assert problem.target_names == ("demand", "temperature")


def test_every_shipped_file_has_its_provenance_and_licence():
    page = (ROOT / "scenarios" / "data" / "README.md").read_text(encoding="utf-8")
    for path in (ROOT / "scenarios" / "data").iterdir():
        if path.suffix in (".csv", ".npz"):
            assert page.count(path.name) >= 2 or (path.name.startswith("sunspots") and "`sunspots_*.csv`" in page), path

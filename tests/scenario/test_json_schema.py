"""The JSON Schema of scenarios, judged by the package jsonschema (an independent reader of draft 2020-12)."""

from __future__ import annotations

import copy
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from neuroevo.scenario import load_scenario
from neuroevo.scenario.json_schema import scenario_schema

SCENARIOS = sorted(Path(__file__).parents[2].glob("scenarios/*.toml"))


@pytest.fixture(scope="module")
def validator() -> Any:
    schema = scenario_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def mistakes(validator: Any, table: dict[str, Any]) -> list[str]:
    return [error.json_path for error in validator.iter_errors(table)]


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_shipped_scenario_fits(path: Path, validator: Any) -> None:
    assert mistakes(validator, tomllib.loads(path.read_text(encoding="utf-8"))) == []


def test_a_resolved_scenario_with_all_defaults_written_out_fits(validator: Any) -> None:
    path = next(path for path in SCENARIOS if path.stem == "sunspots")
    assert mistakes(validator, dict(load_scenario(path).table)) == []


@pytest.mark.parametrize(
    ("table", "key", "value"),
    [
        ("strategy", "population", 3),
        ("strategy", "population_size", "many"),
        ("strategy", "kind", "snesz"),
        ("network", "n_hidden", 0),
        ("network", "hidden", 3),
        ("problem", "horizon", "soon"),
        ("stop", "generation", 3),
        ("stop", "generations", 0),
        ("record", "plots", "yes"),
    ],
)
def test_what_the_check_refuses_is_refused(table: str, key: str, value: object, validator: Any) -> None:
    good = tomllib.loads(next(path for path in SCENARIOS if path.stem == "sunspots").read_text(encoding="utf-8"))
    bad = copy.deepcopy(good)
    bad.setdefault(table, {})[key] = value
    assert [place.split(".")[1] for place in mistakes(validator, bad)] == [table]

"""The JSON Schema of scenario files, made from the settings classes, so that editors complete and check keys."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterable, Mapping
from typing import Any, get_type_hints

from pydantic import ConfigDict, TypeAdapter
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticSchemaGenerationError

from neuroevo.compute import Compute
from neuroevo.evolution.batches import BatchSettings
from neuroevo.scenario.generalise import GeneraliseSettings
from neuroevo.scenario.islands import IslandSettings
from neuroevo.scenario.kinds import REGISTRIES, keys_of, settings_class
from neuroevo.scenario.schema import NEEDED, TABLES, Head, RecordSettings
from neuroevo.scenario.skip import FITTED
from neuroevo.scenario.sweep import SweepSettings
from neuroevo.stopping import CRITERIA

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_PLAIN: Mapping[str, type[Any]] = {
    "islands": IslandSettings,
    "batch": BatchSettings,
    "generalise": GeneraliseSettings,
    "record": RecordSettings,
    "distribution": Compute,
    "sweep": SweepSettings,
}
_BESIDE: Mapping[str, Any] = {
    "bounds": {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
    "initial": {"description": "A champion's folder, a file, a list of these, or genomes to begin at"},
}


def scenario_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a scenario with the members that are registered at this moment.

    It is a little wider than the check of a scenario: what hangs on several keys, or on the data, it lets pass.
    """
    properties: dict[str, Any] = dict(_properties(Head))
    for name in TABLES:
        if name in REGISTRIES:
            kinds = [_of_kind(name, kind) for kind in REGISTRIES[name].names()]
            properties[name] = {"type": "object", "required": ["kind"], "oneOf": kinds}
        elif name == "stop":
            properties[name] = _stop()
        else:
            properties[name] = _object(_PLAIN[name])
    properties["islands"]["properties"]["strategies"] = {"type": "array", "items": properties["strategy"]}
    properties["sweep"]["properties"]["over"] = {"type": "object", "description": "Values of any keys, by their paths"}
    return {
        "$schema": DIALECT,
        "title": "Scenario of neuroevo",
        "type": "object",
        "properties": properties,
        # The points of a sweep may bring a table that the file itself lacks.
        "anyOf": [{"required": [name for name in TABLES if name in NEEDED]}, {"required": ["sweep"]}],
        "additionalProperties": False,
    }


def _of_kind(table: str, kind: str) -> dict[str, Any]:
    about = {"kind": {"const": kind, "description": REGISTRIES[table].summary(kind)}}
    cls = settings_class(table, kind)
    if cls is None:
        return {"properties": about}
    found = _object(cls, keys_of(table, kind))
    beside = dict(_BESIDE) if table == "strategy" else {}
    for name in getattr(cls, "INNER", ()):
        beside[name] = {"$ref": "#/properties/strategy", "description": found["properties"][name]["description"]}
    if "skip" in found["properties"]:
        fit = [{"type": "boolean"}, {"const": FITTED}, {"type": "object", "required": [FITTED]}]
        beside["skip"] = {**found["properties"]["skip"], "type": ["boolean", "string", "object"], "anyOf": fit}
    return {**found, "properties": {**about, **found["properties"], **beside}, "required": ["kind", *found["required"]]}


def _stop() -> dict[str, Any]:
    """[stop]: each criterion by its first field, or by a table of all."""
    properties: dict[str, Any] = {}
    for name in CRITERIA.names():
        criterion = CRITERIA[name]
        if not dataclasses.is_dataclass(criterion):
            properties[name] = {}
            continue
        whole = _object(criterion)  # type: ignore[arg-type]
        first = next(iter(whole["properties"].values()))
        properties[name] = {"description": CRITERIA.summary(name), "anyOf": [first, whole]}
    together = {"type": "object", "properties": properties, "additionalProperties": False}
    properties_and_all = {**properties, "all": {"type": "array", "items": together}}
    return {"type": "object", "properties": properties_and_all, "additionalProperties": False, "minProperties": 1}


def _object(cls: type[Any], only: Iterable[str] | None = None) -> dict[str, Any]:
    fields = [field for field in dataclasses.fields(cls) if field.init and (only is None or field.name in only)]
    missing = dataclasses.MISSING
    needed = [field.name for field in fields if field.default is missing and field.default_factory is missing]
    properties = _properties(cls)
    return {
        "type": "object",
        "properties": {field.name: properties[field.name] for field in fields},
        "required": needed,
        "additionalProperties": False,
    }


def _properties(cls: type[Any]) -> dict[str, dict[str, Any]]:
    hints, described = get_type_hints(cls, include_extras=True), _descriptions(cls)
    found = {}
    for field in dataclasses.fields(cls):
        schema = _without_null(_schema_of(hints[field.name]))
        if text := described.get(field.name):
            schema["description"] = text
        if isinstance(field.default, str | int | float):
            schema["default"] = field.default
        found[field.name] = schema
    return found


def _schema_of(annotation: Any) -> dict[str, Any]:
    """What pydantic, which checks the value, says of it; nothing for types that no file can hold."""
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(annotation, config=ConfigDict(arbitrary_types_allowed=True))
        schema = adapter.json_schema()
    except (PydanticInvalidForJsonSchema, PydanticSchemaGenerationError):
        return {}
    # A field that refers to a class of its own would need a place for it in the whole; a table is said then.
    return {"type": "object"} if "$defs" in schema else schema


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """TOML has no null: such keys are left out."""
    options = [option for option in schema.get("anyOf", []) if option != {"type": "null"}]
    if not options:
        return schema
    rest = {key: value for key, value in schema.items() if key != "anyOf" and value is not None}
    return {**rest, **(options[0] if len(options) == 1 else {"anyOf": options})}


def _descriptions(cls: type[Any]) -> dict[str, str]:
    """What docstrings say of attributes, those of base classes first."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        doc = inspect.cleandoc(base.__dict__.get("__doc__") or "")
        section = doc.partition("Attributes:\n")[2].partition("\n\n")[0]
        for entry in re.split(r"\n(?= {4}\w)", f"\n{section}"):
            name, _, text = entry.strip().partition(": ")
            if text:
                found[name] = " ".join(text.split())
    return found

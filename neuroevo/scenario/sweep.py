"""The table [sweep]: many seeds, and many values of any keys, on a grid or drawn at random.

The points of a random sweep are drawn by address: point number n and key k have a stream of their own, so that more
samples only add points, and another key leaves the draws of the others as they are.
"""

from __future__ import annotations

import itertools
import json
import math
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from annotated_types import Ge, Le

from neuroevo.errors import BadInput
from neuroevo.registry import nearest
from neuroevo.scenario.reader import ScenarioError, parse_override
from neuroevo.settings import Mistake, SettingsError, joined, parse_settings, shown

_RESERVED = {
    "seed": "write trials = N for many seeds",
    "title": "it changes no result",
    "record": "it changes no result",
    "distribution": "it changes no result",
    "sweep": "a sweep cannot vary itself",
}
MOST_POINTS = 10_000
_DIGITS = 6
"""Significant digits of drawn numbers: what stands in a folder's name is the value itself."""
_LONGEST_NAME = 100
_TRIES = 50
"""Draws for each point before a random sweep counts as exhausted: all its combinations are there already."""


@dataclass(frozen=True)
class Range:
    """All numbers between two ends.

    Attributes:
        low: The smallest.
        high: The largest.
        log: Whether the logarithm is what is evenly distributed.
    """

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise BadInput(f"low must be below high, got {self.low} and {self.high}")
        if self.log and self.low <= 0:
            raise BadInput(f"a logarithmic range must begin above 0, got {self.low}")

    def draw(self, rng: np.random.Generator) -> float | int:
        """A number of the range; a whole one where both ends are."""
        whole = isinstance(self.low, int) and isinstance(self.high, int)
        # Each whole number owns the stretch of length 1 around it, so that the ends are as likely as the others.
        low, high = (self.low - 0.5, self.high + 0.5) if whole else (self.low, self.high)
        value = math.exp(rng.uniform(math.log(low), math.log(high))) if self.log else rng.uniform(low, high)
        if whole:
            return min(max(round(value), int(self.low)), int(self.high))
        return min(max(float(f"{value:.{_DIGITS}g}"), self.low), self.high)


Values: TypeAlias = tuple[Any, ...] | Range


@dataclass(frozen=True)
class SweepSettings:
    """The table [sweep], but for its values.

    Attributes:
        trials: Seeds at each point: the scenario's, and those that follow it.
        samples: Points to draw at random; left out, every combination of the values is a point.
        seed: Of the points drawn; the runs have seeds of their own.
        ensemble: "selection": the validation part chooses how much each point, and each simple competitor, has to say;
            left out, the best point has an ensemble of its champions.
    """

    trials: Annotated[int, Ge(1)] = 1
    samples: Annotated[int, Ge(1), Le(MOST_POINTS)] | None = None
    seed: Annotated[int, Ge(0)] = 1
    ensemble: Literal["selection"] | None = None


@dataclass(frozen=True)
class Point:
    """One combination of values.

    Attributes:
        name: For folders and people: "n_hidden=4,population_size=32".
        values: Key paths to values.
    """

    name: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Sweep:
    """What varies from run to run.

    Attributes:
        settings: Trials, samples, seed.
        over: Key paths to their values; empty where only seeds vary.
    """

    settings: SweepSettings
    over: Mapping[str, Values]

    def table(self) -> dict[str, Any]:
        """The table [sweep] that it was read from; `read_sweep` gives an equal one."""
        settings = {key: value for key, value in vars(self.settings).items() if value is not None}
        over = {key: dict(vars(each)) if isinstance(each, Range) else list(each) for key, each in self.over.items()}
        return {**settings, "over": over}

    def points(self) -> list[Point]:
        """All points, each once, in an order that is that of the values on a grid, and that of the draws otherwise."""
        # Whole tables first, so that a key within one of them is replaced in it and not by it.
        keys = sorted(self.over, key=lambda key: key.count("."))
        short = short_names(keys)
        labels = {key: _labels(self.over[key]) for key in keys}
        points = []
        names: dict[str, int] = {}
        for values in self._grid(keys) if self.settings.samples is None else self._drawn(keys):
            name = ",".join(f"{short[key]}={_label(values[key], labels[key])}" for key in self.over)
            if len(name) > _LONGEST_NAME:
                name = f"point-{zlib.crc32(name.encode()):08x}"
            names[name] = names.get(name, 0) + 1
            points.append(Point(name if names[name] == 1 else f"{name}-{names[name]}", values))
        return points

    def _grid(self, keys: Sequence[str]) -> Iterator[dict[str, Any]]:
        # In the order in which the user gave the keys, the last one changing fastest.
        lists = [self.over[key] for key in self.over]
        for values in itertools.product(*(() if isinstance(each, Range) else each for each in lists)):
            given = dict(zip(self.over, values, strict=True))
            yield {key: given[key] for key in keys}

    def _drawn(self, keys: Sequence[str]) -> Iterator[dict[str, Any]]:
        wanted = self.settings.samples or 0
        seen: set[str] = set()
        for number in range(_TRIES * wanted):
            values = {key: self._draw(key, number) for key in keys}
            identity = _written(values)
            if identity in seen:
                continue
            seen.add(identity)
            yield values
            if len(seen) == wanted:
                return

    def _draw(self, key: str, number: int) -> Any:
        address = (zlib.crc32(key.encode()), number)
        rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(self.settings.seed, spawn_key=address)))
        values = self.over[key]
        return values.draw(rng) if isinstance(values, Range) else values[int(rng.integers(len(values)))]


def read_sweep(table: Mapping[str, Any] | None) -> Sweep | None:
    """The sweep of a scenario's table; None where it has none.

    Raises:
        SettingsError: With every mistake in it.
    """
    if table is None:
        return None
    mistakes: list[Mistake] = []
    settings = SweepSettings()
    try:
        settings = parse_settings(SweepSettings, {key: table[key] for key in table if key != "over"}, "sweep")
    except SettingsError as error:
        mistakes += error.mistakes
    over: dict[str, Values] = {}
    given = table.get("over", {})
    if isinstance(given, Mapping):
        for key, value in leaves(given):
            try:
                over[key] = _values(key, value)
            except SettingsError as error:
                mistakes += error.mistakes
    else:
        mistakes.append(Mistake("sweep.over", "must be a table of keys and their values", shown(given)))
    if not mistakes:
        mistakes += _mistakes_together(settings, over)
    if mistakes:
        raise SettingsError(mistakes)
    return Sweep(settings, over)


def _mistakes_together(settings: SweepSettings, over: Mapping[str, Values]) -> Iterator[Mistake]:
    if not over and settings.samples is not None:
        yield Mistake("sweep.samples", "needs keys in [sweep.over] to draw values of")
    if settings.samples is None:
        for key, values in over.items():
            if isinstance(values, Range):
                hint = "say how many points to draw: samples = 20 in [sweep], or --samples 20"
                yield Mistake(joined("sweep.over", key), "a range has no end of values", hint=hint)
        n_points = math.prod(len(values) for values in over.values() if not isinstance(values, Range))
        if n_points > MOST_POINTS:
            expected = f"the grid has {n_points:,} points, at most {MOST_POINTS:,} are allowed"
            yield Mistake("sweep.over", expected, hint="draw some of them: samples = 100")


def leaves(table: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Key paths and their values; a table with `low` or `high` is a range, any other one is a part of the path."""
    for key, value in table.items():
        if isinstance(value, Mapping) and not {"low", "high"} & value.keys():
            yield from leaves(value, joined(path, key))
        else:
            yield joined(path, key), value


def _values(key: str, value: Any) -> Values:
    path = joined("sweep.over", key)
    why = _RESERVED.get(key.partition(".")[0])
    if why is not None:
        raise SettingsError([Mistake(path, "this key cannot be swept", hint=why)])
    if isinstance(value, Mapping):
        # A range of whole numbers is one of another kind, so the ends keep the types that they were written in.
        parse_settings(Range, value, path)
        return Range(**value)
    if not isinstance(value, list) or not value:
        hint = "write a list, as in [16, 32], or a range, as in { low = 0.01, high = 1.0, log = true }"
        raise SettingsError([Mistake(path, "must be a list of values, or a range", shown(value), hint)])
    repeated = [item for number, item in enumerate(value) if item in value[:number]]
    if repeated:
        raise SettingsError([Mistake(path, f"{shown(repeated[0])} stands in it twice")])
    return tuple(value)


_NUMBER = r"[+-]?(?:\d[\d_]*)(?:\.\d+)?(?:[eE][+-]?\d+)?"
_RANGE = re.compile(rf"\s*({_NUMBER})\.\.({_NUMBER})(:\w+)?\s*")


def parse_sweep(text: str) -> tuple[str, Any]:
    """The key of ``KEY=V1,V2``, ``KEY=LOW..HIGH`` or ``KEY=LOW..HIGH:log``, and the values as [sweep.over] has them.

    Raises:
        ScenarioError: It is none of these.
    """
    key, separator, values = text.partition("=")
    if not separator or not key.strip() or not values.strip():
        hint = "write it as --sweep strategy.population_size=32,64,128 or --sweep strategy.noise=0.01..1:log"
        raise ScenarioError("--sweep", [Mistake("", "expected KEY=VALUES", repr(text), hint)])
    key = key.strip()
    found = _RANGE.fullmatch(values)
    if found:
        if found[3] not in (None, ":log"):
            near = nearest(found[3], [":log"])
            hint = f"did you mean {near}?" if near else "write LOW..HIGH or LOW..HIGH:log"
            raise ScenarioError("--sweep", [Mistake(key, "a range ends with :log or nothing", found[3], hint)])
        low, high = (parse_override(f"value={end}")[1] for end in (found[1], found[2]))
        return key, {"low": low, "high": high, "log": found[3] is not None}
    _, whole = parse_override(f"value=[{values}]")
    if isinstance(whole, list):
        return key, whole
    return key, [parse_override(f"value={item.strip()}")[1] for item in values.split(",")]


def short_names(keys: Sequence[str]) -> dict[str, str]:
    """Each key by as many of its last components as tell it from the others."""
    names = {}
    for key in keys:
        parts = key.split(".")
        for n in range(1, len(parts) + 1):
            name = ".".join(parts[-n:])
            if sum(other == name or other.endswith(f".{name}") for other in keys) == 1:
                break
        names[key] = name
    return names


def _labels(values: Values) -> dict[str, str]:
    """What stands for values that are too long for a name: a table's kind if no other has it, otherwise its number."""
    if isinstance(values, Range):
        return {}
    kinds = [value.get("kind") if isinstance(value, Mapping) else None for value in values]
    labels = {}
    for number, (value, kind) in enumerate(zip(values, kinds, strict=True), start=1):
        if isinstance(value, Mapping):
            known = isinstance(kind, str) and kinds.count(kind) == 1
            labels[_written(value)] = str(kind) if known else f"no{number}"
    return labels


def _label(value: Any, labels: Mapping[str, str]) -> str:
    if isinstance(value, Mapping):
        return labels[_written(value)]
    text = _written(value) if isinstance(value, bool) else f"{value:.12g}" if isinstance(value, float) else str(value)
    return re.sub(r"[^\w.+-]+", "_", text).strip("_.") or "empty"


def _written(value: Any) -> str:
    """A value as JSON, equal for equal values."""
    return json.dumps(value, sort_keys=True, default=str)

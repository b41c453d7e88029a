from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import pytest
from annotated_types import Ge, Interval

from neuroevo.registry import Registry, UnknownName
from neuroevo.settings import SettingsError, parse_settings


@dataclass(frozen=True)
class Example:
    size: Annotated[int, Ge(2)]
    rate: Annotated[float, Interval(gt=0, lt=1.0)] = 0.5
    kind: Literal["blend", "uniform"] = "blend"
    sizes: tuple[int, ...] = ()
    width: float | tuple[float, ...] = 0.0
    on: bool = False
    limit: int | None = None

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < self.size:
            raise ValueError(f"limit must be at least size ({self.size})")


def mistakes(values: dict[str, object]) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        parse_settings(Example, values, "strategy")
    return [str(mistake) for mistake in caught.value.mistakes]


def test_values_of_the_declared_types_are_read() -> None:
    values = {"size": 3, "rate": 0.25, "kind": "uniform", "sizes": [1, 2], "width": [1, 2], "on": True, "limit": 4}
    assert parse_settings(Example, values) == Example(3, 0.25, "uniform", (1, 2), (1.0, 2.0), True, 4)


def test_whole_numbers_serve_as_numbers_and_numpy_scalars_as_pythons() -> None:
    assert parse_settings(Example, {"size": np.int64(3), "width": 2}) == Example(3, width=2.0)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"size": "3"}, "strategy.size: must be a whole number, got '3'"),
        ({"size": True}, "strategy.size: must be a whole number, got True"),
        ({"size": 1}, "strategy.size: must be at least 2, got 1"),
        ({"size": 3, "rate": 1.0}, "strategy.rate: must be less than 1.0, got 1.0"),
        ({"size": 3, "rate": float("nan")}, "strategy.rate: must be a finite number, got nan"),
        ({"size": 3, "kind": "blnd"}, "strategy.kind: must be 'blend' or 'uniform', got 'blnd'; did you mean 'blend'?"),
        ({"size": 3, "sizes": [1, "a"]}, "strategy.sizes[1]: must be a whole number, got 'a'"),
        ({"size": 3, "width": "x"}, "strategy.width: must be a number or a list, got 'x'"),
        ({"size": 3, "on": 1}, "strategy.on: must be true or false, got 1"),
        ({}, "strategy.size: this key is needed and missing"),
        ({"size": 3, "rte": 0.1}, "strategy.rte: unknown key; did you mean 'rate'?"),
        ({"size": 3, "limit": 2}, "strategy: limit must be at least size (3)"),
    ],
)
def test_a_mistake_says_where_what_was_expected_and_what_came(values: dict[str, object], expected: str) -> None:
    assert mistakes(values) == [expected]


def test_all_mistakes_come_at_once() -> None:
    found = mistakes({"size": 0, "rate": 2.0, "sizes": ["a"], "unknown": 1})
    assert len(found) == 4


def test_a_registry_imports_members_when_asked_and_names_the_nearest() -> None:
    registry: Registry[object] = Registry("number", "neuroevo.none", {"pi": "math:pi", "broken": "no_such_module:x"})
    assert registry.names() == ("pi", "broken")
    assert registry["pi"] == pytest.approx(np.pi)
    with pytest.raises(UnknownName, match="there is no number 'pie'; did you mean 'pi'"):
        registry["pie"]


def test_a_registered_member_is_found_and_its_name_is_then_taken() -> None:
    registry: Registry[object] = Registry("thing", "neuroevo.none", {})
    registry.register("mine", Example)
    assert registry["mine"] is Example
    with pytest.raises(ValueError, match="taken"):
        registry.register("mine", Example)

"""The table of a finished run: how well the champion and its simple competitors do on each part."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Measured: TypeAlias = Mapping[str, Mapping[str, float | None]]
"""Part names to names of measures to figures; None where a measure is not defined."""


@dataclass(frozen=True)
class Results:
    """How well networks and simple competitors do.

    Attributes:
        measures: The measures that tell most, and their titles.
        contestants: Names, "champion" first, to measures by part. A contestant may lack parts that it can't answer.
        verdict: Where the champion loses to a simple competitor, a sentence that says so and what to try; else empty.
    """

    measures: Mapping[str, str]
    contestants: Mapping[str, Measured]
    verdict: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: every contestant has the champion's parts, what is not finite is None."""
        parts = list(next(iter(self.contestants.values())))
        contestants = {
            name: {part: {key: _finite(figure) for key, figure in its.get(part, {}).items()} for part in parts}
            for name, its in self.contestants.items()
        }
        verdict = {"verdict": self.verdict} if self.verdict else {}
        return {"measures": dict(self.measures), "contestants": contestants, **verdict}


def _finite(figure: float | None) -> float | None:
    return None if figure is None or not math.isfinite(figure) else figure

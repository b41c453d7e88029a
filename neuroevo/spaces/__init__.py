"""A search space is what a strategy moves in: how many genes there are, and which network they stand for.

- `SearchSpace`: the contract; `expressed`: what one gives, checked.
- `Direct`: a gene is a weight, the default. `Grid`: weights on a grid; `Quantised`: of few bits, with a scale for
  each array. `Switched`: genes that switch links on and off.
- `SPACES` names the kinds for the table [space] of a scenario.
"""

from __future__ import annotations

from neuroevo.registry import Registry
from neuroevo.spaces.base import SearchSpace, expressed
from neuroevo.spaces.direct import Direct
from neuroevo.spaces.grid import Grid
from neuroevo.spaces.quantised import Quantised
from neuroevo.spaces.switched import Switched

SPACES: Registry[type[SearchSpace]] = Registry(
    "search space",
    "neuroevo.spaces",
    {
        "direct": "neuroevo.spaces.direct:Direct",
        "grid": "neuroevo.spaces.grid:Grid",
        "quantised": "neuroevo.spaces.quantised:Quantised",
        "switched": "neuroevo.spaces.switched:Switched",
    },
)
"""Kinds of search spaces by the name that scenarios use: frozen dataclasses whose fields are the settings."""

__all__ = ["SPACES", "Direct", "Grid", "Quantised", "SearchSpace", "Switched", "expressed"]

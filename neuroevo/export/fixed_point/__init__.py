"""Networks on a grid in whole numbers: the definition in NumPy that C without floating point gives to the bit.

`definition`: `FixedPoint`, a plan in whole numbers; `arithmetic`: scales, rounding shifts and tables of functions;
`parts`: what a cell becomes; `steps`: its step.
"""

from __future__ import annotations

from neuroevo.export.fixed_point.definition import FixedPoint

__all__ = ["FixedPoint"]

"""Models that leave, for PyTorch, ONNX, C or NumPy alone, from original units to original units; and those that come.

A predictor becomes a `Plan`, plain arrays, of which each format makes its files: one file a format, and a registry.
"""

from __future__ import annotations

from neuroevo.export.base import Format, Sizes
from neuroevo.export.modules import from_torch
from neuroevo.export.plan import Plan, plan_of
from neuroevo.export.writing import FORMATS, Exported, export_model

__all__ = ["FORMATS", "Exported", "Format", "Plan", "Sizes", "export_model", "from_torch", "plan_of"]

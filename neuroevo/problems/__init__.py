"""A problem is what is to be learnt: sequences of inputs, the targets that count, and the parts that train and test.

`SequenceProblem` holds the arrays and the rules; `PROBLEMS` names the kinds that a scenario can ask for, each a frozen
settings dataclass whose ``build(folder, seed)`` gives a `SequenceProblem`: data of one's own (`series`, `sequences`)
and generators of known tasks. Beside them: `Scaling`, the readers that raise `DataError`, the metrics, and the simple
competitors (`baselines`) that every report prints.
"""

from __future__ import annotations

from typing import Any

from neuroevo.problems.errors import DataError
from neuroevo.problems.learned import RightClass, Within
from neuroevo.problems.scaling import Scaling
from neuroevo.problems.sequence import SequenceProblem
from neuroevo.registry import Registry

PROBLEMS: Registry[Any] = Registry(
    "problem",
    "neuroevo.problems",
    {
        "series": "neuroevo.problems.series:Series",
        "sequences": "neuroevo.problems.sequences:Sequences",
        "adding": "neuroevo.problems.generators.adding:Adding",
        "multiplication": "neuroevo.problems.generators.adding:Multiplication",
        "temporal_order": "neuroevo.problems.generators.temporal_order:TemporalOrder",
        "latch": "neuroevo.problems.generators.memory:Latch",
        "delayed_recall": "neuroevo.problems.generators.memory:DelayedRecall",
        "parity": "neuroevo.problems.generators.parity:Parity",
        "tomita": "neuroevo.problems.generators.tomita:Tomita",
        "embedded_reber": "neuroevo.problems.generators.reber:EmbeddedReber",
        "mackey_glass": "neuroevo.problems.generators.chaos:MackeyGlass",
        "lorenz": "neuroevo.problems.generators.chaos:Lorenz",
        "narma10": "neuroevo.problems.generators.signals:Narma10",
        "superimposed_sines": "neuroevo.problems.generators.signals:SuperimposedSines",
        "sine": "neuroevo.problems.generators.signals:Sine",
    },
)
"""Kinds of problems for scenarios: frozen settings dataclasses with ``build(folder: Path) -> SequenceProblem``."""

__all__ = ["PROBLEMS", "DataError", "RightClass", "Scaling", "SequenceProblem", "Within"]

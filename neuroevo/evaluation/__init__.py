"""An evaluator computes the error of every genome of a population on a part of a problem.

- `Evaluator`: what every evaluator is; `Evaluation`: what it returns; `fitness_of`.
- `LocalEvaluator`: inside this process, on threads; `EvaluatorRecipe`: what one is made of, as a value that travels.
- `Backend`: how errors are computed; `BACKENDS`: the registry of all ways.
- `FINDINGS`: what an evaluation can give beside the error; `Learning`, `Online`: how derivatives are found.
- `trace`: outputs and states of networks at every step.
"""

from __future__ import annotations

from neuroevo.evaluation.backends import BACKENDS, Backend
from neuroevo.evaluation.base import FINDINGS, NOTHING_MORE, Evaluation, Evaluator, fitness_of
from neuroevo.evaluation.learning import Learning, Online
from neuroevo.evaluation.local import LocalEvaluator
from neuroevo.evaluation.recipe import EvaluatorRecipe
from neuroevo.evaluation.traces import trace

__all__ = [
    "BACKENDS",
    "FINDINGS",
    "NOTHING_MORE",
    "Backend",
    "Evaluation",
    "Evaluator",
    "EvaluatorRecipe",
    "Learning",
    "LocalEvaluator",
    "Online",
    "fitness_of",
    "trace",
]

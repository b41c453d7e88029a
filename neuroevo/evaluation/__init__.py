"""An evaluator computes the error of every genome of a population on a part of a problem.

- `Evaluator`: what every evaluator is; `Evaluation`: what it returns; `fitness_of`.
- `LocalEvaluator`: inside this process, on threads; `EvaluatorRecipe`: what one is made of, as a value that travels.
- `FINDINGS`: what an evaluation can give beside the error.
"""

from __future__ import annotations

from neuroevo.evaluation.base import FINDINGS, NOTHING_MORE, Evaluation, Evaluator, fitness_of
from neuroevo.evaluation.local import LocalEvaluator
from neuroevo.evaluation.recipe import EvaluatorRecipe

__all__ = ["FINDINGS", "NOTHING_MORE", "Evaluation", "Evaluator", "EvaluatorRecipe", "LocalEvaluator", "fitness_of"]

"""An evaluator computes the error of every genome of a population on a part of a problem.

- `Evaluator`: what every evaluator is; `Evaluation`: what it returns; `fitness_of`.
- `LocalEvaluator`: inside this process, on threads.
- `trace`: outputs and states of networks at every step.
"""

from __future__ import annotations

from neuroevo.evaluation.base import Evaluation, Evaluator, fitness_of
from neuroevo.evaluation.local import LocalEvaluator
from neuroevo.evaluation.traces import trace

__all__ = ["Evaluation", "Evaluator", "LocalEvaluator", "fitness_of", "trace"]

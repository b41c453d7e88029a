"""neuroevo trains recurrent neural networks without gradients.

Every weight of a network is a gene of one flat genome. A compiled forward evaluator gives its mean squared error over
the training sequences, and a strategy (genetic algorithm, simulated annealing, particle swarm and their modern kin)
searches the genomes until a stopping criterion holds.

Names are imported on first use, so that ``import neuroevo`` compiles nothing and starts nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from neuroevo.analysis import evaluate, to_frame
    from neuroevo.callbacks import Callback
    from neuroevo.compute import Compute, ComputeSession
    from neuroevo.errors import BadInput, MachineRefused, NeuroevoError, OutOfMemory, WrongType
    from neuroevo.evaluation import Evaluation, Evaluator, EvaluatorRecipe, LocalEvaluator
    from neuroevo.experiment import extend, resume, run
    from neuroevo.export import export_model, from_torch
    from neuroevo.networks import (
        Ctrnn,
        Elman,
        Graph,
        Gru,
        Jordan,
        Lif,
        LocallyRecurrent,
        Lstm,
        Network,
        Player,
        make_network,
    )
    from neuroevo.plots import plot_run
    from neuroevo.prediction import Forecast, Predictor
    from neuroevo.problems import Problem, RightClass, SequenceProblem, Within
    from neuroevo.problems.making import make_sequences, make_series
    from neuroevo.records import Model, RecordError, RunRecord, ensemble, load_predictor, open_model, save_predictor
    from neuroevo.scenario import Scenario, ScenarioError, load_scenario, make_scenario
    from neuroevo.spaces import SearchSpace
    from neuroevo.stopping import History, Progress, StoppingCriterion, StopReason
    from neuroevo.strategies import Strategy, make_strategy
    from neuroevo.trials import run_sweep, run_trials

_ROOMS = {
    "Callback": "callbacks",
    "Compute": "compute",
    "ComputeSession": "compute",
    "BadInput": "errors",
    "MachineRefused": "errors",
    "NeuroevoError": "errors",
    "OutOfMemory": "errors",
    "WrongType": "errors",
    "Evaluation": "evaluation",
    "Evaluator": "evaluation",
    "EvaluatorRecipe": "evaluation",
    "LocalEvaluator": "evaluation",
    "extend": "experiment",
    "resume": "experiment",
    "run": "experiment",
    "export_model": "export",
    "from_torch": "export",
    "Ctrnn": "networks",
    "Elman": "networks",
    "Graph": "networks",
    "Gru": "networks",
    "Jordan": "networks",
    "Lif": "networks",
    "LocallyRecurrent": "networks",
    "Lstm": "networks",
    "Network": "networks",
    "Player": "networks",
    "make_network": "networks",
    "plot_run": "plots",
    "Forecast": "prediction",
    "Predictor": "prediction",
    "Problem": "problems",
    "RightClass": "problems",
    "SequenceProblem": "problems",
    "Within": "problems",
    "evaluate": "analysis",
    "to_frame": "analysis",
    "Model": "records",
    "make_sequences": "problems.making",
    "make_series": "problems.making",
    "RecordError": "records",
    "RunRecord": "records",
    "ensemble": "records",
    "load_predictor": "records",
    "open_model": "records",
    "save_predictor": "records",
    "Scenario": "scenario",
    "ScenarioError": "scenario",
    "load_scenario": "scenario",
    "make_scenario": "scenario",
    "SearchSpace": "spaces",
    "History": "stopping",
    "Progress": "stopping",
    "StoppingCriterion": "stopping",
    "StopReason": "stopping",
    "Strategy": "strategies",
    "make_strategy": "strategies",
    "run_sweep": "trials",
    "run_trials": "trials",
}

__all__ = [  # noqa: RUF022 - grouped as in _ROOMS
    "Callback",
    "Compute",
    "ComputeSession",
    "BadInput",
    "MachineRefused",
    "NeuroevoError",
    "OutOfMemory",
    "WrongType",
    "Evaluation",
    "Evaluator",
    "EvaluatorRecipe",
    "LocalEvaluator",
    "extend",
    "resume",
    "run",
    "export_model",
    "from_torch",
    "Ctrnn",
    "Elman",
    "Graph",
    "Gru",
    "Jordan",
    "Lif",
    "LocallyRecurrent",
    "Lstm",
    "Network",
    "Player",
    "make_network",
    "plot_run",
    "Forecast",
    "Predictor",
    "Problem",
    "RightClass",
    "SequenceProblem",
    "Within",
    "evaluate",
    "to_frame",
    "Model",
    "make_sequences",
    "make_series",
    "RecordError",
    "RunRecord",
    "ensemble",
    "load_predictor",
    "open_model",
    "save_predictor",
    "Scenario",
    "ScenarioError",
    "load_scenario",
    "make_scenario",
    "SearchSpace",
    "History",
    "Progress",
    "StoppingCriterion",
    "StopReason",
    "Strategy",
    "make_strategy",
    "run_sweep",
    "run_trials",
]


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'neuroevo' has no attribute {name!r}")
    return getattr(importlib.import_module(f"neuroevo.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])

"""Callbacks: what somebody outside sees of runs while they are at work.

`Callback` is what one's own derive from, `Callbacks` several as one. `TensorBoard`, `MLflow` and `WandB` pass runs on
to the trackers of these names, which have to be installed. `ClusterMetrics` is added by itself where a cluster
computes.
"""

from neuroevo.callbacks.base import Callback, Callbacks, ClusterMetrics
from neuroevo.callbacks.mlflow import MLflow
from neuroevo.callbacks.tensorboard import TensorBoard
from neuroevo.callbacks.wandb import WandB

__all__ = ["Callback", "Callbacks", "ClusterMetrics", "MLflow", "TensorBoard", "WandB"]

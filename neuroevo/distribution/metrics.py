"""Figures of a run for Ray's dashboard and whatever scrapes Ray's metrics, such as Prometheus.

They go out where the cluster was installed with its dashboard (`ray[default]`), and cost a microsecond each where not.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neuroevo.stopping import Progress

NAMES = {
    "neuroevo_generation": "Generations done",
    "neuroevo_evaluations": "Evaluations done",
    "neuroevo_best_error": "Training error of the incumbent, in scaled units",
    "neuroevo_failed_evaluations": "Evaluations of the last generation that were not finite",
}
"""Every metric, with what it says. Each has the tag `run`: the name of the run's folder."""


class RunMetrics:
    """The metrics of one run. Ray must have been started.

    Args:
        run: Its name, the value of the tag `run`.
    """

    def __init__(self, run: str) -> None:
        from ray.util.metrics import Gauge

        self._gauges = {name: Gauge(name, description, tag_keys=("run",)) for name, description in NAMES.items()}
        for gauge in self._gauges.values():
            gauge.set_default_tags({"run": run})

    def report(self, progress: Progress) -> None:
        """Show the figures of a generation."""
        figures = (progress.generation, progress.evaluations, progress.incumbent_error, progress.n_failed)
        for gauge, figure in zip(self._gauges.values(), figures, strict=True):
            if math.isfinite(figure):
                gauge.set(figure)

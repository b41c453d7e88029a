"""Plots are drawn from records alone, so they can be made again when the scenario and its data are gone.

:func:`plot_run` draws one run, :func:`plot_compare` the errors of several runs, :func:`plot_predictions` what several
predict of one target, :func:`plot_trials` a set of trials, :func:`plot_sweep` a sweep. matplotlib is imported nowhere
else, and only when something is drawn; its global settings are left as they are.
"""

from neuroevo.plots.compare import plot_compare
from neuroevo.plots.run import plot_run
from neuroevo.plots.sweep import plot_sweep, plot_trials
from neuroevo.plots.together import plot_predictions

__all__ = ["plot_compare", "plot_predictions", "plot_run", "plot_sweep", "plot_trials"]

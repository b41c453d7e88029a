"""Analysis says what runs have in common, which are best, and where a champion errs: for tables, plots and reports.

:func:`summary` gives medians and quartiles over a set of trials or the points of a sweep, :func:`ranked` the points
with the best first, :func:`trial_quartiles` the middle of several error curves, :func:`write_ensemble` makes one
predictor of a set's champions and measures it, :func:`evaluate` measures a model on data that have come since,
:func:`to_frame` makes data frames of histories and tables. It reads records and gives numbers; how they are written
or drawn is a matter of those who show them.
"""

from neuroevo.analysis.curves import error_curve, trial_quartiles
from neuroevo.analysis.ensembles import LEVEL, write_ensemble, write_selection
from neuroevo.analysis.evaluations import Evaluated, evaluate
from neuroevo.analysis.frames import to_frame
from neuroevo.analysis.predictions import confusion, coverage, mean_width, part_errors, sequence_errors, target_errors
from neuroevo.analysis.ranking import finished, median, n_runs, quartiles_of, ranked, shown_figures, unequal_costs
from neuroevo.analysis.summaries import summarised, summary, summary_row, write_summaries

__all__ = [
    "LEVEL",
    "Evaluated",
    "confusion",
    "coverage",
    "error_curve",
    "evaluate",
    "finished",
    "mean_width",
    "median",
    "n_runs",
    "part_errors",
    "quartiles_of",
    "ranked",
    "sequence_errors",
    "shown_figures",
    "summarised",
    "summary",
    "summary_row",
    "target_errors",
    "to_frame",
    "trial_quartiles",
    "unequal_costs",
    "write_ensemble",
    "write_selection",
    "write_summaries",
]

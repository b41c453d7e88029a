"""A predictor is what runs deliver, ready for use: one champion or an ensemble of them, in the units of the data.

:class:`Predictor` predicts from new inputs, with numpy alone, a :class:`Stream` from rows that arrive one at a time;
:class:`Forecast` is what comes of it: the prediction, those of the members, their spread, and intervals that
:class:`Calibration` has learnt from the validation part.
A :class:`Loop` lets outputs come back as inputs, beyond the end of a series; a :class:`PredictionTable` holds its rows.
:func:`ensemble_selection` says how much each of several models should have to say, :func:`simple_members` are the
simple competitors among them.
"""

from neuroevo.prediction.conformal import Calibration, least_targets
from neuroevo.prediction.freerun import StepMisses, run_freely, step_misses, warmed
from neuroevo.prediction.logistic import LogisticMember
from neuroevo.prediction.predictor import COMBINE, Combine, Forecast, Member, Predictor
from neuroevo.prediction.selection import Selection, ensemble_selection
from neuroevo.prediction.simple import simple_members
from neuroevo.prediction.stream import Stream
from neuroevo.prediction.tables import PredictionTable
from neuroevo.problems.free_running.loops import Loop, loop_of

__all__ = [
    "COMBINE",
    "Calibration",
    "Combine",
    "Forecast",
    "LogisticMember",
    "Loop",
    "Member",
    "PredictionTable",
    "Predictor",
    "Selection",
    "StepMisses",
    "Stream",
    "ensemble_selection",
    "least_targets",
    "loop_of",
    "run_freely",
    "simple_members",
    "step_misses",
    "warmed",
]

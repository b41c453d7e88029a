"""A predictor is what runs deliver, ready for use: one champion or an ensemble of them, in the units of the data.

:class:`Predictor` predicts from new inputs, with numpy alone; :class:`Forecast` is what comes of it: the prediction,
those of the members, their spread, and intervals that :class:`Calibration` has learnt from the validation part.
:func:`ensemble_selection` says how much each of several models should have to say, :func:`simple_members` are the
simple competitors among them.
"""

from neuroevo.prediction.conformal import Calibration, least_targets
from neuroevo.prediction.logistic import LogisticMember
from neuroevo.prediction.predictor import COMBINE, Combine, Forecast, Member, Predictor
from neuroevo.prediction.selection import Selection, ensemble_selection
from neuroevo.prediction.simple import simple_members

__all__ = [
    "COMBINE",
    "Calibration",
    "Combine",
    "Forecast",
    "LogisticMember",
    "Member",
    "Predictor",
    "Selection",
    "ensemble_selection",
    "least_targets",
    "simple_members",
]

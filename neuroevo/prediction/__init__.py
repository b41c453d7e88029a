"""A predictor is what runs deliver, ready for use: one champion or an ensemble of them, in the units of the data.

:class:`Predictor` predicts from new inputs, with numpy alone, a :class:`Stream` from rows that arrive one at a time;
:class:`Forecast` is what comes of it: the prediction, those of the members, their spread, and intervals that
:class:`Calibration` has learnt from the validation part.
"""

from neuroevo.prediction.conformal import Calibration, least_targets
from neuroevo.prediction.predictor import COMBINE, Combine, Forecast, Member, Predictor
from neuroevo.prediction.stream import Stream

__all__ = ["COMBINE", "Calibration", "Combine", "Forecast", "Member", "Predictor", "Stream", "least_targets"]

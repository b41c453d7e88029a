"""A record is what a run leaves on disk: a folder that explains itself, needs nothing else, and runs no code.

:class:`RunWriter` writes it while the run is at work, :class:`RunRecord` reads it, docs/file-formats.md describes it.
:class:`TrialSet` holds runs that differ in their seeds alone, :class:`SweepSet` such sets that differ in the values of
some keys. :func:`ensemble` makes one predictor of the champions of several runs, which `save_predictor` and
`load_predictor` keep; :func:`open_model` opens a folder for data that have come since. :class:`RecordError` and its
kinds say what is wrong with a record.
"""

from neuroevo.records.champion import SavedChampion
from neuroevo.records.ensembles import best_by_validation, ensemble
from neuroevo.records.errors import RecordError, RecordLocked, RecordUnwritable, restoring
from neuroevo.records.front import Front
from neuroevo.records.models import Model, front_in, front_member, open_model
from neuroevo.records.predictors import SavedEnsemble, load_predictor, save_predictor, saved_ensemble
from neuroevo.records.record import RunRecord
from neuroevo.records.schema import FORMAT_VERSION
from neuroevo.records.sweeps import SweepSet, set_in
from neuroevo.records.trials import TrialSet
from neuroevo.records.writer import DATA_LIMIT, RunWriter

__all__ = [
    "DATA_LIMIT",
    "FORMAT_VERSION",
    "Front",
    "Model",
    "RecordError",
    "RecordLocked",
    "RecordUnwritable",
    "RunRecord",
    "RunWriter",
    "SavedChampion",
    "SavedEnsemble",
    "SweepSet",
    "TrialSet",
    "best_by_validation",
    "ensemble",
    "front_in",
    "front_member",
    "load_predictor",
    "open_model",
    "restoring",
    "save_predictor",
    "saved_ensemble",
    "set_in",
]

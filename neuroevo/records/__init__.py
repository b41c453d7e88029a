"""A record is what a run leaves on disk: a folder that explains itself, needs nothing else, and runs no code.

:class:`RunWriter` writes it while the run is at work, :class:`RunRecord` reads it, docs/file-formats.md describes it.
:class:`TrialSet` holds runs that differ in their seeds alone, :class:`SweepSet` such sets that differ in the values of
some keys. :class:`RecordError` and its kinds say what is wrong with one.
"""

from neuroevo.records.champion import SavedChampion
from neuroevo.records.errors import RecordError, RecordLocked, RecordUnwritable, restoring
from neuroevo.records.record import RunRecord
from neuroevo.records.schema import FORMAT_VERSION
from neuroevo.records.sweeps import SweepSet, set_in
from neuroevo.records.trials import TrialSet
from neuroevo.records.writer import DATA_LIMIT, RunWriter

__all__ = [
    "DATA_LIMIT",
    "FORMAT_VERSION",
    "RecordError",
    "RecordLocked",
    "RecordUnwritable",
    "RunRecord",
    "RunWriter",
    "SavedChampion",
    "SweepSet",
    "TrialSet",
    "restoring",
    "set_in",
]

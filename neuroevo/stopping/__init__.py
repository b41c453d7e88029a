"""Stopping criteria say when a run ends, and why.

After each generation the loop shows a criterion the :class:`Progress`; it answers with a :class:`StopReason` or None.
Criteria are pure and compose: ``Generations(300) | ErrorReached(0.01)``, ``Stagnation(50) & Evaluations(10_000)``.
In a scenario they are the keys of ``[stop]``, read by :func:`stopping_from_table`; :data:`CRITERIA` names them all.
:class:`SignalTrap` collects the signals that end a run in an orderly way.
"""

from neuroevo.stopping.base import AllOf, AnyOf, StoppingCriterion, StopReason
from neuroevo.stopping.criteria import (
    Custom,
    Diversity,
    ErrorReached,
    Evaluations,
    Failed,
    FileAppears,
    FitnessReached,
    Generations,
    Learned,
    Seconds,
    SignalReceived,
    Stagnation,
    ValidationErrorReached,
    ValidationPatience,
)
from neuroevo.stopping.progress import COLUMNS, COUNTS, History, Progress, columns_of
from neuroevo.stopping.signals import SignalTrap, ending_criterion, exit_code
from neuroevo.stopping.table import CRITERIA, stopping_from_table, table_of

__all__ = [
    "COLUMNS",
    "COUNTS",
    "CRITERIA",
    "AllOf",
    "AnyOf",
    "Custom",
    "Diversity",
    "ErrorReached",
    "Evaluations",
    "Failed",
    "FileAppears",
    "FitnessReached",
    "Generations",
    "History",
    "Learned",
    "Progress",
    "Seconds",
    "SignalReceived",
    "SignalTrap",
    "Stagnation",
    "StopReason",
    "StoppingCriterion",
    "ValidationErrorReached",
    "ValidationPatience",
    "columns_of",
    "ending_criterion",
    "exit_code",
    "stopping_from_table",
    "table_of",
]

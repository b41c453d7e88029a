"""The errors of neuroevo: what a user, the machine or a record can cause.

Whoever calls neuroevo catches these by name. Any other exception that leaves the package is a defect of it.
"""

from __future__ import annotations


class NeuroevoError(Exception):
    """Something that no change of neuroevo would mend; the message says what it is and what to do."""


class BadInput(NeuroevoError, ValueError):
    """An argument, a file or a scenario cannot be used; the message says what was expected and what came."""


class WrongType(BadInput, TypeError):
    """An argument is not of the kind that was expected."""


class PackageMissing(BadInput, ImportError):
    """A package that one of the extras brings is not installed."""


class MachineRefused(NeuroevoError):
    """The machine cannot do what was asked: memory, disk, cluster."""


class OutOfMemory(MachineRefused, MemoryError):
    """What was asked needs more memory than there is."""

"""What a file of data suggests: a scenario for it, with a reason at each line.

Members: :func:`survey` and :func:`survey_together` (look at a file, and at several), :class:`Survey`, :class:`Wishes`
(what the user says beforehand), :func:`propose` (a scenario as text), :class:`Proposal`, :class:`Task` (what is to be
learnt), :func:`extent`, :func:`examples` and :func:`example_files` (the shipped scenarios), :func:`write_new` (files
that are not there yet).
"""

from neuroevo.proposals.examples import example_files, examples
from neuroevo.proposals.proposal import Proposal, extent, propose
from neuroevo.proposals.survey import Survey, survey, survey_together
from neuroevo.proposals.task import Task, Wishes
from neuroevo.proposals.writing import write_new

__all__ = [
    "Proposal",
    "Survey",
    "Task",
    "Wishes",
    "example_files",
    "examples",
    "extent",
    "propose",
    "survey",
    "survey_together",
    "write_new",
]

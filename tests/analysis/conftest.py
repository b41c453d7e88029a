"""The records that analysis is tried on are those of the records' own tests."""

from tests.records.conftest import network, problem
from tests.records.test_trials import trials

__all__ = ["network", "problem", "trials"]

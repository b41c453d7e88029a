"""A scenario says what to run: problem, network, strategy and stopping criterion, in one TOML file.

Members: :func:`load_scenario` (reads and checks a file, reporting all its mistakes at once), :class:`Scenario` (the
result), :class:`ScenarioError`, :func:`parse_override` (``KEY=VALUE`` of the command line).
"""

from neuroevo.scenario.reader import ScenarioError, parse_override, read_table
from neuroevo.scenario.schema import Scenario, check_table, load_scenario

__all__ = ["Scenario", "ScenarioError", "check_table", "load_scenario", "parse_override", "read_table"]

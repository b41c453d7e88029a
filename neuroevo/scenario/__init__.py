"""A scenario says what to run: problem, network, strategy and stopping criterion, in one TOML file.

Members: :func:`load_scenario` (reads and checks a file, reporting all its mistakes at once), :class:`Scenario` (the
result), :func:`make_scenario` (one made of Python objects), :func:`check_sweep` (its table [sweep] alone),
:class:`ScenarioError`, :func:`parse_override` and :func:`parse_sweep` (``KEY=VALUE`` and ``KEY=VALUES`` of the command
line).
"""

from neuroevo.scenario.python import make_scenario
from neuroevo.scenario.reader import ScenarioError, parse_override, read_table
from neuroevo.scenario.schema import Scenario, check_sweep, check_table, load_scenario
from neuroevo.scenario.sweep import Point, Sweep, parse_sweep

__all__ = [
    "Point",
    "Scenario",
    "ScenarioError",
    "Sweep",
    "check_sweep",
    "check_table",
    "load_scenario",
    "make_scenario",
    "parse_override",
    "parse_sweep",
    "read_table",
]

"""Scenarios made of Python objects, without a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from neuroevo.errors import BadInput, WrongType
from neuroevo.networks import NETWORKS, Network
from neuroevo.problems import Problem, checked_problem
from neuroevo.scenario.generalise import read_generalise
from neuroevo.scenario.reader import ScenarioError
from neuroevo.scenario.schema import IN_MEMORY, Scenario, check_table
from neuroevo.settings import Mistake, SettingsError, shown
from neuroevo.stopping import StoppingCriterion, table_of


def make_scenario(
    problem: Problem,
    network: Network,
    strategy: str | Mapping[str, Any],
    stop: Mapping[str, Any] | StoppingCriterion,
    *,
    name: str = "scenario",
    title: str = "",
    seed: int = 1,
    precision: str = "single",
    **tables: Mapping[str, Any],
) -> Scenario:
    """A scenario as `load_scenario` gives it, for `run`, `run_trials` and `run_sweep`.

    Its record holds the data, so that it can be resumed, extended and shown like any other; only ``neuroevo run`` on
    the record's scenario.toml cannot make the problem again.

    Args:
        problem: What is to be learnt, in scaled units; of a registered kind.
        network: What learns it; of a registered kind.
        strategy: The name of a strategy, or the table [strategy]: ``{"kind": "snes", "population_size": 32}``.
        stop: The table [stop], ``{"generations": 300}``, or a criterion.
        name: Names the run's folder, and stands where a file has its name.
        title: What it is, in a line.
        seed: Seed of the run.
        precision: Arithmetic of the evaluator: "single" or "double".
        **tables: Other tables by name: space, islands, batch, generalise, record, distribution, sweep.

    Raises:
        ScenarioError: With every mistake in it.
        WrongType: An argument is of another kind.
        BadInput: Network and problem differ in inputs or outputs, the class of one of them is not the one that is
            registered under its kind, by which a record finds it again, or a criterion has no form in a table.
    """
    checked_problem(problem)
    for noun, value, kinds in (
        ("network must be a Network", network, Network),
        ("strategy must be a name or a table", strategy, (str, Mapping)),
        ("stop must be a table or a StoppingCriterion", stop, (Mapping, StoppingCriterion)),
    ):
        if not isinstance(value, kinds):
            raise WrongType(f"{noun}, got {shown(value)}")
    problem.check_network(network)
    if network.kind in NETWORKS and NETWORKS[network.kind] is not type(network):
        raise BadInput(
            f"the network {network.kind!r} is {NETWORKS[network.kind].__qualname__}, got a "
            f"{type(network).__qualname__}: give it a kind of its own, and register it under that"
        )
    table = {
        "title": title,
        "seed": seed,
        "precision": precision,
        "problem": {"kind": IN_MEMORY},
        "network": {"kind": network.kind, **network.settings()},
        "strategy": {"kind": strategy} if isinstance(strategy, str) else dict(strategy),
        "stop": table_of(stop) if isinstance(stop, StoppingCriterion) else dict(stop),
        **tables,
    }
    return check_table(table, Path(f"{name}.toml"), _with_parts(problem, tables.get("generalise"), name))


def _with_parts(problem: Problem, table: object, name: str) -> Problem:
    """The problem with the parts that a table [generalise] asks for; what else is wrong with it is said elsewhere."""
    try:
        settings = read_generalise(table if isinstance(table, Mapping) else None)
    except SettingsError:
        return problem
    try:
        return problem if settings is None else settings.problem_of(problem)
    except BadInput as error:
        raise ScenarioError(f"{name}.toml", [Mistake("generalise", str(error))]) from error

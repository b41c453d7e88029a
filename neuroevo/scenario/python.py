"""Scenarios made of Python objects, without a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuroevo.scenario.schema import IN_MEMORY, Scenario, check_table
from neuroevo.stopping import StoppingCriterion, table_of

if TYPE_CHECKING:
    from neuroevo.networks import Network
    from neuroevo.problems import Problem


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
        problem: What is to be learnt, in scaled units.
        network: What learns it; of a registered kind.
        strategy: The name of a strategy, or the table [strategy]: ``{"kind": "snes", "population_size": 32}``.
        stop: The table [stop], ``{"generations": 300}``, or a criterion.
        name: Names the run's folder, and stands where a file has its name.
        title: What it is, in a line.
        seed: Seed of the run.
        precision: Arithmetic of the evaluator: "single" or "double".
        **tables: Other tables by name: space, islands, batch, record, distribution.

    Raises:
        ScenarioError: With every mistake in it.
        BadInput: Network and problem do not fit together, or a criterion has no form in a table.
    """
    problem.check_network(network)
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
    return check_table(table, Path(f"{name}.toml"), problem)

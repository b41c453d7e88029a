"""From a scenario to the search that it describes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from neuroevo.evolution import VALIDATION, Evolution

if TYPE_CHECKING:
    from neuroevo.compute import ComputeSession
    from neuroevo.distribution import PoolStatus
    from neuroevo.scenario import Scenario
    from neuroevo.stopping import History


@contextmanager
def open_search(
    scenario: Scenario,
    session: ComputeSession,
    history: History,
    *,
    announce: Callable[[str], None] | None = None,
    watch: Callable[[PoolStatus], None] | None = None,
) -> Iterator[Evolution]:
    """The search of a scenario at its beginning.

    Args:
        scenario: What to run.
        session: Who computes.
        history: The generations so far.
        announce: Told what a user should know.
        watch: Shown who is at work, where there are workers.

    Raises:
        ClusterError: Workers cannot do their work.
    """
    validated, islands = VALIDATION in scenario.problem.parts, scenario.islands
    hosted = session.host(
        scenario.make_strategy,
        scenario.evaluator,
        1 if islands is None else islands.count,
        validated=validated,
        n_emigrants=1 if islands is None else islands.migrants,
        conditions=scenario.conditions,
        only_better=islands is not None and islands.replacement == "if_better",
        announce=announce,
        watch=watch,
    )
    with hosted as host:
        yield Evolution(
            host,
            islands,
            seed=scenario.head.seed,
            validated=validated,
            history=history,
            rest_every=scenario.record.checkpoint_generations,
            announce=announce,
            error_name=scenario.problem.error_name,
        )

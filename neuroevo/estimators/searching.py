"""From sequences and an estimator's arguments to the champions of its searches, without a folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from neuroevo.compute import Compute
from neuroevo.errors import BadInput
from neuroevo.networks import Network
from neuroevo.prediction import Member
from neuroevo.problems import SequenceProblem
from neuroevo.scenario import ScenarioError, make_scenario
from neuroevo.search import open_search
from neuroevo.stopping import History, StopReason


@dataclass(frozen=True, eq=False)
class Found:
    """What came of a search: its champion, the figures of its generations, and why it ended."""

    member: Member
    history: History
    stop_reason: StopReason


def search(
    problem: SequenceProblem,
    network: Network,
    strategy: str | Mapping[str, Any],
    stop: Mapping[str, Any],
    *,
    seed: int,
    precision: str,
    n_threads: int | None,
) -> Found:
    """Search until the criterion holds; arguments as of `make_scenario` and `Compute`.

    Raises:
        BadInput: An argument is wrong, or all networks overflowed.
    """
    try:
        scenario = make_scenario(problem, network, strategy, stop, seed=seed, precision=precision)
    except ScenarioError as error:
        raise BadInput("; ".join(map(str, error.mistakes))) from error
    with (
        Compute(threads=n_threads).open() as opened,
        open_search(scenario, opened, History()) as evolution,
    ):
        reason = evolution.run(scenario.criterion, lambda _progress: None)
    champion = evolution.champion
    if champion is None:
        raise BadInput("no network had finite outputs: scale X and y, or choose another network")
    member = Member(network, champion.genome, problem.scaling_arrays(), f"seed{seed}", champion.figures())
    return Found(member, evolution.history, reason)


def generator_of(random_state: Any) -> np.random.Generator:
    """A generator of random numbers; the global ones are never used.

    Args:
        random_state: A whole number, None for fresh randomness from the system, or a generator of numpy's.

    Raises:
        BadInput: It is something else.
    """
    if isinstance(random_state, np.random.Generator):
        return random_state
    if isinstance(random_state, np.random.RandomState):
        return np.random.default_rng(random_state.randint(2**31 - 1, size=4))
    is_count = isinstance(random_state, int | np.integer) and not isinstance(random_state, bool)
    if random_state is not None and not (is_count and random_state >= 0):
        raise BadInput(f"random_state must be a whole number from 0, None or a generator of numpy; got {random_state!r}")
    return np.random.default_rng(None if random_state is None else int(random_state))

"""Backends compute the errors of genomes, each in a way of its own; which one does it follows from network and problem.

- `Backend`: what every backend is.
- `compiled`: kernels with genomes as lanes; `by_units`: a kernel with units as lanes, for many units on few sequences.
- `by_adjoints`: errors and their derivatives, by the kernels' backward steps; `by_lstm`: those of 1997 as well.
- `by_crbp`: causal recursive backpropagation for locally recurrent networks.
- `by_outputs`: objectives of one's own, on the outputs of kernels; `by_steps`: those of one step, compiled.
- `free_running`: outputs that come back as inputs.
- `in_worlds`: episodes of control problems, the world compiled together with the network; `in_simulators`: one's own.
- `by_score`: any network on any problem by the problem's own `score`, slowly.
- `BACKENDS`: the registry, which other packages extend; `choose`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuroevo.errors import BadInput
from neuroevo.evaluation.backends.base import Backend
from neuroevo.evaluation.base import NOTHING_MORE
from neuroevo.problems.objectives import OfOnesOwn
from neuroevo.registry import Registry

if TYPE_CHECKING:
    from neuroevo.networks import Network
    from neuroevo.problems import Problem

_OWN = {
    "by_units": "neuroevo.evaluation.backends.by_units:ByUnits",
    "compiled": "neuroevo.evaluation.backends.compiled:Compiled",
    "by_lstm": "neuroevo.evaluation.backends.by_lstm:ByLstm",
    "by_adjoints": "neuroevo.evaluation.backends.by_adjoints:ByAdjoints",
    "by_crbp": "neuroevo.evaluation.backends.by_crbp:ByCrbp",
    "by_outputs": "neuroevo.evaluation.backends.by_outputs:ByOutputs",
    "by_steps": "neuroevo.evaluation.backends.by_steps:BySteps",
    "free_running": "neuroevo.evaluation.backends.free_running:FreeRunning",
    "free_running_by_steps": "neuroevo.evaluation.backends.free_running:FreeRunningBySteps",
    "in_simulators": "neuroevo.evaluation.backends.in_simulators:InSimulators",
    "in_worlds": "neuroevo.evaluation.backends.in_worlds:InWorlds",
    "by_score": "neuroevo.evaluation.backends.by_score:ByScore",
}


def _check_backend(name: str, cls: type[Backend]) -> None:
    if not (isinstance(cls, type) and issubclass(cls, Backend)):
        raise BadInput(f"the backend registered as {name!r} must be a class derived from Backend, got {cls!r}")


BACKENDS: Registry[type[Backend]] = Registry("backend", "neuroevo.backends", _OWN, _check_backend)
"""Backends by name, the package's own in order of preference."""


def choose(
    network: Network,
    problem: Problem,
    wants: frozenset[str] = NOTHING_MORE,
    methods: frozenset[str] = frozenset(),
) -> type[Backend]:
    """The first backend that can evaluate the network on the problem and offers what is wanted, found as it must be.

    Those of other packages are asked first, by name.

    Raises:
        BadInput: There is none; the message says who offers what.
    """
    names = sorted(BACKENDS.names(), key=lambda name: name in _OWN)
    able = {name: BACKENDS[name] for name in names if BACKENDS[name].supports(network, problem)}
    for backend in able.values():
        if wants <= backend.offers and methods <= backend.methods(network):
            return backend
    offers = [f"{name}: {_offer(backend, network, methods)}" for name, backend in able.items()]
    by = f" by {', '.join(sorted(methods))}" if methods else ""
    own = isinstance(getattr(problem, "objective", None), OfOnesOwn)
    raise BadInput(
        f"no backend gives {', '.join(sorted(wants))}{by} for a network {network.kind!r} on a "
        f"{type(problem).__name__}; there are {'; '.join(offers) or 'none for these'}"
        f"{'; an objective of your own has no derivatives: take a strategy that wants none' if own else ''}"
    )


def _offer(backend: type[Backend], network: Network, methods: frozenset[str]) -> str:
    by = f" by {', '.join(sorted(backend.methods(network)))}" if backend.offers and methods else ""
    return f"{', '.join(('error', *sorted(backend.offers)))}{by}"


__all__ = ["BACKENDS", "Backend", "choose"]

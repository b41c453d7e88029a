"""pyswarms' backend, imported when it is needed and without its side effects.

Used are its `Swarm`, personal bests, topologies and boundary handlers. The velocity update is ours, since that of
pyswarms draws from the global generator; so are the starts, since its own leave out negative weights. Not reachable are
the parts that do not do what they say: the velocity handlers `adjust`, `invert` and `zero`, the boundary handlers
`random`, `shrink` and `intermediate`, its option schedules, and topologies that look for neighbours in weight space.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from typing import Any, Literal

import numpy as np

from neuroevo.strategies.bounds import FloatArray
from neuroevo.strategies.swarm.neighbourhoods import NeighbourhoodName, neighbours

BoundaryName = Literal["nearest", "periodic", "reflective"]


def make_topology(name: NeighbourhoodName, n: int, radius: int) -> Any:
    """The topology object of pyswarms for n particles.

    `Star` looks at all personal bests. `Ring` with a fixed table of neighbours serves every local neighbourhood; left
    to itself it would search them with a k-d tree, which is useless in hundreds of dimensions.
    """
    pyswarms = _pyswarms()
    with _untouched_logging():
        if name == "global":
            topology = pyswarms.topology.Star()
            # Star fills this with an (n, n) table that nothing reads.
            topology.neighbor_idx = np.empty((0, 0), dtype=np.intp)
        else:
            topology = pyswarms.topology.Ring(static=True)
            topology.neighbor_idx = neighbours(name, n, radius)
    return topology


def make_boundary_handler(name: BoundaryName) -> Any:
    """The handler of pyswarms for positions that have left the bounds."""
    pyswarms = _pyswarms()
    with _untouched_logging():
        return pyswarms.handlers.BoundaryHandler(strategy=name)


def make_swarm(**attributes: Any) -> Any:
    """A `pyswarms.backend.swarms.Swarm` with these attributes."""
    return _pyswarms().swarms.Swarm(**attributes)


def personal_bests(swarm: Any) -> tuple[FloatArray, FloatArray]:
    """Best place `(n, n_genes)` and best error `(n,)` of each particle, the current ones included."""
    position, cost = _pyswarms().operators.compute_pbest(swarm)
    return position, cost


@functools.cache
def _pyswarms() -> Any:
    with _untouched_logging():
        import pyswarms.backend
        import pyswarms.backend.topology
    return pyswarms.backend


@contextmanager
def _untouched_logging() -> Iterator[None]:
    """Keep pyswarms from configuring logging; see pyswarms_logging.yaml."""
    before = os.environ.get("LOG_CFG")
    with as_file(files(__package__) / "pyswarms_logging.yaml") as path:
        os.environ["LOG_CFG"] = str(path)
        try:
            yield
        finally:
            if before is None:
                del os.environ["LOG_CFG"]
            else:
                os.environ["LOG_CFG"] = before

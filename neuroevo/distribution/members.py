"""What was registered from Python here and is in no other process: it goes along to the workers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neuroevo.evaluation import BACKENDS
from neuroevo.evaluation.cells import CELLS
from neuroevo.networks import NETWORKS
from neuroevo.problems import PROBLEMS
from neuroevo.registry import Registry
from neuroevo.spaces import SPACES
from neuroevo.stopping import CRITERIA
from neuroevo.strategies import STRATEGIES

REGISTRIES: tuple[Registry[Any], ...] = (BACKENDS, CELLS, CRITERIA, NETWORKS, PROBLEMS, SPACES, STRATEGIES)
"""All that take part in what is computed. A worker without a kernel would compute the same error in another way."""

Members = Mapping[str, Mapping[str, Any]]


def registered_members() -> Members:
    """Members by name, by the group of their registry."""
    return {registry.group: dict(registry.registered) for registry in REGISTRIES}


def register_members(members: Members) -> None:
    """Register, in a worker, what is not known there; a module that came along may have registered its own."""
    for registry in REGISTRIES:
        for name, member in members[registry.group].items():
            if name not in registry:
                registry.register(name, member)

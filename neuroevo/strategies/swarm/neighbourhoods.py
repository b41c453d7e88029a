"""Who learns from whom in a swarm: fixed tables of particle numbers, whatever the number of genes."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

NeighbourhoodName = Literal["global", "ring", "von_neumann"]


def neighbours(name: NeighbourhoodName, n: int, radius: int) -> NDArray[np.intp]:
    """The neighbours of each particle, itself first: `(n, n_neighbours)`.

    Args:
        name: `ring`: the next `radius` particles to either side (Kennedy 1999). `von_neumann`: left, right, above and
            below on a grid whose rows join end to start, so that every n fits (Kennedy and Mendes 2002).
        n: Particles.
        radius: Reach of the ring.

    Raises:
        ValueError: The global neighbourhood, which needs no table.
    """
    if name == "ring":
        steps = [0, *(step for r in range(1, radius + 1) for step in (-r, r))]
    elif name == "von_neumann":
        row = max(1, round(np.sqrt(n)))
        steps = [0, -1, 1, -row, row]
    else:
        raise ValueError(f"{name!r} has no table of neighbours")
    table: NDArray[np.intp] = (np.arange(n)[:, np.newaxis] + np.array(steps)) % n
    return table

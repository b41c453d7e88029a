"""Migration: which islands send genomes to which, how many, and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge

from neuroevo.strategies import Phase, stream


@dataclass(frozen=True)
class Migration:
    """How genomes move between islands.

    Attributes:
        topology: "ring": from the neighbour; "star": between island 0 and each other; "complete": from everyone to
            everyone; "random": from one other island each, drawn anew every time.
        interval: Generations between two migrations.
        migrants: Genomes on each way, the best ones of their island.
        replacement: "always": the strategy takes immigrants in, usually in the places of its worst; "if_better": only
            those that are better than the island's incumbent.
    """

    topology: Literal["ring", "star", "complete", "random"] = "ring"
    interval: Annotated[int, Ge(1)] = 20
    migrants: Annotated[int, Ge(1)] = 2
    replacement: Literal["always", "if_better"] = "always"

    def is_due(self, generation: int) -> bool:
        """Whether genomes move between this generation and the next."""
        return generation > 0 and generation % self.interval == 0

    def sources(self, n_islands: int, seed: int, generation: int) -> tuple[tuple[int, ...], ...]:
        """For each island those that it receives genomes from, after a generation."""
        islands = range(n_islands)
        if self.topology == "ring":
            return tuple(((island - 1) % n_islands,) for island in islands)
        if self.topology == "star":
            return (tuple(islands[1:]), *((0,) for _ in islands[1:]))
        if self.topology == "complete":
            return tuple(tuple(other for other in islands if other != island) for island in islands)
        # The archipelago draws as the island after the last one, so that no strategy has the same stream.
        rng = stream(seed, island=n_islands, generation=generation, phase=Phase.MIGRATE)
        steps = rng.integers(1, n_islands, size=n_islands)
        return tuple((int(island + step) % n_islands,) for island, step in enumerate(steps))

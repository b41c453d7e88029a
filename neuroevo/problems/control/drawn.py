"""DrawnEpisodes: episodes whose chance comes from seeds, the same for all genomes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from neuroevo.problems.control.base import Chosen, EpisodeProblem

_PLACES = ("train", "validation", "test")


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """How many episodes there are that differ by chance.

    Attributes:
        n_train: Episodes that train.
        n_validation: Episodes that choose the champion; 0 for no such part.
        n_test: Episodes that test; 0 for no such part.
        data_seed: Seed of all that is drawn in them. Each part has a stream of its own.
    """

    n_train: Annotated[int, Ge(1)] = 8
    n_validation: Annotated[int, Ge(0)] = 0
    n_test: Annotated[int, Ge(0)] = 100
    data_seed: Annotated[int, Ge(0)] = 0


class DrawnEpisodes(Drawn, EpisodeProblem):
    """A control problem whose episodes differ by chance."""

    @property
    def parts(self) -> tuple[str, ...]:  # type: ignore[override]
        return tuple(part for part in _PLACES if getattr(self, f"n_{part}"))

    def n_episodes(self, part: str) -> int:
        self.check_part(part)
        return int(getattr(self, f"n_{part}"))

    def seeds(self, part: str, episodes: Chosen = None) -> NDArray[np.uint64]:
        """``(n_episodes,)``: the seed of each episode of a part, or of some of them."""
        sequence = np.random.SeedSequence([self.data_seed, _PLACES.index(part)])
        seeds = sequence.generate_state(self.n_episodes(part), np.uint64) >> np.uint64(33)
        return seeds if episodes is None else seeds[episodes]

    def counts(self) -> str:
        """How many episodes there are, in words."""
        named = ((part, getattr(self, f"n_{part}")) for part in self.parts)
        return ", ".join(f"{n} episodes {'to train on' if part == 'train' else f'of {part}'}" for part, n in named)

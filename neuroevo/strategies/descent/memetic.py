"""Memetic search: some genomes of a search descend before it is told their errors, or learns of better ones.

After Moscato 1989, "On evolution, search, optimization, genetic algorithms and martial arts: towards memetic
algorithms". Inheritance is Lamarckian, where the search takes what the descent found among its own, as immigrants,
which a normal distribution such as CMA-ES's takes in the place of samples, with steps of a usual length (Hansen 2011,
"Injecting external solutions into CMA-ES", https://arxiv.org/abs/1110.4181); or Baldwinian, where genomes stay as they
are and are told the errors that they come to by descent (Hinton and Nowlan 1987, "How learning can guide evolution").

A generation is one of the search or one of a descent, whose population is smaller. The search is asked, some of its
genomes descend over the next generations, and then it is told. While they do, the state holds that of the search from
before it was asked; asked again it asks the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Gt, Le

from neuroevo.errors import BadInput
from neuroevo.evaluation.learning import Learning
from neuroevo.settings import Mistake
from neuroevo.strategies.base import Axes, State, Strategy
from neuroevo.strategies.bounds import FloatArray
from neuroevo.strategies.descent.partners import Partners, PartnerSettings, figures_of, members_of, strategy_class
from neuroevo.strategies.streams import Phase


@dataclass(frozen=True)
class MemeticSettings(PartnerSettings):
    """Settings of memetic search.

    Attributes:
        every: Generations of the search from one descent to the next; none follows the first.
        share: Share of the genomes of such a generation that descend; at least one does.
        which: The best of them, or any.
        steps: Steps of a descent; one generation more evaluates where the last of them leads.
        inheritance: Whether the search takes in what a descent found (lamarckian), or is told its errors (baldwinian).
    """

    every: Annotated[int, Ge(1)] = 10
    share: Annotated[float, Gt(0), Le(1)] = 0.1
    which: Literal["best", "random"] = "best"
    steps: Annotated[int, Ge(1)] = 10
    inheritance: Literal["lamarckian", "baldwinian"] = "lamarckian"

    def __post_init__(self) -> None:
        if "population_size" in self.descent:
            raise BadInput("descent.population_size follows from share: leave it out")
        super().__post_init__()
        self.descent.pop("population_size")

    def _mistakes(self) -> list[Mistake]:
        if strategy_class(self.descent, "descent").separate:
            return []
        expected = f"{self.descent['kind']} is no descent: row k of a population must follow from row k of the last"
        return [Mistake("descent.kind", expected, hint="take bptt, levenberg_marquardt or their like")]


class Memetic(Partners[MemeticSettings]):
    """Memetic search: any strategy, and descents from some of its genomes now and then."""

    Settings = MemeticSettings
    STATE = (
        *("held_errors", "chosen", "found", "found_errors", "search_generation", "descended", "n_descents", "gain"),
        *("immigrants", "immigrant_errors"),
    )
    AXES: ClassVar[Axes] = {
        "held_errors": ("n_held",),
        "chosen": ("n_chosen",),
        "found": ("n_chosen", "n_genes"),
        "found_errors": ("n_chosen",),
        "immigrants": ("n_immigrants", "n_genes"),
        "immigrant_errors": ("n_immigrants",),
    }
    _gain: float | None = None

    def __init__(self, settings: MemeticSettings, **arguments: Any) -> None:
        super().__init__(settings, **arguments)
        if self._search.needs:
            raise BadInput(f"search: {settings.search['kind']} wants {', '.join(sorted(self._search.needs))} itself")
        self._descent: Strategy[Any] | None = None
        self._before: State = {}
        self._search_generation = self._descended = self._n_descents = 0
        self._put_down()
        self._immigrants, self._immigrant_errors = np.empty((0, self.n_genes)), np.empty(0)

    def _n_chosen(self, n: int) -> int:
        return max(1, round(self.settings.share * n))

    def _model(self) -> Strategy[Any]:
        return self._make_descent(0, None, self._n_chosen(self.settings.population_size))

    def _put_down(self) -> None:
        """Hold no generation of the search."""
        self._held = np.empty((0, self.n_genes))
        self._held_errors, self._chosen = np.empty(0), np.empty(0)
        self._found, self._found_errors = np.empty((0, self.n_genes)), np.empty(0)
        self._descent, self._descended = None, 0

    @property
    def wants(self) -> frozenset[str]:
        return frozenset() if self._descent is None else self._descent.wants

    @property
    def learning(self) -> Learning | None:
        return None if self._descent is None else self._descent.learning

    def _ask(self) -> FloatArray:
        if self._descent is not None:
            return self._descent.ask()
        self._search_generation = self._search.generation
        self._before = self._search.state() if self._is_due else {}
        return self._search.ask()

    @property
    def _is_due(self) -> bool:
        # The first generation is the search's own: before it there is no state to go back to.
        return self._search_generation > 0 and (self._search_generation + 1) % self.settings.every == 0

    def _tell(self, population: FloatArray, error: FloatArray, **found: FloatArray) -> None:
        if self._descent is not None:
            self._descend(self._descent, population, error, found)
        elif self._is_due and np.isfinite(error).any():
            self._hold(population, error)
        else:
            self._search.tell(population, error)

    def _hold(self, population: FloatArray, error: FloatArray) -> None:
        """Choose who descends."""
        own, sound = self.settings, np.flatnonzero(np.isfinite(error))
        n = min(len(sound), self._n_chosen(len(error)))
        if own.which == "best":
            chosen = np.argsort(error, kind="stable")[:n]
        else:
            chosen = np.sort(self._stream(Phase.LEARN).permutation(sound)[:n])
        self._held, self._held_errors = population, error
        self._chosen, self._found, self._found_errors = chosen.astype(np.float64), population[chosen], error[chosen]
        self._descent = self._make_descent(self._n_descents, self._found, n)
        self._n_descents += 1

    def _descend(
        self, descent: Strategy[Any], population: FloatArray, error: FloatArray, found: Mapping[str, FloatArray]
    ) -> None:
        descent.tell(population, error, **found)
        better = error < self._found_errors
        self._found = np.where(better[:, np.newaxis], found.get("refined", population), self._found)
        self._found_errors = np.where(better, error, self._found_errors)
        self._descended += 1
        if self._descended > self.settings.steps:
            self._let_go()

    def _let_go(self) -> None:
        """Tell the search, and let in whoever waits."""
        chosen, errors = self._chosen.astype(int), self._held_errors.copy()
        better = self._found_errors < errors[chosen]
        self._gain = float(better.mean())
        if self.settings.inheritance == "baldwinian":
            errors[chosen] = self._found_errors
        self._search.tell(self._held, errors)
        if self.settings.inheritance == "lamarckian" and better.any():
            self._search.inject(self._found[better], self._found_errors[better])
        if len(self._immigrants):
            self._search.inject(self._immigrants, self._immigrant_errors)
            self._immigrants, self._immigrant_errors = np.empty((0, self.n_genes)), np.empty(0)
        self._put_down()

    def _inject(self, genomes: FloatArray, errors: FloatArray) -> None:
        if self._descent is None:
            self._search.inject(genomes, errors)
        else:
            self._immigrants = np.concatenate([self._immigrants, genomes])
            self._immigrant_errors = np.concatenate([self._immigrant_errors, errors])

    def _members(self) -> tuple[FloatArray, FloatArray]:
        if self._descent is not None:
            return self._found, self._found_errors
        # Errors that a search was told of descents are not those of its genomes.
        return members_of(self._search) if self.settings.inheritance == "lamarckian" else super()._members()

    def _figures(self) -> dict[str, float | None]:
        own = {f"search_{name}": value for name, value in figures_of(self._search).items()}
        return {**own, "descending": float(self._descent is not None), "descents_that_gained": self._gain}

    def _inner(self) -> Mapping[str, Strategy[Any]]:
        if self._descent is None:
            return {"search": self._search}
        return {"descent": self._descent} if self._descended else {}

    def state(self) -> State:
        state = super().state()
        return state | (
            {} if self._descent is None else {f"search.{name}": self._before[name] for name in self._before}
        )

    def restore(self, state: Mapping[str, Any]) -> None:
        if not np.size(state.get("held_errors", ())):
            super().restore(state)
            return
        own, others = "search.", {name: value for name, value in state.items() if not name.startswith("search.")}
        before = {name.removeprefix(own): state[name] for name in state if name not in others}
        super().restore(others)
        if not before:
            raise BadInput("the state of the search that waits for a descent is missing")
        self._search.restore(before)
        if self._search.generation != self._search_generation:
            raise BadInput(
                f"the search that waits is of generation {self._search.generation}, not {self._search_generation}"
            )
        self._before, self._held = dict(before), self._search.ask()
        if len(self._held) != len(self._held_errors):
            raise BadInput(f"the state holds {len(self._held_errors)} errors of {len(self._held)} genomes that wait")

    def _restored(self) -> None:
        self._search = self._make_search()
        self._before, self._descent = {}, None
        n_held = len(self._held_errors)
        if not n_held:
            self._put_down()
        elif not (len(self._chosen) and ((self._chosen >= 0) & (self._chosen < n_held)).all()):
            raise BadInput(f"the state has chosen {self._chosen} of {n_held} genomes")
        else:
            self._descent = self._make_descent(self._n_descents - 1, self._found, len(self._found))

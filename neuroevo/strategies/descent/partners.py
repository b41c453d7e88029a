"""What strategies share that hold a search and a descent: their tables, and how the two are made."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar

import numpy as np
from annotated_types import Ge
from numpy.typing import ArrayLike

from neuroevo.errors import BadInput
from neuroevo.evaluation.base import FINDINGS
from neuroevo.evaluation.learning import Method
from neuroevo.registry import UnknownName
from neuroevo.settings import Mistake, SettingsError, parse_settings, shown
from neuroevo.strategies.base import Strategy
from neuroevo.strategies.bounds import FloatArray
from neuroevo.strategies.settings import StrategySettings

_OF_ALL = ("bounds", "initial")
_APART = 1 << 20
"""From the island's number to that of its descents, which draw numbers of their own."""


@dataclass(frozen=True)
class PartnerSettings(StrategySettings):
    """Settings of a search and a descent.

    Attributes:
        population_size: That of the search; 0 takes its own.
        search: The table of the search: its kind and its keys.
        descent: The table of the descent.
    """

    INNER = ("search", "descent")

    population_size: Annotated[int, Ge(0)] = 0
    search: dict[str, Any] = field(default_factory=lambda: {"kind": "snes"})
    descent: dict[str, Any] = field(default_factory=lambda: {"kind": "bptt"})

    def __post_init__(self) -> None:
        search = dict(self.search)
        if self.population_size:
            search.setdefault("population_size", self.population_size)
        mistakes: list[Mistake] = []
        for name, given in (("search", search), ("descent", self.descent)):
            try:
                object.__setattr__(self, name, resolved(given, name))
            except SettingsError as error:
                mistakes += error.mistakes
        if not mistakes:
            size = self.search["population_size"]
            if self.population_size not in (0, size):
                mistakes.append(Mistake("population_size", f"is that of the search, {size}", f"{self.population_size}"))
            object.__setattr__(self, "population_size", size)
            mistakes += self._mistakes()
        if mistakes:
            raise SettingsError(mistakes)

    def _mistakes(self) -> list[Mistake]:
        """What is wrong with tables that are good for themselves."""
        return []


def strategy_class(table: Mapping[str, Any], name: str) -> type[Strategy[Any]]:
    """The strategy that a table names by its kind.

    Raises:
        SettingsError: The kind is missing, no text, or unknown.
    """
    from neuroevo.strategies import STRATEGIES

    kind = table.get("kind")
    if not isinstance(kind, str):
        known, got = ", ".join(STRATEGIES.names()), shown(kind) if "kind" in table else ""
        raise SettingsError([Mistake(f"{name}.kind", "must name a strategy in quotes", got, f"known: {known}")])
    try:
        return STRATEGIES[kind]
    except UnknownName as error:
        raise SettingsError([Mistake(f"{name}.kind", str(error))]) from error


def resolved(table: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A table of a strategy with all its defaults, as a file has it.

    Raises:
        SettingsError: With every mistake in it.
    """
    cls = strategy_class(table, name)
    own = {key: value for key, value in table.items() if key not in ("kind", *_OF_ALL)}
    mistakes = [Mistake(f"{name}.{key}", f"belongs to both: write it beside {name}") for key in _OF_ALL if key in table]
    try:
        settings = parse_settings(cls.Settings, own, name)
    except SettingsError as error:
        raise SettingsError([*mistakes, *error.mistakes]) from error
    if mistakes:
        raise SettingsError(mistakes)
    values = {
        key: list(value) if isinstance(value, tuple) else value for key, value in dataclasses.asdict(settings).items()
    }
    return {"kind": table["kind"], **{key: value for key, value in values.items() if value is not None}}


def figure_names(strategy: Strategy[Any]) -> tuple[str, ...]:
    """The names of the figures of a strategy at its beginning, which is used up: it is told a generation for them."""
    population = strategy.ask()
    n, n_genes = population.shape
    told = {name: np.zeros((n, *[n_genes] * FINDINGS[name])) for name in strategy.wants - {"refined"}}
    told |= dict.fromkeys(strategy.wants & {"refined"}, population)
    strategy.tell(population, np.zeros(n), **told)
    return tuple(strategy.figures())


def figures_of(strategy: Strategy[Any]) -> Mapping[str, float | None]:
    """Its figures, also where it waits for a tell."""
    return strategy._figures()  # noqa: SLF001 - a partner's, whom nobody else asks


def members_of(strategy: Strategy[Any]) -> tuple[FloatArray, FloatArray]:
    """All that it would choose emigrants from."""
    return strategy._members()  # noqa: SLF001 - a partner's, whom nobody else asks


P = TypeVar("P", bound=PartnerSettings)


class Partners(Strategy[P]):
    """A search and a descent that take turns."""

    def __init__(self, settings: P, **arguments: Any) -> None:
        super().__init__(settings, **arguments)
        self._search = self._make_search()
        if self._search.goals:
            raise BadInput(f'search: {settings.search["kind"]} has goals beside the error; give it goals = ["error"]')
        model = self._model()
        self._needs, self._methods = self._search.needs | model.needs, self._search.methods | model.methods

    @property
    def needs(self) -> frozenset[str]:
        return self._needs

    @property
    def methods(self) -> frozenset[Method]:
        return self._methods

    def _model(self) -> Strategy[Any]:
        """A descent that stands for those to come, which nobody has chosen starts for yet."""
        return self._make_descent(0, None)

    def _make_search(self) -> Strategy[Any]:
        """The search at its beginning; it draws the numbers that it would draw alone."""
        return self._make(self.settings.search, self.island, self.initial)

    def _make_descent(
        self, number: int, initial: ArrayLike | None, population_size: int | None = None
    ) -> Strategy[Any]:
        """A descent at its beginning.

        Args:
            number: How many descents there were before.
            initial: Where it starts.
            population_size: Where the table does not say it.
        """
        size = {} if population_size is None else {"population_size": population_size}
        return self._make({**self.settings.descent, **size}, self.island + _APART * (1 + number), initial)

    def _make(self, table: Mapping[str, Any], island: int, initial: ArrayLike | None) -> Strategy[Any]:
        from neuroevo.strategies import make_strategy

        return make_strategy(
            table["kind"],
            n_genes=self.n_genes,
            seed=self.seed,
            layout=self.layout,
            initial=initial,
            bounds=None if self.bounds is None else (self.bounds.low, self.bounds.high),
            island=island,
            **{key: value for key, value in table.items() if key != "kind"},
        )

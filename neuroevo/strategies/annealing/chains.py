"""Metropolis chains: what simulated annealing and parallel tempering have in common.

Metropolis et al. 1953: a proposal that is better is taken; one that is worse by d at temperature T is taken with
probability exp(-d / T). One genome a chain is proposed in every generation.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, TypeVar

import numpy as np
from annotated_types import Ge, Gt, Interval
from numpy.typing import NDArray

from neuroevo.strategies.annealing.cooling import estimated_temperature
from neuroevo.strategies.annealing.neighbourhood import NeighbourhoodName, neighbours
from neuroevo.strategies.base import Axes, Strategy
from neuroevo.strategies.bounds import FloatArray
from neuroevo.strategies.settings import StartSettings
from neuroevo.strategies.streams import Phase

# Widths that adapt stay in here: below, no gene moves any more; above, every step leaves all that works.
_NARROWEST, _WIDEST = 1e-9, 1e3


@dataclass(frozen=True)
class ChainSettings(StartSettings):
    """Settings of the annealing walks; defaults without a source were tuned on networks (`benchmarks/defaults.py`).

    Attributes:
        population_size: Chains.
        initial_temperature: In units of the error; by default estimated from the first proposals.
        initial_acceptance: Where it is estimated, the share of rises that it lets through.
        temperature_ratio: Lowest temperature as a share of the first or highest.
        neighbourhood: What a step looks like; see `neuroevo.strategies.annealing.neighbourhood`.
        width: Scale of a step.
        width_adaptation: `fixed`, or `adaptive`: each chain's width follows its acceptance, and no equal errors.
        acceptance_target: What the adaptive width aims at (Roberts, Gelman and Gilks 1997: 0.234 in many dimensions).
        width_gain: How fast, as the exponent's change per step.
    """

    population_size: Annotated[int, Ge(1)] = 64
    start_width: Annotated[float, Gt(0)] = 0.3
    initial_temperature: Annotated[float, Gt(0)] | None = None
    initial_acceptance: Annotated[float, Interval(gt=0, lt=1)] = 0.1
    temperature_ratio: Annotated[float, Interval(gt=0, le=1)] = 1e-3
    neighbourhood: NeighbourhoodName = "gaussian"
    width: Annotated[float, Gt(0)] = 0.1
    width_adaptation: Literal["fixed", "adaptive"] = "adaptive"
    acceptance_target: Annotated[float, Interval(gt=0, lt=1)] = 0.234
    width_gain: Annotated[float, Gt(0)] = 0.1


C = TypeVar("C", bound=ChainSettings)


class Chains(Strategy[C]):
    """Many Metropolis chains at once; temperatures are a subclass's business."""

    Settings = ChainSettings
    STATE: ClassVar[tuple[str, ...]] = ("positions", "errors", "widths", "first_temperature", "acceptance_rate")

    _positions: FloatArray
    _errors: FloatArray
    _widths: FloatArray
    #: None until a proposal has told the scale of the errors.
    _first_temperature: float | None = None
    #: Share of the last proposals that were taken; None before the first.
    _acceptance_rate: float | None = None

    AXES: ClassVar[Axes] = {
        "positions": ("population_size", "n_genes"),
        "errors": ("population_size",),
        "widths": ("population_size",),
        "first_temperature": (),
    }

    @abstractmethod
    def _temperatures(self, first: float) -> FloatArray | float:
        """The temperature of each chain `(n,)`, or of all, for the proposals told now."""

    def _moved(self, accepted: NDArray[np.bool_]) -> None:
        """Called after every acceptance, with who moved `(n,)`."""

    def _ask(self) -> FloatArray:
        settings = self.settings
        if self._generation == 0:
            return self._initial_population()
        proposals = neighbours(settings.neighbourhood, self._positions, self._widths, self._stream(Phase.SAMPLE))
        return proposals if self.bounds is None else self.bounds.reflect(proposals)

    def _tell(self, population: FloatArray, error: FloatArray) -> None:
        if self._generation == 0:
            self._positions, self._errors = population, error
            self._widths = np.full(len(error), self.settings.width)
            self._first_temperature = self.settings.initial_temperature
            return
        # Equals are taken, but tell nothing of the width; nor does a generation that failed as a whole.
        told = (error != self._errors) & np.isfinite(error).any()
        accepted = self._accepted(error)
        self._positions = np.where(accepted[:, np.newaxis], population, self._positions)
        self._errors = np.where(accepted, error, self._errors)
        if self.settings.width_adaptation == "adaptive":
            exponent = self.settings.width_gain * np.where(told, accepted - self.settings.acceptance_target, 0.0)
            self._widths = np.clip(self._widths * np.exp(exponent), _NARROWEST, _WIDEST)
        self._acceptance_rate = float(accepted.mean())
        self._moved(accepted)

    def _accepted(self, error: FloatArray) -> NDArray[np.bool_]:
        with np.errstate(invalid="ignore", over="ignore"):
            change = error - self._errors
        if self._first_temperature is None:
            self._first_temperature = estimated_temperature(change, self.settings.initial_acceptance)
        temperatures = 0.0 if self._first_temperature is None else self._temperatures(self._first_temperature)
        # A chain whose evaluation failed walks freely until it finds ground: inf is no worse than inf.
        return (error <= self._errors) | rises_accepted(change, temperatures, self._stream(Phase.ACCEPT))

    def _inject(self, genomes: FloatArray, errors: FloatArray) -> None:
        """Immigrants take the places of the worst chains, and their temperatures; not of the best unless better."""
        order = np.argsort(self._errors, kind="stable")[::-1]
        incoming = np.argsort(errors, kind="stable")[: len(order)]
        places = order[: len(incoming)]
        if len(incoming) == len(order) and errors[incoming[-1]] > self._errors[places[-1]]:
            places, incoming = places[:-1], incoming[:-1]
        self._positions, self._errors = self._positions.copy(), self._errors.copy()
        self._positions[places], self._errors[places] = genomes[incoming], errors[incoming]

    def _figures(self) -> dict[str, float | None]:
        return {"step_size": float(np.median(self._widths)), "acceptance_rate": self._acceptance_rate}

    def _members(self) -> tuple[FloatArray, FloatArray]:
        return self._positions, self._errors


def rises_accepted(change: FloatArray, temperatures: FloatArray | float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Metropolis' rule: `change` `(n,)` is accepted with probability min(1, exp(-change / temperature)).

    A standard exponential number exceeds x with probability exp(-x), which spares the exponential and its overflow.
    """
    accepted: NDArray[np.bool_] = change <= temperatures * rng.standard_exponential(len(change))
    return accepted

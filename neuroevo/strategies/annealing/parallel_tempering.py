"""Parallel tempering: chains at fixed temperatures that exchange their genomes.

Swendsen and Wang 1986; Geyer 1991; Hukushima and Nemoto 1996, "Exchange Monte Carlo method",
https://doi.org/10.1143/JPSJ.65.1604. Hot chains cross what cold ones cannot; a genome that finds a good place wanders
down the ladder.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from neuroevo.strategies.annealing.chains import Chains, ChainSettings, rises_accepted
from neuroevo.strategies.bounds import FloatArray
from neuroevo.strategies.streams import Phase


@dataclass(frozen=True)
class TemperingSettings(ChainSettings):
    """Settings of parallel tempering.

    Attributes:
        n_temperatures: Rungs of a ladder; the chains form as many ladders as fit, the last one may be short.
        exchange_every: Generations between exchanges.
    """

    n_temperatures: Annotated[int, Ge(1)] = 16
    exchange_every: Annotated[int, Ge(1)] = 1


class ParallelTempering(Chains[TemperingSettings]):
    """Metropolis chains on ladders of fixed temperatures, with exchange between neighbouring rungs."""

    Settings = TemperingSettings
    STATE = (*Chains.STATE, "exchange_rate")

    #: Share of the last pairs that exchanged; None before the first.
    _exchange_rate: float | None = None

    def _figures(self) -> dict[str, float | None]:
        own = {"temperature": self._first_temperature, "exchange_rate": self._exchange_rate}
        return super()._figures() | own  # the temperature of the hottest chains

    def _temperatures(self, first: float) -> FloatArray:
        """Geometric from the first temperature, the hottest, down the ladder."""
        rungs = np.arange(len(self._errors)) % self.settings.n_temperatures
        return first * self.settings.temperature_ratio ** (rungs / max(1, self.settings.n_temperatures - 1))

    def _moved(self, _accepted: NDArray[np.bool_]) -> None:
        if self._first_temperature is None or self._generation % self.settings.exchange_every:
            return
        # Even pairs and odd pairs take turns, so that a genome can travel.
        turn = self._generation // self.settings.exchange_every % 2
        hot = self._hot_partners(turn)
        cold = hot + 1
        swapped = exchanged(
            self._errors, self._temperatures(self._first_temperature), hot, self._stream(Phase.EXCHANGE)
        )
        self._exchange_rate = float(swapped.mean()) if len(swapped) else None
        places = np.arange(len(self._errors))
        places[hot[swapped]], places[cold[swapped]] = cold[swapped], hot[swapped]
        self._positions, self._errors = self._positions[places], self._errors[places]

    def _hot_partners(self, turn: int) -> NDArray[np.intp]:
        """Chains that may exchange with the next one, their neighbour on the ladder."""
        chains = np.arange(len(self._errors) - 1)
        rungs = chains % self.settings.n_temperatures
        hot: NDArray[np.intp] = chains[(rungs % 2 == turn) & (rungs + 1 < self.settings.n_temperatures)]
        return hot


def exchanged(
    errors: FloatArray, temperatures: FloatArray, hot: NDArray[np.intp], rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Which of the pairs (hot, hot + 1) exchange: with probability min(1, exp((1/T_h - 1/T_c) (e_h - e_c))).

    Hukushima and Nemoto 1996, eq. 7. A failed evaluation goes to the hotter of the two.
    """
    cold = hot + 1
    with np.errstate(invalid="ignore", over="ignore"):
        gain = errors[cold] - errors[hot]
        cost = (1.0 / temperatures[hot] - 1.0 / temperatures[cold]) * gain
    # Equal infinities differ by NaN, which compares as False: nothing would change anyway.
    return rises_accepted(cost, 1.0, rng)

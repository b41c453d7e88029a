"""Simulated annealing, many chains at once.

Kirkpatrick, Gelatt and Vecchi 1983, "Optimization by simulated annealing", https://doi.org/10.1126/science.220.4598.671;
for continuous variables Corana et al. 1987 and Bohachevsky, Johnson and Stein 1986. The chains share one temperature.
With every fall of it they are resampled, as in population annealing (Hukushima and Iba 2003, AIP Conf. Proc. 690;
Machta 2010, https://doi.org/10.1103/PhysRevE.82.026704), so that chains stuck on high ground end and others branch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Interval
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.strategies.annealing.chains import Chains, ChainSettings
from neuroevo.strategies.annealing.cooling import CoolingName, lam_acceptance, temperature
from neuroevo.strategies.bounds import FloatArray
from neuroevo.strategies.genetic.selection import spin
from neuroevo.strategies.streams import Phase

# Change of the logarithm of the adaptive temperature per unit of acceptance that is missing.
_ADAPTIVE_GAIN = 0.2


@dataclass(frozen=True)
class AnnealingSettings(ChainSettings):
    """Settings of simulated annealing.

    Attributes:
        cooling: `geometric`, `linear`, `logarithmic` or `lundy_mees` (see `neuroevo.strategies.annealing.cooling`), or
            `adaptive`: the temperature follows the acceptance rate of Lam and Delosme.
        horizon: Generations of the cooling; the temperature holds afterwards.
        resampling: Whether a fall of the temperature copies chains in proportion to their Boltzmann weights; otherwise
            they never meet.
        reheat_after: Generations without a better incumbent after which the schedule goes back to half its clock (the
            adaptive one half the way up to its first temperature, in logarithms); by default never.
    """

    temperature_ratio: Annotated[float, Interval(gt=0, le=1)] = 1e-5
    cooling: CoolingName = "geometric"
    horizon: Annotated[int, Ge(1)] = 1000
    resampling: bool = True
    reheat_after: Annotated[int, Ge(1)] | None = None

    def __post_init__(self) -> None:
        if self.cooling == "adaptive" and self.width_adaptation == "adaptive":
            raise BadInput(
                "cooling = 'adaptive' and width_adaptation = 'adaptive' would both steer the acceptance rate, each "
                "against the other; choose another cooling or width_adaptation = 'fixed'"
            )

    @property
    def schedule_length(self) -> int | None:
        """The horizon of the cooling; logarithmic cooling is never done."""
        return None if self.cooling == "logarithmic" else self.horizon


class SimulatedAnnealing(Chains[AnnealingSettings]):
    """Metropolis chains that share a falling temperature."""

    Settings = AnnealingSettings
    STATE = (*Chains.STATE, "clock", "heat", "stagnation", "goal")

    _clock = 0
    #: Temperature of the adaptive cooling as a share of the first.
    _heat = 1.0
    _stagnation = 0
    _goal = math.inf

    @property
    def temperature(self) -> float | None:
        """The temperature of the next proposals; None until the problem has shown its scale."""
        return None if self._first_temperature is None else self._temperatures(self._first_temperature)

    def _figures(self) -> dict[str, float | None]:
        return super()._figures() | {"temperature": self.temperature}

    def _temperatures(self, first: float) -> float:
        settings = self.settings
        if settings.cooling == "adaptive":
            return first * self._heat
        return temperature(settings.cooling, first, settings.temperature_ratio, settings.horizon, self._clock)

    def _moved(self, accepted: NDArray[np.bool_]) -> None:
        before = self.temperature
        self._cool(float(accepted.mean()))
        after = self.temperature
        if self.settings.resampling and before is not None and after is not None and after < before:
            rows = resampled(self._errors, 1.0 / after - 1.0 / before, self._stream(Phase.SELECT))
            self._positions, self._errors, self._widths = self._positions[rows], self._errors[rows], self._widths[rows]

    def _cool(self, acceptance: float) -> None:
        """Move the clock, and the heat of the adaptive cooling; take both back after stagnation."""
        settings = self.settings
        if settings.cooling == "adaptive":
            missing = lam_acceptance(settings.horizon, self._clock) - acceptance
            self._heat = min(max(self._heat * math.exp(_ADAPTIVE_GAIN * missing), 1e-12), 1e3)
        self._clock += 1
        self._stagnation = 0 if self._incumbent_error < self._goal else self._stagnation + 1
        self._goal = self._incumbent_error
        if settings.reheat_after is not None and self._stagnation >= settings.reheat_after:
            # Beyond the horizon the clock has no meaning for the temperature.
            self._clock = min(self._clock, settings.horizon) // 2
            self._heat = math.sqrt(self._heat)
            self._stagnation = 0


def resampled(errors: FloatArray, colder: float, rng: np.random.Generator) -> NDArray[np.intp]:
    """Rows `(n,)` that go on when 1 / temperature grows by `colder`.

    Each chain expects copies in proportion to exp(-colder error) (Machta 2010, eq. 2), drawn with equally spaced
    pointers, which adds the least noise. Nothing happens while every evaluation has failed.
    """
    n = len(errors)
    least = errors.min()
    if not np.isfinite(least):
        return np.arange(n)
    with np.errstate(over="ignore"):
        weights = np.exp(-colder * (errors - least))
    return spin(np.cumsum(weights), (np.arange(n) + rng.random()) / n)

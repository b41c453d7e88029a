"""Descent: a population of descents by gradients, each for itself.

Every genome follows its own gradient, which an optimiser makes a step of; or, `online`, the evaluator moves the weights
while sequences run, and the genome goes on where they end. Row k of a population follows from row k of the one before.

- A failed evaluation, or a gradient beyond all numbers, goes back half of the step that led there, with an empty
  memory; more than eight in a row, or one at the start, begin anew.
- Descents that make no progress begin anew too. What they found stays as the incumbent.
- Bounds: a gene that a step takes outside stops at the bound (projection); online there are none.
- Immigrants take the place of the worst descents, where they are better.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Lt
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.evaluation.learning import Learning, Method, Online
from neuroevo.strategies.base import Axes, Strategy
from neuroevo.strategies.bounds import FloatArray
from neuroevo.strategies.descent.optimisers import Adam, IrpropPlus, Optimiser, RmsProp, Sgd, Slope
from neuroevo.strategies.descent.rates import RateSettings
from neuroevo.strategies.descent.starting import improved, replaced, starts
from neuroevo.strategies.streams import Phase

MOST_FAILURES = 8
"""In a row, after which a descent starts anew: the step is then 1/256 of what it was."""

_MEMORIES = tuple(dict.fromkeys(name for cls in (Sgd, RmsProp, Adam, IrpropPlus) for name in cls.REMEMBERS))
_OF_EACH = ("errors", "best", "waited", "ages", "counts", "failures")


@dataclass(frozen=True)
class DescentSettings(RateSettings):
    """Settings of descents by gradients.

    Attributes:
        optimiser: What makes steps of gradients; left out, irprop_plus, which was ahead of the others on three tasks
            (docs/gradient-methods.md), or online sgd, the only one there.
        momentum: Of sgd: share of the last step that is added; left out, 0.9, or online 0.
        nesterov: Whether sgd's momentum is Nesterov's.
        betas: Of adam: memory of the means of gradients and of their squares; those of Kingma and Ba 2015.
        smoothing: Of rmsprop: memory of the mean of squared gradients; that of Tieleman and Hinton 2012.
        online: Whether weights move while sequences run. A step is then rate times the gradient of the squared errors
            (no mean) since the last one, and the rate that of the generation.
        interval: Online: steps of a sequence between two changes of the weights.
    """

    optimiser: Literal["adam", "rmsprop", "sgd", "irprop_plus"] | None = None
    momentum: Annotated[float, Ge(0), Lt(1)] | None = None
    nesterov: bool = False
    betas: tuple[Annotated[float, Ge(0), Lt(1)], Annotated[float, Ge(0), Lt(1)]] = (0.9, 0.999)
    smoothing: Annotated[float, Ge(0), Lt(1)] = 0.9
    online: bool = False
    interval: Annotated[int, Ge(1)] = 1

    def __post_init__(self) -> None:
        own = self.own_optimiser
        if self.online:
            self._belongs("optimiser", own == "sgd", "the gradient of whole sequences; online steps are those of sgd")
            self._belongs("nesterov", False, "the gradient of whole sequences")
        self._belongs("interval", self.online, "online = true")
        self._belongs("momentum", own == "sgd", "optimiser = 'sgd'")
        self._belongs("nesterov", own == "sgd", "optimiser = 'sgd'")
        self._belongs("betas", own == "adam", "optimiser = 'adam'")
        self._belongs("smoothing", own == "rmsprop", "optimiser = 'rmsprop'")
        for name in ("schedule", "warm_up", "clip"):
            self._belongs(name, own != "irprop_plus", "optimisers with a rate; irprop_plus follows signs alone")
        for name in ("horizon", "final_rate"):
            self._belongs(name, self.schedule in ("cosine", "geometric"), "schedule = 'cosine' or 'geometric'")
        for name in ("step_every", "step_factor"):
            self._belongs(name, self.schedule == "step", "schedule = 'step'")

    @property
    def remembers(self) -> str:
        reasons = []
        if self.own_optimiser == "irprop_plus":
            reasons.append(
                "irprop_plus takes steps back where errors grow: take optimiser = 'adam', 'rmsprop' or 'sgd'"
            )
        if self.restart_after:
            reasons.append(f"restart_after = {self.restart_after} waits for smaller errors: write 0")
        return "; ".join(reasons)

    @property
    def own_optimiser(self) -> str:
        """The name of the optimiser, whether or not it was left out."""
        return self.optimiser or ("sgd" if self.online else "irprop_plus")

    @property
    def first_rate(self) -> float:
        """The rate before its schedule."""
        usual = {"adam": 0.03, "rmsprop": 0.01, "sgd": 0.01 if self.online else 0.1, "irprop_plus": 0.1}
        return usual[self.own_optimiser] if self.rate is None else self.rate

    def make_optimiser(self) -> Optimiser:
        """The optimiser that these settings name."""
        if self.own_optimiser == "adam":
            return Adam(self.betas)
        if self.own_optimiser == "rmsprop":
            return RmsProp(self.smoothing)
        if self.own_optimiser == "sgd":
            return Sgd(0.9 if self.momentum is None else self.momentum, self.nesterov)
        return IrpropPlus(self.first_rate)


class Descent(Strategy[DescentSettings]):
    """Descents by gradients; its subclasses say how these are found.

    Attributes:
        METHOD: How gradients are found.
    """

    Settings = DescentSettings
    METHOD: ClassVar[Method] = "bptt"
    memoryless = True
    separate = True
    STATE = ("genomes", "kept", *_OF_EACH, *_MEMORIES, "gradient_norm", "restarts")
    AXES: ClassVar[Axes] = {
        **dict.fromkeys(("genomes", "kept", *_MEMORIES), ("population_size", "n_genes")),
        **dict.fromkeys(_OF_EACH, ("population_size",)),
        "gradient_norm": (),
    }

    _gradient_norm: float | None = None
    _errors: FloatArray
    _best: FloatArray
    _waited: FloatArray
    _ages: FloatArray
    _counts: FloatArray
    _failures: FloatArray

    def __init__(self, settings: DescentSettings, **arguments: Any) -> None:
        super().__init__(settings, **arguments)
        if settings.online and self.bounds is not None:
            raise BadInput("weights that move while sequences run keep no bounds: leave out bounds, or online = true")
        n = settings.population_size
        self._optimiser = settings.make_optimiser()
        for name in _MEMORIES:
            setattr(self, f"_{name}", None)
        for name in () if settings.online else self._optimiser.REMEMBERS:
            setattr(self, f"_{name}", np.zeros((n, self.n_genes)))
        for name in _OF_EACH:
            setattr(self, f"_{name}", np.zeros(n))
        self._genomes, self._kept = np.zeros((n, self.n_genes)), np.zeros((n, self.n_genes))
        self._restarts = 0

    @property
    def wants(self) -> frozenset[str]:
        return frozenset({"refined" if self.settings.online else "gradient"})

    @property
    def learning(self) -> Learning:
        own = self.settings
        online = None
        if own.online:
            rate = own.first_rate * own.factor(self._generation)
            online = Online(rate, own.momentum or 0.0, own.interval, own.clip)
        return Learning(self.METHOD, **self._limits(), online=online)

    def _limits(self) -> dict[str, int]:
        """Further words of `Learning` that the settings have."""
        return {}

    def _ask(self) -> FloatArray:
        if self._generation == 0:
            self._begin(
                np.ones(self.settings.population_size, dtype=bool),
                starts(self, self.initial, self._stream(Phase.START)),
            )
        return self._genomes

    def _tell(self, population: FloatArray, error: FloatArray, **found: FloatArray) -> None:
        if "refined" in found:
            sound = np.isfinite(error)
            at, moved, lost = found["refined"], found["refined"], ~sound
        else:
            sound, moved = self._moved(population, error, found["gradient"])
            at, lost = population, ~sound & ~np.isfinite(self._errors)
        self._watch(error, sound)
        new = np.where(sound[:, np.newaxis], moved, (self._kept + population) / 2)
        self._kept = np.where(sound[:, np.newaxis], at, self._kept)
        self._errors = np.where(sound, error, self._errors)
        self._failures = np.where(sound, 0.0, self._failures + 1)
        self._ages = self._ages + 1
        self._genomes = new if self.bounds is None else self.bounds.clip(new)
        stuck = (self._waited >= self.settings.restart_after) & (self.settings.restart_after > 0)
        anew = lost | (self._failures > MOST_FAILURES) | stuck
        if anew.any():
            self._restarts += int(anew.sum())
            self._begin(anew, starts(self, None, self._stream(Phase.RESTART)))

    def _moved(
        self, population: FloatArray, error: FloatArray, given: FloatArray
    ) -> tuple[NDArray[np.bool_], FloatArray]:
        """Who has a gradient to follow, and where it leads."""
        own = self.settings
        sound = np.isfinite(error) & (given != 0).any(axis=1)
        gradient = np.where(sound[:, np.newaxis], given, 0.0)
        # By the largest slope first: the squares of steep ones are beyond all numbers.
        largest = np.maximum(np.abs(gradient).max(axis=1, keepdims=True), np.finfo(np.float64).tiny)
        norm = largest * np.sqrt(np.square(gradient / largest).sum(axis=1, keepdims=True))
        self._gradient_norm = float(np.median(norm[sound])) if sound.any() else None
        if own.clip and own.own_optimiser != "irprop_plus":
            gradient = gradient * (own.clip / np.maximum(norm, own.clip))
        self._counts = np.where(sound, self._counts + 1, 0.0)
        rate = np.array([[own.first_rate * own.factor(int(age))] for age in self._ages.tolist()])
        worse = (error > self._errors)[:, np.newaxis]
        memory = {name: getattr(self, f"_{name}") for name in self._optimiser.REMEMBERS}
        with np.errstate(over="ignore", invalid="ignore"):
            count = np.maximum(self._counts, 1.0)[:, np.newaxis]
            moved = population + self._optimiser.change(Slope(gradient, rate, count, worse), memory)
        sound &= np.isfinite(moved).all(axis=1)
        for name, values in memory.items():
            setattr(self, f"_{name}", np.where(sound[:, np.newaxis], values, self._optimiser.first(name)))
        return sound, moved

    def _watch(self, error: FloatArray, sound: NDArray[np.bool_]) -> None:
        """Note how long each descent has made no progress."""
        better = sound & improved(error, self._best)
        self._best = np.where(better, error, self._best)
        self._waited = np.where(better, 0.0, self._waited + 1)

    def _begin(self, rows: NDArray[np.bool_], genomes: FloatArray, errors: FloatArray | float = np.inf) -> None:
        """Start descents anew: those of `rows` ``(n,)``, at their rows of `genomes` ``(n, n_genes)``."""
        self._genomes = np.where(rows[:, np.newaxis], genomes, self._genomes)
        self._kept = np.where(rows[:, np.newaxis], genomes, self._kept)
        self._errors, self._best = np.where(rows, errors, self._errors), np.where(rows, errors, self._best)
        for name in ("waited", "ages", "counts", "failures"):
            setattr(self, f"_{name}", np.where(rows, 0.0, getattr(self, f"_{name}")))
        for name in () if self.settings.online else self._optimiser.REMEMBERS:
            values = np.where(rows[:, np.newaxis], self._optimiser.first(name), getattr(self, f"_{name}"))
            setattr(self, f"_{name}", values)

    def _inject(self, genomes: FloatArray, errors: FloatArray) -> None:
        self._begin(*replaced(self._genomes, self._errors, genomes, errors))

    def _members(self) -> tuple[FloatArray, FloatArray]:
        known = np.isfinite(self._errors)
        return (self._kept[known], self._errors[known]) if known.any() else super()._members()

    def _figures(self) -> dict[str, float | None]:
        own = self.settings
        rates = [own.factor(int(age)) for age in self._ages.tolist()]
        rate = own.factor(self._generation) if own.online else sum(rates) / len(rates)
        norm = {} if own.online else {"gradient_norm": self._gradient_norm}
        return {**norm, "rate": own.first_rate * rate, "n_restarts": self._restarts}

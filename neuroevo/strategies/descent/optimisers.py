"""Optimisers make steps of gradients, for each genome of a population by itself.

- `Sgd`: gradient descent with momentum (Polyak 1964; Rumelhart, Hinton and Williams 1986) or Nesterov's (Sutskever,
  Martens, Dahl and Hinton 2013, "On the importance of initialization and momentum in deep learning", equations 1 to 4,
  in the form of Bengio, Boulanger-Lewandowski and Pascanu 2013, equation 7, which asks for no second point).
- `RmsProp`: Tieleman and Hinton 2012, lecture 6e of "Neural networks for machine learning".
- `Adam`: Kingma and Ba 2015, https://arxiv.org/abs/1412.6980, algorithm 1.
- `IrpropPlus`: Igel and Huesken 2003, "Empirical evaluation of the improved Rprop learning algorithms", Neurocomputing
  50:105-123, algorithm 2 (iRPROP+): steps of signs, and one that crossed a minimum is taken back where the error grew.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from neuroevo.strategies.bounds import FloatArray

Memory: TypeAlias = MutableMapping[str, FloatArray]
"""Arrays ``(n, n_genes)`` by name, what an optimiser remembers of each descent; replaced and never changed in place."""


@dataclass(frozen=True, eq=False)
class Slope:
    """What an optimiser learns of the genomes that were asked.

    Attributes:
        gradient: ``(n, n_genes)``.
        rate: ``(n, 1)``, the learning rate of each.
        count: ``(n, 1)``, steps that its memory holds, this one included.
        worse: ``(n, 1)``, whether its error is larger than one step before.
    """

    gradient: FloatArray
    rate: FloatArray
    count: FloatArray
    worse: NDArray[np.bool_]


class Optimiser(ABC):
    """Makes steps of gradients.

    Attributes:
        REMEMBERS: The names of its memory.
    """

    REMEMBERS: ClassVar[tuple[str, ...]]

    def first(self, name: str) -> float:  # noqa: ARG002 - most remember nothing at first
        """What a memory begins with."""
        return 0.0

    @abstractmethod
    def change(self, slope: Slope, memory: Memory) -> FloatArray:
        """The step ``(n, n_genes)`` to go from the genomes asked; the memory learns from it."""


@dataclass(frozen=True)
class Sgd(Optimiser):
    """v <- momentum v + g; the step is -rate v, or with Nesterov's momentum -rate (g + momentum v)."""

    REMEMBERS = ("velocity",)

    momentum: float
    nesterov: bool

    def change(self, slope: Slope, memory: Memory) -> FloatArray:
        memory["velocity"] = self.momentum * memory["velocity"] + slope.gradient
        ahead = slope.gradient + self.momentum * memory["velocity"] if self.nesterov else memory["velocity"]
        return -slope.rate * ahead


@dataclass(frozen=True)
class RmsProp(Optimiser):
    """The step is -rate g over the root of the mean of the last g^2."""

    REMEMBERS = ("square",)

    smoothing: float
    epsilon: float = 1e-8

    def change(self, slope: Slope, memory: Memory) -> FloatArray:
        memory["square"] = self.smoothing * memory["square"] + (1 - self.smoothing) * np.square(slope.gradient)
        return -slope.rate * slope.gradient / (np.sqrt(memory["square"]) + self.epsilon)


@dataclass(frozen=True)
class Adam(Optimiser):
    """The step is -rate times the mean of the last g over the root of that of the last g^2, both without their bias."""

    REMEMBERS = ("velocity", "square")

    betas: tuple[float, float]
    epsilon: float = 1e-8

    def change(self, slope: Slope, memory: Memory) -> FloatArray:
        first, second = self.betas
        memory["velocity"] = first * memory["velocity"] + (1 - first) * slope.gradient
        memory["square"] = second * memory["square"] + (1 - second) * np.square(slope.gradient)
        mean = memory["velocity"] / self._weight(first, slope.count)
        square = memory["square"] / self._weight(second, slope.count)
        return -slope.rate * mean / (np.sqrt(square) + self.epsilon)

    @staticmethod
    def _weight(beta: float, counts: FloatArray) -> FloatArray:
        """1 - beta^t, by Python's powers: those of numpy depend on the processor."""
        return np.array([[1 - beta**count] for count in counts[:, 0].tolist()])


@dataclass(frozen=True)
class IrpropPlus(Optimiser):
    """Each gene has a width of its own, which grows while its slope keeps its sign and shrinks where that changes."""

    REMEMBERS = ("slope", "width", "last_change")

    first_width: float
    growth: float = 1.2
    shrinkage: float = 0.5
    least: float = 1e-6
    most: float = 50.0

    def first(self, name: str) -> float:
        return self.first_width if name == "width" else 0.0

    def change(self, slope: Slope, memory: Memory) -> FloatArray:
        agreement = np.sign(slope.gradient) * np.sign(memory["slope"])
        crossed = agreement < 0
        factor = np.where(agreement > 0, self.growth, np.where(crossed, self.shrinkage, 1.0))
        memory["width"] = np.clip(factor * memory["width"], self.least, self.most)
        memory["slope"] = np.where(crossed, 0.0, slope.gradient)
        back = np.where(slope.worse, -memory["last_change"], 0.0)
        change = np.where(crossed, back, -np.sign(slope.gradient) * memory["width"])
        memory["last_change"] = change
        return change

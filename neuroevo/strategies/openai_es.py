"""OpenAI-ES: gradient descent on the error smoothed by gaussian noise.

Salimans, Ho, Chen, Sidor and Sutskever 2017, "Evolution strategies as a scalable alternative to reinforcement learning"
(https://arxiv.org/abs/1703.03864), with mirrored samples, centred ranks, weight decay and Adam (Kingma and Ba 2015,
https://arxiv.org/abs/1412.6980) as in the authors' code (https://github.com/openai/evolution-strategies-starter).

Failed evaluations share the lowest rank, and a generation that failed as a whole moves nothing. Bounds: what is asked
is the sample mirrored at the bounds, and the mean is clipped to them. An immigrant that is better than every sample of
the last generation becomes the mean.

The mean is what the search is about, and better than most samples, which the noise spoils. So it is asked as well from
time to time, and given genomes are in the first generation, as further rows behind the samples: they can become the
incumbent, and have no part in the gradient.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Gt, Interval

from neuroevo.errors import BadInput
from neuroevo.machine import one_blas_thread
from neuroevo.strategies.base import Axes, Strategy
from neuroevo.strategies.bounds import FloatArray
from neuroevo.strategies.separable import widening
from neuroevo.strategies.settings import StartSettings
from neuroevo.strategies.streams import Phase


@dataclass(frozen=True)
class OpenAiEsSettings(StartSettings):
    """Settings of OpenAI-ES.

    The paper's were chosen for large networks and noisy returns. On small recurrent networks these were the best of 24
    combinations over five tasks (docs/choosing-a-strategy.md); the authors' configurations are given beside them.

    Attributes:
        population_size: Samples of a generation, an even number: they come in mirrored pairs.
        start_width: Standard deviation of the first mean.
        noise: Standard deviation of the samples (0.02 in the authors' configurations).
        learning_rate: Adam's step (0.01 there).
        first_decay: Adam's beta_1.
        second_decay: Adam's beta_2.
        weight_decay: Share of the mean added to the gradient (0.005 there, with rewards; 0 leaves the error as it is).
        mean_every: Generations from one evaluation of the mean to the next; 0 for none. (The authors' workers do so in
            0.3 % of their episodes.)
    """

    population_size: Annotated[int, Ge(2)] = 32
    start_width: Annotated[float, Gt(0)] = 0.3
    noise: Annotated[float, Gt(0)] = 0.05
    learning_rate: Annotated[float, Gt(0)] = 0.03
    first_decay: Annotated[float, Interval(ge=0, lt=1)] = 0.9
    second_decay: Annotated[float, Interval(ge=0, lt=1)] = 0.999
    weight_decay: Annotated[float, Ge(0)] = 0.0
    mean_every: Annotated[int, Ge(0)] = 10

    def __post_init__(self) -> None:
        if self.population_size % 2:
            raise BadInput(
                f"population_size must be even, since samples come in mirrored pairs: {self.population_size}"
            )


def centred_ranks(error: FloatArray) -> FloatArray:
    """`(n,)` ranks scaled to [-1/2, 1/2], the worst highest; equal errors, among them +inf, share their mean rank."""
    _, inverse, counts = np.unique(error, return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(counts) - (counts + 1) / 2
    return np.asarray(mean_rank[inverse] / max(len(error) - 1, 1) - 0.5, dtype=np.float64)


class OpenAiEs(Strategy[OpenAiEsSettings]):
    """OpenAI-ES: mirrored gaussian noise around one genome, ranks, and Adam."""

    Settings = OpenAiEsSettings
    memoryless = True
    STATE = ("mean", "first_moment", "second_moment", "n_updates", "best_told", "gradient_norm", "mean_told")

    #: Of the last step; None before the first.
    _gradient_norm: float | None = None
    #: Error of the mean when it was evaluated last; None before.
    _mean_told: float | None = None

    AXES: ClassVar[Axes] = {
        "mean": ("n_genes",),
        "first_moment": ("n_genes",),
        "second_moment": ("n_genes",),
        "best_told": (),
    }

    def __init__(self, settings: OpenAiEsSettings, **arguments: Any) -> None:
        super().__init__(settings, **arguments)
        self._mean = self._initial_population(1)[0]
        self._first_moment = np.zeros(self.n_genes)
        self._second_moment = np.zeros(self.n_genes)
        self._n_updates = 0
        self._best_told = np.inf

    def _ask(self) -> FloatArray:
        half = self.settings.population_size // 2
        self._z = self._stream(Phase.SAMPLE).standard_normal((half, self.n_genes))
        noise = self.settings.noise
        noise *= widening(self, self._mean, np.full(self.n_genes, noise), 2 * half)
        step = noise * self._z
        genomes = np.concatenate([self._mean + step, self._mean - step])
        if self.bounds is not None:
            genomes = self.bounds.reflect(genomes)
        return np.concatenate([genomes, self._besides()])

    def _besides(self) -> FloatArray:
        """`(m, n_genes)`, what is asked beside the samples: the given genomes, or the mean, or nothing."""
        if self._generation == 0 and self.initial is not None:
            return self.initial[: self.settings.population_size]
        every = self.settings.mean_every
        return self._mean[np.newaxis] if every and (self._generation + 1) % every == 0 else np.empty((0, self.n_genes))

    def _tell(self, population: FloatArray, error: FloatArray) -> None:
        half = len(self._z)
        sampled, besides = error[: 2 * half], error[2 * half :]
        self._best_told = float(sampled.min())
        if np.isfinite(self._best_told):
            ranks = centred_ranks(sampled)
            with one_blas_thread():
                gradient = (ranks[:half] - ranks[half:]) @ self._z / len(sampled)
            gradient += self.settings.weight_decay * self._mean
            self._gradient_norm = float(np.sqrt(np.square(gradient).sum()))
            self._descend(gradient)
        if len(besides):
            self._mean_told = float(besides[0])
        if len(besides) and np.argmin(besides) > 0:  # of several given genomes the first is the mean already
            self._inject(population[2 * half :], besides)

    def _descend(self, gradient: FloatArray) -> None:
        """One step of Adam (Kingma and Ba 2015, algorithm 1)."""
        s = self.settings
        self._n_updates += 1
        self._first_moment = s.first_decay * self._first_moment + (1 - s.first_decay) * gradient
        self._second_moment = s.second_decay * self._second_moment + (1 - s.second_decay) * np.square(gradient)
        first = self._first_moment / (1 - s.first_decay**self._n_updates)
        second = self._second_moment / (1 - s.second_decay**self._n_updates)
        mean = self._mean - s.learning_rate * first / (np.sqrt(second) + 1e-8)
        self._mean = mean if self.bounds is None else self.bounds.clip(mean)

    def _figures(self) -> dict[str, float | None]:
        return {"gradient_norm": self._gradient_norm, "error_of_mean": self._mean_told}

    def _inject(self, genomes: FloatArray, errors: FloatArray) -> None:
        best = int(np.argmin(errors))
        if errors[best] < self._best_told:
            self._mean = genomes[best].copy()
            self._first_moment = np.zeros(self.n_genes)
            self._second_moment = np.zeros(self.n_genes)
            self._n_updates = 0
            self._best_told = float(errors[best])

"""Differential evolution: trial genomes from differences of members, each against its own parent.

- rand/1/bin: Storn and Price 1997, "Differential evolution - a simple and efficient heuristic for global optimization
  over continuous spaces", J. Global Optim. 11:341-359.
- current-to-pbest/1 with an archive, adapted as in JADE (Zhang and Sanderson 2009, IEEE Trans. Evol. Comput.
  13(5):945-958) or as in SHADE (Tanabe and Fukunaga 2013, "Success-history based parameter adaptation for differential
  evolution", CEC 2013).
- L-SHADE, SHADE with a population that shrinks (Tanabe and Fukunaga 2014, "Improving the search performance of SHADE
  using linear population size reduction", CEC 2014).

All trials of a generation are made from the same population, as in JADE and SHADE. Bounds: a gene outside is set
half-way between the bound and its parent's gene (JADE, eq. 10). Failed evaluations: a trial that failed replaces only a
parent that failed too, and counts as no success.

A trial that equals its parent's error takes its place, so that a plateau can be crossed, but only while the population
is not wider than it was at first: without selection its variance grows by 1 + 2 F^2 in every generation (Zaharie 2002,
"Critical values for the control parameters of differential evolution algorithms", MENDEL), without end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Gt, Interval
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.strategies.base import Axes, Strategy
from neuroevo.strategies.bounds import FloatArray
from neuroevo.strategies.settings import StartSettings
from neuroevo.strategies.streams import Phase

# L-SHADE, table I: archived genomes for each member, the share that trials are drawn to, and the smallest population,
# which is the smallest that has three others beside the parent.
_ARCHIVE_RATE, _BEST_SHARE, _FEWEST = 2.6, 0.11, 4


@dataclass(frozen=True)
class DifferentialEvolutionSettings(StartSettings):
    """Settings of differential evolution.

    Attributes:
        population_size: Members, at least 4 for three others beside the parent. 100 in SHADE's experiments; 50 was
            better with networks at 30 000 evaluations, and so was the narrower start (docs/choosing-a-strategy.md).
        start_width: Standard deviation of the first genes.
        variant: "shade", "jade", the classic "rand_1_bin", or "l_shade", whose population shrinks to 4 over `horizon`
            evaluations and then holds: at 30 000 evaluations a fifth of SHADE's error (docs/choosing-a-strategy.md),
            where the horizon is what the run has.
        difference_weight: F of rand/1/bin, and where its adaptation starts; 0.5 in all three papers.
        crossover_rate: CR likewise; 0.5 is where JADE and SHADE start, 0.9 is usual with rand/1/bin.
        learning_rate: c, how fast JADE's means follow its successes (section III-E).
        best_share: p of JADE: trials are drawn to one of the best p (section III-E); SHADE draws its own p.
        memory_size: H, entries of the memory; None takes SHADE's 100 (section V) and L-SHADE's 6 (table I).
        horizon: Evaluations until L-SHADE's population has shrunk.
    """

    population_size: Annotated[int, Ge(4)] = 50
    start_width: Annotated[float, Gt(0)] = 0.3
    variant: Literal["rand_1_bin", "jade", "shade", "l_shade"] = "shade"
    difference_weight: Annotated[float, Interval(gt=0, le=2)] = 0.5
    crossover_rate: Annotated[float, Interval(ge=0, le=1)] = 0.5
    learning_rate: Annotated[float, Interval(ge=0, le=1)] = 0.1
    best_share: Annotated[float, Interval(gt=0, le=1)] = 0.05
    memory_size: Annotated[int, Ge(1)] | None = None
    horizon: Annotated[int, Ge(1)] = 30_000

    @property
    def schedule_evaluations(self) -> int | None:
        """The horizon of a shrinking population."""
        return self.horizon if self.variant == "l_shade" else None

    @property
    def n_memory(self) -> int:
        """Entries of the memory of F and CR."""
        usual = {"shade": 100, "l_shade": 6}.get(self.variant)
        return 1 if usual is None else self.memory_size or usual

    def size_after(self, n_evaluations: float) -> int:
        """Members when so many trials have been evaluated (L-SHADE, eq. 10)."""
        n = self.population_size
        if self.variant != "l_shade":
            return n
        return max(_FEWEST, round(n + (_FEWEST - n) * min(1.0, n_evaluations / self.horizon)))


class DifferentialEvolution(Strategy[DifferentialEvolutionSettings]):
    """Differential evolution: adds differences of members to members and keeps what is not worse."""

    Settings = DifferentialEvolutionSettings
    STATE = (
        "parents",
        "errors",
        "archive",
        "weight_memory",
        "rate_memory",
        "slot",
        "widest",
        "success_rate",
        "n_evaluations",
    )

    _parents: FloatArray
    _errors: FloatArray
    _archive: FloatArray
    _weight_memory: FloatArray
    _rate_memory: FloatArray
    _slot: int = 0
    #: Mean variance of the genes in the first population, the largest that equals may bring about.
    _widest: float | None = None
    #: Of L-SHADE, whose population depends on it.
    _n_evaluations: float | None = None
    #: Share of the last trials that were better than their parents; None before the first.
    _success_rate: float | None = None

    AXES: ClassVar[Axes] = {
        "parents": ("n_members", "n_genes"),
        "errors": ("n_members",),
        "archive": ("n_archived", "n_genes"),
        "weight_memory": ("memory_size",),
        "rate_memory": ("memory_size",),
        "n_evaluations": (),
    }

    def _ask(self) -> FloatArray:
        settings = self.settings
        if self._generation == 0:
            return self._initial_population()
        rng = self._stream(Phase.MUTATE)
        n = len(self._parents)
        if settings.variant == "rand_1_bin":
            self._weight = np.full(n, settings.difference_weight)
            self._rate = np.full(n, settings.crossover_rate)
            mutant = rand_1(self._parents, self._weight, rng)
        else:
            self._draw_parameters(rng)
            mutant = self._to_pbest(rng)
        trial = crossed(self._parents, mutant, self._rate, self._stream(Phase.MATE))
        if self.bounds is not None:
            low, high = self.bounds.low, self.bounds.high
            trial = np.where(trial < low, (low + self._parents) / 2, trial)
            trial = np.where(trial > high, (high + self._parents) / 2, trial)
        return trial

    def _tell(self, population: FloatArray, error: FloatArray) -> None:
        if self._generation == 0:
            self._parents, self._errors = population.copy(), error.copy()
            self._archive = np.empty((0, self.n_genes))
            self._widest = _mean_variance(population)
            self._weight_memory = np.full(self.settings.n_memory, self.settings.difference_weight)
            self._rate_memory = np.full(self.settings.n_memory, self.settings.crossover_rate)
            self._shrink(len(population))
            return
        better = error < self._errors
        self._success_rate = float(better.mean())
        if self.settings.variant != "rand_1_bin":
            self._learn(better, error)
            self._keep_losers(self._parents[better])
        parents = np.where((error <= self._errors)[:, np.newaxis], population, self._parents)
        if np.any(error == self._errors) and _mean_variance(parents) > (self._widest or 0.0):
            parents = np.where(better[:, np.newaxis], population, self._parents)
        self._parents, self._errors = parents, np.minimum(error, self._errors)
        self._shrink(len(population))

    def _shrink(self, n_trials: int) -> None:
        """Drop the worst members, and archived genomes at random, where the population is to be smaller."""
        if self.settings.variant != "l_shade":
            return
        self._n_evaluations = (self._n_evaluations or 0) + n_trials
        stay = np.sort(np.argsort(self._errors, kind="stable")[: self.settings.size_after(self._n_evaluations)])
        self._parents, self._errors = self._parents[stay], self._errors[stay]
        left = self._stream(Phase.ADAPT).permutation(len(self._archive))[: self._n_archived()]
        self._archive = self._archive[np.sort(left)]

    def _n_archived(self) -> int:
        """The most that the archive holds."""
        rate = _ARCHIVE_RATE if self.settings.variant == "l_shade" else 1.0
        return round(rate * len(self._errors))

    def _restored(self) -> None:
        if (self.settings.variant == "l_shade") != (self._n_evaluations is not None):
            raise BadInput("n_evaluations is part of the state of variant = 'l_shade', and of no other")
        n = self.settings.size_after(self._n_evaluations or 0)
        if len(self._parents) != n:
            raise BadInput(f"the state has {len(self._parents)} members, expected {n}")
        if len(self._archive) > self._n_archived() or self._slot >= len(self._weight_memory):
            raise BadInput("the state's archive or slot lies beyond its population or memory")

    def _draw_parameters(self, rng: np.random.Generator) -> None:
        """F and CR of every trial (JADE, section III-C; SHADE, section III-A)."""
        n = len(self._errors)
        entry = rng.integers(len(self._weight_memory), size=n)
        self._rate = np.clip(self._rate_memory[entry] + 0.1 * rng.standard_normal(n), 0, 1)
        self._rate[self._rate_memory[entry] < 0] = 0  # L-SHADE's terminal value (section II-B)
        weight = self._weight_memory[entry] + 0.1 * rng.standard_cauchy(n)
        while np.any(weight <= 0):
            again = weight <= 0
            weight[again] = (self._weight_memory[entry] + 0.1 * rng.standard_cauchy(n))[again]
        self._weight = np.minimum(weight, 1)

    def _to_pbest(self, rng: np.random.Generator) -> FloatArray:
        """current-to-pbest/1: x + F (x_pbest - x) + F (x_r1 - x~_r2), r2 also from the archive (JADE, eq. 7)."""
        x, n = self._parents, len(self._parents)
        if self.settings.variant == "l_shade":
            n_best = np.full(n, max(2, round(_BEST_SHARE * n)))
        else:
            # SHADE draws p for every trial from [2 / n, 0.2] (section III-A).
            low, is_drawn = min(2 / n, 0.2), self.settings.variant == "shade"
            share = rng.uniform(low, 0.2, n) if is_drawn else np.full(n, self.settings.best_share)
            n_best = np.maximum(1, np.round(share * n)).astype(np.int64)
        ranked = np.argsort(self._errors, kind="stable")
        best = ranked[(rng.random(n) * n_best).astype(np.int64)]
        first, second = distinct_others(n, (n, n + len(self._archive)), rng)
        other = x[np.minimum(second, n - 1)]
        other[second >= n] = self._archive[second[second >= n] - n]
        mutant: FloatArray = x[best]
        mutant -= x
        mutant += x[first]
        mutant -= other
        mutant *= self._weight[:, np.newaxis]
        mutant += x
        return mutant

    def _learn(self, better: NDArray[np.bool_], error: FloatArray) -> None:
        """Move the memory towards the F and CR that succeeded, weighted in SHADE by their gain (its eqs. 7 to 11).

        L-SHADE takes the weighted Lehmer mean of CR too, and once all successes had 0 an entry stays terminal (its
        algorithm 1).
        """
        if not better.any():
            return
        weight, rate = self._weight[better], self._rate[better]
        if self.settings.variant == "jade":
            c = self.settings.learning_rate
            lehmer = np.square(weight).sum() / weight.sum()  # JADE, eq. 12
            self._weight_memory = (1 - c) * self._weight_memory + c * lehmer  # JADE, eq. 11
            self._rate_memory = (1 - c) * self._rate_memory + c * rate.mean()  # JADE, eq. 9
            return
        with np.errstate(over="ignore"):
            gain = self._errors[better] - error[better]
            finite = np.isfinite(gain)
            # A parent that had failed has no gain to compare: it counts as much as the best of the others.
            gain = np.where(finite, gain, gain[finite].max() if finite.any() else 1.0)
            if np.isinf(gain.sum()):
                gain /= len(gain)
        share = gain / gain.sum()
        self._weight_memory[self._slot] = (share * np.square(weight)).sum() / (share * weight).sum()
        if self.settings.variant == "shade":
            self._rate_memory[self._slot] = (share * rate).sum()
        elif self._rate_memory[self._slot] < 0 or (share * rate).sum() == 0:
            self._rate_memory[self._slot] = -1
        else:
            self._rate_memory[self._slot] = (share * np.square(rate)).sum() / (share * rate).sum()
        self._slot = (self._slot + 1) % len(self._weight_memory)

    def _keep_losers(self, losers: FloatArray) -> None:
        """Put replaced parents into the archive; where it is full, random ones make room."""
        n_free = self._n_archived() - len(self._archive)
        if n_free:
            self._archive = np.concatenate([self._archive, losers[:n_free]])
        n_more = max(0, len(losers) - n_free)
        leaving = self._stream(Phase.SELECT).permutation(len(self._archive))[:n_more]
        self._archive[leaving] = losers[len(losers) - n_more :]

    def _figures(self) -> dict[str, float | None]:
        return {
            "difference_weight": float(self._weight_memory.mean()),
            "crossover_rate": float(np.maximum(self._rate_memory, 0).mean()),
            "success_rate": self._success_rate,
        }

    def _members(self) -> tuple[FloatArray, FloatArray]:
        return self._parents, self._errors

    def _inject(self, genomes: FloatArray, errors: FloatArray) -> None:
        """Immigrants take the places of the worst members, where they are better."""
        arriving = np.argsort(errors, kind="stable")[: len(self._errors)]
        leaving = np.argsort(-self._errors, kind="stable")[: len(arriving)]
        wins = errors[arriving] < self._errors[leaving]
        parents, own = self._parents.copy(), self._errors.copy()
        parents[leaving[wins]], own[leaving[wins]] = genomes[arriving[wins]], errors[arriving[wins]]
        self._parents, self._errors = parents, own


def _mean_variance(genomes: FloatArray) -> float:
    return float(genomes.var(axis=0).mean())


def distinct_others(n: int, sizes: tuple[int, ...], rng: np.random.Generator) -> list[NDArray[np.int64]]:
    """For each row i < n one index below each size, all different from i and from each other; uniform."""
    taken = np.arange(n)[np.newaxis]
    for size in sizes:
        drawn = rng.integers(size - len(taken), size=n)
        # Step over what is taken already, from the smallest on.
        for other in np.sort(taken, axis=0):
            drawn = drawn + (drawn >= other)
        taken = np.concatenate([taken, drawn[np.newaxis]])
    return list(taken[1:])


def rand_1(parents: FloatArray, weight: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Mutants `(n, n_genes)` = x_r1 + F (x_r2 - x_r3) (Storn and Price 1997, eq. 2); weight F is `(n,)`."""
    first, second, third = distinct_others(len(parents), (len(parents),) * 3, rng)
    return parents[first] + weight[:, np.newaxis] * (parents[second] - parents[third])


def crossed(parents: FloatArray, mutants: FloatArray, rate: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Trials `(n, n_genes)`: each gene is the mutant's with probability rate `(n,)`, one gene surely (eq. 4)."""
    n, n_genes = parents.shape
    # Single precision is enough to choose and twice as fast to draw.
    taken = rng.random((n, n_genes), dtype=np.float32) < rate.astype(np.float32)[:, np.newaxis]
    taken[np.arange(n), rng.integers(n_genes, size=n)] = True
    return np.where(taken, mutants, parents)

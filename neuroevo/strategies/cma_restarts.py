"""When a run of CMA-ES is over, and how the next one starts.

- IPOP (Auger and Hansen 2005, "A restart CMA evolution strategy with increasing population size"): every run has twice
  the population of the one before.
- BIPOP (Hansen 2009, "Benchmarking a BI-population CMA-ES on the BBOB-2009 function testbed"): runs with growing
  populations take turns with small ones that start with a smaller step size, whichever used less so far.

Growth has an end, and does not follow a run that ended on a plateau: more samples of equal errors tell no more. Such a
run is started afresh, with twice the step size for each one before it in a row.

The tests for the end of a run are those of the BIPOP paper, section 2.1, with pycma's tolerances where they differ.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neuroevo.strategies.bounds import FloatArray

TOL_FUN = 1e-11  # pycma; 1e-12 in the papers
TOL_FUN_HISTORY = 1e-12
TOL_X = 1e-11
TOL_FACTOR = 1e3  # pycma's tolfacupx
TOL_CONDITION = 1e14
MOST_REMEMBERED = 20_000
PLATEAU_NARROWING = 1e-3  # share of the first width below which equal errors are due to rounding
WIDEST_DOUBLING = 5  # of the step size on plateaus in a row, before it starts narrow again


class RunMonitor:
    """Watches one run for its end.

    Attributes:
        best: `(t,)`, smallest error of each of the last generations of the run.
        median: `(t,)`, the median errors.
        n_flat: Generations in a row whose best 3/4 all had the same error.
        age: Generations of the run.
    """

    ARRAYS = ("best", "median", "n_flat", "age")

    def __init__(self, n_genes: int, population_size: int) -> None:
        self._n = n_genes
        self._population_size = population_size
        self.best = np.empty(0)
        self.median = np.empty(0)
        self.n_flat = 0
        self.age = 0

    def note(self, sorted_error: FloatArray) -> None:
        """Take the errors `(n,)` of a generation, best first."""
        n = len(sorted_error)
        self.best = np.append(self.best, sorted_error[0])[-MOST_REMEMBERED:]
        self.median = np.append(self.median, sorted_error[n // 2])[-MOST_REMEMBERED:]
        flat = sorted_error[0] == sorted_error[int(0.75 * n)]
        self.n_flat = self.n_flat + 1 if flat else 0
        self.age += 1
        self._range = _spread(sorted_error)

    def is_on_plateau(self, narrowing: FloatArray) -> bool:
        """Whether errors are equal although the distribution is wide: no valley's bottom, where rounding makes them so.

        Args:
            narrowing: `(n_genes,)`, width of each gene over its width at the start of the run.
        """
        equal = self.n_flat > 0 or bool(np.all(self.best[-10:] == self.best[-1]))
        # The median: genes without any effect never narrow.
        return equal and float(np.median(narrowing)) > PLATEAU_NARROWING

    def is_over(
        self,
        *,
        mean: FloatArray,
        sigma: float,
        deviations: FloatArray,
        start_width: FloatArray,
        p_c: FloatArray,
        condition: float,
    ) -> bool:
        """Whether nothing more is to be expected from the run.

        Args:
            mean: `(n_genes,)` mean of the distribution.
            sigma: Its step size.
            deviations: `(n_genes,)`, standard deviation of each gene at step size 1.
            start_width: `(n_genes,)`, standard deviation of each gene at the start of the run.
            p_c: `(n_genes,)`, path of the covariance, zeros where there is none.
            condition: Condition of the covariance.
        """
        width = sigma * deviations
        recent = self.best[-(10 + int(30 * self._n / self._population_size)) :]
        spread = _spread(recent)
        return bool(
            not np.isfinite(sigma)
            or not np.all(np.isfinite(mean))
            or self.n_flat > 1 + self._n / self._population_size
            or (spread < TOL_FUN and self._range < TOL_FUN)
            or (len(recent) > 9 and spread < TOL_FUN_HISTORY)
            or (np.all(width < TOL_X) and np.all(sigma * np.abs(p_c) < TOL_X))
            or np.any(width > TOL_FACTOR * start_width)
            or condition > TOL_CONDITION
            or np.any(mean == mean + 0.2 * width)  # no effect on a coordinate
            or self._stagnates()
        )

    def _stagnates(self) -> bool:
        """Whether the last 30 % of the window are no better than its first 30 %, both by best and by median.

        The window is the last fifth of the run, at least 120 + 30 n / population_size generations.
        """
        window = max(120 + int(30 * self._n / self._population_size), self.age // 5)
        # The medians are taken every tenth generation only: they cost more than the rest of the test.
        if self.age % 10 or len(self.best) < min(window, MOST_REMEMBERED):
            return False
        # A narrow valley is followed slowly at first; pycma waits as long before it believes in stagnation.
        if self.age <= self._n * (5 + 100 / self._population_size):
            return False
        share = int(0.3 * min(window, MOST_REMEMBERED))
        histories = (self.best[-window:], self.median[-window:])
        with np.errstate(over="ignore"):
            return all(np.median(history[-share:]) >= np.median(history[:share]) for history in histories)


def _spread(errors: FloatArray) -> float:
    """Largest less smallest error; +inf with a failed one, and where the difference is no number."""
    with np.errstate(over="ignore"):
        return float(np.ptp(errors)) if np.all(np.isfinite(errors)) else np.inf


@dataclass
class RestartPlan:
    """How large the next run is, and what the runs so far have used.

    Attributes:
        first_size: Population of the first run.
        max_doublings: How often it may be doubled.
        n_grown: How often the population has been doubled.
        used_large: Evaluations in runs with grown populations.
        used_small: Evaluations in the first run and in runs with small populations.
        is_small: Whether the run now is one of the small ones.
        used: Evaluations in the run now.
        limit: Most evaluations of the run now; 0 for no limit.
        n_plateaus: Runs in a row that ended on a plateau.
    """

    first_size: int
    max_doublings: int = 9
    n_grown: int = 0
    used_large: int = 0
    used_small: int = 0
    is_small: bool = True
    used: int = 0
    limit: int = 0
    n_plateaus: int = 0

    NUMBERS = ("n_grown", "used_large", "used_small", "is_small", "used", "limit", "n_plateaus")

    def count(self, n: int) -> bool:
        """Count n evaluations; True when the run has reached its limit."""
        self.used += n
        return bool(self.limit and self.used >= self.limit)

    def next_ipop(self) -> tuple[int, float]:
        """Population of the next run and the factor of its first step size."""
        self._end_run()
        return self._grown(), 1.0

    def next_bipop(self, rng: np.random.Generator) -> tuple[int, float]:
        """As `next_ipop`, by the regime that used fewer evaluations so far."""
        self._end_run()
        # The first run belongs to neither regime in the paper; pycma books it as small, so a large one follows.
        self.is_small = self.used_small < self.used_large
        if not self.is_small:
            self.limit = 0
            return self._grown(), 1.0
        ratio = max(1.0, 2**self.n_grown / 2)
        size = int(self.first_size * ratio ** (rng.random() ** 2))
        self.limit = max(self.used_large // 2, size)
        return size, float(10 ** (-2 * rng.random()))

    def next_on_plateau(self) -> float:
        """Factor of the first step size of the next run, whose population and regime are those of the last."""
        n_plateaus = self.n_plateaus + 1
        self._end_run()
        self.n_plateaus = n_plateaus
        return float(2 ** (n_plateaus % (WIDEST_DOUBLING + 1)))

    def _grown(self) -> int:
        self.n_grown = min(self.n_grown + 1, self.max_doublings)
        return int(self.first_size * 2**self.n_grown)

    def _end_run(self) -> None:
        if self.is_small:
            self.used_small += self.used
        else:
            self.used_large += self.used
        self.used = self.n_plateaus = 0

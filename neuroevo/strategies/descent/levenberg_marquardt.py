"""Levenberg-Marquardt: damped Gauss-Newton steps, a population of descents, each with a damping of its own.

Levenberg 1944; Marquardt 1963, "An algorithm for least-squares estimation of nonlinear parameters", SIAM J. 11:431-441.
With g the gradient and C the Gauss-Newton curvature of the error, a step h solves (C + d diag(s)) h = -g. It is taken
where the error falls; the damping d follows from how well the model foretold it (Nielsen 1999, "Damping parameter in
Marquardt's method", IMM-REP-1999-05, section 2), or falls and rises tenfold (Marquardt 1963).

Every generation asks the points that are to be tried, with their derivatives, so that those of a point that is good are
there at once. A failed evaluation is a point that is no good; at a start it begins anew, as descents do that make no
progress. Bounds: genes that lie at a bound and would leave it take no part in a step, others stop at the bound.
Immigrants take the place of the worst descents, where they are better. `kernels.cholesky` solves the linear systems.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Gt
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.evaluation.memory import available_bytes
from neuroevo.strategies.base import Axes, Strategy
from neuroevo.strategies.bounds import FloatArray
from neuroevo.strategies.descent.starting import improved, replaced, starts
from neuroevo.strategies.settings import StartName, StartSettings
from neuroevo.strategies.streams import Phase

_COPIES = 4
"""Of the curvatures of a population: what the evaluator found, what is told, what is kept, and one in the making."""
_RANGE = 1e-100, 1e100
"""Of a damping."""


@dataclass(frozen=True)
class LevenbergMarquardtSettings(StartSettings):
    """Settings of Levenberg-Marquardt.

    Attributes:
        population_size: Descents, each from a start of its own.
        start: How starts are drawn; glorot needs the layout of a network, without one it is gaussian.
        first_damping: Damping at a start: times the largest diagonal element of the curvature, or with
            scaling = "diagonal" as it is (Nielsen 1999: 1e-3 for a good start, 1 for a poor one).
        scaling: What is damped: all genes alike, or each by the largest diagonal element of its curvature so far
            (Marquardt 1963; More 1978, "The Levenberg-Marquardt algorithm: implementation and theory", section 6).
        update: How damping follows success: by how well the model foretold it (nielsen), or by a tenth and tenfold
            (marquardt).
        restart_after: Generations without a relative improvement of 1e-4 after which a descent starts anew; 0 for
            never.
    """

    population_size: Annotated[int, Ge(1)] = 16
    start: StartName = "glorot"
    first_damping: Annotated[float, Gt(0)] = 1e-3
    scaling: Literal["identity", "diagonal"] = "identity"
    update: Literal["nielsen", "marquardt"] = "nielsen"
    restart_after: Annotated[int, Ge(0)] = 25


class LevenbergMarquardt(Strategy[LevenbergMarquardtSettings]):
    """Levenberg-Marquardt from many starts: second-order descent for up to a few hundred genes."""

    Settings = LevenbergMarquardtSettings
    separate = True
    wants = frozenset({"gradient", "curvature"})
    STATE = (
        *("genomes", "places", "slopes", "scales", "curvatures"),
        *("errors", "best", "waited", "damping", "growth", "n_restarts", "success_rate"),
    )
    AXES: ClassVar[Axes] = {
        **dict.fromkeys(("genomes", "places", "slopes", "scales"), ("population_size", "n_genes")),
        **dict.fromkeys(("errors", "best", "waited", "damping", "growth"), ("population_size",)),
        "curvatures": ("population_size", "n_genes", "n_genes"),
        "success_rate": (),
    }

    _success_rate: float | None = None

    def __init__(self, settings: LevenbergMarquardtSettings, **arguments: Any) -> None:
        super().__init__(settings, **arguments)
        n, n_genes = settings.population_size, self.n_genes
        self._refuse_giants()
        self._genomes, self._places, self._slopes, self._scales = (np.zeros((n, n_genes)) for _ in range(4))
        self._curvatures = np.zeros((n, n_genes, n_genes))
        # A descent without derivatives of its place, as at a start, has growth 0.
        self._errors, self._best, self._waited, self._damping, self._growth = (np.zeros(n) for _ in range(5))
        self._n_restarts = 0

    def _refuse_giants(self) -> None:
        n, n_genes = self.settings.population_size, self.n_genes
        needed, available = _COPIES * 8 * n * n_genes**2, available_bytes()
        if available is not None and needed > available:
            raise BadInput(
                f"levenberg_marquardt keeps the curvature of every genome: {n} times {n_genes} x {n_genes} numbers, "
                f"{_COPIES} copies, need {needed / 2**30:.3g} GiB, and {available / 2**30:.3g} GiB of memory are "
                "available: take fewer genomes, a smaller network, or kind = 'bptt'"
            )

    def _ask(self) -> FloatArray:
        if self._generation == 0:
            everyone = np.ones(self.settings.population_size, dtype=bool)
            self._begin(everyone, starts(self, self.initial, self._stream(Phase.START)))
        return self._genomes

    def _tell(self, population: FloatArray, error: FloatArray, *, gradient: FloatArray, curvature: FloatArray) -> None:
        fresh = self._growth == 0
        # A curvature without a positive element is one beyond all numbers, or that of a network that is dead.
        sound = np.isfinite(error) & (np.diagonal(curvature, axis1=1, axis2=2) > 0).any(axis=1)
        foretold = self._foretold(population - self._places)
        good = sound & (fresh | ((error < self._errors) & (foretold > 0)))
        self._damp(good & ~fresh, ~good & ~fresh, error, foretold)
        self._take(good, population, error, gradient, curvature)
        self._damping = np.where(good & fresh, self._first_damping(), self._damping)
        self._growth = np.where(good & fresh, 2.0, self._growth)
        tried = ~fresh
        self._success_rate = float(good[tried].mean()) if tried.any() else None
        better = good & improved(error, self._best)
        self._best = np.where(better, error, self._best)
        self._waited = np.where(better, 0.0, self._waited + 1)
        stuck = (self._waited >= self.settings.restart_after) & (self.settings.restart_after > 0)
        anew = stuck | (fresh & ~good)
        if anew.any():
            self._n_restarts += int(anew.sum())
            self._begin(anew, starts(self, None, self._stream(Phase.RESTART)))
        self._aim()

    def _take(
        self,
        rows: NDArray[np.bool_],
        population: FloatArray,
        error: FloatArray,
        gradient: FloatArray,
        curvature: FloatArray,
    ) -> None:
        """Go where the descents of `rows` were tried."""
        of_genes, of_pairs = rows[:, np.newaxis], rows[:, np.newaxis, np.newaxis]
        self._places = np.where(of_genes, population, self._places)
        self._errors = np.where(rows, error, self._errors)
        self._slopes = np.where(of_genes, gradient, self._slopes)
        self._curvatures = np.where(of_pairs, curvature, self._curvatures)
        if self.settings.scaling == "identity":
            self._scales = np.ones_like(self._scales)
            return
        diagonal = np.diagonal(self._curvatures, axis1=1, axis2=2)
        least = 1e-10 * np.maximum(diagonal.max(axis=1, keepdims=True), np.finfo(np.float64).tiny)
        self._scales = np.where(of_genes, np.maximum(self._scales, np.maximum(diagonal, least)), self._scales)

    def _first_damping(self) -> FloatArray:
        own = self.settings
        largest = np.diagonal(self._curvatures, axis1=1, axis2=2).max(axis=1)
        return own.first_damping * (
            np.maximum(largest, _RANGE[0]) if own.scaling == "identity" else np.ones(len(largest))
        )

    def _foretold(self, steps: FloatArray) -> FloatArray:
        """By how much the models say that errors fall along steps from their places."""
        from neuroevo.kernels.cholesky import decreases

        found = np.empty(len(steps))
        decreases(self._curvatures, self._slopes, np.ascontiguousarray(steps), found)
        return found

    def _damp(self, good: NDArray[np.bool_], bad: NDArray[np.bool_], error: FloatArray, foretold: FloatArray) -> None:
        """Adapt the damping of descents that were tried; those of neither group keep theirs."""
        if self.settings.update == "marquardt":
            factor, growth = np.where(good, 0.1, np.where(bad, 10.0, 1.0)), self._growth
        else:
            with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
                share = np.clip(np.where(good, (self._errors - error) / foretold, 0.0), 0.0, 1.0)
            kept = 2 * share - 1
            falling = np.maximum(1 / 3, 1 - kept * kept * kept)
            factor = np.where(good, falling, np.where(bad, self._growth, 1.0))
            growth = np.where(good, 2.0, np.where(bad, np.minimum(2 * self._growth, 2.0**30), self._growth))
        self._damping = np.clip(factor * self._damping, *_RANGE)
        self._growth = growth

    def _aim(self) -> None:
        """What to try next: the minima of the damped models; descents without one are asked where they are."""
        from neuroevo.kernels.cholesky import damped_steps
        from neuroevo.kernels.scratch import aligned_empty

        n_genes, known = self.n_genes, self._growth > 0
        free = np.repeat(known[:, np.newaxis], n_genes, axis=1)
        if self.bounds is not None:
            leaves = (self._places <= self.bounds.low) & (self._slopes > 0)
            free &= ~(leaves | ((self._places >= self.bounds.high) & (self._slopes < 0)))
        work = aligned_empty((n_genes + 1) * -(-n_genes // 16) * 16, np.float64)
        steps, damping = np.empty_like(self._places), self._damping.copy()
        damped_steps(self._curvatures, self._slopes, self._scales, damping, free, work, steps)
        self._damping = np.where(known, np.minimum(damping, _RANGE[1]), self._damping)
        with np.errstate(over="ignore", invalid="ignore"):
            genomes = self._places + steps
        genomes = np.where(np.isfinite(genomes).all(axis=1, keepdims=True), genomes, self._places)
        self._genomes = genomes if self.bounds is None else self.bounds.clip(genomes)

    def _begin(self, rows: NDArray[np.bool_], genomes: FloatArray, errors: FloatArray | float = np.inf) -> None:
        """Start descents anew: those of `rows` ``(n,)``, at their rows of `genomes` ``(n, n_genes)``."""
        for name in ("genomes", "places"):
            setattr(self, f"_{name}", np.where(rows[:, np.newaxis], genomes, getattr(self, f"_{name}")))
        for name in ("errors", "best"):
            setattr(self, f"_{name}", np.where(rows, errors, getattr(self, f"_{name}")))
        for name in ("waited", "growth"):
            setattr(self, f"_{name}", np.where(rows, 0.0, getattr(self, f"_{name}")))
        self._scales = np.where(rows[:, np.newaxis], 0.0, self._scales)

    def _inject(self, genomes: FloatArray, errors: FloatArray) -> None:
        self._begin(*replaced(self._genomes, self._errors, genomes, errors))

    def _members(self) -> tuple[FloatArray, FloatArray]:
        known = np.isfinite(self._errors)
        return (self._places[known], self._errors[known]) if known.any() else super()._members()

    def _figures(self) -> dict[str, float | None]:
        damping = self._damping[self._growth > 0]
        return {
            "damping": float(np.median(damping)) if len(damping) else None,
            "success_rate": self._success_rate,
            "n_restarts": self._n_restarts,
        }

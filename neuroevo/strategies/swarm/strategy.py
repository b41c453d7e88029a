"""Particle swarm optimisation on pyswarms' backend.

Kennedy and Eberhart 1995, "Particle swarm optimization", https://doi.org/10.1109/ICNN.1995.488968; coefficients from
Clerc and Kennedy 2002; pyswarms: Miranda 2018, https://doi.org/10.21105/joss.00433.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from neuroevo.errors import BadInput
from neuroevo.strategies.base import Axes, Strategy
from neuroevo.strategies.bounds import FloatArray
from neuroevo.strategies.streams import Phase
from neuroevo.strategies.swarm import backend
from neuroevo.strategies.swarm.settings import SwarmSettings


class ParticleSwarm(Strategy[SwarmSettings]):
    """Particles drawn to their own and their neighbours' best places, on pyswarms' backend."""

    Settings = SwarmSettings
    STATE = ("position", "velocity", "pbest_pos", "pbest_cost", "best_pos", "best_cost", "inertia")

    # Named as in pyswarms' Swarm. best_pos is (n_genes,) for the global neighbourhood and (n, n_genes) for the others.
    _position: FloatArray
    _velocity: FloatArray
    _pbest_pos: FloatArray
    _pbest_cost: FloatArray
    _best_pos: FloatArray
    _best_cost: float
    #: Of the last moves; None before the first.
    _inertia: float | None = None

    AXES: ClassVar[Axes] = {
        "position": ("population_size", "n_genes"),
        "velocity": ("population_size", "n_genes"),
        "pbest_pos": ("population_size", "n_genes"),
        "pbest_cost": ("population_size",),
        "best_cost": (),
    }

    def __init__(self, settings: SwarmSettings, **arguments: Any) -> None:
        super().__init__(settings, **arguments)
        self._topology = backend.make_topology(settings.neighbourhood, settings.population_size, settings.ring_radius)
        self._handler, self._limit = self._box()

    def _box(self) -> tuple[Any, FloatArray | float | None]:
        """The boundary handler, and the largest velocity: a gene must not overshoot its box more than once."""
        limit = self.settings.velocity_limit
        if self.bounds is None:
            return None, limit
        span = self.bounds.high - self.bounds.low
        closed = bool(np.all(np.isfinite(span)))
        handler = backend.make_boundary_handler(self.settings.boundary if closed else "nearest")
        return handler, span if limit is None else np.minimum(limit, span)

    def _ask(self) -> FloatArray:
        if self._generation == 0:
            return self._start()
        swarm = self._swarm()
        rng = self._stream(Phase.SAMPLE)
        # The first moves belong to the second generation, so schedules start there.
        coefficients = self.settings.coefficients(self._generation - 1, rng)
        self._inertia = coefficients[0]
        swarm.velocity = moved_velocity(swarm, *coefficients, rng)
        if self._limit is not None:
            np.clip(swarm.velocity, -self._limit, self._limit, out=swarm.velocity)
        self._velocity = swarm.velocity
        if self.bounds is None:
            self._position = self._topology.compute_position(swarm, None, None)
        else:
            # Periodic positions may miss the bound by a rounding.
            pair = (self.bounds.low, self.bounds.high)
            self._position = self.bounds.clip(self._topology.compute_position(swarm, pair, self._handler))
        return self._position

    def _start(self) -> FloatArray:
        settings = self.settings
        rng = self._stream(Phase.START)
        self._position = self._initial_population(rng=rng)
        width = settings.velocity_width
        shape = self._position.shape
        self._velocity = rng.uniform(-width, width, shape) if width else np.zeros(shape)
        self._pbest_pos, self._pbest_cost = self._position, np.full(len(self._position), np.inf)
        self._best_pos, self._best_cost = self._position[0], np.inf
        return self._position

    def _tell(self, _population: FloatArray, error: FloatArray) -> None:
        swarm = self._swarm()
        swarm.current_cost = error
        self._pbest_pos, self._pbest_cost = backend.personal_bests(swarm)
        self._find_best()

    def _find_best(self) -> None:
        best_pos, best_cost = self._topology.compute_gbest(self._swarm(), p=2, k=0)
        self._best_pos, self._best_cost = best_pos, float(best_cost)

    def _inject(self, genomes: FloatArray, errors: FloatArray) -> None:
        """Immigrants take the places of the particles with the worst personal bests, and start at rest."""
        incoming = np.argsort(errors, kind="stable")[: len(self._pbest_cost)]
        places = np.argsort(self._pbest_cost, kind="stable")[::-1][: len(incoming)]
        better = errors[incoming] < self._pbest_cost[places]
        incoming, places = incoming[better], places[better]
        for name, values in (("position", genomes), ("pbest_pos", genomes), ("pbest_cost", errors)):
            changed = getattr(self, f"_{name}").copy()
            changed[places] = values[incoming]
            setattr(self, f"_{name}", changed)
        self._velocity = self._velocity.copy()
        self._velocity[places] = 0.0
        self._find_best()

    def _restored(self) -> None:
        places = self._position.shape if self.settings.neighbourhood != "global" else (self.n_genes,)
        if np.shape(self._best_pos) != places:
            raise BadInput(f"best_pos in the state should be {places}, got {np.shape(self._best_pos)}")

    def _figures(self) -> dict[str, float | None]:
        speeds = np.sqrt(np.square(self._velocity).sum(axis=1))
        return {"inertia": self._inertia, "mean_speed": float(speeds.mean())}

    def _members(self) -> tuple[FloatArray, FloatArray]:
        return self._pbest_pos, self._pbest_cost

    def _swarm(self) -> Any:
        return backend.make_swarm(
            position=self._position,
            velocity=self._velocity,
            pbest_pos=self._pbest_pos,
            pbest_cost=self._pbest_cost,
            best_pos=self._best_pos,
            best_cost=self._best_cost,
        )


def moved_velocity(swarm: Any, inertia: float, cognitive: float, social: float, rng: np.random.Generator) -> FloatArray:
    """The next velocities `(n, n_genes)`: inertia v + cognitive r1 (own best - x) + social r2 (best - x).

    The operations and their order are those of pyswarms' `compute_velocity`, so that equal random numbers give equal
    bits; r1 and r2 are drawn for every gene.
    """
    x = swarm.position
    own = rng.random(x.shape)
    own *= cognitive
    own *= swarm.pbest_pos - x
    others = rng.random(x.shape)
    others *= social
    others *= swarm.best_pos - x
    velocity: FloatArray = inertia * swarm.velocity
    velocity += own
    velocity += others
    return velocity

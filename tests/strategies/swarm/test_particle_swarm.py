"""The swarm against pyswarms fed the same random numbers, and what is special to it."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from neuroevo.strategies import make_strategy
from neuroevo.strategies.swarm import backend
from neuroevo.strategies.swarm.neighbourhoods import neighbours
from neuroevo.strategies.swarm.settings import SwarmSettings

N, GENES = 12, 5


def sphere(population):
    return np.sum(np.square(population), axis=1)


def make(**settings):
    return make_strategy("particle_swarm", **{"n_genes": GENES, "seed": 4, "population_size": N, **settings})


def step(strategy, error=sphere):
    population = strategy.ask()
    strategy.tell(population, error(population))
    return population


class Uniforms:
    """The same uniform numbers for both, in the order drawn."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def random(self, shape):
        return self.rng.random(shape)

    def uniform(self, _low=0.0, _high=1.0, size=None):
        return self.rng.random(size)


def positions_of_pyswarms(
    start, error, iterations, monkeypatch, topology="global", bounds=None, boundary="periodic", clamp=None
):
    """All positions that pyswarms' own optimiser visits, from `start` at rest."""
    with backend._untouched_logging():
        from pyswarms.single import GlobalBestPSO

        options = {"c1": 1.49618, "c2": 1.49618, "w": 0.7298}
        swarm = GlobalBestPSO(
            *start.shape, options, init_pos=start.copy(), bounds=bounds, bh_strategy=boundary, velocity_clamp=clamp
        )
    swarm.swarm.velocity = np.zeros(start.shape)
    monkeypatch.setattr(np.random, "uniform", Uniforms(7).uniform)
    visited = []

    def recorded(population):
        visited.append(population.copy())
        return error(population)

    swarm.optimize(recorded, iterations, verbose=False)
    return visited


def own_positions(start, error, iterations, monkeypatch, **settings):
    strategy = make(initial=start, **settings)
    uniforms = Uniforms(7)
    monkeypatch.setattr(strategy, "_stream", lambda _phase: uniforms)
    return [step(strategy, error).copy() for _ in range(iterations)]


def rosenbrock(x):
    return np.sum(100.0 * (x[:, 1:] - x[:, :-1] ** 2) ** 2 + (1 - x[:, :-1]) ** 2, axis=1)


@pytest.mark.parametrize("error", [sphere, rosenbrock])
def test_equals_pyswarms_global_best_bit_for_bit(monkeypatch, error):
    start = np.random.default_rng(1).standard_normal((N, GENES))
    with monkeypatch.context() as patch:
        theirs = positions_of_pyswarms(start, error, 40, patch)
    ours = own_positions(start, error, 40, monkeypatch)
    assert np.array_equal(np.array(ours), np.array(theirs))


@pytest.mark.parametrize("boundary", ["nearest", "periodic", "reflective"])
def test_equals_pyswarms_within_bounds_bit_for_bit(monkeypatch, boundary):
    def slope(x):
        return 50.0 + np.sum(x, axis=1)

    start = np.random.default_rng(2).uniform(-1, 1, (N, GENES))
    bounds = (np.full(GENES, -1.0), np.full(GENES, 1.5))
    with monkeypatch.context() as patch:
        theirs = positions_of_pyswarms(start, slope, 40, patch, bounds=bounds, boundary=boundary, clamp=(-0.4, 0.4))
    ours = own_positions(start, slope, 40, monkeypatch, bounds=bounds, boundary=boundary, velocity_limit=0.4)
    assert np.array_equal(np.array(ours), np.array(theirs))


def test_a_failed_evaluation_leaves_the_personal_best_alone():
    strategy = make()
    step(strategy)
    best = strategy.state()["pbest_cost"]
    step(strategy, lambda population: np.full(len(population), np.inf))
    assert np.array_equal(strategy.state()["pbest_cost"], best)


def test_the_velocity_is_the_papers_by_hand():
    strategy = make(inertia=0.6, cognitive=1.1, social=1.7)
    step(strategy)
    step(strategy)
    before = strategy.state()
    rng = strategy._stream(1)
    x, best = before["position"], before["best_pos"]
    expected = (
        0.6 * before["velocity"]
        + 1.1 * rng.random(x.shape) * (before["pbest_pos"] - x)
        + 1.7 * rng.random(x.shape) * (best - x)
    )
    assert np.allclose(strategy.ask(), x + expected, rtol=1e-14)


def test_each_particle_on_the_ring_is_drawn_to_the_best_of_its_own_neighbours():
    strategy = make(neighbourhood="ring")
    for _ in range(4):
        step(strategy)
    state = strategy.state()
    for i in range(N):
        near = [(i - 1) % N, i, (i + 1) % N]
        assert np.array_equal(state["best_pos"][i], state["pbest_pos"][min(near, key=lambda j: state["pbest_cost"][j])])


def test_von_neumann_neighbours_are_mutual_and_four():
    table = neighbours("von_neumann", 20, 1)
    assert table.shape == (20, 5)
    assert np.array_equal(table[:, 0], np.arange(20))
    assert all(i in table[j] for i in range(20) for j in table[i])
    assert all(len(set(row)) == 5 for row in table)


@pytest.mark.parametrize("n", [1, 2, 3, 7, 13])
@pytest.mark.parametrize("name", ["ring", "von_neumann"])
def test_every_number_of_particles_has_neighbours(name, n):
    table = neighbours(name, n, 1)
    assert table.min() >= 0
    assert table.max() < n


@pytest.mark.parametrize("neighbourhood", ["ring", "von_neumann"])
def test_local_neighbourhoods_work_in_hundreds_of_dimensions(neighbourhood):
    strategy = make(n_genes=400, neighbourhood=neighbourhood, population_size=30)
    first = sphere(step(strategy)).min()
    for _ in range(150):
        step(strategy)
    assert strategy.incumbent[1] < 0.7 * first


def test_the_ring_of_pyswarms_agrees_with_a_ring_by_hand_when_neighbours_are_given():
    topology = backend.make_topology("ring", 6, 2)
    assert topology.neighbor_idx.tolist()[0] == [0, 5, 1, 4, 2]
    assert topology.neighbor_idx.tolist()[3] == [3, 2, 4, 1, 5]


def test_velocities_are_limited():
    strategy = make(velocity_limit=0.01, start_width=3.0)
    first = step(strategy)
    for _ in range(5):
        second = step(strategy)
        assert np.abs(second - first).max() <= 0.01 + 1e-15
        first = second


def test_constriction_is_clercs_chi():
    settings = SwarmSettings(constriction=True, cognitive=2.05, social=2.05)
    rng = np.random.default_rng(1)
    assert settings.coefficients(0, rng) == pytest.approx((0.7298, 1.49618, 1.49618), abs=1e-4)
    with pytest.raises(ValueError, match="above 4"):
        SwarmSettings(constriction=True)


@pytest.mark.parametrize("schedule", ["linear", "geometric", "cosine"])
def test_inertia_falls_over_its_horizon_and_then_holds(schedule):
    settings = SwarmSettings(inertia=0.9, final_inertia=0.4, inertia_schedule=schedule, horizon=10)
    values = [settings.coefficients(g, np.random.default_rng(1))[0] for g in range(15)]
    assert values[0] == pytest.approx(0.9)
    assert np.all(np.diff(values[:11]) < 0)
    assert values[10:] == pytest.approx([0.4] * 5)


def test_random_inertia_stays_in_its_range():
    settings = SwarmSettings(inertia_schedule="random")
    values = [settings.coefficients(0, np.random.default_rng(seed))[0] for seed in range(50)]
    assert min(values) >= 0.5
    assert max(values) <= 1.0
    assert np.ptp(values) > 0.3


@pytest.mark.parametrize("width", [0.0, 0.7])
def test_particles_start_at_rest_or_with_the_velocity_asked_for(width):
    strategy = make(velocity_width=width, start_width=2.0)
    population = step(strategy)
    velocity = strategy.state()["velocity"]
    assert np.abs(velocity).max() <= width
    assert (np.ptp(velocity) > 0) == (width > 0)
    assert population.min() < 0 < population.max()


def test_half_open_bounds_use_the_nearest():
    strategy = make(bounds=(0.5, np.inf), boundary="periodic")
    for _ in range(10):
        assert step(strategy).min() >= 0.5


IMPORT = """
import logging, os
import logging.handlers
handler = logging.FileHandler("mine.log")
logging.getLogger("mine").addHandler(handler)
from neuroevo.strategies import make_strategy
for neighbourhood in ("global", "ring"):
    strategy = make_strategy("particle_swarm", n_genes=3, seed=1, bounds=(-1, 1), neighbourhood=neighbourhood)
    population = strategy.ask()
    strategy.tell(population, (population ** 2).sum(axis=1))
    strategy.ask()
assert logging.getLogger().handlers == [], logging.getLogger().handlers
assert logging.getLogger().level == logging.WARNING
assert handler.stream is not None
assert "LOG_CFG" not in os.environ
print(sorted(os.listdir()))
"""


def test_pyswarms_neither_writes_a_file_nor_touches_logging(tmp_path):
    done = subprocess.run([sys.executable, "-c", IMPORT], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "['mine.log']"
    assert done.stderr == ""


def test_a_logging_configuration_of_ones_own_for_pyswarms_comes_back(monkeypatch):
    monkeypatch.setenv("LOG_CFG", "elsewhere.yaml")
    make(bounds=(-1.0, 1.0))
    import os

    assert os.environ["LOG_CFG"] == "elsewhere.yaml"

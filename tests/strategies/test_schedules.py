"""Schedules run from first to last over their horizon and then hold."""

from __future__ import annotations

import numpy as np
import pytest

from neuroevo.strategies import make_strategy, schedules


@pytest.mark.parametrize("schedule", [schedules.linear, schedules.geometric, schedules.cosine])
def test_it_runs_from_first_to_last_and_holds(schedule):
    values = np.array([schedule(3.0, 0.5, 10, g) for g in range(20)])
    assert values[0] == pytest.approx(3.0)
    assert np.all(np.diff(values[:11]) < 0)
    assert values[10:] == pytest.approx(np.full(10, 0.5))


def test_half_way_is_the_mean_of_its_kind():
    assert schedules.linear(4.0, 1.0, 10, 5) == 2.5
    assert schedules.geometric(4.0, 1.0, 10, 5) == pytest.approx(2.0)
    assert schedules.cosine(4.0, 1.0, 10, 5) == pytest.approx(2.5)


@pytest.mark.parametrize(
    ("kind", "settings", "length"),
    [
        ("genetic_algorithm", {"horizon": 7, "mutation_adaptation": "decaying"}, 7),
        ("genetic_algorithm", {"horizon": 7}, None),
        ("simulated_annealing", {"horizon": 7}, 7),
        ("simulated_annealing", {"horizon": 7, "cooling": "logarithmic"}, None),
        ("parallel_tempering", {}, None),
        ("particle_swarm", {"horizon": 7}, None),
        ("particle_swarm", {"horizon": 7, "inertia_schedule": "cosine"}, 7),
        ("particle_swarm", {"horizon": 7, "inertia_schedule": "random"}, None),
        ("cma_es", {}, None),
    ],
)
def test_settings_say_how_long_the_schedules_in_use_are(kind, settings, length):
    assert make_strategy(kind, n_genes=3, seed=1, **settings).settings.schedule_length == length

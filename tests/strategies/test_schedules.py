"""Schedules run from first to last over their horizon and then hold."""

from __future__ import annotations

import numpy as np
import pytest

from neuroevo.strategies import schedules


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

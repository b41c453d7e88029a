"""Cooling schedules against their formulas."""

from __future__ import annotations

import numpy as np
import pytest

from neuroevo.strategies.annealing.cooling import estimated_temperature, lam_acceptance, temperature


def course(cooling, first=8.0, ratio=0.01, horizon=100, until=150):
    return np.array([temperature(cooling, first, ratio, horizon, g) for g in range(until)])


@pytest.mark.parametrize("cooling", ["geometric", "linear", "lundy_mees", "logarithmic"])
def test_it_starts_at_the_first_temperature_falls_and_holds(cooling):
    t = course(cooling)
    assert t[0] == pytest.approx(8.0)
    assert np.all(np.diff(t[:101]) < 0)
    assert np.all(t[100:] == t[100])


@pytest.mark.parametrize("cooling", ["geometric", "linear", "lundy_mees"])
def test_it_ends_at_the_ratio(cooling):
    assert course(cooling)[100] == pytest.approx(0.08)


def test_geometric_falls_by_equal_ratios():
    t = course("geometric")[:101]
    assert t[1:] / t[:-1] == pytest.approx(np.full(100, 0.01 ** (1 / 100)))


def test_linear_falls_by_equal_steps():
    assert np.diff(course("linear")[:101]) == pytest.approx(np.full(100, -0.0792))


def test_lundy_mees_follows_its_recurrence():
    t = course("lundy_mees")[:101]
    beta = (8.0 - 0.08) / (100 * 8.0 * 0.08)
    assert t[1:] == pytest.approx(t[:-1] / (1 + beta * t[:-1]))


def test_logarithmic_is_gemans():
    t = course("logarithmic")[:101]
    assert t * np.log(np.arange(101) + 2) == pytest.approx(np.full(101, 8.0 * np.log(2)))


def test_the_acceptance_of_lam_falls_in_three_stages():
    rates = np.array([lam_acceptance(1000, g) for g in range(1200)])
    assert rates[0] == pytest.approx(1.0)
    assert rates[149] == pytest.approx(0.44, abs=0.002)
    assert np.all(rates[150:650] == 0.44)
    assert rates[1000] == pytest.approx(0.001)
    assert np.all(rates[1000:] == rates[1000])
    assert np.all(np.diff(rates) <= 0)


def test_the_estimate_lets_the_median_rise_through_as_often_as_asked():
    change = np.array([-5.0, 1.0, 2.0, 100.0, np.inf, np.nan, -np.inf])
    estimate = estimated_temperature(change, 0.3)
    assert np.exp(-2.0 / estimate) == pytest.approx(0.3)


def test_falls_stand_in_for_rises_and_nothing_gives_no_estimate():
    assert np.exp(-3.0 / estimated_temperature(np.array([-3.0, 0.0]), 0.5)) == pytest.approx(0.5)
    assert estimated_temperature(np.array([0.0, np.inf, np.nan]), 0.5) is None

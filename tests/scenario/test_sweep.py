"""Sweeps: grids are products, draws have addresses, names are the values, and mistakes are told."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from neuroevo.scenario import ScenarioError, parse_sweep
from neuroevo.scenario.reader import with_overrides, without
from neuroevo.scenario.sweep import Range, read_sweep, short_names
from neuroevo.settings import SettingsError


def sweep_of(**table):
    sweep = read_sweep(table)
    assert sweep is not None
    return sweep


def test_grid_is_the_product_in_the_order_given():
    sweep = sweep_of(over={"network": {"n_hidden": [4, 8]}, "strategy.noise": [0.1, 0.5, 1.0]})
    expected = [
        {"network.n_hidden": n, "strategy.noise": noise} for n, noise in itertools.product([4, 8], [0.1, 0.5, 1.0])
    ]
    points = sweep.points()
    assert [point.values for point in points] == expected
    assert [point.name for point in points][:2] == ["n_hidden=4,noise=0.1", "n_hidden=4,noise=0.5"]


def test_whole_tables_come_before_keys_in_them():
    over = {"strategy.population_size": [8], "strategy": [{"kind": "snes"}, {"kind": "cma_es", "step_size": 1.0}]}
    points = sweep_of(over=over).points()
    assert [point.name for point in points] == ["population_size=8,strategy=snes", "population_size=8,strategy=cma_es"]
    table = with_overrides({"strategy": {"kind": "random_search"}}, points[1].values)
    assert table == {"strategy": {"kind": "cma_es", "step_size": 1.0, "population_size": 8}}


def test_more_samples_only_add_points_and_another_key_leaves_the_draws_alone():
    over = {"strategy": {"noise": {"low": 0.01, "high": 1.0, "log": True}}}
    few, many = (sweep_of(over=over, samples=n).points() for n in (5, 12))
    assert many[:5] == few
    both = sweep_of(over=over | {"network": {"n_hidden": [4, 8]}}, samples=5).points()
    assert [point.values["strategy.noise"] for point in both] == [point.values["strategy.noise"] for point in few]
    other = sweep_of(over=over, samples=5, seed=2).points()
    assert not {point.name for point in other} & {point.name for point in few}


def test_random_sweep_of_lists_has_each_combination_once():
    over = {"a.b": [1, 2, 3], "a.c": ["x", "y"]}
    points = sweep_of(over=over, samples=100).points()
    assert len(points) == len({point.name for point in points}) == 6


@pytest.mark.parametrize(
    ("ends", "cdf"),
    [
        (Range(2.0, 6.0), stats.uniform(2, 4).cdf),
        (Range(0.001, 10.0, log=True), stats.loguniform(0.001, 10).cdf),
    ],
)
def test_draws_are_distributed_as_the_range_says(ends, cdf):
    rng = np.random.default_rng(5)
    assert stats.kstest([ends.draw(rng) for _ in range(4000)], cdf).pvalue > 0.01


def test_whole_numbers_are_drawn_evenly_with_both_ends():
    rng = np.random.default_rng(5)
    draws = [Range(3, 7).draw(rng) for _ in range(5000)]
    values, counts = np.unique(draws, return_counts=True)
    assert values.tolist() == [3, 4, 5, 6, 7]
    assert stats.chisquare(counts).pvalue > 0.01
    assert all(isinstance(draw, int) for draw in draws)


@given(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6), st.booleans(), st.integers(0, 2**32))
def test_a_drawn_number_is_in_its_range_and_its_name_is_all_of_it(low, factor, log, seed):
    ends = Range(low, low * (1 + factor), log)
    value = ends.draw(np.random.default_rng(seed))
    assert ends.low <= value <= ends.high
    assert value in (ends.low, ends.high) or float(f"{value:.6g}") == value


@given(st.lists(st.one_of(st.integers(), st.text(), st.floats(allow_nan=False), st.booleans()), min_size=1, max_size=8))
def test_names_are_different_and_fit_for_folders(values):
    distinct = [value for number, value in enumerate(values) if value not in values[:number]]
    points = sweep_of(over={"strategy.anything": distinct}).points()
    names = [point.name for point in points]
    assert len(set(names)) == len(distinct)
    assert all(
        len(name) < 120 and not set(name) & set("/\\ \0\n") and not name.startswith((".", "-")) for name in names
    )


def test_short_names_tell_keys_apart():
    keys = ["islands.count", "strategy.noise", "islands.strategies.0.noise", "noise"]
    names = short_names(keys)
    assert names["islands.count"] == "count"
    assert len(set(names.values())) == 4
    assert all(key.endswith(name) for key, name in names.items())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.b=1,2,3", ("a.b", [1, 2, 3])),
        ("a.b=0.5", ("a.b", [0.5])),
        ("strategy.kind=snes,cma_es", ("strategy.kind", ["snes", "cma_es"])),
        ('strategy.kind="snes","cma_es"', ("strategy.kind", ["snes", "cma_es"])),
        ("strategy.bounds=[-1.0, 1.0],[-2.0, 2.0]", ("strategy.bounds", [[-1.0, 1.0], [-2.0, 2.0]])),
        ("a.b=true,false", ("a.b", [True, False])),
        ("a.b=0.01..1:log", ("a.b", {"low": 0.01, "high": 1, "log": True})),
        ("a.b=-1..1", ("a.b", {"low": -1, "high": 1, "log": False})),
        ("a.b=1e-3..1e3:log", ("a.b", {"low": 1e-3, "high": 1e3, "log": True})),
    ],
)
def test_sweeps_of_the_command_line(text, expected):
    assert parse_sweep(text) == expected


@pytest.mark.parametrize("text", ["a.b", "=1,2", "a.b=", "a.b=1..2:lug"])
def test_no_sweep_of_the_command_line(text):
    with pytest.raises(ScenarioError, match="--sweep"):
        parse_sweep(text)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"over": {"a.b": 3}}, "a list of values, or a range"),
        ({"over": {"a.b": []}}, "a list of values, or a range"),
        ({"over": [1]}, "must be a table"),
        ({"over": {"a.b": [1, 2, 1]}}, "stands in it twice"),
        ({"over": {"a.b": {"low": 2, "high": 1}}, "samples": 2}, "low must be below high"),
        ({"over": {"a.b": {"low": 0, "high": 1, "log": True}}, "samples": 2}, "above 0"),
        ({"over": {"a.b": {"low": 1, "high": 2, "step": 1}}, "samples": 2}, "unknown key"),
        ({"over": {"a.b": {"low": True, "high": 2}}, "samples": 2}, "must be a number"),
        ({"over": {"a.b": {"low": 1, "high": 2}}}, "say how many points"),
        ({"over": {"seed": [1, 2]}}, "trials = N"),
        ({"over": {"record.plots": [True, False]}}, "changes no result"),
        ({"over": {"a.a": list(range(200)), "a.b": list(range(200))}}, "40,000 points"),
        ({"samples": 3}, "needs keys"),
        ({"trials": 0}, "at least 1"),
        ({"sample": 3, "over": {"a.b": [1]}}, "did you mean 'samples'"),
    ],
)
def test_mistakes_are_told(table, message):
    with pytest.raises(SettingsError, match=message):
        read_sweep(table)


def test_all_mistakes_are_told_at_once():
    with pytest.raises(SettingsError) as caught:
        read_sweep({"trials": -1, "over": {"seed": [1], "a.b": 5}})
    assert [mistake.path for mistake in caught.value.mistakes] == ["sweep.trials", "sweep.over.seed", "sweep.over.a.b"]


def test_a_table_without_the_swept_keys():
    table = {"a": {"b": 1, "c": [{"d": 2, "e": 3}, 4]}, "f": 5}
    assert without(table, ["a.b", "a.c.0.d", "x.y", "a.c.7.d", "f.g"]) == {"a": {"c": [{"e": 3}, 4]}, "f": 5}
    assert without(table, ["a.c.1"])["a"]["c"] == [{"d": 2, "e": 3}, ""]
    assert math.isclose(table["a"]["b"], 1)

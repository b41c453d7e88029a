"""Who computes: one object over a scenario's own words, opened once for many runs."""

from __future__ import annotations

import pytest

import neuroevo as ne
from tests.results import results_of


@pytest.mark.parametrize(
    ("said", "scenario", "expected"),
    [
        (ne.Compute(), ne.Compute(threads=3, workers=2), ne.Compute(threads=3, workers=2)),
        (ne.Compute(threads=1), ne.Compute(threads=3, workers=2), ne.Compute(threads=1, workers=2)),
        (ne.Compute(workers=0), ne.Compute(threads=3, ray="auto"), ne.Compute(threads=3, workers=0)),
        (ne.Compute(ray="h:1"), ne.Compute(workers=2), ne.Compute(ray="h:1")),
    ],
)
def test_what_is_said_stands_over_the_scenario(said, scenario, expected):
    assert said.over(scenario) == expected


def test_workers_here_and_a_cluster_exclude_each_other():
    with pytest.raises(ne.BadInput, match="give one of them"):
        ne.Compute(workers=2, ray="auto")


@pytest.mark.parametrize("wrong", [{"threads": 0}, {"threads": 1.5}, {"workers": -1}, {"workers": "2"}, {"ray": 6379}])
def test_what_cannot_compute_is_refused_where_it_is_said(wrong):
    with pytest.raises(ne.BadInput, match=f"{next(iter(wrong))} must be"):
        ne.Compute(**wrong)


def test_a_session_in_this_process_serves_many_runs(small_scenario, tmp_path):
    expected = results_of(ne.run(small_scenario, results=tmp_path / "alone"))
    with ne.Compute(threads=1).open() as session:
        assert session.cluster is None
        for _ in range(2):
            assert results_of(ne.run(small_scenario, results=tmp_path / "runs", compute=session)) == expected


@pytest.mark.ray
def test_a_session_with_workers_serves_many_runs(ray_here, small_scenario, tmp_path):
    islands = {"islands.count": 2, "islands.interval": 3}
    expected = [results_of(ne.run(small_scenario, results=tmp_path / "a", overrides=each)) for each in ({}, islands)]
    with ne.Compute(workers=2).open() as session:
        found = [
            results_of(ne.run(small_scenario, results=tmp_path / "b", overrides=each, compute=session))
            for each in ({}, islands)
        ]
        trials = ne.run_trials(small_scenario, 2, results=tmp_path / "b", compute=session)
        assert session.cluster is not None
    assert found == expected
    assert results_of(next(iter(trials.trials()))) == expected[0]

"""Which points come first, what is shown of them, and whether they are fairly compared."""

from __future__ import annotations

import math
from typing import Any

from neuroevo.analysis import finished, median, n_runs, quartiles_of, ranked, shown_figures, unequal_costs


def figure(value: float | None) -> dict[str, Any]:
    if value is None:
        return {"n": 0, "median": None, "lower_quartile": None, "upper_quartile": None}
    return {"n": 3, "median": value, "lower_quartile": value / 2, "upper_quartile": 2 * value}


def point(n_finished: int = 3, **figures: float | None) -> dict[str, Any]:
    named = {name.replace("__", "."): figure(value) for name, value in figures.items()}
    return {"n_trials": 3, "n_finished": n_finished, "figures": named}


BEST, MIDDLE, WORST = (point(champion__error=error, evaluations=100) for error in (0.1, 0.2, 0.4))
FAILED, UNBEGUN = point(champion__error=None, evaluations=100), point(n_finished=0)
SWEEP = {"chosen_by": "champion.error", "points": [MIDDLE, UNBEGUN, FAILED, WORST, BEST]}


def test_the_smallest_median_comes_first_and_failures_last() -> None:
    assert ranked(SWEEP) == [BEST, MIDDLE, WORST, FAILED]
    assert finished(SWEEP) == [MIDDLE, FAILED, WORST, BEST]
    assert (median(BEST, "champion.error"), median(FAILED, "champion.error"), median(BEST, "x")) == (
        0.1,
        math.inf,
        math.inf,
    )
    assert quartiles_of(MIDDLE, "champion.error") == (0.1, 0.2, 0.4)
    assert quartiles_of(FAILED, "champion.error") is quartiles_of(BEST, "x") is None


def test_equal_points_keep_their_order() -> None:
    first, second = point(champion__error=0.1), point(champion__error=0.1)
    order = ranked({"chosen_by": "champion.error", "points": [first, second]})
    assert order[0] is first
    assert order[1] is second


def test_runs_are_counted_over_points_and_trials() -> None:
    assert (n_runs(SWEEP), n_runs(SWEEP, "n_finished")) == (15, 12)
    assert (n_runs(BEST), n_runs(UNBEGUN, "n_finished")) == (3, 0)


def test_parts_that_had_no_say_are_shown_by_their_relative_error_and_what_was_learnt() -> None:
    points = [
        point(champion__error=1, train__nmse=1, train__arv=1, validation__nmse=1, test__nmse=1, test__learned=1),
        point(champion__error=1, late__nmse=1, late__arv=1, late__learned=None, champion__validation_error=None),
    ]
    assert shown_figures(points) == ["champion.error", "test.nmse", "test.learned", "late.arv"]
    assert shown_figures([]) == []


def test_costs_are_unequal_above_a_fifth() -> None:
    costs = lambda *values: unequal_costs(point(evaluations=value) for value in values)  # noqa: E731
    assert not costs(100, 120)
    assert costs(100, 121)
    assert not costs(100)
    assert not costs()

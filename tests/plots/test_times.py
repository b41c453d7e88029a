"""Ticks of times stand at round times, and a span holds exactly the rows whose times lie in it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuroevo.errors import BadInput
from neuroevo.plots.times import LETTERS, rows_between, time_ticks

START = dt.datetime(2015, 12, 30, 22, 0)


def stamped(step: dt.timedelta, n: int, start: dt.datetime = START) -> list[dt.datetime]:
    return [start + step * k for k in range(n)]


@given(st.integers(1, 10**7), st.integers(2, 600))
def test_ticks_are_few_and_say_when_their_rows_are(seconds: int, n: int) -> None:
    moments = stamped(dt.timedelta(seconds=seconds), n)
    rows, texts = time_ticks([str(moment) for moment in moments])
    assert 1 <= len(rows) <= 7
    assert len(set(texts)) == len(texts)
    assert len(texts) * (max(len(line) for text in texts for line in text.split("\n")) + 2) <= LETTERS + 20
    for row, text in zip(rows, texts, strict=True):
        assert str(moments[row]).startswith(text.replace("\n", " "))


@pytest.mark.parametrize(
    ("step", "n", "expected"),
    [
        (dt.timedelta(hours=1), 60, ["2015-12-31\n00:00", "2015-12-31\n12:00", "2016-01-01\n00:00", "2016-01-01\n12:00",
                                     "2016-01-02\n00:00"]),
        (dt.timedelta(hours=1), 24 * 40, ["2016-01-04", "2016-01-11", "2016-01-18", "2016-01-25", "2016-02-01",
                                          "2016-02-08"]),
        (dt.timedelta(minutes=10), 18, ["2015-12-30\n22:00", "2015-12-30\n22:30", "2015-12-30\n23:00",
                                        "2015-12-30\n23:30", "2015-12-31\n00:00", "2015-12-31\n00:30"]),
        (dt.timedelta(hours=6), 4 * 200, ["2016-01", "2016-02", "2016-03", "2016-04", "2016-05", "2016-06", "2016-07"]),
        (dt.timedelta(days=1), 1500, ["2016", "2017", "2018", "2019", "2020"]),
    ],
)  # fmt: skip
def test_ticks_of_dates_are_round(step: dt.timedelta, n: int, expected: list[str]) -> None:
    assert time_ticks([str(moment) for moment in stamped(step, n)])[1] == expected


HOURS = np.array([str(moment)[:16] for moment in stamped(dt.timedelta(hours=1), 24 * 40)])


@pytest.mark.parametrize(
    ("span", "first", "last"),
    [
        (("2016-01", "2016-01"), "2016-01-01 00:00", "2016-01-31 23:00"),
        (("2016-01-05", None), "2016-01-05 00:00", HOURS[-1]),
        ((None, "2016-01-05 12:00"), HOURS[0], "2016-01-05 12:00"),
        ((dt.date(2016, 1, 2), dt.datetime(2016, 1, 3, 7, 30)), "2016-01-02 00:00", "2016-01-03 07:00"),
        ((2016, "2016-01-01T00:59"), "2016-01-01 00:00", "2016-01-01 00:00"),
    ],
)
def test_ends_of_dates_stand_for_all_that_they_name(span: Any, first: str, last: str) -> None:
    rows = rows_between(HOURS, len(HOURS), span)
    assert (HOURS[rows][0], HOURS[rows][-1]) == (first, last)


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=30, unique=True), st.integers(-60, 60), st.integers(0, 60))
def test_span_of_numbers_is_what_lies_between(times: list[int], low: int, width: int) -> None:
    labels = np.array(sorted(times))
    inside = [time for time in labels if low <= time <= low + width]
    if not inside:
        with pytest.raises(BadInput, match=f"the times go from {labels[0]} to {labels[-1]}"):
            rows_between(labels, len(labels), (low, str(low + width)))
    else:
        assert labels[rows_between(labels, len(labels), (low, str(low + width)))].tolist() == inside


def test_steps_count_from_one_and_names_are_taken_as_they_are() -> None:
    assert rows_between(None, 10, ("2", 5)) == slice(1, 5)
    names = np.array(["first", "second", "third"])
    assert rows_between(names, 3, ("second", None)) == slice(1, 3)


@pytest.mark.parametrize(
    ("labels", "bound", "words"),
    [
        (None, "2016-01", "must be a number"),
        (None, "nan", "must be a number"),
        (None, 0.5, "no row lies from the beginning to 0.5: the steps go from 1 to 10"),
        (HOURS, "yesterdays", "must be a date such as '2015-12-30 22:00'"),
        (HOURS, "NaT", "must be a date"),
        (np.array(["a", "b"]), "c", "no row has the time 'c'"),
    ],
)
def test_wrong_ends_are_refused(labels: Any, bound: Any, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        rows_between(labels, 10 if labels is None else len(labels), (None, bound))

from __future__ import annotations

import datetime
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroevo.problems import DataError
from neuroevo.problems.tables.timeline import Timeline, calendar_inputs, continued, moments_of, timeline


def read(*columns, date_format=None, starts=(0,)):
    return timeline([list(cells) for cells in columns], lambda row: f"row {row + 1}", date_format, starts)


MOMENTS = st.lists(
    st.datetimes(datetime.datetime(1970, 1, 1), datetime.datetime(2068, 12, 31)).map(
        lambda moment: moment.replace(second=0, microsecond=0)
    ),
    min_size=2,
    max_size=8,
    unique=True,
).map(sorted)
FORMATS = [
    "%d.%m.%Y %H:%M",
    "%d.%m.%y %H:%M",
    "%d %b %Y %H:%M",
    "%d-%B-%Y %I:%M %p",
    "%b %d, %Y %H:%M",
    "%Y/%m/%dT%H:%M",
]


@given(moments=MOMENTS, date_format=st.sampled_from(FORMATS))
@settings(max_examples=60, deadline=None)
def test_dates_in_the_usual_orders_are_those_that_were_written(moments, date_format):
    line = read([moment.strftime(date_format) for moment in moments])
    assert line.clock.astype(datetime.datetime).tolist() == moments
    if date_format[:2] != "%Y":
        unit = 10 if all(moment.time() == datetime.time() for moment in moments) else 16
        assert line.labels.tolist() == [moment.isoformat(" ")[:unit] for moment in moments]


@given(moments=MOMENTS, order=st.sampled_from(["%d/%m/%Y", "%m/%d/%Y"]), strict=st.booleans())
@settings(max_examples=60, deadline=None)
def test_slashes_are_read_rightly_or_refused(moments, order, strict):
    days = [moment.replace(hour=0, minute=0) for moment in moments]
    cells = [day.strftime(order) for day in days]
    if strict:
        assert read(cells, date_format=order).clock.astype(datetime.datetime).tolist() == days
        return
    swapped = [day.replace(day=day.month, month=day.day) for day in days if day.day <= 12]
    if len(swapped) == len(days) and swapped == sorted(swapped) and swapped != days:
        with pytest.raises(DataError, match="date_format = '%d/%m/%Y' or '%m/%d/%Y'"):
            read(cells)
    else:
        assert read(cells).clock.astype(datetime.datetime).tolist() == days


def test_what_could_be_day_or_month_throughout_is_refused_with_what_to_write():
    with pytest.raises(DataError, match=r"row 1: .*'03/04/2021' .* date_format = '%d/%m/%Y' or '%m/%d/%Y'"):
        read(["03/04/2021", "04/04/2021", "05/05/2021"])
    assert read(["03/04/2021", "12/04/2021", "13/04/2021"]).labels[0] == "2021-04-03"
    # One of the two orders falls.
    assert read(["03/04/2021", "04/04/2021", "01/05/2021"]).labels.tolist() == [
        "2021-04-03",
        "2021-04-04",
        "2021-05-01",
    ]
    assert read(["03.04.2021", "04.04.2021"]).labels.tolist() == ["2021-04-03", "2021-04-04"]


def test_labels_with_the_year_first_stay_as_they_are_where_they_rise():
    for cells in (
        ["2016/07/01", "2016/07/02"],
        ["1958-03-29", "1958-04-05"],
        ["2016-Q1", "2016-Q2"],
        ["2016-07", "2017-01"],
    ):
        assert read(cells).labels.tolist() == cells
    assert read(["2016-7-9 9:30", "2016-7-10 0:00"]).labels.tolist() == ["2016-07-09 09:30", "2016-07-10 00:00"]
    assert read(["1", "2.5"]).labels.tolist() == [1.0, 2.5]
    assert read(["1749", "1749"], ["1", "12"]).labels.tolist() == ["1749-01", "1749-12"]
    assert read(["01.02.2020", "01.02.2020"], ["9", "10"]).labels.tolist() == ["2020-02-01 09:00", "2020-02-01 10:00"]
    assert read(["1.2.2020", "1.2.2020"], ["9h", "10h"], date_format="%d.%m.%Y %Hh").labels[1] == "2020-02-01 10:00"


def test_hours_that_come_twice_in_autumn_are_told_apart_by_their_zones():
    cells = ["2016-10-30T02:00+02:00", "2016-10-30T02:30+02:00", "2016-10-30T02:00+01:00", "2016-10-30T03:00+01:00"]
    line = read(cells)
    assert line.labels.tolist() == ["2016-10-30 00:00", "2016-10-30 00:30", "2016-10-30 01:00", "2016-10-30 02:00"]
    assert [moment.hour for moment in line.clock.astype(datetime.datetime).tolist()] == [2, 2, 2, 3]
    whole = ["2016-10-30T02:00:00Z", "2016-10-30T03:00:00Z"]
    assert read(whole).labels.tolist() == whole
    assert np.diff(moments_of(np.array(whole))).tolist() == [3600.0]


MISTAKES = [
    ((["1.1.2020", "x"],), {}, "row 2: 'x' is no date such as '1.1.2020'"),
    ((["1.1.2020", "31.2.2020"],), {}, "row 2: '31.2.2020' is no date of the calendar"),
    ((["1.1.2020 10:00", "1.1.2020 25:00"],), {}, "row 2: '25:00' is no time of day"),
    ((["2.1.2020", "1.1.2020"],), {}, "row 2: the time 2020-01-01 comes before 2020-01-02 .* sort the rows by time"),
    ((["b", "a"],), {}, "row 2: the time a comes before b .* date_format"),
    ((["1.1.2020", ""],), {}, "row 2: the time is missing"),
    ((["1", "nan"],), {}, "row 2: the time is missing"),
    ((["1.1.2020", "2.1.20"],), {"date_format": "%d.%m.%Y"}, r"row 2: '2.1.20' does not fit date_format = '%d.%m.%Y'"),
    ((["2.1.2020 1:00+01:00", "2.1.2020 1:00"],), {}, "row 2: this time has no time zone"),
]


@pytest.mark.parametrize(("columns", "keys", "message"), MISTAKES, ids=[str(i) for i in range(len(MISTAKES))])
def test_times_that_cannot_be_used_are_named(columns, keys, message):
    with pytest.raises(DataError, match=message):
        read(*columns, **keys)


def test_times_may_begin_anew_with_a_sequence():
    cells = ["1.1.2020", "2.1.2020", "1.1.2020"]
    assert read(cells, starts=(0, 2)).labels.tolist() == ["2020-01-01", "2020-01-02", "2020-01-01"]
    with pytest.raises(DataError, match="row 3"):
        read(cells)


@given(st.lists(st.datetimes(datetime.datetime(1900, 1, 1), datetime.datetime(2100, 1, 1)), min_size=1, max_size=6))
@settings(max_examples=40, deadline=None)
def test_the_calendar_is_that_of_datetime(moments):
    names = ["hour", "weekday", "month", "day_of_year"]
    found = calendar_inputs(np.array(moments, dtype="datetime64[us]"), names)
    for row, moment in zip(found, moments, strict=True):
        midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        shares = [
            (moment - midnight).total_seconds() / 86400,
            moment.weekday() / 7,
            (moment.month - 1) / 12,
            (moment.timetuple().tm_yday - 1) / 365.25,
        ]
        expected = [f(2 * math.pi * share) for share in shares for f in (math.sin, math.cos)]
        assert row == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("labels", "later"),
    [
        (["2020-01-31 22:00", "2020-01-31 23:00"], ["2020-02-01 00:00", "2020-02-01 01:00"]),
        (["2020-11", "2020-12"], ["2021-01", "2021-02"]),
        (["2020-11-01", "2020-12-01"], ["2021-01-01", "2021-02-01"]),
        (["2020-02-27", "2020-02-28"], ["2020-02-29", "2020-03-01"]),
        (["1999", "2000"], ["2001", "2002"]),
        (["2020-01-01T10:00:00", "2020-01-01T10:00:30"], ["2020-01-01T10:01:00", "2020-01-01T10:01:30"]),
        ([3, 5], [7, 9]),
        ([0.5, 1.0], [1.5, 2.0]),
        (["week 1", "week 2"], ["week 2 +1", "week 2 +2"]),
    ],
)
def test_times_go_on_in_the_usual_step(labels, later):
    assert continued(np.array(labels), 2).tolist()[2:] == later
    line = Timeline(np.array(labels)).continued(2)
    assert line.labels.tolist()[2:] == later

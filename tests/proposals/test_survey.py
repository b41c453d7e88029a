"""What is found out about a file, against what was written into it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroevo.errors import BadInput
from neuroevo.proposals import survey
from neuroevo.proposals.dialect import dialect_of
from neuroevo.proposals.seasonality import find_season
from neuroevo.proposals.times import FORMATS, find_times

BEGIN = dt.datetime(2019, 12, 25, 6, 30)


def dates(form: str, step: dt.timedelta, n: int = 60, begin: dt.datetime = BEGIN) -> list[str]:
    return [(begin + i * step).strftime(form) for i in range(n)]


def seconds(step: dt.timedelta, n: int = 60) -> np.ndarray:
    return np.arange(n) * step.total_seconds()


@given(
    values=st.lists(
        st.lists(st.integers(-9999, 9999).map(lambda n: n / 100), min_size=2, max_size=2), min_size=12, max_size=20
    ),
    separator=st.sampled_from([",", ";", "\t", "|"]),
    decimal=st.sampled_from([".", ","]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16"]),
    header=st.booleans(),
)
@settings(deadline=None, max_examples=60)
def test_numbers_come_back_however_they_are_written(
    tmp_path_factory, values, separator, decimal, encoding, header
) -> None:
    if separator == decimal:
        separator = ";"
    lines = [["Größe", "Wert"]] if header else []
    lines += [[f"{value:.2f}".replace(".", decimal) for value in row] for row in values]
    path = tmp_path_factory.mktemp("survey") / "data.csv"
    path.write_bytes("".join(separator.join(line) + "\n" for line in lines).encode(encoding))
    found = survey(path)
    assert found.n_rows == len(values)
    assert [column.name for column in found.columns] == (["Größe", "Wert"] if header else ["column 1", "column 2"])
    for column, written in zip(found.columns, np.array(values).T, strict=True):
        if column.values is not None:
            np.testing.assert_array_equal(column.values, written)
        else:
            assert column.kind == "time"
            assert (np.diff(written) > 0).all()


def test_a_comma_inside_quotes_is_no_separator() -> None:
    assert dialect_of(b'a;b\n"x,y";1\n"z,u";2\n').separator == ";"


@pytest.mark.parametrize("form", [form for form in FORMATS if "%H" in form or "%I" in form])
def test_dates_with_times_of_day_are_read_in_every_format(form: str) -> None:
    step = dt.timedelta(minutes=15) if "%M" in form else dt.timedelta(hours=1)
    begin = BEGIN if "%M" in form else BEGIN.replace(minute=0)
    found = find_times(["when"], [dates(form, step, begin=begin)])
    assert found is not None
    assert found.are_dates
    np.testing.assert_array_equal(found.seconds - found.seconds[0], seconds(step))


@pytest.mark.parametrize(
    "form", ["%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%y", "%d %b %Y", "%b %d, %Y", "%Y%m%d"]
)
def test_days_are_read_in_every_order(form: str) -> None:
    step = dt.timedelta(days=1)
    found = find_times(["", ""], [["1.5"] * 60, dates(form, step)])
    assert found is not None
    assert (found.columns, found.unit, found.ambiguous) == ((1,), "day", False)
    np.testing.assert_array_equal(found.seconds - found.seconds[0], seconds(step))


def test_an_order_that_nothing_tells_is_called_ambiguous() -> None:
    cells = [f"0{1 + i % 3}/0{1 + i % 3}/20{10 + i}" for i in range(12)]
    found = find_times(["when"], [[*cells[:5], "05/06/2015", *cells[6:]]])
    assert found is not None
    assert found.ambiguous
    assert found.format in ("%d/%m/%Y", "%m/%d/%Y")


def test_columns_of_year_and_month_are_times_together() -> None:
    pairs = [(1990 + i // 12, 1 + i % 12) for i in range(40)]
    cells = [[str(year) for year, _ in pairs], ["7"] * 40, [str(month) for _, month in pairs]]
    found = find_times(["Year", "x", "Month"], cells)
    assert found is not None
    assert (found.columns, found.unit) == ((0, 2), "month")


def test_a_day_and_a_time_of_day_in_two_columns_are_times_together() -> None:
    step = dt.timedelta(hours=1)
    found = find_times(["Date", "Time"], [dates("%d/%m/%Y", step), dates("%H:%M:%S", step)])
    assert found is not None
    assert (found.columns, found.unit) == ((0, 1), "hour")
    np.testing.assert_array_equal(found.seconds - found.seconds[0], seconds(step))


def test_gaps_doubles_and_rows_out_of_order_are_counted() -> None:
    days = [0, 1, 2, 2, 3, 10, 11, 12, 30, 29]
    cells = [(BEGIN + dt.timedelta(days=n)).strftime("%Y-%m-%d") for n in days]
    found = find_times(["when"], [cells])
    assert found is not None
    assert (found.step, found.n_doubles, found.n_falling) == (86_400, 1, 1)
    assert found.gaps.tolist() == [7, 18]


def test_weekends_are_no_gaps_in_a_series_of_workdays() -> None:
    days = [BEGIN + dt.timedelta(days=n) for n in range(120)]
    cells = [day.strftime("%Y-%m-%d") for day in days if day.weekday() < 5]
    found = find_times(["when"], [cells])
    assert found is not None
    assert found.is_of_workdays
    assert found.gaps.size == 0


@pytest.mark.parametrize(
    ("cells", "unit"),
    [
        ([str(1_600_000_000 + 3600 * i) for i in range(20)], "hour"),
        ([str(1900 + i) for i in range(20)], "row"),
        ([str(i) for i in range(20)], "row"),
    ],
)
def test_an_even_first_column_of_numbers_says_when(cells: list[str], unit: str) -> None:
    found = find_times(["a", "b"], [cells, ["3", "1"] * 10])
    assert found is not None
    assert (found.columns, found.are_dates, found.unit) == ((0,), False, unit)


def test_measurements_do_not_say_when() -> None:
    rng = np.random.default_rng(0)
    cells = [f"{value:.3f}" for value in rng.normal(size=50)]
    assert find_times(["a"], [cells]) is None
    assert find_times(["time", "a"], [cells, cells]) is None


@pytest.mark.parametrize("period", [7, 12, 24, 52])
def test_the_season_of_a_wave_with_a_trend_and_two_outliers_is_its_period(period: int) -> None:
    rng = np.random.default_rng(period)
    steps = np.arange(12 * period)
    values = np.sin(2 * np.pi * steps / period) + 0.01 * steps + rng.normal(scale=0.1, size=len(steps))
    values[[30, 30 + period + 3]] += 100
    values[5] = np.nan
    found = find_season(values, None)
    assert found is not None
    assert found.steps == period


def test_noise_and_a_constant_have_no_season() -> None:
    assert find_season(np.random.default_rng(3).normal(size=300), None) is None
    assert find_season(np.ones(300), None) is None


def test_kinds_of_columns(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    rows = [
        f'{20200101 + i},{i * i % 7},{"ab"[i % 2]},name {i},5,,{i if i != 9 else "broken"},{i % 2},"1,{i:03d}.5"'
        for i in range(20)
    ]
    path.write_text("day,x,kind,name,same,nothing,mixed,flag,thousands\n" + "\n".join(rows))
    found = survey(path)
    kinds = {column.name: column.kind for column in found.columns}
    assert kinds == {
        "day": "time",
        "x": "numbers",
        "kind": "classes",
        "name": "text",
        "same": "constant",
        "nothing": "empty",
        "mixed": "mixed",
        "flag": "numbers",
        "thousands": "mixed",
    }
    assert found.find("flag").is_flag
    assert not found.find("x").is_flag
    assert "'broken' in line 11" in found.find("mixed").note


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\n \n", "no data|empty"),
        (b"a,b\n", "no data under it"),
        (b"PK\x03\x04 xl/ [Content_Types].xml", "Excel"),
        (bytes(range(256)), "line|text"),
        (b"A report\na,b\n1,2\n3,4\n5,6\n", "title"),
        (b"a,b\n1,2\n3,4,5\n6,7\n", "line 3"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=words):
        survey(path)


def test_a_column_that_does_not_say_when_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("a,b\n" + "x,1\ny,2\nz,5\n" * 5)
    with pytest.raises(BadInput, match="does not say when: it holds 'x'"):
        survey(path, ["a"])
    with pytest.raises(BadInput, match="did you mean 'b'"):
        survey(path, ["bb"])
